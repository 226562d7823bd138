"""A small task with dropout, batches and a validation score."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from mmgraph.runs import RunWriter, Snapshot
from mmgraph.training import Task


class Regression(Task):
    """Least squares with a two-layer network; dropout makes every step draw random numbers."""

    monitor = "validation/loss"

    def __init__(self, batches_per_epoch: int = 4, seed: int = 0) -> None:
        generator = torch.Generator().manual_seed(seed)
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.model = nn.Sequential(nn.Linear(5, 16), nn.Dropout(0.3), nn.Tanh(), nn.Linear(16, 1))
        self.x = torch.randn(64, 5, generator=generator)
        self.y = self.x.sum(dim=1, keepdim=True)
        self.batches_per_epoch = batches_per_epoch
        self.after_step: Callable[[int], None] = lambda count: None
        self.steps = 0

    def batches(self, epoch: int, start: int = 0) -> Iterator[Tensor]:
        order = torch.randperm(64, generator=torch.Generator().manual_seed(epoch))
        yield from order.chunk(self.batches_per_epoch)[start:]

    def loss(self, batch: Tensor) -> tuple[Tensor, Mapping[str, Tensor]]:
        self.steps += 1
        self.after_step(self.steps)
        error = (self.model(self.x[batch]) - self.y[batch]).square().mean()
        return error, {"worst": error.detach().max()}

    def evaluate(self, split: str = "validation") -> dict[str, float]:
        self.model.eval()
        with torch.no_grad():
            return {f"{split}/loss": float((self.model(self.x) - self.y).square().mean())}

    def probe(self) -> list[Snapshot]:
        weight = self.model[0].weight.detach().numpy().copy()
        return [Snapshot("matrix", "first", weight.astype(np.float32))]


@pytest.fixture
def task() -> Regression:
    return Regression()


@pytest.fixture
def new_run(tmp_path: Path) -> Iterator[Callable[[str], RunWriter]]:
    opened: list[RunWriter] = []

    def make(name: str = "run") -> RunWriter:
        opened.append(RunWriter.create(tmp_path, name, {"run": {"recipe": "test"}}))
        return opened[-1]

    yield make
    for run in opened:
        run.close()


@pytest.fixture
def make_task() -> type[Regression]:
    return Regression
