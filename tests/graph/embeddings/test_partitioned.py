from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import tracemalloc
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression

from mmgraph.errors import InputError, NonFiniteLossError
from mmgraph.graph import Adjacency, DeepWalk, Node2Vec, PartitionedEmbedding
from mmgraph.graph.embeddings import Progress, bucket_storage
from mmgraph.graph.embeddings.bucket_kernels import count_words, train_on_groups, write_words
from mmgraph.graph.embeddings.skip_gram import alias_table, sigmoid_table
from mmgraph.graph.walks.streams import GAMMA, KEY_GAMMA


def planted(num_nodes: int = 300, groups: int = 3, seed: int = 0) -> tuple[Adjacency, np.ndarray]:
    """Groups with ten times as many edges inside as between them."""
    rng = np.random.default_rng(seed)
    label = rng.permutation(np.arange(num_nodes) % groups)
    chance = np.where(label[:, None] == label, 0.08, 0.016)
    upper = np.triu(rng.random((num_nodes, num_nodes)) < chance, 1)
    edges = np.stack(np.nonzero(upper | upper.T))
    return Adjacency.from_edge_index(torch.from_numpy(edges), num_nodes), label


def small(**changes: object) -> DeepWalk:
    options = {"dimensions": 16, "walks_per_node": 4, "walk_length": 20, "window": 4, "seed": 3}
    return DeepWalk(**{**options, **changes})


def micro_f1(vectors: np.ndarray, label: np.ndarray) -> float:
    """Mean over five splits with a third of the labels."""
    scores = []
    for seed in range(5):
        order = np.random.default_rng(seed).permutation(len(label))
        train, test = np.split(order, [len(label) // 3])
        model = LogisticRegression(max_iter=1000).fit(vectors[train], label[train])
        scores.append(model.score(vectors[test], label[test]))
    return float(np.mean(scores))


@pytest.mark.parametrize(("partitions", "threads"), [(2, 1), (5, 1), (3, 2)])
def test_quality_is_that_of_training_in_memory(tmp_path, partitions, threads):
    graph, label = planted()
    walks = small(walks_per_node=10, walk_length=40, threads=threads)
    in_memory = micro_f1(walks.fit(graph).embedding_, label)
    stored = micro_f1(PartitionedEmbedding(walks, partitions, tmp_path).fit(graph).embedding_, label)
    assert in_memory > 0.8
    assert stored > in_memory - 0.04


def test_one_partition_gives_the_bits_of_training_in_memory(tmp_path):
    graph, _ = planted()
    walks = Node2Vec(p=0.5, q=2, dimensions=8, walks_per_node=2, walk_length=10)
    stored = PartitionedEmbedding(walks, 1, tmp_path).fit(graph)
    assert np.array_equal(stored.embedding_, clone(walks).fit(graph).embedding_)
    assert not hasattr(walks, "embedding_")


def words_of(walks: np.ndarray, numbers: np.ndarray, window: int, partitions: int) -> list[list[np.ndarray]]:
    seed = np.uint64(5)
    sizes = np.zeros((partitions, partitions), np.int64)
    tokens = count_words(walks, numbers, seed, window, partitions, sizes)
    assert tokens == (walks >= 0).sum()
    ends = np.cumsum(sizes).reshape(sizes.shape)
    at, words = ends - sizes, np.full(int(sizes.sum()), -1, np.int32)
    write_words(walks, numbers, seed, window, partitions, at, words)
    assert np.array_equal(at, ends)
    return [[words[e - s : e] for e, s in zip(*row, strict=True)] for row in zip(ends, sizes, strict=True)]


def mixed(counter: int) -> int:
    """splitmix64 in whole numbers without end."""
    z = counter % 2**64
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB % 2**64
    return z ^ (z >> 31)


@pytest.mark.parametrize("partitions", [1, 2, 5])
def test_buckets_hold_every_pair_once_and_where_it_belongs(partitions):
    rng = np.random.default_rng(0)
    walks = rng.integers(0, 11, (20, 9)).astype(np.int32)
    walks[3, 5:] = -1
    walks[4, 1:] = -1
    numbers, window = np.arange(20) * 7, 3
    expected = Counter()
    for walk, nodes in zip(numbers.tolist(), walks.tolist(), strict=True):
        nodes = [node for node in nodes if node >= 0]
        key = mixed(5 + (walk + 1) * KEY_GAMMA)
        for i, node in enumerate(nodes):
            reach = window - ((mixed(key + i * GAMMA) >> 32) * window >> 32)
            for j in range(max(0, i - reach), min(len(nodes), i + reach + 1)):
                expected[node, nodes[j]] += i != j
    found = Counter()
    for first, row in enumerate(words_of(walks, numbers, window, partitions)):
        for second, words in enumerate(row):
            at = 0
            while at < len(words):
                node, count = words[at] * partitions + second, words[at + 1]
                assert count > 0
                for context in words[at + 2 : at + 2 + count].tolist():
                    found[int(node), context * partitions + first] += 1
                at += 2 + count
    assert found == +expected


def test_a_group_moves_along_the_gradient():
    rng = np.random.default_rng(0)
    x, y = rng.normal(0, 0.5, (4, 8)).astype(np.float32), rng.normal(0, 0.5, (3, 8)).astype(np.float32)
    before = x.copy(), y.copy()
    # All negatives are row 2 of y.
    threshold, alias = alias_table(np.array([1e-30, 1e-30, 1.0]))
    words = np.array([1, 2, 0, 3], np.int32)
    rate, negatives = 1e-2, 3
    train_on_groups(
        words, 0, np.uint64(1), negatives, threshold, alias, sigmoid_table(), np.float32(rate), x, y
    )
    at_x = torch.tensor(before[0], dtype=torch.float64, requires_grad=True)
    at_y = torch.tensor(before[1], dtype=torch.float64, requires_grad=True)
    logit = at_x[[0, 3]] @ at_y.T
    objective = torch.nn.functional.logsigmoid(logit[:, 1]).sum()
    objective = objective + negatives * torch.nn.functional.logsigmoid(-logit[:, 2]).sum()
    objective.backward()
    # σ is a table of steps of 1 / 256.
    np.testing.assert_allclose(x - before[0], rate * at_x.grad, atol=rate * 0.01)
    np.testing.assert_allclose(y - before[1], rate * at_y.grad, atol=rate * 0.01)
    assert np.array_equal(x[[1, 2]], before[0][[1, 2]])
    assert np.array_equal(y[0], before[1][0])


def test_training_goes_on_at_the_bucket_where_it_ended(tmp_path):
    graph, _ = planted()
    whole = PartitionedEmbedding(small(), 3, tmp_path / "whole").fit(graph)
    seen: list[int] = []

    def stop(progress: Progress) -> None:
        seen.append(progress.step)
        assert progress.steps == 36
        if len(seen) in (1, 9):
            progress.cancel()
        if len(seen) == 14:
            signal.raise_signal(signal.SIGINT)

    parts = PartitionedEmbedding(small(), 3, tmp_path / "parts")
    fits = 0
    while not seen or seen[-1] != 36:
        with contextlib.suppress(KeyboardInterrupt):
            parts.fit(graph, on_progress=stop)
        assert parts.finished_ == (seen[-1] == 36)
        assert np.isfinite(parts.embedding_).all()
        fits += 1
    assert fits == 4
    assert seen == list(range(1, 37))
    assert np.array_equal(parts.embedding_, whole.embedding_)


def test_vectors_can_be_looked_at_while_they_are_on_disk(tmp_path):
    graph, _ = planted(num_nodes=31)
    looks: list[np.ndarray] = []
    some = np.array([30, 0, 7])

    def look(progress: Progress) -> None:
        looks.append(progress.vectors)
        assert np.array_equal(progress.rows(some), looks[-1][some])
        assert progress.tokens > 0

    vectors = PartitionedEmbedding(small(), 4, tmp_path).fit(graph, on_progress=look).embedding_
    assert np.array_equal(looks[-1], vectors)
    # The first four buckets move partition 0, the next four partition 1.
    for first, last, partition in ((0, 3, 0), (3, 7, 1)):
        moved = np.flatnonzero((looks[first] != looks[last]).any(1))
        assert len(moved)
        assert set(moved % 4) == {partition}


@pytest.mark.parametrize("how", ["cancel", "ctrl-c"])
def test_one_partition_that_ends_early_keeps_its_vectors_and_starts_anew(tmp_path, how):
    graph, _ = planted(num_nodes=60)
    model = PartitionedEmbedding(small(walks_per_node=10**6), 1, tmp_path / "half")

    def end(progress: Progress) -> None:
        if progress.tokens:
            progress.cancel() if how == "cancel" else signal.raise_signal(signal.SIGINT)

    with contextlib.suppress(KeyboardInterrupt):
        model.fit(graph, on_progress=end, every=0.02)
    assert not model.finished_
    assert model.embedding_.shape == (60, 16)
    assert not np.array_equal(model.embedding_, small().initial_vectors(60))
    assert {path.name for path in (tmp_path / "half").iterdir()} <= {"state.json", ".lock"}


def test_a_killed_process_loses_only_the_bucket_it_was_at(tmp_path):
    code = (
        "import os, signal, sys, torch\n"
        "from mmgraph.graph import Adjacency, DeepWalk, PartitionedEmbedding\n"
        "from mmgraph.graph.embeddings import Progress, bucket_storage, partitioned\n"
        "graph = Adjacency.open(sys.argv[1])\n"
        "walks = DeepWalk(dimensions=16, walks_per_node=4, walk_length=20, window=4, seed=3)\n"
        "left = [int(sys.argv[3])]\n"
        "replace = os.replace\n"
        "def die(*names):\n"
        "    left[0] -= 1\n"
        "    if left[0] == 0:\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"  # parts are written, the state is not
        "    replace(*names)\n"
        "bucket_storage.os.replace = die\n"
        "PartitionedEmbedding(walks, 3, sys.argv[2]).fit(graph)\n"
    )
    from mmgraph.graph import build_csr, write_graph

    graph, _ = planted()
    write_graph(graph, tmp_path / "graph.txt")
    build_csr(tmp_path / "graph.txt", tmp_path / "graph")
    stored = Adjacency.open(tmp_path / "graph")
    arguments = [sys.executable, "-c", code, str(tmp_path / "graph"), str(tmp_path / "killed"), "13"]
    ended = subprocess.run(arguments, capture_output=True, text=True, timeout=120)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    leftovers = {path.name for path in (tmp_path / "killed").glob("[xy].*.npy")}
    again = PartitionedEmbedding(small(), 3, tmp_path / "killed").fit(stored)
    whole = PartitionedEmbedding(small(), 3, tmp_path / "whole").fit(stored)
    assert np.array_equal(again.embedding_, whole.embedding_)
    # Two of the parts that were found had a newer version without meaning.
    assert len(leftovers) == 3 + 3 + 2
    assert len(list((tmp_path / "killed").glob("[xy].*.npy"))) == 6


def test_what_is_finished_stays_and_ends_up_in_order(tmp_path):
    graph, _ = planted(num_nodes=31)
    names = [f"n{i}" for i in range(31)]
    graph = Adjacency(graph.pattern, None, names)
    first = PartitionedEmbedding(small(), 4, tmp_path).fit(graph)
    calls: list[object] = []
    second = PartitionedEmbedding(small(), 4, tmp_path).fit(graph, on_progress=calls.append)
    assert not calls
    assert np.array_equal(first.embedding_, second.embedding_)
    assert np.load(tmp_path / "vectors.npy").shape == (31, 16)
    for partition in range(4):
        [part] = tmp_path.glob(f"x.{partition}.*.npy")
        assert np.array_equal(first.embedding_[partition::4], np.load(part))
    assert not list(tmp_path.glob("round.*"))
    assert np.array_equal(first.transform(["n5"])[0], first.embedding_[5])
    first.save(tmp_path / "all.npz")
    loaded = DeepWalk.load(tmp_path / "all.npz")
    assert np.array_equal(loaded.transform(["n7"])[0], first.embedding_[7])
    assert loaded.get_params() == small().get_params()
    assert clone(first).get_params()["partitions"] == 4


def test_fewer_nodes_than_partitions(tmp_path):
    graph = Adjacency.from_edge_index(torch.tensor([[0, 1], [1, 0]]), 3)
    vectors = PartitionedEmbedding(small(), 8, tmp_path).fit(graph).embedding_
    assert vectors.shape == (3, 16)
    assert np.isfinite(vectors).all()


def test_two_partitions_are_in_memory_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setattr(bucket_storage, "ASSEMBLED_AT_A_TIME", 1 << 18)
    nodes, dimensions = 20_000, 64
    ring = torch.arange(nodes)
    graph = Adjacency.from_edge_index(torch.stack([ring, ring.roll(1)]), nodes)
    walks = DeepWalk(dimensions=dimensions, walks_per_node=1, walk_length=2, window=1)
    PartitionedEmbedding(walks, 2, tmp_path / "compiled").fit(planted()[0])

    def peak(partitions: int) -> int:
        tracemalloc.start()
        try:
            PartitionedEmbedding(walks, partitions, tmp_path / str(partitions)).fit(graph)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    all_vectors = 2 * 4 * nodes * dimensions
    # Beside the vectors there is what each walk and the graph take, equal for both.
    assert peak(1) - peak(8) > 0.5 * all_vectors


def test_what_does_not_go_together_is_refused(tmp_path):
    graph, _ = planted(num_nodes=40)
    for partitions in (0, 33):
        with pytest.raises(InputError, match=f"from 1 to 32 partitions, but got {partitions}"):
            PartitionedEmbedding(small(), partitions, tmp_path).fit(graph)
    with pytest.raises(InputError, match="a DeepWalk or Node2Vec to train, but got str"):
        PartitionedEmbedding("DeepWalk", 2, tmp_path).fit(graph)
    with pytest.raises(InputError, match="dimensions ≥ 1, but got 0"):
        PartitionedEmbedding(small(dimensions=0), 2, tmp_path).fit(graph)
    assert not list(tmp_path.iterdir())

    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match="has files of something else"):
        PartitionedEmbedding(small(), 2, tmp_path / "mine").fit(graph)

    PartitionedEmbedding(small(), 2, tmp_path / "two").fit(graph)
    for other in (
        lambda: PartitionedEmbedding(small(), 3, tmp_path / "two").fit(graph),
        lambda: PartitionedEmbedding(small(seed=4), 2, tmp_path / "two").fit(graph),
        lambda: PartitionedEmbedding(small(), 2, tmp_path / "two").fit(planted(40, seed=1)[0]),
    ):
        with pytest.raises(InputError, match="training of another graph or with other settings"):
            other()
    (tmp_path / "two" / "state.json").write_text("{")
    with pytest.raises(InputError, match="cannot hold a training"):
        PartitionedEmbedding(small(), 2, tmp_path / "two").fit(graph)

    def train_the_same(progress: object) -> None:
        with pytest.raises(InputError, match="Another process is training"):
            PartitionedEmbedding(small(), 2, tmp_path / "busy").fit(graph)

    PartitionedEmbedding(small(), 2, tmp_path / "busy").fit(graph, on_progress=train_the_same)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        PartitionedEmbedding(small(), 2, Path(tmp_path / "file")).fit(graph)


def test_a_learning_rate_that_is_far_too_large(tmp_path):
    graph, _ = planted(num_nodes=40)
    with np.errstate(all="ignore"), pytest.raises(NonFiniteLossError, match=r"learning rate of 1e\+30"):
        PartitionedEmbedding(small(learning_rate=1e30), 2, tmp_path).fit(graph)
