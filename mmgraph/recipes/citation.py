"""Networks as the recipes take them: papers with words, citations and fields, or students with answers and friends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from mmgraph import datasets
from mmgraph.datasets import catalogue
from mmgraph.graph import SparseFeatures
from mmgraph.recipes.splits import per_class_splits, random_splits, split_codes
from mmgraph.runs import ItemSet, Snapshot

if TYPE_CHECKING:
    from torch_geometric.data import Data

_MASKS = {"train": "train", "validation": "val", "test": "test"}

SPARSE_BELOW = 0.2
"""Share of non-zero features up to which sparse products are no slower than dense ones, and dropout is faster."""


@dataclass(frozen=True)
class CitationNetwork:
    """A citation network and the names of its fields, or friendships and the names of the genders."""

    data: Data
    class_names: tuple[str, ...]
    noun: str = "paper"

    @classmethod
    def load(cls, name: str, *, normalize_features: bool = True, seed: int = 0) -> CitationNetwork:
        """Cora, CiteSeer or PubMed with the public split, where words of each paper add up to 1 if they are normalised;
        DBLP the same, with 20 papers of each field for training, 30 for validation and all others for test, drawn by
        the seed (Shchur et al., 2018);
        Reed98 or Cornell5 with half of those whose gender is known for training, a quarter each for validation and
        test, drawn by the seed (Lim et al., NeurIPS 2021)."""
        if catalogue.manifest(name).format == "friendships":
            data = cast("Data", datasets.load(name))
            generator = torch.Generator().manual_seed(seed)
            shares = {"train": 0.5, "validation": 0.25, "test": 0.25}
            for part, mask in random_splits(data.y, shares, generator=generator).items():
                data[f"{_MASKS[part]}_mask"] = mask
            return cls(data, catalogue.manifest(name).classes, "student")
        data = cast("Data", datasets.load(name, normalize_features=normalize_features))
        if "train_mask" not in data:
            generator = torch.Generator().manual_seed(seed)
            counts = {"train": 20, "validation": 30}
            for part, mask in per_class_splits(data.y, counts, generator=generator).items():
                data[f"{_MASKS[part]}_mask"] = mask
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
                "words" if self.noun == "paper" else "answers": self._words,
            },
            noun=self.noun,
        )

    @property
    def _words(self) -> npt.NDArray[np.int64]:
        """How many different words each paper has."""
        counts: npt.NDArray[np.int64] = np.count_nonzero(self.data.x.numpy(), axis=1)
        return counts


def graph_snapshot(edge_index: Tensor) -> Snapshot:
    """The graph that is learned on, as it is shown."""
    return Snapshot("graph", "graph", edge_index.cpu().numpy().astype(np.int32), items="items")
