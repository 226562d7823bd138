from __future__ import annotations

import numpy as np
import pytest
import torch

from mmgraph.errors import InputError
from mmgraph.graph import GNN, Adjacency, GraphStack
from mmgraph.inspection import Capture
from mmgraph.runs import ItemSet, RunReader, RunWriter, send_command
from mmgraph.training import TrainingOptions, fit
from mmgraph.training.graph_classification import GraphClassification


def cycles_and_paths(count: int = 40) -> tuple[GraphStack, torch.Tensor]:
    """Cycles are of class 1, paths of class 0; only the edges tell."""
    graphs, labels = [], []
    for number in range(count):
        size, is_cycle = 4 + number % 5, number % 2
        nodes = torch.arange(size if is_cycle else size - 1)
        edges = torch.stack([nodes, (nodes + 1) % size])
        graphs.append(Adjacency.from_edge_index(torch.cat([edges, edges.flip(0)], dim=1), size))
        labels.append(is_cycle)
    return GraphStack.of(graphs), torch.tensor(labels)


def masks(count: int = 40, validation: bool = True) -> dict[str, torch.Tensor]:
    part = torch.arange(count) % 10
    held = {"validation": part // 2 == 1} if validation else {}
    return {"train": part >= (4 if validation else 2), **held, "test": part < 2}


def made(
    *, validation: bool = True, conv: str = "gin", attended: torch.Tensor | None = None, **options
) -> GraphClassification:
    stack, labels = cycles_and_paths()
    torch.manual_seed(0)
    extra = {"heads": 2} if conv == "gat" else {}
    model = GNN(
        1,
        8,
        2,
        2,
        conv,
        dropout=0.0,
        head_dropout=0.2,
        norm="batch",
        jumping_knowledge="layerwise",
        pooling="sum",
        **extra,
    )
    return GraphClassification(
        model,
        torch.ones(stack.adjacency.num_nodes, 1),
        stack,
        labels,
        masks(validation=validation),
        class_names=("path", "cycle"),
        items=ItemSet(labels=labels.numpy(), class_names=("path", "cycle"), noun="graph"),
        capture=Capture(model, kinds=("embedding", "prediction"), items=None),
        attention=None if attended is None else (Capture(model, kinds=("attention",), items=None), attended),
        **{"batch_size": 8, **options},
    )


OPTIONS = TrainingOptions(
    epochs=12, learning_rate=0.02, schedule="halving", halve_every=5, device="cpu", threads=1, seed=3
)


def curve(folder, tag):
    with RunReader(folder) as run:
        series = run.series(tag)
        return series.step.tolist(), series.value.tolist()


def test_it_learns_and_records_the_fold_in_every_epoch(tmp_path):
    task = made()
    with RunWriter.create(tmp_path, "run", {"run": {"recipe": "test"}}) as run:
        result = fit(task, run, OPTIONS)
    assert task.batches_per_epoch == 3
    assert result.metrics["train/accuracy"] > 0.9
    steps, accuracy = curve(run.folder, "fold/accuracy")
    assert steps == [3 * (epoch + 1) for epoch in range(12)]
    assert curve(run.folder, "validation/accuracy")[0] == steps
    # The weights that validation chose are tested in the end: what the fold said in that epoch.
    chosen = int(np.argmax(curve(run.folder, "validation/accuracy")[1]))
    assert curve(run.folder, "test/accuracy") == ([36], [accuracy[chosen]])


def test_without_validation_the_last_weights_are_tested(tmp_path):
    task = made(validation=False)
    with RunWriter.create(tmp_path, "run", {"run": {"recipe": "test"}}) as run:
        fit(task, run, OPTIONS)
        run.flush()
    with RunReader(run.folder) as reader:
        assert not [tag for tag in reader.tags() if tag.startswith("validation")]
        assert reader.series("test/accuracy").value[-1] == reader.series("fold/accuracy").value[-1]


@pytest.mark.parametrize("stop_after", [4, 7, 15])
def test_a_resumed_run_is_the_uninterrupted_run_bit_for_bit(tmp_path, stop_after):
    whole = made(iterations=5)
    with RunWriter.create(tmp_path, "whole", {"run": {"recipe": "test"}}) as whole_run:
        fit(whole, whole_run, OPTIONS)
    first, steps = made(iterations=5), 0
    loss = first.loss

    def counted(batch):
        nonlocal steps
        steps += 1
        if steps == stop_after:
            send_command(run.folder, "stop")
        return loss(batch)

    first.loss = counted
    run = RunWriter.create(tmp_path, "parts", {"run": {"recipe": "test"}})
    assert fit(first, run, OPTIONS).step == stop_after
    run.close("stopped")
    second = made(iterations=5)
    with RunWriter(run.folder, start_step=stop_after) as again:
        fit(second, again, OPTIONS, resume=True)
    for tag in ("train/loss", "fold/loss", "validation/loss", "learning_rate", "test/loss"):
        assert curve(whole_run.folder, tag) == curve(run.folder, tag)
    for name, value in whole.model.state_dict().items():
        assert torch.equal(value, second.model.state_dict()[name])


def test_a_pass_takes_every_training_graph_once():
    task = made(seed=5)
    batches = list(task.batches(2))
    assert [len(batch) for batch in batches] == [8, 8, 8]
    assert torch.equal(torch.cat(batches).sort().values, masks()["train"].nonzero().flatten())
    assert all(torch.equal(a, b) for a, b in zip(batches[1:], made(seed=5).batches(2, start=1), strict=True))
    assert not torch.equal(torch.cat(batches), torch.cat(list(task.batches(3))))
    assert not torch.equal(torch.cat(batches), torch.cat(list(made(seed=6).batches(2))))


def test_random_batches_repeat_no_graph():
    task = made(iterations=7, batch_size=20)
    batches = list(task.batches(0))
    train = set(masks()["train"].nonzero().flatten().tolist())
    assert task.batches_per_epoch == len(batches) == 7
    for batch in batches:
        assert len(set(batch.tolist())) == 20
        assert set(batch.tolist()) <= train
    assert len({tuple(sorted(batch.tolist())) for batch in batches}) == 7
    assert all(torch.equal(a, b) for a, b in zip(batches[4:], task.batches(0, start=4), strict=True))
    assert [len(batch) for batch in made(iterations=2, batch_size=100).batches(0)] == [24, 24]


@pytest.mark.parametrize("conv", ["gin", "gcn", "gat", "sage"])
def test_a_graph_says_the_same_alone_in_a_batch_and_with_its_nodes_renumbered(conv):
    task = made(conv=conv)
    stack, _ = cycles_and_paths()
    model = task.model.double().eval()
    together = stack.select(torch.tensor([3, 0, 17]))
    logits = model(torch.ones(len(together.nodes), 1).double(), together.graph, together.batch)
    for row, graph in enumerate([3, 0, 17]):
        alone = stack.select(torch.tensor([graph]))
        x = torch.ones(len(alone.nodes), 1).double()
        torch.testing.assert_close(model(x, alone.graph, alone.batch)[0], logits[row])
        order = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))
        renumbered = order.argsort()[alone.graph.edge_index]
        torch.testing.assert_close(model(x[order], renumbered, alone.batch)[0], logits[row])


def test_what_is_looked_at():
    task = made(conv="gat", attended=torch.tensor([1, 0]))
    task.evaluate()
    found = {(snapshot.kind, snapshot.layer): snapshot for snapshot in task.probe()}
    assert task.constants() == []
    embedding, prediction = found["embedding", "head.input"], found["prediction", "output"]
    assert embedding.items == prediction.items == "items"
    assert (len(embedding.array), len(prediction.array)) == (40, 40)
    np.testing.assert_allclose(prediction.array.sum(axis=1), 1, rtol=1e-5)
    attention = found["attention", "convs.0"]
    assert attention.axes == ("items", "heads", "queries", "keys")
    assert attention.items == "items"
    assert attention.extras["rows"].tolist() == [1, 0]
    assert attention.array.shape == (2, 2, 5, 5)
    # A cycle of five, then a path of four: each node sees itself and its neighbours, and weights sum to 1.
    seen = attention.array[:, 0] > 0
    ring = np.abs(np.subtract.outer(np.arange(5), np.arange(5)))
    assert (seen[0] == np.isin(ring, (0, 1, 4))).all()
    assert (seen[1, :4, :4] == (ring[:4, :4] <= 1)).all()
    assert not attention.array[1, :, 4].any()
    np.testing.assert_allclose(attention.array[0].sum(axis=-1), 1, rtol=1e-5)
    assert found["matrix", "confusion/test"].array.sum() == 8
    assert found["matrix", "confusion/validation"].array.sum() == 8


def test_parts_that_do_not_fit():
    stack, labels = cycles_and_paths()
    x = torch.ones(stack.adjacency.num_nodes, 1)
    model = GNN(1, 4, 2, pooling="sum")

    def task(x=x, labels=labels, splits=None):
        return GraphClassification(
            model,
            x,
            stack,
            labels,
            splits or masks(),
            class_names=("a", "b"),
            items=ItemSet(labels=labels.numpy()),
            capture=Capture(model),
        )

    task()
    with pytest.raises(InputError, match=r"features of \d+ nodes and labels of 40 graphs, but got 3 and 40"):
        task(x=x[:3])
    with pytest.raises(InputError, match="labels of 40 graphs"):
        task(labels=labels[:5])
    with pytest.raises(InputError, match="The test part is a boolean mask over 40 graphs"):
        task(splits={**masks(), "test": torch.zeros(40, dtype=torch.bool)})
    with pytest.raises(InputError, match="The train part"):
        task(splits={**masks(), "train": torch.ones(40)})
