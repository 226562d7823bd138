"""`mmgraph graph`: graph files looked at, converted, and built into rows on disk."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mmgraph.cli import output

if TYPE_CHECKING:
    from mmgraph.graph import Adjacency

app = typer.Typer(help="Look at graph files, convert them, build large ones on disk.", no_args_is_help=True)

_DIRECTED = Annotated[
    bool | None,
    typer.Option(
        "--directed/--undirected", help="Whether edges have directions, where the file does not say."
    ),
]
_MEMORY = Annotated[
    int | None,
    typer.Option("--memory-mb", min=1, help="Memory to take at most.", show_default="what is free"),
]


@app.command()
def info(
    path: Annotated[Path, typer.Argument(help="A graph file, or a folder that was built.")],
    directed: _DIRECTED = None,
    json: Annotated[bool, output.JSON] = False,
) -> None:
    """Say what is in a graph."""
    graph = _read(path, directed)
    degree = graph.rowptr.diff()
    named = graph.node_ids is not None
    found = {
        "nodes": graph.num_nodes,
        "edges": graph.num_edges,
        "weighted": graph.value is not None,
        "directed": not graph.is_symmetric,
        "self-loops": int((graph.row == graph.col).sum()),
        "nodes without incoming edges": int((degree == 0).sum()),
        "largest in-degree": int(degree.max()) if graph.num_nodes else 0,
        "node ids": "named" if named else f"0 to {graph.num_nodes - 1}",
        "node attributes": list(graph.node_attributes),
        "edge attributes": list(graph.edge_attributes),
    }
    if json:
        output.print_json(found)
        return
    for name, value in found.items():
        shown = f"{value:,}" if type(value) is int else ", ".join(value) if isinstance(value, list) else value
        typer.echo(f"{name + ':':<30} {shown}")


@app.command()
def convert(
    source: Annotated[Path, typer.Argument(help="A graph file, or a folder that was built.")],
    target: Annotated[Path, typer.Argument(help="A file; what its name ends in says the format.")],
    directed: _DIRECTED = None,
    json: Annotated[bool, output.JSON] = False,
) -> None:
    """Write a graph in another format: edge list, GraphML, GEXF, GML or npz."""
    from mmgraph.graph import write_graph

    graph = _read(source, directed)
    write_graph(graph, target)
    _say(f"{target} has {graph.num_nodes:,} nodes and {graph.num_edges:,} edges.", graph, target, json)


@app.command()
def build(
    path: Annotated[Path, typer.Argument(help="An edge list of any size.")],
    folder: Annotated[Path, typer.Argument(help="Where the rows are to lie; made here.")],
    directed: _DIRECTED = None,
    nodes: Annotated[
        int | None,
        typer.Option("--nodes", min=0, help="How many nodes there are.", show_default="largest id + 1"),
    ] = None,
    text_ids: Annotated[bool, typer.Option("--text-ids", help="Number the ids as they come.")] = False,
    memory_mb: _MEMORY = None,
    json: Annotated[bool, output.JSON] = False,
) -> None:
    """Sort the edges of a file into rows on disk, in little memory; Adjacency.open(folder) opens them."""
    from mmgraph.graph import build_csr

    graph = build_csr(
        path,
        folder,
        directed,
        ids=str if text_ids else None,
        num_nodes=nodes,
        memory_budget=None if memory_mb is None else memory_mb * 10**6,
        on_progress=_print_progress if sys.stderr.isatty() else None,
    )
    _say(f"{folder} has {graph.num_nodes:,} nodes and {graph.num_edges:,} edges.", graph, folder, json)


def _read(path: Path, directed: bool | None) -> Adjacency:
    from mmgraph.graph import Adjacency, read_graph

    return Adjacency.open(path) if path.is_dir() else read_graph(path, directed=directed)


def _say(text: str, graph: Adjacency, path: Path, json: bool) -> None:
    if json:
        output.print_json({"path": str(path), "nodes": graph.num_nodes, "edges": graph.num_edges})
    else:
        typer.echo(text)


def _print_progress(progress: Any) -> None:
    """One line that replaces itself."""
    typer.echo(
        f"\r{progress.stage} {progress.fraction:4.0%}, {progress.edges:,} edges, {progress.seconds:.0f} s\x1b[K",
        nl=progress.stage == "storing" and progress.fraction == 1,
        err=True,
    )
