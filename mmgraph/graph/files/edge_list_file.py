"""Edge lists as graphs."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from pathlib import Path
from typing import IO

import numpy as np
import torch
from numpy.typing import NDArray

from mmgraph.errors import InputError
from mmgraph.graph.adjacency import Adjacency
from mmgraph.graph.conversion import GraphParts, weight_without_gradient
from mmgraph.graph.files.edge_text import EdgeFormat, edge_lines
from mmgraph.graph.files.name_table import NameTable
from mmgraph.graph.files.numbering import numbered

WRITTEN_AT_A_TIME = 1 << 16
UNDIRECTED_SUFFIX = ".ungraph"


def read_edge_list(
    path: Path, form: EdgeFormat, directed: bool | None, num_nodes: int | None, most: int | None
) -> GraphParts:
    """The graph of an edge list.

    Raises:
        InputError: a line that is no edge, or no way to tell whether edges have directions.
    """
    num_nodes = form.num_nodes if num_nodes is None else num_nodes
    names = NameTable()
    found = list(edge_lines(path, form, names, num_nodes, most))
    ends = np.concatenate([part.ends for part in found] or [np.empty((0, 2), np.int64)])
    weight = np.concatenate([part.weight for part in found if part.weight is not None] or [np.empty(0)])
    node_ids: Sequence[Hashable] | None = None
    if not form.whole_numbers:
        node_ids = names.names()
        num_nodes = len(node_ids)
    elif num_nodes is None:
        ends, num_nodes, known = numbered(ends)
        node_ids = None if known is None else known.tolist()

    if not is_directed(path, form, directed, ends, num_nodes):
        ends, weight = in_both_directions(ends, weight)
    return GraphParts(
        torch.from_numpy(np.ascontiguousarray(ends.T)),
        num_nodes,
        torch.from_numpy(weight).to(torch.get_default_dtype()) if form.weighted else None,
        node_ids,
    )


def said_direction(path: Path, form: EdgeFormat) -> bool | None:
    """Whether edges are directed as the name of a file or its comments say; None where they are silent."""
    return False if UNDIRECTED_SUFFIX in path.suffixes[-2:] and form.directed is None else form.directed


def is_directed(
    path: Path, form: EdgeFormat, directed: bool | None, ends: NDArray[np.int64], num_nodes: int
) -> bool:
    """As asked for; else as the file says; else by whether edges have their reverses.

    Raises:
        InputError: some have and others have not, so that it could be meant either way.
    """
    directed = said_direction(path, form) if directed is None else directed
    if directed is not None:
        return directed
    between = ends[ends[:, 0] != ends[:, 1]]
    there = np.unique(between[:, 0] * num_nodes + between[:, 1])
    back = np.unique(between[:, 1] * num_nodes + between[:, 0])
    mutual = len(np.intersect1d(there, back, assume_unique=True))
    if 0 < mutual < len(there):
        raise InputError(
            f"{path} does not say whether its edges have directions: {mutual:,} of {len(there):,} are there in "
            f"both directions. Pass directed=True, or directed=False to take each line in both directions."
        )
    return mutual > 0


def in_both_directions(
    ends: NDArray[np.int64], weight: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """After each edge its reverse; self-loops once."""
    loops = ends[:, 0] == ends[:, 1]
    doubled = np.stack([ends, ends[:, ::-1]], 1).reshape(-1, 2)
    kept = np.ones(len(doubled), np.bool_)
    kept[1::2] = ~loops
    return doubled[kept], np.repeat(weight, 2)[kept] if len(weight) else weight


def write_edge_list(file: IO[bytes], graph: Adjacency, directed: bool, delimiter: str) -> None:
    """One line per edge, in the order given; of an undirected edge one line.

    Raises:
        InputError: a node with a name but without edges, or a name that is neither a whole number nor text of one line.
    """
    edge_index, _ = graph.to_edge_index()
    source, target = edge_index.cpu().numpy()
    weight = weight_without_gradient(graph)
    values = None if weight is None else weight[graph.pattern.position.cpu()].numpy()
    once = np.arange(len(source)) if directed else np.flatnonzero(source <= target)
    kind = "directed" if directed else "undirected"
    if graph.node_ids is None:
        names = None
        file.write(f"# mmgraph: {kind}, {graph.num_nodes} nodes\n".encode())
    else:
        names = [written(name, delimiter) for name in graph.node_ids]
        alone = np.bincount(np.concatenate([source, target]), minlength=graph.num_nodes) == 0
        if alone.any():
            raise InputError(
                f"Expected a graph in which every node has an edge, but {graph.node_ids[int(alone.argmax())]!r} has "
                f"none, and an edge list cannot hold it: write .graphml or .npz."
            )
        file.write(f"# mmgraph: {kind}\n".encode())
    for first in range(0, len(once), WRITTEN_AT_A_TIME):
        some = once[first : first + WRITTEN_AT_A_TIME]
        fields: list[Iterator[str]] = [
            map(str if names is None else names.__getitem__, ends[some].tolist()) for ends in (source, target)
        ]
        if values is not None:
            fields.append(map(str, values[some]))
        file.write("".join(f"{delimiter.join(line)}\n" for line in zip(*fields, strict=True)).encode())


def written(name: Hashable, delimiter: str) -> str:
    """A node id as a field; text that could be taken for something else gets quotes."""
    if isinstance(name, int) and not isinstance(name, bool):
        return str(name)
    if not isinstance(name, str) or not name or "\n" in name or "\r" in name or "\0" in name:
        raise InputError(
            f"Expected node ids that are whole numbers or text of one line, but got {name!r}: write .npz."
        )
    plain = name[0] not in '#%"' and delimiter not in name and not any(map(str.isspace, name))
    if plain and not name.lstrip("-").isdigit():
        return name
    doubled = name.replace('"', '""')
    return f'"{doubled}"'
