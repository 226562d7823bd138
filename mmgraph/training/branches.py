"""What the branches of a Siamese network see: pairs or triplets of the items that a run is looked at with."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from mmgraph.errors import EmptyPairsError
from mmgraph.metric import Distance, Triplets, mine_triplets
from mmgraph.runs import Snapshot

MOST_ITEMS = 2000
MOST_ANCHORS = 100
NAMES = ("anchor", "positive", "negative")


class Branches:
    """Pairs or triplets to watch, and how far apart their branches are.

    "pairs/drawn" holds the same ones at every step, so that they are seen to move; "pairs/hardest" those that the model
    gets most wrong at this step: of each anchor the farthest of its class and the nearest of another.

    Args:
        labels: classes of the items, −1 where not known.
        count: 2 for pairs, 3 for triplets.
        seed: of those that are drawn.
        items: name of the item set.
        embedding: layer of the snapshot that holds the vectors of the items.

    Shapes:
        labels (n,) int64.
    """

    def __init__(
        self,
        labels: Tensor,
        count: Literal[2, 3] = 3,
        *,
        seed: int = 0,
        items: str = "items",
        embedding: str = "vectors",
    ) -> None:
        known = torch.nonzero(labels.cpu() >= 0).flatten()
        self._rows = known[:: -(-len(known) // MOST_ITEMS)] if len(known) else known
        self._labels = labels.cpu()[self._rows]
        self._count, self._items, self._embedding = count, items, embedding
        self._drawn = self._mined(
            torch.zeros(len(self._rows), len(self._rows)), "random", torch.Generator().manual_seed(seed)
        )

    def snapshots(
        self, vectors: Tensor, distance: Distance, threshold: float | None = None
    ) -> list[Snapshot]:
        """Both kinds at this step; none where no item has one of its class and one of another beside it.

        Args:
            threshold: the distance up to which the branches are judged similar.

        Shapes:
            vectors (n, features).
        """
        if self._drawn is None:
            return []
        between = distance.matrix(vectors[self._rows.to(vectors.device)]).detach().float().cpu()
        hardest = self._mined(between, "hardest")
        kinds = {"drawn": self._drawn, "hardest": hardest}
        return [
            self._snapshot(kind, triplets, between, distance.kind, threshold)
            for kind, triplets in kinds.items()
            if triplets is not None
        ]

    def _mined(
        self, between: Tensor, kind: Literal["random", "hardest"], generator: torch.Generator | None = None
    ) -> Triplets | None:
        try:
            mined = mine_triplets(between, self._labels, kind, generator=generator)
        except EmptyPairsError:
            return None
        some = torch.linspace(0, len(mined) - 1, min(len(mined), MOST_ANCHORS)).round().long()
        return Triplets(mined.anchor[some], mined.positive[some], mined.negative[some])

    def _snapshot(
        self, kind: str, triplets: Triplets, between: Tensor, measure: str, threshold: float | None
    ) -> Snapshot:
        places = torch.stack([triplets.anchor, triplets.positive, triplets.negative], dim=1)
        if self._count == 2:
            places = places[:, [0, 1, 0, 2]].reshape(-1, 2)
        similar = self._labels[places[:, :1]] == self._labels[places[:, 1:]]
        names = NAMES if self._count == 3 else ("first", "second")
        notes = {"branches": list(names), "distance": measure, "embedding": self._embedding}
        return Snapshot(
            "matrix",
            f"pairs/{kind}",
            between[places[:, :1], places[:, 1:]].numpy(),
            items=self._items,
            extras={"branches": self._rows[places].numpy(), "similar": similar.numpy()},
            notes=notes | ({} if threshold is None else {"threshold": threshold}),
        )
