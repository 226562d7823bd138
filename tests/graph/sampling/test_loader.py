from __future__ import annotations

import gc
import threading

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from mmgraph.errors import InputError
from mmgraph.graph import Adjacency, NeighborLoader, SparseFeatures, open_features
from mmgraph.graph.sampling.features import rows_of
from mmgraph.graph.sampling.prefetching import prefetched

NODES = 50


@pytest.fixture
def graph() -> Adjacency:
    generator = torch.Generator().manual_seed(0)
    return Adjacency.from_edge_index(torch.randint(NODES, (2, 400), generator=generator), NODES)


def threads() -> set[str]:
    return {thread.name for thread in threading.enumerate() if thread.name.startswith("mmgraph-prefetch")}


@pytest.mark.parametrize("prefetch", [0, 1, 3])
def test_an_epoch_has_every_node_once_with_its_features(graph, prefetch):
    x = torch.randn(NODES, 4)
    edge_attr = torch.arange(400.0)[:, None]
    nodes = torch.arange(3, 43)
    loader = NeighborLoader(graph, x, nodes, [3, 2], 16, prefetch=prefetch, edge_attr=edge_attr)
    batches = list(loader.batches(epoch=1))
    assert len(batches) == len(loader) == 3
    assert [batch.num_targets for batch in batches] == [16, 16, 8]
    assert torch.cat([batch.targets for batch in batches]).sort().values.tolist() == nodes.tolist()
    given, _ = graph.to_edge_index()
    for batch in batches:
        assert torch.equal(batch.x, x[batch.nodes])
        ends, _ = batch.adjacency.to_edge_index()
        assert torch.equal(batch.nodes[ends], given[:, batch.edge_attr[:, 0].long()])
    assert not threads()


def test_batches_are_a_function_of_epoch_and_position(graph):
    def made(epoch: int, start: int = 0, **change) -> list[tuple[list[int], list[int]]]:
        options = {"seed": 4, "prefetch": 2} | change
        loader = NeighborLoader(graph, torch.randn(NODES, 2), torch.arange(NODES), [3], 8, **options)
        return [(b.nodes.tolist(), b.adjacency.col.tolist()) for b in loader.batches(epoch, start)]

    whole = made(2)
    assert made(2) == whole
    assert made(2, prefetch=0) == whole
    assert made(2, start=3) == whole[3:]
    assert made(3) != whole
    assert made(2, seed=5) != whole
    assert made(0, shuffle=False)[0][0][:8] == list(range(8))


def test_a_loop_that_is_left_ends_the_thread(graph):
    loader = NeighborLoader(graph, torch.randn(NODES, 2), torch.arange(NODES), [3], 4)
    for _ in loader.batches():
        assert len(threads()) == 1
        break
    gc.collect()
    assert not threads()


def test_an_error_comes_where_its_batch_would_have_come():
    def make(position: int) -> int:
        if position == 3:
            raise ValueError("broken")
        return position

    results = prefetched(make, range(10), 2)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="broken"):
        next(results)
    assert not threads()


def test_no_more_than_asked_for_is_made_ahead():
    made = []
    started = threading.Event()

    def make(position: int) -> int:
        made.append(position)
        started.set()
        return position

    results = prefetched(make, range(100), 2)
    assert next(results) == 0
    assert started.is_set()
    assert len(made) <= 4
    results.close()
    assert len(made) <= 4


@pytest.mark.parametrize("suffix", [".npy", ".safetensors"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16])
def test_features_in_files_are_mapped(graph, tmp_path, suffix, dtype):
    x = np.random.default_rng(0).standard_normal((NODES, 6)).astype(dtype)
    path = tmp_path / f"x{suffix}"
    if suffix == ".npy":
        np.save(path, x)
    else:
        save_file({"x": x, "y": np.zeros(3, np.int64)}, path)
    features = open_features(path, "x")
    assert isinstance(features, np.memmap)
    nodes = torch.tensor([7, 3, 3, 49, 0])
    assert torch.equal(rows_of(features, nodes), torch.from_numpy(x[nodes.numpy()]))
    batch = next(iter(NeighborLoader(graph, features, torch.arange(NODES), [2], 5).batches()))
    assert torch.equal(batch.x, torch.from_numpy(x)[batch.nodes])


def test_rows_of_sparse_features():
    x = torch.randn(8, 5) * (torch.rand(8, 5) < 0.4)
    nodes = torch.tensor([3, 0, 3, 7])
    rows = rows_of(SparseFeatures.from_dense(x), nodes)
    assert torch.equal(rows.to_dense(), x[nodes])
    assert rows_of(SparseFeatures.from_dense(x), nodes[:0]).shape == (0, 5)


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        (b"", "x.npy", "cannot be read"),
        (b"\x00" * 7, "x.safetensors", "cannot be read"),
        (b"\xff" * 16, "x.safetensors", "its header would have"),
        (b"\x02" + b"\x00" * 7 + b"[]", "x.safetensors", "cannot be read"),
        (b"", "x.csv", "a .npy or .safetensors file"),
    ],
)
def test_broken_files(tmp_path, content, name, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message):
        open_features(tmp_path / name)


def test_files_of_other_things(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        open_features(tmp_path / "missing.npy")
    np.save(tmp_path / "a.npy", np.zeros((3, 2), np.int64))
    with pytest.raises(InputError, match=r"floating-point features .* int64"):
        open_features(tmp_path / "a.npy")
    np.save(tmp_path / "b.npy", np.array([{}], object))
    with pytest.raises(InputError, match="cannot be read"):
        open_features(tmp_path / "b.npy")
    save_file(
        {"x": np.zeros((2, 2), np.float32), "y": np.zeros((2, 2), np.float32)}, tmp_path / "c.safetensors"
    )
    with pytest.raises(InputError, match="holds 2 tensors"):
        open_features(tmp_path / "c.safetensors")
    with pytest.raises(InputError, match="holds no tensor 'z'"):
        open_features(tmp_path / "c.safetensors", "z")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"features": torch.randn(3, 2)}, "the features have 3 rows"),
        ({"features": torch.zeros(NODES, 2, dtype=torch.int64)}, "floating-point features"),
        ({"features": [[1.0]]}, "features as a tensor"),
        ({"batch_size": 0}, "at least one node"),
        ({"edge_attr": torch.zeros(3)}, "one row per edge, 400"),
    ],
)
def test_bad_loaders(graph, change, message):
    given = {"features": torch.randn(NODES, 2), "nodes": torch.arange(5), "fan_out": [2]} | change
    with pytest.raises(InputError, match=message):
        NeighborLoader(graph, **given)


def test_bad_prefetch(graph):
    with pytest.raises(InputError, match="≥ 0 batches ahead"):
        NeighborLoader(graph, torch.randn(NODES, 2), torch.arange(5), [2], prefetch=-1).batches()
