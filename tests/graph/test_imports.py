from __future__ import annotations

import subprocess
import sys

import pytest

import mmgraph.graph

EXTENSIONS = ["pyg_lib", "torch_scatter", "torch_sparse", "torch_cluster"]


def modules_after(code: str) -> set[str]:
    """Names in sys.modules after code has run in a fresh interpreter."""
    printed = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys\nprint(*sys.modules)"],
        check=True,
        capture_output=True,
        text=True,
    )
    return set(printed.stdout.split())


def test_the_package_alone_imports_nothing_heavy():
    loaded = modules_after("import mmgraph.graph, mmgraph.vision")
    assert not loaded & {"torch", "numpy", "scipy", "networkx", "torch_geometric"}


def test_using_it_imports_torch_and_neither_torch_geometric_nor_extensions():
    loaded = modules_after(
        "import torch\n"
        "from mmgraph.graph import *\n"
        "graph = Adjacency.from_edge_index(knn_graph(torch.rand(9, 3), 2), 9)\n"
        "GNN(3, 2, 2, conv='gat')(torch.rand(9, 3), graph).sum().backward()\n"
    )
    assert "torch" in loaded
    assert not loaded & {"torch_geometric", "networkx", *EXTENSIONS}


def test_walks_samples_and_clusters_need_no_extensions_either():
    loaded = modules_after(
        "import torch\n"
        "from mmgraph.graph import *\n"
        "edges = torch.tensor([[0, 1, 2, 3, 1, 2, 3, 0], [1, 2, 3, 0, 0, 1, 2, 3]])\n"
        "graph = Adjacency.from_edge_index(edges, 4)\n"
        "DeepWalk(dimensions=4, walks_per_node=1, walk_length=4).fit(graph)\n"
        "DeepWalk(dimensions=4, walks_per_node=1, walk_length=4, method='batched').fit(graph)\n"
        "next(iter(NeighborLoader(graph, torch.rand(4, 3), torch.arange(4), [2, 2], batch_size=2).batches(0)))\n"
        "partition_graph(graph, 2)\n"
    )
    assert {"torch", "numba"} <= loaded
    assert not loaded & {"torch_geometric", *EXTENSIONS}


def test_a_network_without_attention_waits_for_no_compiler():
    loaded = modules_after(
        "import torch\n"
        "from mmgraph.graph import GNN\n"
        "GNN(3, 2, 2)(torch.rand(9, 3), torch.tensor([[0, 1], [1, 2]])).sum().backward()\n"
    )
    assert not loaded & {"numba", "scipy", "torch_geometric"}


def test_every_public_name_is_there():
    for name in mmgraph.graph.__all__:
        assert callable(getattr(mmgraph.graph, name)), name
    assert set(mmgraph.graph.__all__) <= set(dir(mmgraph.graph))
    name = "Graph"
    with pytest.raises(AttributeError, match=f"no attribute '{name}'"):
        getattr(mmgraph.graph, name)
