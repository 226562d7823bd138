from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from mmgraph.errors import InputError
from mmgraph.graph import HeteroGraph, RelationalGNN
from mmgraph.runs import ItemSet, RunReader, RunWriter
from mmgraph.training import TrainingOptions, fit
from mmgraph.training.hetero_classification import HeteroClassification

GENERATOR = torch.Generator().manual_seed(0)
LABELS = torch.cat([torch.arange(60) % 3, torch.full((9,), -1)])
WORDS = (LABELS[:60].repeat(4) + 3 * torch.randint(3, (240,), generator=GENERATOR)).clamp(max=8)
EDGES = {
    ("word", "in", "paper"): torch.stack([WORDS, torch.arange(60).repeat(4)]),
    ("paper", "cites", "paper"): torch.randint(60, (2, 50), generator=GENERATOR),
}
GRAPH = HeteroGraph({"paper": 60, "word": 9}, EDGES)
FEATURES = {"paper": torch.ones(60, 1)}
NUMBERS = torch.arange(69)
SPLITS = {
    "train": NUMBERS < 30,
    "validation": (NUMBERS >= 30) & (NUMBERS < 40),
    "test": (NUMBERS >= 40) & (NUMBERS < 60),
}
OPTIONS = TrainingOptions(epochs=60, learning_rate=0.02, device="cpu", threads=1)


def made(**changed) -> HeteroClassification:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = RelationalGNN({"paper": 1}, 8, 3, GRAPH.relations, num_nodes={"word": 9}, dropout=0.1)
    given = {"features": FEATURES, "graph": GRAPH, "labels": LABELS, "splits": SPLITS, **changed}
    return HeteroClassification(model, class_names=("a", "b", "c"), items=ItemSet(ids=np.arange(69)), **given)


def test_papers_that_bring_nothing_are_told_apart_by_their_words(new_run):
    run = new_run()
    result = fit(made(), run, OPTIONS)
    assert result.metrics["test/accuracy"] > 0.7
    run.flush()
    with RunReader(run.folder) as reader:
        infos = [info for info in reader.snapshots(step=60) if not info.layer.startswith("histograms/")]
        taken = {info.kind: reader.load(info) for info in infos}
    assert taken["embedding"].array.shape == (69, 8)
    assert taken["prediction"].array.shape == (69, 3)
    assert taken["prediction"].items == taken["embedding"].items == "items"
    assert taken["matrix"].array.sum() == 10


def test_what_is_shown_is_what_the_model_says():
    task = made()
    prediction = next(s for s in task.probe() if s.kind == "prediction")
    task.model.eval()
    expected = GRAPH.join(task.model(FEATURES, EDGES)).softmax(1)
    torch.testing.assert_close(torch.from_numpy(prediction.array), expected.detach())


@pytest.mark.parametrize("node", [0, 62])
def test_an_answer_is_explained_by_edges_of_all_relations(node):
    task = made()
    (snapshot,) = task.explain(node)
    logits = GRAPH.join(task.model.eval()(FEATURES, EDGES))[node]
    assert snapshot.notes["explains"] == node
    assert snapshot.notes["target"] == int(logits.argmax())
    assert snapshot.notes["probability"] == pytest.approx(float(logits.softmax(0).max().detach()), abs=1e-6)
    assert snapshot.items == "items"
    into = snapshot.extras["edge_index"][1] == node
    assert into.any() == bool((GRAPH.adjacency.edge_index[1] == node).any())
    assert (snapshot.array[1][into] > 0).any() == into.any()
    assert snapshot.extras["feature_weight"].shape == (2, 0)


def test_gradients_reach_every_type():
    task = made()
    loss, _ = task.loss(None)
    loss.backward()
    assert bool(task.model.vectors[0].grad.abs().sum(1).gt(0).all())
    assert task.model.projections[0].weight.grad.abs().sum() > 0


@pytest.mark.parametrize("stop_after", [1, 5])
def test_a_resumed_run_is_the_uninterrupted_run_bit_for_bit(tmp_path, stop_after):
    def run_of(name: str, epochs: int):
        run = RunWriter.create(tmp_path, name, {"run": {"recipe": "test"}})
        fit(made(), run, replace(OPTIONS, epochs=epochs))
        run.close("finished")
        return run.folder

    whole, part = run_of("whole", 8), run_of("part", stop_after)
    with RunWriter(part, start_step=stop_after) as again:
        fit(made(), again, replace(OPTIONS, epochs=8), resume=True)
    with RunReader(whole) as one, RunReader(part) as two:
        assert one.series("train/loss").value.tolist() == two.series("train/loss").value.tolist()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"labels": LABELS[:60]}, "one label per node of all types"),
        ({"splits": {**SPLITS, "test": NUMBERS >= 40}}, "class for every node of the test part"),
        ({"splits": {**SPLITS, "test": NUMBERS > 100}}, "at least one True"),
    ],
)
def test_what_does_not_fit_is_refused(changed, message):
    with pytest.raises(InputError, match=message):
        made(**changed)
