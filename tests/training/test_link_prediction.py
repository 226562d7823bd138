from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from mmgraph.errors import InputError
from mmgraph.graph import Adjacency, GraphAutoencoder, LinkSplit, split_links
from mmgraph.inspection import Capture
from mmgraph.runs import ItemSet, RunReader, RunWriter
from mmgraph.training import TrainingOptions, fit
from mmgraph.training.link_prediction import LinkPrediction, ranking_scores

NODES, GROUPS = 60, 3
OPTIONS = TrainingOptions(epochs=60, learning_rate=0.02, device="cpu", threads=1)


def communities(seed: int = 0) -> torch.Tensor:
    """Nodes of one group are linked often, others seldom."""
    pairs = torch.combinations(torch.arange(NODES)).T
    same = pairs[0] % GROUPS == pairs[1] % GROUPS
    chance = torch.where(same, 0.5, 0.02)
    return pairs[:, torch.rand(len(chance), generator=torch.Generator().manual_seed(seed)) < chance]


def made(
    split: LinkSplit | None = None,
    features: torch.Tensor | None = None,
    self_links: bool = True,
    **options,
) -> LinkPrediction:
    split = split or split_links(communities(), NODES, test=0.2, generator=torch.Generator().manual_seed(0))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = GraphAutoencoder(NODES, 16, 8, **{"variational": True, "conv": "gcn", "heads": 2, **options})
    return LinkPrediction(
        model,
        torch.eye(NODES) if features is None else features,
        split,
        items=ItemSet(ids=np.arange(NODES)),
        capture=Capture(model.encoder, kinds=("attention",)),
        self_links=self_links,
    )


def weights(task):
    return torch.cat([p.detach().flatten() for p in task.model.parameters()])


@pytest.mark.parametrize(("decoder", "variational"), [("dot", False), ("dot", True), ("mlp", False)])
def test_it_finds_links_that_were_held_back(new_run, decoder, variational):
    run = new_run()
    result = fit(made(decoder=decoder, variational=variational, dropout=0.2), run, OPTIONS)
    assert result.metrics["test/auc"] > 0.75
    assert result.metrics["test/ap"] > 0.7
    run.flush()
    with RunReader(run.folder) as reader:
        assert ("train/divergence" in reader.tags()) == variational
        assert len(reader.series("validation/auc").value) == len(reader.series("validation/ap").value) == 60
        (vectors,) = reader.snapshots(step=60, kind="embedding")
        assert reader.load(vectors).array.shape == (NODES, 8)
        layers = {info.layer: reader.load(info) for info in reader.snapshots(step=60, kind="matrix")}
    held = made()._links["validation"].size(1)
    assert layers["confusion/validation"].array.sum(1).tolist() == [held, held]
    assert layers["scores/validation"].array.sum(1).tolist() == pytest.approx([1, 1])
    assert layers["confusion/validation"].notes["classes"] == ["no link", "link"]


@pytest.mark.parametrize("self_links", [False, True])
def test_the_loss_is_the_formula(self_links):
    """Over the entries of the adjacency matrix, less weight for the pairs that were drawn."""
    task = made(self_links=self_links)
    task.model.eval()
    (negatives,) = task.batches(0)
    torch.manual_seed(0)
    loss, numbers = task.loss(negatives)
    encoding = task.model.encode(task._features, task._graph)
    torch.manual_seed(0)
    z = encoding.sample()
    matrix = torch.eye(NODES) * self_links
    source, target = task._links["train"]
    matrix[source, target] = matrix[target, source] = 1
    links = torch.sigmoid(z @ z.T)[matrix == 1]
    others = torch.sigmoid((z[negatives[0]] * z[negatives[1]]).sum(1))
    expected = (-links.log().mean() - (1 - others).log().mean()) / 2 + encoding.divergence() / NODES
    torch.testing.assert_close(loss, expected)
    assert set(numbers) == {"accuracy", "divergence"}


def test_training_sees_nothing_of_the_links_held_back():
    """Other links for validation and test, the same for training: the same steps, bit for bit."""
    split = split_links(communities(), NODES, generator=torch.Generator().manual_seed(0))
    held, others = split.links["validation"], split.links["test"]
    swapped = replace(
        split,
        links={**split.links, "validation": others[:, :5], "test": held[:, :1]},
        non_links={"validation": held, "test": others},
    )
    losses = []
    for task in (made(split), made(swapped)):
        optimizer = torch.optim.Adam(task.model.parameters(), 0.01)
        torch.manual_seed(1)
        for epoch in range(5):
            (batch,) = task.batches(epoch)
            loss, _ = task.loss(batch)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        losses.append((loss.detach(), weights(task)))
    assert torch.equal(losses[0][0], losses[1][0])
    assert torch.equal(losses[0][1], losses[1][1])


def test_pairs_drawn_in_training_are_no_training_links_and_new_in_every_epoch():
    task = made()
    (first,), (again,), (other,) = task.batches(0), task.batches(0), task.batches(1)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    links = task._links["train"]
    assert first.shape == links.shape
    drawn = torch.cat([first, other], dim=1)
    assert not set((drawn[0] * NODES + drawn[1]).tolist()) & set((links[0] * NODES + links[1]).tolist())


@pytest.mark.parametrize("stop_after", [1, 4])
def test_a_resumed_run_is_the_uninterrupted_run_bit_for_bit(tmp_path, stop_after):
    options = replace(OPTIONS, epochs=8, evaluate_every=1)

    def run_of(name: str, epochs: int) -> tuple[LinkPrediction, RunWriter]:
        task = made(conv="gat", dropout=0.3)
        run = RunWriter.create(tmp_path, name, {"run": {"recipe": "test"}})
        fit(task, run, replace(options, epochs=epochs))
        run.close("finished")
        return task, run

    whole, whole_run = run_of("whole", 8)
    _, run = run_of("parts", stop_after)
    second = made(conv="gat", dropout=0.3)
    with RunWriter(run.folder, start_step=stop_after) as again:
        fit(second, again, options, resume=True)
    assert torch.equal(weights(whole), weights(second))
    with RunReader(whole_run.folder) as one, RunReader(run.folder) as two:
        for tag in ("train/loss", "train/divergence"):
            assert one.series(tag).value.tolist() == two.series(tag).value.tolist()


def test_looking_draws_no_random_numbers_and_shows_attention():
    task = made(conv="gat", dropout=0.5)
    task.model.train()
    state = torch.get_rng_state()
    kinds = {snapshot.kind for snapshot in task.probe()}
    task.evaluate()
    assert torch.equal(state, torch.get_rng_state())
    assert kinds == {"embedding", "attention"}
    assert {snapshot.kind for snapshot in task.probe()} == {"embedding", "attention", "matrix"}


def test_ranking_scores_count_pairs():
    scores, is_link = torch.tensor([0.1, 0.4, 0.4, 0.9, 0.2]), torch.tensor([0, 1, 0, 1, 0]).bool()
    links, others = scores[is_link], scores[~is_link]
    wins = (links[:, None] > others).double() + (links[:, None] == others).double() / 2
    ranking = ranking_scores(scores, is_link)
    assert ranking["auc"] == pytest.approx(float(wins.mean()))
    assert ranking["ap"] == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    assert np.isnan(ranking_scores(scores * float("nan"), is_link)["auc"])


def test_features_that_do_not_fit_are_refused():
    with pytest.raises(InputError, match="60 nodes and the features have 59 rows"):
        made(features=torch.zeros(NODES - 1, NODES))


def test_of_a_node_the_likeliest_new_link_is_explained():
    task = made()
    links = task._links["train"]
    linked = set(links[1, links[0] == 4].tolist()) | set(links[0, links[1] == 4].tolist()) | {4}
    others = [node for node in range(NODES) if node not in linked]
    task.model.eval()
    with torch.no_grad():
        pairs = torch.tensor([[4] * len(others), others])
        scores = task.model(task._features, task._graph, pairs)
    (snapshot,) = task.explain(4)
    assert snapshot.notes["explains"] == [4, others[int(scores.argmax())]]
    likeliest = float(scores.max().sigmoid())
    assert snapshot.notes["probability"] == pytest.approx(max(likeliest, 1 - likeliest), abs=1e-5)
    assert snapshot.notes["answer"] == ("link" if scores.max() > 0 else "no link")
    assert snapshot.items == "items"


def test_there_is_no_such_node_or_link_to_explain():
    with pytest.raises(InputError, match="a node from 0 to 59, but got 60"):
        made().explain(60)
    with pytest.raises(InputError, match="a node from 0 to 59, but got -1"):
        made().explain_pair(3, -1)
    centre = torch.stack([torch.zeros(2, dtype=torch.int64), torch.arange(1, 3)])
    missing = torch.tensor([[1], [2]])
    graph = Adjacency.from_edge_index(torch.cat([centre, centre.flip(0)], 1), 3)
    parts = {"validation": missing, "test": missing}
    split = LinkSplit(graph, {"train": centre, **parts}, parts)
    task = made(split, features=torch.ones(3, NODES))
    with pytest.raises(InputError, match="Node 0 is linked with all others"):
        task.explain(0)
