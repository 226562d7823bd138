"""What all node embeddings can do, in the manner of scikit-learn."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterable, Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from mmgraph.errors import InputError
from mmgraph.graph.embeddings.vector_files import NamedVectors, read_vectors, write_vectors


class NodeEmbedding(BaseEstimator, ABC):  # type: ignore[misc]
    """One vector per node of a graph.

    After `fit`, `embedding_` (nodes, dimensions) holds the vectors and `node_ids_` what the nodes are called, in the
    same order.
    """

    embedding_: NDArray[np.float32]
    node_ids_: list[Hashable]

    @abstractmethod
    def fit(self, graph: Any, y: object = None) -> Self:
        """Embed the nodes of a graph."""

    def fit_transform(self, graph: Any, y: object = None, **options: Any) -> NDArray[np.float32]:
        """Embed the nodes of a graph and return all vectors, (nodes, dimensions)."""
        return self.fit(graph, **options).embedding_

    def transform(self, nodes: Iterable[Hashable] | None = None) -> NDArray[np.float32]:
        """The vectors of the given node ids, in their order; of all nodes without them.

        Raises:
            InputError: nothing has been fitted, or there is no such node.
        """
        self._check_fitted()
        return self.embedding_ if nodes is None else self.embedding_[self._rows(nodes)]

    def save(self, path: str | Path) -> None:
        """Write vectors, node ids and parameters as npz where the name ends so, else as word2vec text.

        Text holds vectors and ids only; ids are strings when they come back.

        Raises:
            InputError: nothing has been fitted, or ids that the format cannot hold.
        """
        self._check_fitted()
        about = {"kind": type(self).__name__, "parameters": self.get_params()}
        write_vectors(path, NamedVectors(self.node_ids_, self.embedding_, about, self._arrays()))

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """An embedding from a file that `save` wrote, or word2vec; it can `transform` but not go on learning.

        Raises:
            InputError: the file cannot be read, or holds an embedding of another kind.
        """
        names, vectors, about, arrays = read_vectors(path)
        kind = about.get("kind", cls.__name__)
        if kind != cls.__name__:
            raise InputError(f"Expected a {cls.__name__} in {path}, but it holds a {kind}: use {kind}.load.")
        loaded = cls(**about.get("parameters", {"dimensions": vectors.shape[1]}))
        loaded.embedding_ = vectors
        loaded.node_ids_ = names
        loaded._take(arrays)
        return loaded

    def _arrays(self) -> dict[str, NDArray[Any]]:
        """What an npz file holds beside the vectors."""
        return {}

    def _take(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take up what `_arrays` gave; there is nothing in a file of text."""

    def _rows(self, nodes: Iterable[Hashable] | None) -> list[int] | slice:
        """Where nodes are in `embedding_`."""
        if nodes is None:
            return slice(None)
        number = {node: i for i, node in enumerate(self.node_ids_)}
        try:
            return [number[node] for node in nodes]
        except KeyError as error:
            raise InputError(
                f"Expected ids of embedded nodes, but {error.args[0]!r} is none of the {len(number)} there are."
            ) from error

    def _check_fitted(self) -> None:
        if not hasattr(self, "embedding_"):
            raise InputError(f"Expected a fitted {type(self).__name__}: call fit(graph) first.")
