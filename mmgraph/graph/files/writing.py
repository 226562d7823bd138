"""Write a graph to a file of any known format, whole or not at all."""

from __future__ import annotations

import contextlib
import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

from mmgraph.errors import InputError
from mmgraph.graph.adjacency import Adjacency
from mmgraph.graph.files.edge_list_file import write_edge_list
from mmgraph.graph.files.gexf import write_gexf
from mmgraph.graph.files.gml import write_gml
from mmgraph.graph.files.graphml import write_graphml
from mmgraph.graph.files.npz import write_npz
from mmgraph.graph.files.reading import Format, format_of
from mmgraph.whole_file import whole_file


def write_graph(
    graph: Adjacency,
    path: str | Path,
    format: Format | None = None,
    directed: bool | None = None,
) -> None:
    """Write a graph to a file; `read_graph` gives it back.

    npz holds everything. GraphML, GEXF and GML hold attributes that are numbers or text; booleans come back from GML
    as 1 and 0. Edge lists hold node ids, weights and direction, but no attributes.

    Args:
        path: replaced when all is written; may end in .gz.
        format: by default what the name ends in says.
        directed: false writes each undirected edge once; by default where every edge has its reverse of the same
            weight.

    Raises:
        InputError: the graph holds something that the format cannot hold, its weights need gradients, an undirected
            file is asked for but the graph is not, or the file cannot be written.
        UnknownNameError: the format is not known.
    """
    path = Path(path)
    kind = format_of(path, format)
    if not isinstance(graph, Adjacency):
        raise InputError(f"Expected an Adjacency to write, but got {type(graph).__name__}.")
    symmetric = graph.is_symmetric
    if directed is False and not symmetric:
        raise InputError(
            "Expected a graph in which every edge has its reverse with the same weight, but some edge has not: "
            "write it with directed=True."
        )
    directed = not symmetric if directed is None else directed
    with whole_file(path, InputError) as part, _opened(part, path) as file:
        if kind == "edge-list":
            write_edge_list(file, graph, directed, "," if ".csv" in path.suffixes else "\t")
        elif kind == "npz":
            write_npz(file, graph)
        else:
            {"graphml": write_graphml, "gexf": write_gexf, "gml": write_gml}[kind](file, graph, directed)


@contextlib.contextmanager
def _opened(part: Path, path: Path) -> Iterator[IO[bytes]]:
    with part.open("wb") as file:
        if path.suffix.lower() == ".gz":
            # Without name and time of its own, so that equal graphs give equal files.
            with gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0) as packed:
                yield cast("IO[bytes]", packed)
        else:
            yield file
