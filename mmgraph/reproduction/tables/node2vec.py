"""Nodes with several labels: vectors from the edges alone, then a logistic regression on shares of labelled nodes."""

from __future__ import annotations

from collections.abc import Mapping

from mmgraph.options import Scalar
from mmgraph.reproduction.table import Measure, Row, Table

_NODE2VEC = "Grover and Leskovec 2016, table 2"
_DEEPWALK = "README of the authors' deepwalk"

_Figures = Mapping[tuple[str, int], tuple[float, str]]
_WALKS: Mapping[str, Scalar | None] = {"epochs": 80, "walk_length": 40, "window": 10}

_BLOGCATALOG_DEEPWALK: _Figures = {
    ("macro", 10): (21.08, _DEEPWALK),
    ("micro", 10): (35.86, _DEEPWALK),
    ("macro", 50): (27.68, _DEEPWALK),
    ("micro", 50): (41.51, _DEEPWALK),
    ("macro", 90): (28.21, _DEEPWALK),
    ("micro", 90): (42.40, _DEEPWALK),
}


def _row(
    method: str, dataset: str, seconds: float, published: _Figures, options: Mapping[str, Scalar | None]
) -> Row:
    measures = []
    for percent in (10, 50, 90):
        for kind in ("macro", "micro"):
            figure, source = published.get((kind, percent), (None, ""))
            measures.append(
                Measure(
                    name=f"{kind}-F1, {percent} % labelled",
                    tag=f"test/{kind}_f1_{percent}",
                    published=figure,
                    source=source,
                )
            )
    own: dict[str, Scalar | None] = {"dataset": dataset.lower(), "method": method.lower(), "device": "cpu"}
    return Row(
        method=method,
        dataset=dataset,
        recipe="node-embedding",
        options={**own, **options},
        measures=tuple(measures),
        seeds=5,
        seconds=seconds,
    )


TABLE = Table(
    name="node2vec",
    title="Multi-label node classification on BlogCatalog and PPI from node embeddings",
    rows=(
        _row("Spectral", "BlogCatalog", 60, {("macro", 50): (4.05, _NODE2VEC)}, {}),
        _row("DeepWalk", "BlogCatalog", 150, _BLOGCATALOG_DEEPWALK, _WALKS),
        _row(
            "node2vec",
            "BlogCatalog",
            180,
            {("macro", 50): (25.81, _NODE2VEC)},
            {**_WALKS, "p": 0.25, "q": 0.25},
        ),
        _row("Spectral", "PPI", 40, {("macro", 50): (6.81, _NODE2VEC)}, {}),
        _row("DeepWalk", "PPI", 60, {("macro", 50): (17.68, _NODE2VEC)}, _WALKS),
        _row("node2vec", "PPI", 60, {("macro", 50): (17.91, _NODE2VEC)}, {**_WALKS, "p": 4.0, "q": 1.0}),
    ),
    notes=(
        "F1 in per cent, mean of 10 random splits for each seed; our deviation is over the seeds of the embedding. "
        "The run folders have all shares from 10 % to 90 %.",
        "One logistic regression per label; how many labels a node has is given. 80 walks of 40 nodes from each node, "
        "window 10, 128 dimensions; p and q as published (BlogCatalog 0.25 and 0.25, PPI 4 and 1).",
    ),
)
