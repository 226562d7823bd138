"""Graphs in a folder of the TU Dortmund collection: `DS_A.txt`, `DS_graph_indicator.txt`, and so on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mmgraph.datasets.graphs import GraphDataset, make_graph_dataset
from mmgraph.errors import DatasetCorruptError, DatasetMissingError, InputError


def read_tu_folder(
    folder: Path | str,
    name: str | None = None,
    *,
    class_names: tuple[str, ...] = (),
    node_features: str | None = None,
) -> GraphDataset:
    """All graphs of a folder.

    `DS_A.txt` has a line `i, j` for each edge, `DS_graph_indicator.txt` the graph of each node and
    `DS_graph_labels.txt` the label of each graph, all numbered from 1; `DS_node_labels.txt` and
    `DS_node_attributes.txt` need not be there. What is known of edges beyond their ends is not read.

    Args:
        folder: where the files lie.
        name: DS, what the files begin with; by default the name of the folder.
        class_names: in ascending order of the labels.
        node_features: "tags", "degree" or "ones", see `make_graph_dataset`.

    Raises:
        DatasetMissingError: a file that has to be there is not.
        DatasetCorruptError: a line is no row of numbers (the error names it), or the files do not fit together.
        UnknownNameError: there are no such features.

    Source: Morris et al., "TUDataset: A collection of benchmark datasets for learning with graphs", 2020.
    """
    folder = Path(folder)
    name = folder.resolve().name if name is None else name

    def table(suffix: str, kind: type[Any], columns: int | None = None) -> npt.NDArray[Any]:
        return _table(folder / f"{name}_{suffix}.txt", kind, columns)

    labels, indicator = table("graph_labels", np.int64, 1)[:, 0], table("graph_indicator", np.int64, 1)[:, 0]
    edges = table("A", np.int64, 2) - 1
    graphs, nodes = len(labels), len(indicator)
    tags = (
        table("node_labels", np.int64)[:, 0]
        if (folder / f"{name}_node_labels.txt").is_file()
        else np.zeros(nodes, dtype=np.int64)
    )
    attributes = (
        table("node_attributes", np.float32) if (folder / f"{name}_node_attributes.txt").is_file() else None
    )
    complaint = ""
    if not graphs or indicator.min(initial=1) < 1 or indicator.max(initial=0) > graphs:
        complaint = (
            f"the nodes belong to graphs {indicator.min(initial=1)} to {indicator.max(initial=0)} of {graphs}"
        )
    elif (np.diff(indicator) < 0).any():
        complaint = "the nodes of a graph do not follow each other"
    elif edges.size and not (edges.min() >= 0 and edges.max() < nodes):
        complaint = f"edges join nodes {edges.min() + 1} to {edges.max() + 1} of {nodes}"
    elif (indicator[edges[:, 0]] != indicator[edges[:, 1]]).any():
        complaint = "an edge joins two graphs"
    elif len(tags) != nodes or (attributes is not None and len(attributes) != nodes):
        complaint = f"there are {nodes} nodes, but not as many labels or attributes of nodes"
    if complaint:
        raise DatasetCorruptError(f"The files {name}_*.txt in {folder} do not fit together: {complaint}.")
    try:
        return make_graph_dataset(
            name,
            labels=labels,
            sizes=np.bincount(indicator - 1, minlength=graphs),
            source=edges[:, 0],
            target=edges[:, 1],
            tags=tags,
            attributes=attributes,
            class_names=class_names,
            node_features=node_features,
        )
    except InputError as error:
        raise DatasetCorruptError(f"{folder} cannot be used: {error}") from error


def _table(path: Path, kind: type[Any], columns: int | None) -> npt.NDArray[Any]:
    """Rows of numbers with commas between them."""
    if not path.is_file():
        raise DatasetMissingError(f"{path} is missing; put the whole folder of the data set there.")
    try:
        lines = path.read_text(encoding="ascii").splitlines()
        if not any(line.strip() for line in lines):
            return np.zeros((0, columns or 1), dtype=kind)
        found = np.loadtxt(lines, dtype=kind, delimiter=",", ndmin=2)
    except OSError as error:
        raise DatasetMissingError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise DatasetCorruptError(f"{path} is not a text file of numbers: {error}.") from error
    except (ValueError, OverflowError):
        raise _broken_line(path, lines, kind, columns) from None
    if (columns is not None and found.shape[1] != columns) or not np.isfinite(found).all():
        raise _broken_line(path, lines, kind, columns)
    return found


def _broken_line(path: Path, lines: list[str], kind: type[Any], columns: int | None) -> DatasetCorruptError:
    """The first line that is no row of so many numbers; found only after the fast reader has failed."""
    read = int if issubclass(kind, np.integer) else float
    for number, line in enumerate(lines, start=1):
        try:
            values = [read(word) for word in line.split(",")] if line.strip() else None
            fits = values is None or (
                len(values) == (columns or len(values)) and np.isfinite(np.array(values, dtype=kind)).all()
            )
            columns = columns or (None if values is None else len(values))
        except (ValueError, OverflowError):
            fits = False
        if not fits:
            what = "whole numbers" if read is int else "finite numbers"
            return DatasetCorruptError(
                f"{path}, line {number}: expected {columns or 'some'} {what} with commas between them, "
                f"found {line[:60]!r}."
            )
    return DatasetCorruptError(f"{path} must hold rows of numbers with commas between them.")
