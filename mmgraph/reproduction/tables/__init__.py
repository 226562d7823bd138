"""The tables there are, one file each. Nothing but data: no torch, no reading of files."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from mmgraph.errors import UnknownNameError
from mmgraph.reproduction.table import Table

_MODULES = (
    "planetoid",
    "inductive",
    "link_prediction",
    "node2vec",
    "graph_kernels",
    "images",
    "fusion",
    "few_shot",
    "captioning",
    "image_scoring",
    "multimodal_graph",
    "cross_modal",
    "language_model",
    "video_pairs",
    "videos",
)


def names() -> list[str]:
    """Names of all tables."""
    return list(_tables())


def table(name: str) -> Table:
    """The table of that name.

    Raises:
        UnknownNameError: there is none.
    """
    known = _tables()
    if name not in known:
        raise UnknownNameError.of("table", name, known)
    return known[name]


def _tables() -> dict[str, Table]:
    found = {}
    for module in _MODULES:
        content: Any = import_module(f"{__name__}.{module}")
        found[content.TABLE.name] = content.TABLE
    return found
