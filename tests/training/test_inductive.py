from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from mmgraph.errors import InputError
from mmgraph.graph import GNN, Adjacency, SparseFeatures
from mmgraph.inspection import Capture
from mmgraph.runs import ItemSet, RunReader, RunWriter
from mmgraph.training import TrainingOptions, fit
from mmgraph.training.inductive import InductiveClassification

NODES = 40
GENERATOR = torch.Generator().manual_seed(0)
LABELS = torch.randint(3, (NODES,), generator=GENERATOR)
FEATURES = torch.nn.functional.one_hot(LABELS, 3) + torch.randn(NODES, 3, generator=GENERATOR) / 2
EDGES = torch.randint(NODES, (2, 200), generator=GENERATOR)
SPLITS = {
    "train": torch.arange(NODES) < 15,
    "validation": (torch.arange(NODES) >= 20) & (torch.arange(NODES) < 28),
    "test": torch.arange(NODES) >= 28,
}
OPTIONS = TrainingOptions(epochs=8, learning_rate=0.02, device="cpu", threads=1)


def made(features=FEATURES, edges=EDGES, conv="gcn", splits=SPLITS, graph=None) -> InductiveClassification:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = GNN(3, 4, 3, conv=conv, heads=2, dropout=0.3)
    return InductiveClassification(
        model,
        features,
        Adjacency.from_edge_index(edges, NODES) if graph is None else graph,
        LABELS,
        splits,
        class_names=("a", "b", "c"),
        items=ItemSet(ids=np.arange(NODES)),
        capture=Capture(model),
    )


def step(task) -> list[torch.Tensor]:
    """Loss and gradients of a step of training."""
    task.model.train()
    torch.manual_seed(5)
    loss, _ = task.loss(None)
    return [loss, *torch.autograd.grad(loss, list(task.model.parameters()))]


def disturbed(nodes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Other features at some nodes, and other edges from and to them."""
    features = FEATURES.clone()
    features[nodes] = 100 * torch.randn(int(nodes.sum()), 3)
    kept = ~(nodes[EDGES[0]] | nodes[EDGES[1]])
    some = torch.nonzero(nodes).flatten()
    more = torch.stack([some, some.roll(1)]), torch.stack([some, torch.randint(NODES, some.shape)])
    return features, torch.cat([EDGES[:, kept], *more], dim=1)


@pytest.mark.parametrize("conv", ["gcn", "sage", "gat", "gin", "cheb", "appnp"])
def test_training_depends_on_no_node_of_validation_or_test(conv):
    unseen = SPLITS["validation"] | SPLITS["test"]
    features, edges = disturbed(unseen)
    before, after = step(made(conv=conv)), step(made(features, edges, conv))
    assert all(torch.equal(mine, other) for mine, other in zip(before, after, strict=True))
    features, edges = disturbed(SPLITS["train"])
    assert not torch.equal(before[0], step(made(features, edges, conv))[0])


def test_the_choice_of_weights_depends_on_no_node_of_test():
    features, edges = disturbed(SPLITS["test"])
    first, second = made(), made(features, edges)
    assert first.evaluate() == second.evaluate()
    assert first.evaluate("test") != second.evaluate("test")


@pytest.mark.parametrize("sparse", [False, True])
def test_every_part_is_judged_on_the_graph_of_its_time(sparse):
    features = SparseFeatures.from_dense(FEATURES) if sparse else FEATURES
    task = made(features)
    task.model.eval()
    gone = {"train": SPLITS["validation"] | SPLITS["test"], "validation": SPLITS["test"]}
    for split, mask in SPLITS.items():
        nodes = ~gone.get(split, torch.zeros(NODES, dtype=torch.bool))
        between = EDGES[:, nodes[EDGES[0]] & nodes[EDGES[1]]]
        number = nodes.cumsum(0) - 1
        logits = task.model(FEATURES[nodes], number[between])
        got, labels = task.outputs(split)
        torch.testing.assert_close(got, logits[number[mask]])
        assert torch.equal(labels, LABELS[mask])


def test_whole_graph_is_what_is_looked_at():
    task = made()
    prediction = next(s for s in task.probe() if s.kind == "prediction")
    assert len(prediction.array) == NODES


@pytest.mark.parametrize("stop_after", [1, 5])
def test_a_resumed_run_is_the_uninterrupted_run_bit_for_bit(tmp_path, stop_after):
    def run_of(name: str, epochs: int):
        task = made(conv="gat")
        run = RunWriter.create(tmp_path, name, {"run": {"recipe": "test"}})
        fit(task, run, replace(OPTIONS, epochs=epochs))
        run.close("finished")
        return run.folder

    whole, part = run_of("whole", 8), run_of("part", stop_after)
    with RunWriter(part, start_step=stop_after) as again:
        fit(made(conv="gat"), again, OPTIONS, resume=True)
    with RunReader(whole) as one, RunReader(part) as two:
        assert one.series("train/loss").value.tolist() == two.series("train/loss").value.tolist()


def test_what_cannot_be_is_refused():
    with pytest.raises(InputError, match="several of them"):
        made(splits={**SPLITS, "test": SPLITS["validation"]})
    with pytest.raises(InputError, match="at least one True"):
        made(splits={**SPLITS, "test": torch.zeros(NODES, dtype=torch.bool)})
    with pytest.raises(InputError, match="41 nodes"):
        made(graph=Adjacency.from_edge_index(EDGES, NODES + 1))
