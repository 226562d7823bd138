from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
import torch

from mmgraph.errors import InputError, NonFiniteLossError
from mmgraph.graph import Adjacency
from mmgraph.graph.embeddings import DeepWalk, Node2Vec, SpectralEmbedding
from mmgraph.graph.embeddings.training import WALKS_PER_BLOCK, WalkTraining
from mmgraph.graph.walks.walk_graph import WalkGraph
from mmgraph.runs import ItemSet, RunReader, RunWriter, send_command
from mmgraph.training import TrainingOptions, fit
from mmgraph.training.node_embedding import (
    FractionJudge,
    NodeEmbedding,
    SolvedEmbedding,
    SplitJudge,
    WalkEmbedding,
    neighbour_loss,
)

GROUPS = np.repeat(np.arange(3), 60)
OPTIONS = TrainingOptions(epochs=4, learning_rate=0.05, device="cpu", threads=1)
QUICK = {"dimensions": 8, "walks_per_node": 4, "walk_length": 12, "window": 3, "learning_rate": 0.05}
Runs = Callable[..., RunWriter]


@pytest.fixture(scope="module")
def graph() -> Adjacency:
    return Adjacency.from_networkx(nx.planted_partition_graph(3, 60, 0.3, 0.01, seed=1))


def judge() -> SplitJudge:
    part = np.arange(180) % 3
    return SplitJudge(GROUPS, {name: part == i for i, name in enumerate(("train", "validation", "test"))})


def walk_task(
    graph: Adjacency, kind: type[DeepWalk] | type[Node2Vec] = DeepWalk, threads: int = 1, method: str = "auto"
) -> WalkEmbedding:
    model = kind(**QUICK, threads=threads, method=method)
    training = WalkTraining(WalkGraph.of(graph), np.arange(180), model.settings())
    return WalkEmbedding(training, model.initial_vectors(180), judge(), ItemSet(labels=GROUPS))


@pytest.mark.parametrize("kind", [DeepWalk, Node2Vec])
def test_the_run_trains_the_vectors_of_the_estimator_bit_for_bit(graph, new_run: Runs, kind):
    task = walk_task(graph, kind)
    fit(task, new_run(), OPTIONS)
    expected = kind(**QUICK, final_learning_rate=0.05).fit_transform(graph)
    assert np.array_equal(task.embedding(), expected)


@pytest.mark.parametrize(
    "device",
    [
        "cpu",
        pytest.param(
            "cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
        ),
    ],
)
def test_batches_give_the_vectors_of_the_estimator_too(graph, new_run: Runs, device: str):
    task = walk_task(graph, method="batched")
    options = replace(OPTIONS, epochs=30, schedule="linear", device=device)
    result = fit(task, new_run(), options)
    assert result.metrics["test/accuracy"] > 0.9
    settings = {**QUICK, "walks_per_node": 30, "final_learning_rate": 0, "method": "batched"}
    expected = DeepWalk(**settings).fit_transform(graph)
    np.testing.assert_allclose(task.embedding(), expected, atol=1e-4 if device == "cpu" else 1e-2)


def test_a_falling_learning_rate_is_that_of_the_estimator(graph, new_run: Runs):
    task = walk_task(graph)
    fit(task, new_run(), replace(OPTIONS, schedule="linear"))
    expected = DeepWalk(**QUICK, final_learning_rate=0).fit_transform(graph)
    np.testing.assert_allclose(task.embedding(), expected, atol=1e-5)


@pytest.mark.parametrize("stop_after", [1, 2, 5])
def test_a_resumed_run_is_the_uninterrupted_run_bit_for_bit(graph, new_run: Runs, stop_after: int):
    options = replace(OPTIONS, schedule="linear")
    whole, whole_run = walk_task(graph), new_run("whole")
    fit(whole, whole_run, options)
    assert whole.batches_per_epoch == -(-180 // WALKS_PER_BLOCK) == 2

    first, run = walk_task(graph), new_run("parts")
    train, steps = first.own_step, []

    def own_step(batch, learning_rate):
        steps.append(None)
        if len(steps) == stop_after:
            send_command(run.folder, "stop")
        return train(batch, learning_rate)

    first.own_step = own_step
    assert fit(first, run, options).step == stop_after
    run.close("stopped")
    second = walk_task(graph)
    with RunWriter(run.folder, start_step=stop_after) as again:
        assert fit(second, again, options, resume=True).state == "finished"
    assert np.array_equal(second.embedding(), whole.embedding())


def test_it_records_the_loss_the_vectors_and_what_they_are_worth(graph, new_run: Runs):
    run = new_run()
    result = fit(
        walk_task(graph), run, replace(OPTIONS, epochs=30, schedule="linear", snapshots_per_second=1e6)
    )
    run.flush()
    assert result.metrics["test/accuracy"] > 0.9
    with RunReader(run.folder) as reader:
        loss = reader.series("train/loss").value
        assert len(loss) == 60
        assert loss[-10:].mean() < loss[:5].mean()
        assert reader.series("validation/accuracy").step.tolist() == list(range(2, 61, 2))
        shown = [reader.load(info) for info in reader.snapshots(kind="embedding")]
        assert shown[0].array.shape == (180, 8)
        assert not np.array_equal(shown[0].array, shown[-1].array)
        assert len(reader.items()) == 180


def test_several_threads_share_the_blocks(graph, new_run: Runs):
    task = walk_task(graph, threads=2)
    assert task.batches_per_epoch == 1
    assert [len(block) for block in next(task.batches(0))] == [128, 52]
    assert fit(task, new_run(), replace(OPTIONS, epochs=40)).metrics["test/accuracy"] > 0.9


def test_a_loss_that_is_not_finite_stops_the_run_before_the_vectors_change(graph, new_run: Runs):
    task = walk_task(graph)
    with torch.no_grad():
        task.model.get_parameter("embedding").fill_(float("nan"))
    with pytest.raises(NonFiniteLossError, match="NaN at step 1"):
        fit(task, new_run(), OPTIONS)
    assert not task.model.get_parameter("context").any()


def test_vectors_that_are_solved_for(graph, new_run: Runs):
    solver = SpectralEmbedding(dimensions=4)
    task = SolvedEmbedding(lambda: solver.fit_transform(graph), (180, 4), judge(), ItemSet(labels=GROUPS), [])
    result = fit(task, new_run(), replace(OPTIONS, epochs=1))
    assert np.array_equal(task.embedding(), solver.embedding_)
    assert result.metrics["test/accuracy"] > 0.9
    assert "train/loss" not in result.metrics


@pytest.mark.parametrize(
    "make", [walk_task, lambda graph: SolvedEmbedding(list, (1, 1), judge(), ItemSet(labels=GROUPS))]
)
def test_there_is_no_gradient(graph, make: Callable[[Adjacency], NodeEmbedding]):
    with pytest.raises(InputError, match="no gradient"):
        make(graph).loss(None)


def test_several_labels_are_judged_at_the_end():
    labels = np.eye(3, dtype=np.bool_)[GROUPS]
    vectors = labels.astype(np.float32)
    several = FractionJudge(labels, [0.1, 0.5], repeats=2)
    assert several(vectors, "validation") == {}
    found = several(vectors, "test")
    assert found == {f"test/{mean}_f1_{share}": 1.0 for share in (10, 50) for mean in ("macro", "micro")}


def test_the_loss_of_neighbours():
    x = np.array([[1.0, 0.0], [0.0, 1.0]], np.float32)
    y = np.array([[0.0, 2.0], [2.0, 0.0]], np.float32)
    walks = np.array([[0, 1, -1]] * 50, np.int32)
    # Node 1 is predicted from node 0 with y_1 · x_0 = 2, and is also all that negatives are drawn from.
    assert neighbour_loss(x, y, walks, 3, 0) == pytest.approx(np.log1p(np.exp(-2)) + 3 * np.log1p(np.exp(2)))
    assert neighbour_loss(x, y, walks[:, :1], 3, 0) == 0


def test_resuming_keeps_the_vectors_of_the_context_too(graph, new_run: Runs, tmp_path: Path):
    task, run = walk_task(graph), new_run()
    fit(task, run, OPTIONS)
    run.close()
    from mmgraph.training.checkpoints import load_checkpoint

    other = walk_task(graph)
    load_checkpoint(run.folder / "checkpoints" / "last.safetensors", other.model)
    assert torch.equal(other.model.get_parameter("context"), task.model.get_parameter("context"))
