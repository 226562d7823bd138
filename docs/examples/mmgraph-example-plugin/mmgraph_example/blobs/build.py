"""Data, model and objective of the recipe `blobs`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import torch
from sklearn.datasets import make_blobs
from torch import Tensor, nn

from mmgraph.runs import ItemSet, Snapshot
from mmgraph.training.task import Task
from mmgraph_example.blobs import BlobsConfig


def build(config: BlobsConfig) -> Task:
    """What `mmgraph train blobs` trains."""
    points, labels = make_blobs(1000, centers=config.clouds, cluster_std=2.0, random_state=config.seed)
    return Blobs(points.astype(np.float32), labels.astype(np.int64), config)


class Blobs(Task):
    """Every fifth point is for validation, every fifth for test."""

    def __init__(self, points: np.ndarray, labels: np.ndarray, config: BlobsConfig) -> None:
        self.points, self.labels = torch.from_numpy(points), torch.from_numpy(labels)
        self.part = torch.arange(len(points)) % 5
        self.encoder = nn.Sequential(nn.Linear(2, config.hidden), nn.ReLU())
        self.model = nn.Sequential(self.encoder, nn.Linear(config.hidden, config.clouds))

    def to(self, device: torch.device) -> None:
        super().to(device)
        self.points, self.labels = self.points.to(device), self.labels.to(device)

    def batches(self, epoch: int, start: int = 0) -> Iterator[Tensor]:
        yield from [torch.nonzero(self.part > 1).squeeze(1)][start:]

    def loss(self, batch: Tensor) -> tuple[Tensor, Mapping[str, Tensor]]:
        return nn.functional.cross_entropy(self.model(self.points[batch]), self.labels[batch]), {}

    @torch.no_grad()
    def evaluate(self, split: str = "validation") -> dict[str, float]:
        rows = self.part == {"validation": 0, "test": 1}[split]
        right = self.model.eval()(self.points[rows]).argmax(1) == self.labels[rows]
        return {f"{split}/accuracy": float(right.float().mean())}

    def items(self) -> ItemSet:
        return ItemSet(
            labels=self.labels.cpu().numpy(),
            class_names=tuple(f"cloud {number}" for number in range(int(self.labels.max()) + 1)),
            columns={"x": self.points[:, 0].cpu().numpy(), "y": self.points[:, 1].cpu().numpy()},
            noun="point",
        )

    @torch.no_grad()
    def probe(self) -> list[Snapshot]:
        self.model.eval()
        hidden = self.encoder(self.points)
        answers = self.model[1](hidden).softmax(1)
        return [
            Snapshot("embedding", "encoder", hidden.cpu().numpy(), items="items"),
            Snapshot("prediction", "output", answers.cpu().numpy(), items="items"),
        ]
