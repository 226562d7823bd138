from __future__ import annotations

import subprocess
import sys

HEAVY = "{'torch', 'numpy', 'scipy', 'sklearn', 'networkx', 'torch_geometric', 'PySide6'}"
EXTENSIONS = ("pyg_lib", "torch_scatter", "torch_sparse", "torch_cluster")


def run(code: str) -> None:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_importing_mmgraph_imports_nothing_heavy():
    run(f"import sys, mmgraph; assert not {HEAVY} & set(sys.modules)")


def test_no_compiled_graph_extension_is_ever_imported():
    blocked = "".join(f"sys.modules[{name!r}] = None\n" for name in EXTENSIONS)
    run(
        f"import sys\n{blocked}"
        "import mmgraph, mmgraph.recipes.launch, mmgraph.training.loop\n"
        "from mmgraph.graph import GNN, Adjacency, GATConv, GCNConv, knn_graph\n"
        "from mmgraph.recipes.digits_graph.build import build\n"
        f"assert not any(sys.modules.get(name) for name in {EXTENSIONS!r})"
    )


def test_unknown_attributes_are_refused():
    run(
        "import mmgraph\n"
        "try: mmgraph.wach\n"
        "except AttributeError as error: assert 'wach' in str(error)\n"
        "else: raise SystemExit(1)"
    )
