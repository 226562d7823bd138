"""What Planetoid is told beside the graph: features, classes, and which nodes to learn from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
import scipy.sparse
import torch
from numpy.typing import NDArray
from torch import Tensor

from mmgraph.errors import InputError
from mmgraph.graph.embeddings.planetoid_network import PlanetoidNetwork
from mmgraph.graph.sparse_features import SparseFeatures


@dataclass(frozen=True)
class Labelled:
    """Features of all nodes and classes of some.

    Args:
        features: rows of one length.
        classes: what the labels 0, 1, … are called.
        label: of every node; −1 where it is of no class of a training node, or not looked at.
        train, validation: node numbers.

    Shapes:
        features (N, F), classes (C,), label (N,), train (L,), validation (V,).
    """

    features: SparseFeatures
    classes: NDArray[Any]
    label: NDArray[np.int64]
    train: NDArray[np.int64]
    validation: NDArray[np.int64]

    @classmethod
    def of(
        cls, graph: Any, num_nodes: int, length: float, y: Any, x: Any, train: Any, validation: Any
    ) -> Self:
        """What is given, else what the graph carries.

        Raises:
            InputError: something is missing or does not fit.
        """
        given = {"y": y, "x": x, "train": train}
        for name, attribute in (("y", "y"), ("x", "x"), ("train", "train_mask")):
            if given[name] is None:
                given[name] = getattr(graph, attribute, None)
            if given[name] is None:
                raise InputError(
                    f"Expected {name}, or a torch_geometric Data with {attribute}, but got neither."
                )
        if validation is None:
            validation = getattr(graph, "val_mask", None)
        known = _array(given["y"])
        if known.shape != (num_nodes,):
            raise InputError(
                f"Expected one class per node, ({num_nodes},), but got y of shape {known.shape}."
            )
        features = scaled_features(given["x"], length)
        if len(features) != num_nodes:
            raise InputError(f"Expected features of {num_nodes} nodes, but got {tuple(features.shape)}.")
        learned = _nodes("train", given["train"], num_nodes)
        judged = _nodes("validation", validation, num_nodes) if validation is not None else learned[:0]
        if np.intersect1d(learned, judged).size:
            raise InputError("Expected validation nodes apart from training nodes, but some are both.")
        classes = np.unique(known[learned])
        if len(classes) < 2:
            raise InputError(f"Expected training nodes of two classes or more, but got {len(classes)}.")
        label = np.full(num_nodes, -1, np.int64)
        looked_at = np.concatenate([learned, judged])
        place = np.searchsorted(classes, known[looked_at]).clip(max=len(classes) - 1)
        label[looked_at] = np.where(classes[place] == known[looked_at], place, -1)
        return cls(features, classes, label, learned, judged)

    def training(self) -> tuple[SparseFeatures, Tensor]:
        """Features and labels of the training nodes."""
        nodes = torch.from_numpy(self.train)
        return self.features.rows(nodes), torch.from_numpy(self.label[self.train])

    def splits(self) -> NDArray[np.int64]:
        """0 for training nodes, 1 for validation nodes, −1 for others, (N,)."""
        splits = np.full(len(self.label), -1, np.int64)
        splits[self.train], splits[self.validation] = 0, 1
        return splits

    def accuracy(self, network: PlanetoidNetwork) -> float:
        """Share of the validation nodes that are classified correctly."""
        nodes = torch.from_numpy(self.validation)
        with torch.no_grad():
            predicted = network(self._judged, nodes).argmax(1).numpy()
        return float((predicted == self.label[self.validation]).mean())

    @cached_property
    def _judged(self) -> SparseFeatures:
        """Features of the validation nodes."""
        return self.features.rows(torch.from_numpy(self.validation))


def scaled_features(x: Any, length: float) -> SparseFeatures:
    """Features with rows of that Euclidean length; rows of zeros stay.

    Raises:
        InputError: not a matrix of finite numbers.
    """
    if isinstance(x, SparseFeatures):
        features = x
    elif isinstance(x, scipy.sparse.sparray | scipy.sparse.spmatrix):
        features = SparseFeatures.from_scipy(x)
    else:
        dense = torch.as_tensor(_array(x))
        if dense.dim() != 2 or dense.is_complex():
            raise InputError(
                f"Expected features (N, F), but got {dense.dtype} of shape {tuple(dense.shape)}."
            )
        features = SparseFeatures.from_dense(dense.float())
    value = features.value.detach().float()
    if not bool(torch.isfinite(value).all()):
        raise InputError("Expected finite features, but they hold infinite numbers or NaN.")
    square = torch.zeros(len(features)).index_add_(0, features.pattern.row, value.square())
    norm = square.sqrt()[features.pattern.row].clamp(min=1e-12)
    return features.with_value(value * (length / norm))


def _array(values: Any) -> NDArray[Any]:
    return values.detach().cpu().numpy() if isinstance(values, Tensor) else np.asarray(values)


def _nodes(name: str, chosen: Any, num_nodes: int) -> NDArray[np.int64]:
    """Node numbers, from a mask or from node numbers."""
    array = _array(chosen)
    if array.dtype == np.bool_ and array.shape == (num_nodes,):
        array = np.flatnonzero(array)
    elif array.ndim != 1 or array.dtype.kind not in "iu":
        raise InputError(
            f"Expected {name} as a mask over {num_nodes} nodes or as node numbers, but got {array.dtype} of shape "
            f"{array.shape}."
        )
    if array.size and not 0 <= array.min() <= array.max() < num_nodes:
        raise InputError(
            f"Expected {name} nodes from 0 to {num_nodes - 1}, but got {array.min()} to {array.max()}."
        )
    return array.astype(np.int64)
