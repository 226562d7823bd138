from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
import torch
from torch.nn import functional as F

from mmgraph.errors import DeviceError, InputError
from mmgraph.graph import Adjacency
from mmgraph.graph.embeddings import DeepWalk, Node2Vec, PartitionedEmbedding, Progress
from mmgraph.graph.embeddings.batched_skip_gram import (
    LARGEST_STEP,
    WalkBatch,
    drawn,
    tokens_per_batch,
    train_on_batch,
)
from mmgraph.graph.embeddings.skip_gram import alias_table, sigmoid_table, train_on_walks

QUICK = {"dimensions": 16, "walk_length": 20, "window": 4}
DEVICES = [
    "cpu",
    pytest.param(
        "cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
    ),
]


def some_walks(
    nodes: int = 12, dim: int = 5, length: int = 20
) -> tuple[np.ndarray, torch.Tensor, torch.Tensor]:
    rng = np.random.default_rng(1)
    walks = rng.integers(0, nodes, (3, length)).astype(np.int32)
    walks[1, 9:] = -1
    walks[2, 1:] = -1
    x, y = torch.from_numpy(rng.standard_normal((2, nodes, dim)).astype(np.float32))
    return walks, x, y


def batch_of(walks: np.ndarray, window: int, negatives: int) -> WalkBatch:
    numbers = np.array([4, 0, 7])[: len(walks)]
    return drawn(walks, numbers, np.uint64(11), window, negatives, *alias_table(np.ones(12)))


def loss(batch: WalkBatch, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """−Σ log σ(y_u · x_c) − Σ_k log σ(−y_{n_k} · x_c), one pair after the other."""
    terms = [torch.zeros((), dtype=x.dtype)]
    walks, reach, outputs = (part.tolist() for part in batch)
    for walk, far, held in zip(walks, reach, outputs, strict=True):
        for i, u in enumerate(walk):
            for j in range(max(0, i - far[i]), min(len(walk), i + far[i] + 1)):
                if u < 0 or j == i or walk[j] < 0:
                    continue
                terms.append(-F.logsigmoid(y[u] @ x[walk[j]]))
                terms += [-F.logsigmoid(-y[n] @ x[walk[j]]) for n in held[i][1:] if n != u]
    return torch.stack(terms).sum()


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(("window", "negatives", "dim"), [(1, 1, 1), (3, 2, 7), (10, 5, 16), (40, 1, 3)])
def test_a_step_goes_down_the_gradient_of_the_loss(window: int, negatives: int, dim: int, device: str):
    walks, x, y = some_walks(dim=dim)
    batch = batch_of(walks, window, negatives)
    x64, y64 = (part.double().requires_grad_() for part in (x, y))
    expected = torch.autograd.grad(loss(batch, x64, y64), (x64, y64))
    moved_x, moved_y = x.clone().to(device), y.clone().to(device)
    train_on_batch(batch.to(torch.device(device)), slice(0, 20), window, 1.0, moved_x, moved_y)
    for before, after, gradient in ((x, moved_x, expected[0]), (y, moved_y, expected[1])):
        torch.testing.assert_close((before - after.cpu()).double(), gradient, atol=2e-5, rtol=1e-5)


def test_pairs_and_negatives_are_those_of_the_compiled_kernel():
    walks, x, y = some_walks()
    kernel_x, kernel_y = x.numpy().copy(), y.numpy().copy()
    rate = 1e-3
    arguments = (np.array([4, 0, 7]), np.uint64(11), 3, 2, *alias_table(np.ones(12)))
    train_on_walks(walks, *arguments, sigmoid_table(), np.float32(rate), kernel_x, kernel_y)
    batched_x, batched_y = x.clone(), y.clone()
    train_on_batch(drawn(walks, *arguments), slice(0, 20), 3, rate, batched_x, batched_y)
    # They differ by what vectors move within the batch, and by the kernel's table of σ.
    for before, one, other in ((x, kernel_x, batched_x), (y, kernel_y, batched_y)):
        moved = np.abs(one - before.numpy()).max()
        np.testing.assert_allclose(other.numpy(), one, atol=0.05 * moved)


@pytest.mark.parametrize("tokens", [1, 7, 20, 45, 1000])
def test_parts_of_a_batch_are_all_of_it_once(tokens: int):
    walks, x, y = some_walks()
    batch = batch_of(walks, 4, 2)
    whole_x, whole_y = torch.zeros_like(x), torch.zeros_like(y)
    parts_x, parts_y = torch.zeros_like(x), torch.zeros_like(y)
    rate = 1e-6  # so small that what a part moves changes nothing for the next
    whole_x += x
    whole_y += y
    parts_x += x
    parts_y += y
    double = [part.double() for part in (whole_x, whole_y, parts_x, parts_y)]
    train_on_batch(batch, slice(0, 20), 4, rate, double[0], double[1])
    places = list(batch.parts(tokens))
    assert all(part.walks[:, place].numel() <= max(tokens, 1) for part, place in places)
    for part, place in places:
        train_on_batch(part, place, 4, rate, double[2], double[3])
    torch.testing.assert_close(double[0] - x, double[2] - x, rtol=1e-3, atol=1e-10)
    torch.testing.assert_close(double[1] - y, double[3] - y, rtol=1e-3, atol=1e-10)


def test_batches_are_as_large_as_the_most_visited_node_allows():
    options = {"length": 80, "window": 10, "negatives": 5, "learning_rate": 0.025}
    even, hub = np.ones(3_000), np.ones(3_000)
    hub[3] = 1_000
    tokens = tokens_per_batch(even, even, **options)
    assert tokens == pytest.approx(LARGEST_STEP * 3_000 / 6 / 11 / 0.025, rel=1e-3)
    assert tokens_per_batch(hub, hub**0.75, **options) < tokens / 10
    assert tokens_per_batch(hub, hub, **{**options, "learning_rate": 1e9}) == 1
    assert tokens_per_batch(0 * hub, 0 * hub, **options) == 1


@pytest.mark.parametrize("device", DEVICES)
def test_vectors_are_as_good_as_those_of_the_compiled_kernel(device: str):
    graph = nx.planted_partition_graph(4, 60, 0.2, 0.03, seed=2)
    group = np.repeat(np.arange(4), 60)
    found = {}
    for method in ("hogwild", "batched"):
        model = DeepWalk(
            **QUICK,
            walks_per_node=30,
            learning_rate=0.05,
            method=method,
            device=device if method == "batched" else "cpu",
        )
        vectors = model.fit_transform(graph)
        unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        similarity = unit @ unit.T - 2 * np.eye(240)
        found[method] = (group[similarity.argsort(axis=1)[:, -10:]] == group[:, None]).mean()
    assert found["hogwild"] > 0.6
    assert found["batched"] == pytest.approx(found["hogwild"], abs=0.08)


def test_one_seed_gives_the_same_bits_on_a_cpu(communities):
    graph, _ = communities
    first = Node2Vec(0.5, 2, **QUICK, seed=3, method="batched").fit(graph)
    again = Node2Vec(0.5, 2, **QUICK, seed=3, method="batched").fit(graph)
    other = Node2Vec(0.5, 2, **QUICK, seed=4, method="batched").fit(graph)
    assert np.array_equal(first.embedding_, again.embedding_)
    assert not np.array_equal(first.embedding_, other.embedding_)


def test_vectors_come_back_from_the_device(communities):
    graph, _ = communities
    settings = {**QUICK, "method": "batched", "walks_per_node": 2}
    here = DeepWalk(**settings).fit(graph)
    # Another name of the same device, so that tables are copied back as from a GPU.
    there = DeepWalk(**settings, device="cpu:0").fit(graph)
    assert np.array_equal(here.embedding_, there.embedding_)
    assert np.array_equal(here._context, there._context)


def test_several_threads_may_take_the_walks(communities):
    graph, group = communities
    vectors = DeepWalk(
        **QUICK, walks_per_node=40, learning_rate=0.05, threads=2, method="batched"
    ).fit_transform(graph)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    nearest = (unit @ unit.T - 2 * np.eye(60)).argmax(axis=1)
    assert (group[nearest] == group).mean() > 0.95


def test_it_is_watched_and_cancelled_like_the_kernel(communities):
    graph, _ = communities
    seen: list[np.ndarray] = []
    losses: list[float] = []

    def watch(progress: Progress) -> None:
        seen.append(progress.vectors.copy())
        losses.extend(progress.metrics.values())
        assert np.array_equal(progress.rows(np.array([5, 2])).shape, (2, 16))
        if progress.tokens and len(seen) > 3:
            progress.cancel()

    model = DeepWalk(**QUICK, walks_per_node=10**6, method="batched")
    model.fit(graph, on_progress=watch, every=0.02)
    assert not model.finished_
    assert not np.array_equal(seen[0], model.embedding_)
    assert np.isfinite(losses).all()
    assert np.isfinite(model.embedding_).all()


def test_new_edges_are_learned_in_batches_too(communities):
    graph, _ = communities
    model = DeepWalk(**QUICK, method="batched").fit(graph)
    model.partial_fit(nx.Graph([("n0", "new")]))
    assert model.transform(["new"]).shape == (1, 16)


@pytest.mark.parametrize("edges", [[[0, 1], [1, 0]], [[0], [0]]], ids=["pair", "alone"])
def test_the_smallest_graphs_stay_finite(edges: list[list[int]]):
    graph = Adjacency.from_edge_index(torch.tensor(edges))
    vectors = DeepWalk(dimensions=4, walks_per_node=10, method="batched").fit_transform(graph)
    assert np.isfinite(vectors).all()


def test_what_cannot_be_is_refused(communities, tmp_path):
    graph, _ = communities
    with pytest.raises(InputError, match="a method of auto, hogwild, batched, but got 'fast'"):
        DeepWalk(method="fast").fit(graph)
    with pytest.raises(DeviceError, match="no device 'gpu'"):
        DeepWalk(device="gpu").fit(graph)
    if not torch.cuda.is_available():
        with pytest.raises(DeviceError, match="cuda needs an NVIDIA GPU"):
            DeepWalk(device="cuda").fit(graph)
    with pytest.raises(InputError, match="use method='batched', or device='cpu'"):
        DeepWalk(device="meta", method="hogwild").fit(graph)
    with pytest.raises(InputError, match="compiled threads on the CPU"):
        PartitionedEmbedding(DeepWalk(method="batched"), 2, tmp_path / "storage").fit(graph)


def test_automatic_choice_is_the_kernel_on_a_cpu(communities):
    graph, _ = communities
    expected = DeepWalk(**QUICK).fit_transform(graph)
    assert np.array_equal(DeepWalk(**QUICK, method="hogwild").fit_transform(graph), expected)
    if not torch.cuda.is_available():
        assert np.array_equal(DeepWalk(**QUICK, device="auto").fit_transform(graph), expected)
