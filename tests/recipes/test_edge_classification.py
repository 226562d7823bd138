from __future__ import annotations

import networkx
import pytest
import torch

from mmgraph.options import parse
from mmgraph.recipes import launch
from mmgraph.recipes.edge_classification import EdgeClassificationConfig
from mmgraph.recipes.edge_classification.build import build
from mmgraph.recipes.edge_classification.links import links_of
from mmgraph.recipes.node_classification import CONVOLUTIONS
from mmgraph.runs import RunReader

SMALL = {"dataset": "karate", "device": "cpu", "threads": 1}


def test_the_links_of_the_karate_club():
    links = links_of("karate")
    graph = networkx.karate_club_graph()
    assert links.pairs.shape == (2, 78)
    for (u, v), label, (places,) in zip(
        links.pairs.T.tolist(), links.labels.tolist(), links.edge_attr.tolist(), strict=True
    ):
        clubs = {graph.nodes[u]["club"], graph.nodes[v]["club"]}
        assert links.class_names[label] == ("between" if len(clubs) == 2 else clubs.pop())
        assert graph.edges[u, v]["weight"] == places
    assert links.edge_index.shape == (2, 156)


@pytest.mark.data
def test_the_links_of_cora(real_data):
    links = links_of("cora")
    assert links.pairs.shape == (2, 5278)
    assert bool((links.pairs[0] < links.pairs[1]).all())
    same = links.groups[links.pairs[0]] == links.groups[links.pairs[1]]
    assert torch.equal(links.labels == 7, ~same)
    assert torch.equal(links.labels[same], links.groups[links.pairs[0]][same])
    dense = links.features.to_dense()[:, :] > 0
    u, v = links.pairs[:, 17]
    assert links.columns["shared words"][17] == int((dense[u] & dense[v]).sum())


@pytest.mark.parametrize("conv", CONVOLUTIONS)
def test_every_convolution_trains_on_the_karate_club(tmp_path, conv):
    _, result = launch.train("edge-classification", {**SMALL, "conv": conv, "epochs": 2}, runs=tmp_path)
    assert result.state == "finished"


def test_it_learns_the_factions(tmp_path):
    _, result = launch.train("edge-classification", {**SMALL, "epochs": 60}, runs=tmp_path)
    assert result.metrics["test/accuracy"] > 0.8


def test_options_reach_the_network():
    task = build(
        parse(
            EdgeClassificationConfig,
            {"dataset": "karate", "join": "product", "layers": 3, "hidden": 5, "dropout": 0.2},
        )
    )
    assert task.model.decoder.join == "product"
    assert (len(task.model.encoder.convs), task.model.encoder.dropout) == (3, 0.2)
    assert task.model.decoder.edge_channels == 1
    assert [int(mask.sum()) for mask in task._splits.values()] == [12, 15, 51]


def test_a_resumed_run_is_the_uninterrupted_run(tmp_path):
    options = {**SMALL, "epochs": 6, "conv": "gat"}
    whole, _ = launch.train("edge-classification", options, runs=tmp_path, run_name="whole")
    part, _ = launch.train("edge-classification", {**options, "epochs": 2}, runs=tmp_path, run_name="part")
    launch.resume(part, {"epochs": 6})
    with RunReader(whole) as one, RunReader(part) as two:
        assert one.series("train/loss").value.tolist() == two.series("train/loss").value.tolist()
        assert one.series("test/accuracy").value[-1] == two.series("test/accuracy").value[-1]
