"""One encoder for both, or all three, branches."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from mmgraph.errors import ConfigError, EmptyPairsError, InputError
from mmgraph.metric.distances import Distance
from mmgraph.metric.metric_loss import LossKind, MetricLoss
from mmgraph.metric.mining import MinerKind
from mmgraph.metric.selection import Pairs


class Siamese(nn.Module):
    """Branches that share their weights, a distance between what they give, and a loss that learns it.

        model = Siamese(encoder, Distance("l2"), "triplet", "semi-hard")
        model.loss(images, labels).backward()
        model.pair_loss(videos, pairs).backward()  # similar and dissimilar ones that somebody has listed
        model.compare(images_a, images_b)          # distances of pairs

    Args:
        encoder: anything → vectors (items, features); for images, text, audio, video or nodes of a graph.
        distance: by default that of the loss.
        loss: its kind, or the loss itself where it needs more than a distance and a miner.
        miner: chooses pairs and triplets for a loss that is named by its kind; by default all of them.

    Raises:
        ConfigError: a miner beside a loss that has its own.
        InputError: branches of different length, or an encoder that gives something else than vectors.
    """

    def __init__(
        self,
        encoder: nn.Module,
        distance: Distance | None = None,
        loss: MetricLoss | LossKind = "triplet",
        miner: MinerKind | None = None,
    ) -> None:
        super().__init__()
        if isinstance(loss, MetricLoss) and miner is not None:
            raise ConfigError(
                f"The loss given chooses by the miner {loss.miner} already, so '{miner}' has no place: give the "
                "miner to MetricLoss, or the loss by its kind."
            )
        self.encoder = encoder
        self.criterion = (
            loss
            if isinstance(loss, MetricLoss)
            else MetricLoss(loss, distance=distance, miner=miner or "all")
        )
        self.distance = self.criterion.distance if distance is None else distance

    def forward(self, *inputs: Any) -> Tensor:
        """The embeddings of a branch."""
        vectors = self.encoder(*inputs)
        if not isinstance(vectors, Tensor) or vectors.dim() != 2:
            shape = tuple(vectors.shape) if isinstance(vectors, Tensor) else type(vectors).__name__
            raise InputError(
                f"Expected an encoder that gives vectors (items, features), but it gives {shape}."
            )
        return vectors

    def compare(self, first: Any, second: Any) -> Tensor:
        """The distance of each item of one branch to the item beside it in the other, (items,)."""
        if len(first) != len(second):
            raise InputError(f"Expected branches of as many items, but got {len(first)} and {len(second)}.")
        distance: Tensor = self.distance(self(first), self(second))
        return distance

    def loss(self, inputs: Any, labels: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """The loss of a batch; see `MetricLoss`."""
        loss: Tensor = self.criterion(self(inputs), labels, generator)
        return loss

    def pair_loss(self, inputs: Any, pairs: Pairs) -> Tensor:
        """The loss of listed pairs; each item is looked at once, in however many pairs it is.

        Args:
            inputs: the items, by whose rows `pairs` speaks.
            pairs: which are similar and which are not.

        Raises:
            ConfigError: the loss is not one of pairs.
            EmptyPairsError: there is no pair.
        """
        rows, places = torch.unique(torch.cat([pairs.first, pairs.second]), return_inverse=True)
        if len(rows) == 0:
            raise EmptyPairsError("Expected pairs to learn from, but the list is empty.")
        first, second = self(inputs[rows])[places].chunk(2)
        return self.criterion.of_pairs(self.distance(first, second), pairs.similar)
