from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from numpy.typing import NDArray


@pytest.fixture(scope="session")
def communities() -> tuple[nx.Graph, NDArray[np.int64]]:
    """Three groups of 20 nodes with text as ids, dense within and sparse between, and each node's group."""
    graph = nx.planted_partition_graph(3, 20, 0.5, 0.02, seed=4)
    return nx.relabel_nodes(graph, {i: f"n{i}" for i in graph}), np.repeat(np.arange(3), 20)
