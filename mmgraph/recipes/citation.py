"""Citation networks as the recipes take them: papers with words, citations and fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
import numpy.typing as npt
from torch import Tensor

from mmgraph import datasets
from mmgraph.datasets import catalogue
from mmgraph.graph import SparseFeatures
from mmgraph.recipes.splits import split_codes
from mmgraph.runs import ItemSet, Snapshot

if TYPE_CHECKING:
    from torch_geometric.data import Data

SPARSE_BELOW = 0.2
"""Share of non-zero features up to which sparse products are no slower than dense ones, and dropout is faster."""


@dataclass(frozen=True)
class CitationNetwork:
    """A citation network and the names of its fields."""

    data: Data
    class_names: tuple[str, ...]

    @classmethod
    def load(cls, name: str, *, normalize_features: bool = True) -> CitationNetwork:
        """Cora, CiteSeer or PubMed; the words of each paper add up to 1 where they are normalised."""
        data = cast("Data", datasets.load(name, normalize_features=normalize_features))
        classes = catalogue.manifest(name).classes
        return cls(data, classes or tuple(str(c) for c in range(int(data.y.max()) + 1)))

    @property
    def splits(self) -> dict[str, Tensor]:
        """Masks of the public split."""
        data = self.data
        return {"train": data.train_mask, "validation": data.val_mask, "test": data.test_mask}

    def features(self, *, dense: bool = False) -> Tensor | SparseFeatures:
        """The words of every paper, sparse where that is faster and dense features are not needed."""
        x: Tensor = self.data.x
        is_sparse = self._words.sum() < SPARSE_BELOW * x.numel()
        return SparseFeatures.from_dense(x) if is_sparse and not dense else x

    def items(self, splits: Mapping[str, Tensor] | None = None) -> ItemSet:
        """The papers, with their fields and, where there are any, their splits."""
        splits = splits or {}
        return ItemSet(
            labels=self.data.y.numpy(),
            class_names=self.class_names,
            splits=split_codes(splits) if splits else None,
            split_names=tuple(splits),
            columns={
                "degree": np.bincount(self.data.edge_index[1].numpy(), minlength=self.data.num_nodes),
                "words": self._words,
            },
            noun="paper",
        )

    @property
    def _words(self) -> npt.NDArray[np.int64]:
        """How many different words each paper has."""
        counts: npt.NDArray[np.int64] = np.count_nonzero(self.data.x.numpy(), axis=1)
        return counts


def graph_snapshot(edge_index: Tensor) -> Snapshot:
    """The graph that is learned on, as it is shown."""
    return Snapshot("graph", "graph", edge_index.cpu().numpy().astype(np.int32), items="items")
