"""Graphs in one text file, as graph networks for whole graphs have been compared on since DGCNN and GIN."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np

from mmgraph.datasets.graphs import Floats, GraphDataset, make_graph_dataset
from mmgraph.errors import DatasetCorruptError, DatasetMissingError, InputError


def read_graph_text(
    path: Path, name: str, *, class_names: tuple[str, ...] = (), node_features: str | None = None
) -> GraphDataset:
    """All graphs of a file.

    The first line holds the number of graphs. Each graph is a line `n label`, then n lines, one for each node:
    `tag d neighbour₁ … neighbour_d [attribute₁ … attribute_K]`, neighbours numbered from 0 inside the graph.

    Args:
        path: the file.
        name: what the data set is called.
        class_names: in ascending order of the labels.
        node_features: "tags", "degree" or "ones", see `make_graph_dataset`.

    Raises:
        DatasetMissingError: the file cannot be read.
        DatasetCorruptError: a line does not say what it must; the error names it by its number.
        UnknownNameError: there are no such features.

    Source: Zhang, Cui, Neumann, Chen, "An End-to-End Deep Learning Architecture for Graph Classification",
        AAAI 2018, and Xu, Hu, Leskovec, Jegelka, "How Powerful are Graph Neural Networks?", ICLR 2019.
    """
    lines = _Lines(path)
    (graphs,) = lines.whole(1, "the number of graphs")
    if graphs < 1:
        raise lines.error("at least one graph", f"{graphs}")
    labels, sizes, tags, degrees = [], [], [], []
    neighbours: list[list[int]] = []
    attributes: list[list[float]] = []
    first = 0
    for _ in range(graphs):
        nodes, label = lines.whole(2, "the number of nodes of a graph and its label")
        if nodes < 1:
            raise lines.error("a graph of at least one node", f"{nodes}")
        labels.append(label)
        sizes.append(nodes)
        for _ in range(nodes):
            tag, linked, numbers = lines.node(nodes)
            if attributes and len(numbers) != len(attributes[0]):
                raise lines.error(f"{len(attributes[0])} attributes, as before", f"{len(numbers)}")
            tags.append(tag)
            degrees.append(len(linked))
            neighbours.append([first + node for node in linked])
            attributes.append(numbers)
        first += nodes
    lines.end()
    values: Floats = np.array(attributes, dtype=np.float32)
    total = sum(degrees)
    try:
        return make_graph_dataset(
            name,
            labels=np.array(labels, dtype=np.int64),
            sizes=np.array(sizes, dtype=np.int64),
            source=np.fromiter(itertools.chain.from_iterable(neighbours), dtype=np.int64, count=total),
            target=np.repeat(np.arange(len(tags), dtype=np.int64), degrees),
            tags=np.array(tags, dtype=np.int64),
            attributes=values if values.shape[1] else None,
            class_names=class_names,
            node_features=node_features,
        )
    except InputError as error:
        raise DatasetCorruptError(f"{path} cannot be used: {error}") from error


class _Lines:
    """The lines of a file, one after the other, with the number of the current one."""

    def __init__(self, path: Path) -> None:
        self.path, self.number = path, 0
        try:
            self.lines = path.read_text(encoding="ascii").splitlines()
        except OSError as error:
            raise DatasetMissingError(f"{path} cannot be read: {error.strerror}.") from error
        except UnicodeDecodeError as error:
            raise DatasetCorruptError(f"{path} is not a text file of numbers: {error}.") from error

    def words(self, what: str) -> list[str]:
        self.number += 1
        if self.number > len(self.lines):
            raise self.error(what, "the end of the file")
        return self.lines[self.number - 1].split()

    def whole(self, count: int, what: str) -> list[int]:
        words = self.words(what)
        try:
            numbers = [int(word) for word in words]
        except ValueError:
            numbers = []
        if len(numbers) != count or any(abs(number) > 2**31 for number in numbers):
            raise self.error(what, repr(" ".join(words)[:60]))
        return numbers

    def node(self, nodes: int) -> tuple[int, list[int], list[float]]:
        """Tag, neighbours and attributes of a node."""
        words = self.words("a node: its tag, its number of neighbours and these")
        try:
            tag, degree = int(words[0]), int(words[1])
            neighbours = [int(word) for word in words[2 : 2 + degree]]
            attributes = [float(word) for word in words[2 + degree :]]
        except (ValueError, IndexError):
            raise self.error(
                "a node: its tag, its number of neighbours and these", repr(" ".join(words)[:60])
            ) from None
        if degree < 0 or len(neighbours) != degree:
            raise self.error(f"{degree} neighbours", f"{len(neighbours)}")
        if abs(tag) > 2**31 or not np.isfinite(attributes).all():
            raise self.error("numbers of moderate size", repr(" ".join(words)[:60]))
        for node in neighbours:
            if not 0 <= node < nodes:
                raise self.error(f"neighbours from 0 to {nodes - 1}", f"{node}")
        return tag, neighbours, attributes

    def end(self) -> None:
        """Nothing but white space may follow."""
        for number, line in enumerate(self.lines[self.number :], start=self.number + 1):
            if line.strip():
                self.number = number
                raise self.error("the end of the file after the last graph", repr(line[:60]))

    def error(self, expected: str, found: str) -> DatasetCorruptError:
        return DatasetCorruptError(
            f"{self.path}, line {self.number}: expected {expected}, found {found}. Fetch the file again."
        )
