from __future__ import annotations

import pytest
import torch

from mmgraph.options import parse
from mmgraph.recipes import launch
from mmgraph.recipes.heterogeneous import HeterogeneousConfig
from mmgraph.recipes.heterogeneous.build import build
from mmgraph.runs import RunReader

pytestmark = pytest.mark.data


def made(**values):
    return build(parse(HeterogeneousConfig, values))


def test_words_are_joined_to_the_papers_they_occur_in(real_data):
    task = made()
    graph = task._graph
    assert graph.num_nodes_of == {"paper": 2708, "word": 1433}
    edges = graph.to_edge_index_dict()
    word, paper = edges["word", "occurs in", "paper"]
    features = task._inputs["paper"].to_dense()
    assert len(word) == int((features > 0).sum())
    assert bool((features[paper, word] > 0).all())
    assert torch.equal(edges["paper", "contains", "word"], torch.stack([paper, word]))
    assert edges["paper", "cites", "paper"].shape == (2, 10556)
    items = task.items()
    assert (items.labels == -1).tolist() == [False] * 2708 + [True] * 1433
    assert items.texts[0] == "paper 0"
    assert items.texts[-1] == "word 1432"
    assert [int(mask.sum()) for mask in task._splits.values()] == [140, 500, 1000]


def test_options_reach_the_network(real_data):
    model = made(hidden=6, layers=3, bases=2, dropout=0.2).model
    assert (len(model.gnn.convs), model.gnn.dropout, model.gnn.convs[0].num_bases) == (3, 0.2, 2)
    assert model.vectors[0].shape == (1433, 6)
    alone = made(words=False)
    assert alone._graph.node_types == ("paper",)
    assert len(alone.model.vectors) == 0


def test_a_resumed_run_is_the_uninterrupted_run(real_data, tmp_path):
    options = {"epochs": 3, "hidden": 4, "device": "cpu", "threads": 1}
    whole, _ = launch.train("heterogeneous", options, runs=tmp_path, run_name="whole")
    part, _ = launch.train("heterogeneous", {**options, "epochs": 1}, runs=tmp_path, run_name="part")
    launch.resume(part, {"epochs": 3})
    with RunReader(whole) as one, RunReader(part) as two:
        assert one.series("train/loss").value.tolist() == two.series("train/loss").value.tolist()
        assert one.series("test/accuracy").value[-1] == two.series("test/accuracy").value[-1]
