from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable, Sequence
from types import ModuleType

import pytest
import torch
from torch import Tensor

# (edges as (source, target), number of nodes)
EDGE_LISTS: dict[str, tuple[list[tuple[int, int]], int]] = {
    "undirected": ([(0, 1), (1, 0), (1, 2), (2, 1), (3, 0), (0, 3)], 4),
    "directed": ([(0, 1), (1, 2), (2, 0), (3, 1), (4, 1)], 5),
    "isolated nodes": ([(5, 1), (1, 5), (2, 1)], 8),
    "self-loops": ([(0, 0), (0, 1), (1, 0), (2, 2), (1, 2)], 4),
    "duplicates": ([(2, 1), (0, 1), (2, 1), (0, 1), (1, 0), (2, 1)], 3),
    "duplicate self-loops": ([(1, 1), (0, 1), (1, 1), (2, 0)], 3),
    "no edges": ([], 4),
    "one node": ([], 1),
}


@pytest.fixture(params=EDGE_LISTS)
def edges(request: pytest.FixtureRequest) -> tuple[Tensor, int]:
    """(edge_index, num_nodes) of every kind of graph that has ever broken a layer."""
    pairs, num_nodes = EDGE_LISTS[request.param]
    return torch.tensor(pairs, dtype=torch.int64).reshape(-1, 2).T.contiguous(), num_nodes


@pytest.fixture(params=[torch.float32, torch.float64], ids=["float32", "float64"])
def dtype(request: pytest.FixtureRequest) -> torch.dtype:
    return request.param


@pytest.fixture
def tolerance(dtype: torch.dtype) -> dict[str, float]:
    bound = 1e-5 if dtype == torch.float32 else 1e-10
    return {"rtol": bound, "atol": bound}


@pytest.fixture
def compare(tolerance: dict[str, float]) -> Callable[..., None]:
    """Asserts that two outputs are equal, and their gradients for a random direction with them."""

    def compare(ours: Tensor, theirs: Tensor, ours_at: Sequence[Tensor], theirs_at: Sequence[Tensor]) -> None:
        torch.testing.assert_close(ours, theirs, **tolerance)
        grad = torch.randn(ours.shape, dtype=ours.dtype, generator=torch.Generator().manual_seed(9))
        got = torch.autograd.grad(ours, ours_at, grad, allow_unused=True)
        wanted = torch.autograd.grad(theirs, theirs_at, grad, allow_unused=True)
        for mine, other, at, like in zip(got, wanted, ours_at, theirs_at, strict=True):
            mine = torch.zeros_like(at) if mine is None else mine
            other = torch.zeros_like(like) if other is None else other
            torch.testing.assert_close(mine, other.reshape(mine.shape), **tolerance)

    return compare


@pytest.fixture(scope="session")
def pyg() -> ModuleType:
    """torch_geometric, which warns about torch.jit while it is imported."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="`torch.jit", category=DeprecationWarning)
        importlib.import_module("torch_geometric.nn")
        importlib.import_module("torch_geometric.data")
        return importlib.import_module("torch_geometric")
