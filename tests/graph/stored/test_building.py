from __future__ import annotations

import gzip
import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from mmgraph.errors import InputError
from mmgraph.graph import Adjacency, build_csr, read_graph
from mmgraph.graph.stored import building, external_sort
from mmgraph.graph.stored.building import LEAST_MEMORY
from mmgraph.graph.stored.external_sort import in_order, keys, record_type


def edge_file(folder: Path, num_nodes: int, num_edges: int, weighted: bool = False, hub: int = 0) -> Path:
    """Random edges with duplicates and self-loops; the first `hub` of them end at node 3."""
    rng = np.random.default_rng(0)
    ends = rng.integers(0, num_nodes, (num_edges, 2))
    ends[:hub, 1] = 3
    weight = rng.integers(1, 9, num_edges) / 4
    lines = [
        f"{s} {t} {w}\n" if weighted else f"{s} {t}\n"
        for (s, t), w in zip(ends.tolist(), weight.tolist(), strict=True)
    ]
    path = folder / "edges.txt"
    path.write_text("".join(lines))
    return path


def assert_same(ours: Adjacency, theirs: Adjacency) -> None:
    assert ours.num_nodes == theirs.num_nodes
    for name in ("rowptr", "col", "order"):
        assert torch.equal(getattr(ours, name), getattr(theirs, name)), name
    assert (ours.value is None) == (theirs.value is None)
    assert ours.value is None or torch.equal(ours.value, theirs.value)
    assert ours.node_ids == theirs.node_ids


@pytest.mark.parametrize("directed", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
def test_the_graph_is_that_of_read_graph(tmp_path, directed, weighted):
    path = edge_file(tmp_path, 300, 5000, weighted)
    built = build_csr(path, tmp_path / "graph", directed, num_nodes=320)
    assert_same(built, read_graph(path, directed=directed, num_nodes=320))
    assert_same(Adjacency.open(tmp_path / "graph"), built)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["edges.txt", "graph"]


@pytest.mark.parametrize("hub", [0, 4000])
def test_buckets_that_do_not_fit_are_split_again(tmp_path, monkeypatch, hub):
    monkeypatch.setattr(building, "LEAST_MEMORY", 0)
    monkeypatch.setattr(external_sort, "SPLITS", 4)
    path = edge_file(tmp_path, 50, 5000, hub=hub)
    deepest = [0]

    def watch(progress: building.BuildProgress) -> None:
        deepest.extend(path.name.count(".") for path in (tmp_path / ".graph.part").glob("bucket*"))

    built = build_csr(path, tmp_path / "graph", True, memory_budget=2000, on_progress=watch, every=0)
    assert_same(built, read_graph(path, directed=True, num_nodes=50))
    assert max(deepest) >= 3


def test_equal_edges_stay_in_order_when_there_are_too_many(tmp_path):
    kind = record_type(False, np.dtype(np.float32))
    records = np.zeros(1000, kind)
    records["row"], records["col"], records["order"] = 2**32 - 1, 2**32 - 1, np.arange(1000)
    records["col"][::10] = 5
    records.tofile(tmp_path / "bucket")
    pieces = list(in_order(tmp_path / "bucket", 0, 2**64, kind, 1000))
    assert max(map(len, pieces)) <= 1000 // 4
    merged = np.concatenate(pieces)
    assert np.array_equal(merged, records[np.argsort(keys(records), kind="stable")])
    assert not list(tmp_path.iterdir())


def test_names_and_packed_files(tmp_path):
    path = tmp_path / "edges.csv.gz"
    path.write_bytes(gzip.compress('source,target\nann,"b, c"\n"b, c",ünal\nann,ann\n'.encode()))
    built = build_csr(path, tmp_path / "graph", directed=False)
    assert built.node_ids == ["ann", "b, c", "ünal"]
    assert_same(built, read_graph(path, directed=False))
    far = tmp_path / "far.txt"
    far.write_text("7000000000 5\n5 9\n")
    with pytest.raises(InputError, match="from 0 to 7,000,000,000: pass ids=str"):
        build_csr(far, tmp_path / "far", True)
    assert build_csr(far, tmp_path / "far", True, ids=str).node_ids == ["7000000000", "5", "9"]


def test_an_empty_file(tmp_path):
    path = tmp_path / "edges.txt"
    path.write_text("# mmgraph: directed, 3 nodes\n")
    assert_same(build_csr(path, tmp_path / "graph"), read_graph(path))
    path.write_text("")
    assert build_csr(path, tmp_path / "none", True).num_nodes == 0
    assert Adjacency.open(tmp_path / "none").num_edges == 0


def test_the_stored_arrays_stay_on_disk(tmp_path):
    built = build_csr(edge_file(tmp_path, 30, 500), tmp_path / "graph", True)
    built.col[:] = 0  # copy on write
    assert Adjacency.open(tmp_path / "graph").col.any()


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("0 1\n" * 9 + "0 x\n", {}, r"edges\.txt, line 10: expected two whole numbers"),
        ("0 1\n1 -5\n", {}, "ids from 0 to 2,147,483,646 .* from -5 to 1: pass ids=str"),
        ("0 1\n1 100000000\n", {}, "ids up to 100,000,000 in 2 edges.*pass ids=str"),
        ("0 7\n", {"num_nodes": 7}, "line 1: expected node numbers from 0 to 6"),
        ("0 1\n", {"num_nodes": -1}, "from 0 to 2,147,483,647 nodes, but got -1"),
        ("0 1\n", {"directed": None}, "does not say whether its edges have directions: pass directed"),
        ("0 1\n", {"memory_budget": 10**6}, r"memory_budget of at least 16\.0 MB, but got 1\.0 MB"),
    ],
)
def test_bad_input_leaves_nothing(tmp_path, text, options, message):
    (tmp_path / "edges.txt").write_text(text)
    with pytest.raises(InputError, match=message):
        build_csr(tmp_path / "edges.txt", tmp_path / "graph", **{"directed": True, **options})
    assert [path.name for path in tmp_path.iterdir()] == ["edges.txt"]


def test_folders_that_are_in_the_way(tmp_path):
    path = edge_file(tmp_path, 5, 9)
    (tmp_path / "graph").mkdir()
    with pytest.raises(InputError, match="exists already: remove it"):
        build_csr(path, tmp_path / "graph", True)
    with pytest.raises(InputError, match=r"there is no folder .*missing"):
        build_csr(path, tmp_path / "missing" / "graph", True)

    def build_the_same(progress: object) -> None:
        with pytest.raises(InputError, match="Another process is building"):
            build_csr(path, tmp_path / "other", True)

    build_csr(path, tmp_path / "other", True, on_progress=build_the_same, every=0)


def test_too_little_disk(tmp_path, monkeypatch):
    usage = type("Usage", (), {"free": 100})()
    monkeypatch.setattr(building.shutil, "disk_usage", lambda folder: usage)
    with pytest.raises(
        InputError, match=r"Expected 3\.\d kB of free disk for 100 edges .* but there are 100 bytes"
    ):
        build_csr(edge_file(tmp_path, 5, 100), tmp_path / "graph", True)
    assert [path.name for path in tmp_path.iterdir()] == ["edges.txt"]


def test_names_that_do_not_fit(tmp_path, monkeypatch):
    monkeypatch.setattr(building, "LEAST_MEMORY", 0)
    path = tmp_path / "edges.txt"
    path.write_text("".join(f"node{i} node{i + 1}\n" for i in range(5000)))
    with pytest.raises(
        InputError, match=r"names of nodes so far, which take .* of memory: give a memory_budget"
    ):
        build_csr(path, tmp_path / "graph", True, memory_budget=100_000)


def test_a_file_that_grows_meanwhile(tmp_path):
    path = edge_file(tmp_path, 5, 100)
    size = path.stat().st_size

    def grow(progress: building.BuildProgress) -> None:
        if progress.stage == "sorting" and path.stat().st_size == size:
            with path.open("a") as file:
                file.write("1 2\n")

    with pytest.raises(InputError, match="has changed while it was read"):
        build_csr(path, tmp_path / "graph", True, on_progress=grow, every=0)
    assert not (tmp_path / "graph").exists()


def test_progress_goes_through_all_stages_and_an_exception_ends_it(tmp_path):
    path = edge_file(tmp_path, 50, 1000)
    seen: list[building.BuildProgress] = []
    build_csr(path, tmp_path / "graph", True, on_progress=seen.append, every=0)
    assert list(dict.fromkeys(progress.stage for progress in seen)) == ["counting", "sorting", "storing"]
    assert all(0 <= progress.fraction <= 1 for progress in seen)
    assert (seen[-1].fraction, seen[-1].edges) == (1.0, 1000)
    for stage in ("counting", "sorting", "storing"):

        def stop(progress: building.BuildProgress, stage: str = stage) -> None:
            if progress.stage == stage:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            build_csr(path, tmp_path / "other", True, on_progress=stop, every=0)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["edges.txt", "graph"]


def child(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True, timeout=120
    )


@pytest.mark.parametrize("stage", ["counting", "sorting", "storing"])
def test_a_killed_build_leaves_nothing_that_opens(tmp_path, stage):
    path = edge_file(tmp_path, 50, 1000)
    ended = child(
        "import os, signal, sys\n"
        "from mmgraph.graph import build_csr\n"
        "def kill(progress):\n"
        "    if progress.stage == sys.argv[3]:\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "build_csr(sys.argv[1], sys.argv[2], True, on_progress=kill, every=0)\n",
        path, tmp_path / "graph", stage,
    )  # fmt: skip
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    with pytest.raises(InputError, match=r"graph\.json is missing"):
        Adjacency.open(tmp_path / "graph")
    with pytest.raises(InputError, match=r"graph\.json is missing"):
        Adjacency.open(tmp_path / ".graph.part")
    assert_same(build_csr(path, tmp_path / "graph", True), read_graph(path, directed=True))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["edges.txt", "graph"]


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="no peak memory is told here")
def test_memory_stays_within_the_budget(tmp_path):
    small, num_edges = edge_file(tmp_path, 1000, 2000).rename(tmp_path / "small.txt"), 1_000_000
    large = edge_file(tmp_path, 100_000, num_edges)
    ended = child(
        "import json, pathlib, sys\n"
        "from mmgraph.graph import build_csr\n"
        # ru_maxrss begins with what the parent has had, so that nothing would be seen below that.
        "def peak():\n"
        "    return int(pathlib.Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0])\n"
        "small, large, folder, budget = sys.argv[1:]\n"
        "build_csr(small, folder + '-small', True, memory_budget=int(budget))\n"
        "before = peak()\n"
        "graph = build_csr(large, folder, True, memory_budget=int(budget))\n"
        "after = peak()\n"
        "print(json.dumps([graph.num_edges, (after - before) * 1024]))\n",
        small, large, tmp_path / "graph", LEAST_MEMORY,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    edges, taken = json.loads(ended.stdout)
    assert edges == num_edges
    # The arrays alone have 24 bytes per edge, 24 MB, and sorting them in memory takes several times that.
    # Pages of the mapped result count too while they are in memory, though the system may take them back.
    assert taken <= 1.25 * LEAST_MEMORY


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: (folder / "col.npy").unlink(), r"col\.npy is missing"),
        (lambda folder: (folder / "graph.json").write_text("{"), "damaged"),
        (lambda folder: (folder / "graph.json").write_text('{"version": 1}'), "damaged: 'num_nodes'"),
        (
            lambda folder: (folder / "graph.json").write_text('{"version": 2, "num_nodes": 5, "num_edges": 9}'),
            "written by a newer mmgraph",
        ),
        (lambda folder: np.save(folder / "col.npy", np.full(9, 5)), r"col\.npy has numbers out of range"),
        (lambda folder: np.save(folder / "col.npy", np.zeros(9, np.int32)), "int32"),
        (lambda folder: np.save(folder / "col.npy", np.zeros(8, np.int64)), r"shape \(8,\), not \(9,\)"),
        (lambda folder: np.save(folder / "rowptr.npy", np.array([0, 5, 2, 9, 9, 9])), "rowptr.npy has numbers out"),
        (lambda folder: np.save(folder / "rowptr.npy", np.array([0, 0, 0, 0, 0, 8])), "from 0 to the number of edges"),
        (lambda folder: (folder / "order.npy").write_bytes(b"abc"), "damaged"),
        (lambda folder: np.save(folder / "value.npy", np.array([{}] * 9), allow_pickle=True), "damaged"),
    ],
)  # fmt: skip
def test_damaged_folders_do_not_open(tmp_path, damage, message):
    build_csr(edge_file(tmp_path, 5, 9), tmp_path / "graph", True, num_nodes=5)
    damage(tmp_path / "graph")
    with pytest.raises(InputError, match=message):
        Adjacency.open(tmp_path / "graph")
