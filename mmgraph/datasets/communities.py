"""A graph as two text files: `.ungraph` with an edge per line, `.cmty` with the nodes of a community per line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mmgraph.datasets.labelled_graph import labelled_graph
from mmgraph.errors import DatasetCorruptError, DatasetMissingError

if TYPE_CHECKING:
    from torch_geometric.data import Data


def read_communities(edge_file: Path, community_file: Path) -> Data:
    """The undirected graph of the one file, with the communities of the other as labels.

    Nodes are numbered from 0 to the largest number in either file. Self-loops stay.

    Args:
        edge_file: two node numbers per line.
        community_file: line l lists the nodes with label l.

    Shapes:
        edge_index: (2, E) int64, both directions of each edge, self-loops once.
        y: (N, L) bool, L the number of lines of `community_file`.

    Raises:
        DatasetMissingError: a file cannot be read.
        DatasetCorruptError: a line holds anything but node numbers, or node numbers have large gaps.
    """
    edges = _numbers(edge_file)
    for line, ends in enumerate(edges, start=1):
        if len(ends) != 2:
            raise DatasetCorruptError(f"{edge_file}, line {line}: expected two nodes, found {len(ends)}.")
    members = _numbers(community_file)
    source, target = np.array(edges, dtype=np.int64).reshape(-1, 2).T
    member = np.array([node for community in members for node in community], dtype=np.int64)
    mentioned = np.concatenate([source, target, member])
    nodes = int(mentioned.max(initial=-1)) + 1
    # What is to be allocated is bounded by what the files hold: every number costs at least two bytes.
    if nodes > len(mentioned):
        raise DatasetCorruptError(
            f"{edge_file} and {community_file} number their nodes up to {nodes - 1:,} but name only "
            f"{len(np.unique(mentioned)):,}: nodes must be numbered from 0 without large gaps."
        )
    labels = np.zeros((nodes, len(members)), dtype=np.bool_)
    labels[member, np.repeat(np.arange(len(members)), [len(community) for community in members])] = True
    return labelled_graph(source, target, labels)


def _numbers(path: Path) -> list[list[int]]:
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except OSError as error:
        raise DatasetMissingError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise DatasetCorruptError(f"{path} must hold node numbers: {error}.") from error
    numbers = []
    for line, text in enumerate(lines, start=1):
        words = text.split()
        # Eighteen digits fit into 64 bits, and no graph has that many nodes.
        if not all(word.isdigit() and len(word) <= 18 for word in words):
            raise DatasetCorruptError(f"{path}, line {line}: expected node numbers, found '{text[:40]}'.")
        numbers.append([int(word) for word in words])
    return numbers
