"""Labelled graphs, many small ones: the items of graph classification."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from mmgraph.errors import InputError, UnknownNameError

if TYPE_CHECKING:
    from torch import Tensor
    from torch_geometric.data import Data

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]

NODE_FEATURES = ("tags", "degree", "ones")


@dataclass(frozen=True, eq=False)
class GraphDataset:
    """Graphs with one label each, kept as one graph without edges between them; `dataset[i]` is the i-th as `Data`.

    Edges are undirected: both directions are listed, sorted by target, then source. Nodes of graph g are the
    rows `node_starts[g]` to `node_starts[g + 1]`.

    Shapes:
        x: (nodes, features), float32.
        edge_index: (2, edges), int64, rows of x.
        node_starts: (graphs + 1,), int64.
        labels: (graphs,), int64, indices into `class_names`.

    Raises:
        InputError: shapes, types, numbers or labels do not fit together.
    """

    name: str
    x: Tensor
    edge_index: Tensor
    node_starts: Tensor
    labels: Tensor
    class_names: tuple[str, ...]

    def __post_init__(self) -> None:
        import torch

        starts, edges = self.node_starts, self.edge_index
        if any(value.dtype != torch.int64 for value in (edges, starts, self.labels)) or (
            self.x.dim() != 2 or edges.dim() != 2 or len(edges) != 2 or starts.shape != (len(self) + 1,)
        ):
            raise InputError(
                f"The graphs of '{self.name}' need x (nodes, features), and as int64 edge_index (2, edges), "
                f"node_starts (graphs + 1,) and labels (graphs,); they have {tuple(self.x.shape)}, "
                f"{edges.dtype} {tuple(edges.shape)}, {starts.dtype} {tuple(starts.shape)} and "
                f"{self.labels.dtype} {tuple(self.labels.shape)}."
            )
        if int(starts[0]) != 0 or int(starts[-1]) != len(self.x) or bool((starts.diff() < 0).any()):
            raise InputError(
                f"node_starts of '{self.name}' must rise from 0 to the {len(self.x)} nodes there are."
            )
        if edges.numel():
            if not 0 <= int(edges.min()) <= int(edges.max()) < len(self.x):
                raise InputError(f"Edges of '{self.name}' must join nodes 0 to {len(self.x) - 1}.")
            source, target = np.searchsorted(starts.numpy(), edges.numpy(), side="right")
            if (source != target).any() or (target[1:] < target[:-1]).any():
                raise InputError(
                    f"Edges of '{self.name}' must stay inside a graph and come in the order of graphs."
                )
        if len(self) and not 0 <= int(self.labels.min()) <= int(self.labels.max()) < self.num_classes:
            raise InputError(
                f"The labels of '{self.name}' must lie in 0 to {self.num_classes - 1}; "
                f"they go from {int(self.labels.min())} to {int(self.labels.max())}."
            )

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> Data:
        """One graph, its nodes numbered from 0."""
        from torch_geometric.data import Data

        if not -len(self) <= index < len(self):
            raise IndexError(f"'{self.name}' has {len(self)} graphs; there is no graph {index}.")
        graph = index % len(self)
        first, end = self.node_starts[graph : graph + 2].tolist()
        left, right = np.searchsorted(self.edge_index[1].numpy(), (first, end))
        return Data(
            x=self.x[first:end],
            edge_index=self.edge_index[:, left:right] - first,
            y=self.labels[graph : graph + 1],
        )

    def __iter__(self) -> Iterator[Data]:
        return (self[index] for index in range(len(self)))

    @property
    def num_classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)

    @property
    def num_features(self) -> int:
        """Features per node."""
        return self.x.size(1)


def make_graph_dataset(
    name: str,
    *,
    labels: Integers,
    sizes: Integers,
    source: Integers,
    target: Integers,
    tags: Integers,
    attributes: Floats | None = None,
    class_names: tuple[str, ...] = (),
    node_features: str | None = None,
) -> GraphDataset:
    """A data set from what the files of graph kernels hold.

    Labels and tags may be any whole numbers; in ascending order they become 0, 1, …. Edges are read as
    undirected, and each counts once.

    Args:
        labels: class of each graph.
        sizes: nodes of each graph.
        source, target: ends of each edge, numbered over all graphs.
        tags: kind of each node.
        attributes: numbers that each node brings.
        class_names: in ascending order of the labels; the labels themselves where there are none.
        node_features: what x is made of: "tags", one-hot, with the attributes behind them; "degree", one-hot over
            the degrees that occur; "ones", a single 1. By default tags where these or attributes tell nodes
            apart, else degree (as GIN does for graphs without tags).

    Shapes:
        labels, sizes (graphs,); source, target (edges,); tags (nodes,); attributes (nodes, K).

    Raises:
        UnknownNameError: there are no such features.
        InputError: the parts do not fit together, or there are fewer names than classes.
    """
    import torch

    nodes, starts = int(sizes.sum()), np.concatenate([[0], np.cumsum(sizes)])
    if node_features is not None and node_features not in NODE_FEATURES:
        raise UnknownNameError.of("kind of node features", node_features, NODE_FEATURES)
    source, target = np.concatenate([source, target]), np.concatenate([target, source])
    joined = np.unique(target * nodes + source)
    source, target = joined % max(nodes, 1), joined // max(nodes, 1)
    known = np.unique(labels)
    if class_names and len(class_names) != len(known):
        raise InputError(f"'{name}' has {len(known)} classes, but {len(class_names)} names for them.")

    says_something = attributes is not None or len(np.unique(tags)) > 1
    kind = node_features or ("tags" if says_something else "degree")
    x: npt.NDArray[Any]
    if kind == "ones":
        x = np.ones((nodes, 1), dtype=np.float32)
    else:
        x = _one_hot(tags if kind == "tags" else np.bincount(target, minlength=nodes))
        if kind == "tags" and attributes is not None:
            x = np.concatenate([x, attributes], axis=1)
    return GraphDataset(
        name,
        torch.from_numpy(x.astype(np.float32)),
        torch.from_numpy(np.stack([source, target]).astype(np.int64)),
        torch.from_numpy(starts.astype(np.int64)),
        torch.from_numpy(np.searchsorted(known, labels).astype(np.int64)),
        tuple(class_names) or tuple(str(label) for label in known),
    )


def _one_hot(values: npt.NDArray[Any]) -> Floats:
    """One column for each number that occurs, in ascending order."""
    known, column = np.unique(values, return_inverse=True)
    return np.eye(len(known), dtype=np.float32)[column]
