from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from mmgraph.errors import InputError
from mmgraph.graph import EdgeClassifier
from mmgraph.runs import ItemSet, RunReader, RunWriter
from mmgraph.training import TrainingOptions, fit
from mmgraph.training.edge_classification import EdgeClassification

GENERATOR = torch.Generator().manual_seed(0)
GROUPS = torch.arange(40) % 2
PAIRS = torch.unique(torch.randint(40, (2, 200), generator=GENERATOR).sort(dim=0).values, dim=1)
PAIRS = PAIRS[:, PAIRS[0] != PAIRS[1]]
COUNT = PAIRS.size(1)
SIGNS = torch.randint(2, (COUNT,), generator=GENERATOR)
LABELS = (GROUPS[PAIRS[0]] != GROUPS[PAIRS[1]]).long() + 2 * SIGNS
SPLITS = {
    "train": torch.arange(COUNT) % 4 < 2,
    "validation": torch.arange(COUNT) % 4 == 2,
    "test": torch.arange(COUNT) % 4 == 3,
}
FEATURES = torch.nn.functional.one_hot(GROUPS, 2).float() + torch.randn(40, 2, generator=GENERATOR) / 4
OPTIONS = TrainingOptions(epochs=100, learning_rate=0.02, device="cpu", threads=1)


def made(conv="sage", **changed) -> EdgeClassification:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = EdgeClassifier(2, 16, 4, conv=conv, heads=2, edge_channels=1, dropout=0.1)
    given = {
        "features": FEATURES,
        "graph": torch.cat([PAIRS, PAIRS.flip(0)], dim=1),
        "pairs": PAIRS,
        "labels": LABELS,
        "splits": SPLITS,
        "edge_attr": SIGNS.float().unsqueeze(1),
        **changed,
    }
    return EdgeClassification(
        model, class_names=("in +", "out +", "in -", "out -"), items=ItemSet(ids=np.arange(COUNT)), **given
    )


def test_it_learns_from_both_ends_and_from_what_the_edge_brings(new_run):
    run = new_run()
    result = fit(made(), run, OPTIONS)
    assert result.metrics["test/accuracy"] > 0.9
    run.flush()
    with RunReader(run.folder) as reader:
        taken = {info.kind: reader.load(info) for info in reader.snapshots(step=100)}
        matrix = reader.load(reader.snapshots(step=100, kind="matrix")[0])
    assert set(taken) == {"embedding", "prediction", "matrix"}
    assert taken["embedding"].array.shape == (COUNT, 16)
    assert taken["prediction"].array.shape == (COUNT, 4)
    np.testing.assert_allclose(taken["prediction"].array.sum(1), 1, rtol=1e-5)
    assert taken["embedding"].items == taken["prediction"].items == "items"
    assert matrix.array.sum() == int(SPLITS["validation"].sum())


def test_the_graph_says_which_item_each_edge_is(new_run):
    run = new_run()
    fit(made(), run, replace(OPTIONS, epochs=1))
    run.flush()
    with RunReader(run.folder) as reader:
        graph = reader.load(reader.snapshots(kind="graph")[0])
    assert (graph.array == PAIRS.numpy()).all()
    assert (graph.extras["rows"] == np.arange(COUNT)).all()
    assert graph.items is None  # nodes are no items


def test_loss_and_gradients_know_the_classes_of_training_edges_alone():
    other = torch.where(SPLITS["train"], LABELS, 3 - LABELS)
    results = []
    for labels in (LABELS, other, 3 - LABELS):
        task = made(labels=labels)
        torch.manual_seed(0)
        loss, _ = task.loss(None)
        results.append([loss, *torch.autograd.grad(loss, list(task.model.parameters()))])
    assert all(torch.equal(mine, theirs) for mine, theirs in zip(*results[:2], strict=True))
    assert not torch.equal(results[0][0], results[2][0])


def test_looking_draws_no_random_numbers_and_attention_is_no_items():
    task = made(conv="gat")
    task.model.train()
    state = torch.get_rng_state()
    snapshots = task.probe()
    assert torch.equal(state, torch.get_rng_state())
    assert task.model.training
    attention = [snapshot for snapshot in snapshots if snapshot.kind == "attention"]
    assert len(attention) == 2
    assert all(snapshot.items is None for snapshot in attention)


@pytest.mark.parametrize("stop_after", [1, 5])
def test_a_resumed_run_is_the_uninterrupted_run_bit_for_bit(tmp_path, stop_after):
    options = replace(OPTIONS, epochs=8)

    def run_of(name: str, epochs: int):
        task = made(conv="gat")
        run = RunWriter.create(tmp_path, name, {"run": {"recipe": "test"}})
        fit(task, run, replace(options, epochs=epochs))
        run.close("finished")
        return run.folder

    whole, part = run_of("whole", 8), run_of("part", stop_after)
    with RunWriter(part, start_step=stop_after) as again:
        fit(made(conv="gat"), again, options, resume=True)
    with RunReader(whole) as one, RunReader(part) as two:
        assert one.series("train/loss").value.tolist() == two.series("train/loss").value.tolist()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"pairs": PAIRS[:, 1:]}, "as many pairs"),
        ({"edge_attr": SIGNS[1:].float().unsqueeze(1)}, "rows of features"),
        ({"splits": {**SPLITS, "test": torch.zeros(COUNT, dtype=torch.bool)}}, "at least one True"),
        ({"splits": {**SPLITS, "test": torch.ones(COUNT)}}, "boolean mask"),
    ],
)
def test_what_does_not_fit_is_refused(changed, message):
    with pytest.raises(InputError, match=message):
        made(**changed)


def test_the_class_of_an_edge_is_explained_by_the_edges_around_its_ends():
    task = made()
    (snapshot,) = task.explain(7)
    source, target = PAIRS[:, 7].tolist()
    assert snapshot.notes["explains"] == [source, target]
    assert snapshot.notes["answer"] == task.class_names[snapshot.notes["target"]]
    prediction = next(s for s in task.probe() if s.kind == "prediction").array[7]
    assert snapshot.notes["target"] == prediction.argmax()
    assert snapshot.notes["probability"] == pytest.approx(prediction.max(), abs=1e-6)
    assert snapshot.items is None  # its numbers are those of nodes, and the items are edges
    for wrong in (-1, COUNT):
        with pytest.raises(InputError, match=f"an edge from 0 to {COUNT - 1}, but got {wrong}"):
            task.explain(wrong)
