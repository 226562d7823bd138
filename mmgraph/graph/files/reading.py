"""Read a graph from a file of any known format."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, get_args

from mmgraph.errors import InputError, UnknownNameError
from mmgraph.graph.adjacency import Adjacency
from mmgraph.graph.files.edge_list_file import read_edge_list
from mmgraph.graph.files.edge_text import recognised
from mmgraph.graph.files.gexf import GEXFReader
from mmgraph.graph.files.gml import GMLReader
from mmgraph.graph.files.graphml import GraphMLReader
from mmgraph.graph.files.npz import read_npz
from mmgraph.graph.files.opening import available_memory, in_words, opened, pieces, size_of

Format = Literal["edge-list", "graphml", "gexf", "gml", "npz"]
SUFFIXES: dict[str, Format] = {
    ".txt": "edge-list",
    ".edgelist": "edge-list",
    ".edges": "edge-list",
    ".csv": "edge-list",
    ".tsv": "edge-list",
    ".ungraph": "edge-list",
    ".graphml": "graphml",
    ".gexf": "gexf",
    ".gml": "gml",
    ".npz": "npz",
}
EXPANSION: dict[Format, int] = {"edge-list": 24, "graphml": 24, "gexf": 24, "gml": 40, "npz": 6}
"""Bytes of memory that reading may take per byte of a file, at most."""


def read_graph(
    path: str | Path,
    format: Format | None = None,
    directed: bool | None = None,
    *,
    ids: type[int] | type[str] | None = None,
    weight: str | None = "weight",
    num_nodes: int | None = None,
    delimiter: str | None = None,
    comments: str = "#%",
    memory_budget: int | None = None,
) -> Adjacency:
    """Read a graph from a file.

    Node ids that are not 0 … N − 1 are kept in `node_ids`: whole numbers in ascending order, text in the order it
    comes. An undirected edge becomes one in each direction, the reverse right after it.

    Args:
        path: may end in .gz.
        format: by default what the name ends in says.
        directed: whether edges have directions. By default what the file says; an edge list that is silent is
            undirected where no edge has its reverse, and complete where all have.
        ids: int or str, what ids in text are; by default numbers where all are, and in an edge list where those
            of the first edge are.
        weight: of GraphML, GEXF and GML: the attribute of edges that holds their weight.
        num_nodes: of an edge list: node ids are then numbers from 0 to num_nodes − 1, and nodes without edges are
            there too.
        delimiter: of an edge list: one character, a space for any blanks; by default found in the first line.
        comments: of an edge list: characters that make a line a comment when they come first.
        memory_budget: bytes that reading may take; by default those that are free.

    Raises:
        InputError: the file cannot be read, is broken (with the number of the line), says nothing about directions
            though it could be meant either way, or needs more memory than the budget.
        UnknownNameError: the format is not known.
    """
    path = Path(path)
    kind = format_of(path, format)
    most = _most_bytes(path, kind, memory_budget)
    if kind == "edge-list":
        if num_nodes is not None and num_nodes < 0:
            raise InputError(f"Expected a number of nodes ≥ 0, but got {num_nodes}.")
        form = recognised(path, delimiter, comments, int if num_nodes is not None else ids)
        parts = read_edge_list(path, form, directed, num_nodes, most)
    elif num_nodes is not None or delimiter is not None:
        raise InputError(f"Expected num_nodes and delimiter for edge lists only, but {path} is {kind}.")
    elif kind == "npz":
        parts = read_npz(path, most)
        if directed is False:
            raise InputError(
                f"Expected directed=None for {path}: an npz file holds every edge in each of its directions."
            )
    else:
        with opened(path) as file:
            content = pieces(file, path, most)
            if kind == "gml":
                draft = GMLReader(path).read_all(b"".join(content))
            else:
                draft = (GraphMLReader if kind == "graphml" else GEXFReader)(path).read_all(content)
        parts = draft.parts(directed, weight, ids, "label" if kind == "gml" else None)
    return Adjacency.from_edge_index(*parts)


def format_of(path: Path, format: str | None) -> Format:
    """The format asked for, or the one that the name says.

    Raises:
        UnknownNameError: it is none of those there are.
    """
    if format is not None:
        if format not in get_args(Format):
            raise UnknownNameError.of("graph format", format, get_args(Format))
        return format  # type: ignore[return-value]
    suffixes = [suffix.lower() for suffix in path.suffixes]
    suffix = next((suffix for suffix in reversed(suffixes) if suffix != ".gz"), "")
    if suffix not in SUFFIXES:
        raise UnknownNameError.of("graph format for a name that ends in", suffix or path.name, SUFFIXES)
    return SUFFIXES[suffix]


def _most_bytes(path: Path, kind: Format, memory_budget: int | None) -> int | None:
    """Bytes that the content may have.

    Raises:
        InputError: the file has more already.
    """
    size = size_of(path)
    budget = available_memory() if memory_budget is None else memory_budget
    if budget is None:
        return None
    most = budget // EXPANSION[kind]
    if size > most:
        advice = (
            "build it on disk with mmgraph.graph.build_csr and open that with Adjacency.open, or"
            if kind == "edge-list"
            else "convert it to an edge list, or"
        )
        raise InputError(
            f"{path} has {in_words(size)}, and reading it may take {in_words(size * EXPANSION[kind])} of memory, more "
            f"than the {in_words(budget)} there are for it: {advice} give a larger memory_budget."
        )
    return most
