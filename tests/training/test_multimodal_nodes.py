from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from mmgraph.errors import ConfigError, InputError
from mmgraph.graph import Adjacency
from mmgraph.options import parse
from mmgraph.recipes import launch, recipe
from mmgraph.runs import RunReader
from mmgraph.training.multimodal_nodes import ModalNodes, MultimodalNodes

SMALL = {"epochs": 1, "features": 8, "filters": 2, "hidden": 4, "heads": 2, "device": "cpu", "threads": 1}


def build(**options: Any) -> MultimodalNodes:
    chosen = recipe("multimodal-graph")
    task = chosen.build(parse(chosen.config, {**SMALL, **options}))
    assert isinstance(task, MultimodalNodes)
    return task


@pytest.mark.parametrize(
    ("options", "measured"),
    [
        ({"fusion": "low_rank", "neighbourhood": "similar"}, "accuracy"),
        ({"use": "encoders"}, "accuracy"),
        ({"use": "graph"}, "accuracy"),
        ({"objective": "retrieval", "neighbourhood": "importance", "conv": "gcn"}, "recall@1"),
        ({"objective": "links", "fusion": "late"}, "auc"),
    ],
)
def test_every_objective_trains_and_records(options: dict[str, Any], measured: str, tmp_path: Path) -> None:
    folder, result = launch.train("multimodal-graph", {**SMALL, **options}, runs=tmp_path)
    assert result.state == "finished"
    assert f"test/{measured}" in result.metrics
    with RunReader(folder) as run:
        kinds = {info.kind for info in run.snapshots()}
        assert {"graph", "embedding"} <= kinds
        assert run.items().texts is not None


def test_the_whole_story_is_recorded(tmp_path: Path) -> None:
    folder, _ = launch.train("multimodal-graph", SMALL, runs=tmp_path)
    with RunReader(folder) as run:
        kinds = {info.kind for info in run.snapshots()}
        assert {"graph", "embedding", "prediction", "attention", "filters", "matrix"} <= kinds
        layers = {info.layer for info in run.snapshots(kind="matrix")}
        assert {"contributions/classes", "contributions/items"} <= layers
        shares = run.load(run.snapshots(kind="matrix", layer="contributions/classes")[-1])
        assert shares.notes["columns"] == ["image", "words"]


def test_a_sampled_neighbourhood_of_everything_is_the_whole_graph() -> None:
    whole, drawn = build(), build(fan_out=10_000, batch_size=70)
    drawn.model.load_state_dict(whole.model.state_dict())
    whole.model.eval()
    drawn.model.eval()
    with torch.no_grad():
        (batch,) = whole.batches(0)
        rows, seeds = whole.answers(batch)
        known = dict(zip(seeds.tolist(), rows, strict=True))
        batches = list(drawn.batches(0))
        assert len(batches) == drawn.batches_per_epoch == 3
        for batch in batches:
            rows, seeds = drawn.answers(batch)
            for seed, row in zip(seeds.tolist(), rows, strict=True):
                torch.testing.assert_close(row, known[seed], atol=1e-4, rtol=1e-4)


def test_sampled_batches_are_a_function_of_epoch_and_position() -> None:
    task = build(fan_out=3, batch_size=50)
    whole, later = list(task.batches(2)), list(task.batches(2, start=2))
    for (arguments, seeds), (others, other_seeds) in zip(whole[2:], later, strict=True):
        assert torch.equal(seeds, other_seeds)
        assert torch.equal(arguments[0]["image"], others[0]["image"])
        assert torch.equal(arguments[1].edge_index, others[1].edge_index)


def test_gradients_reach_the_encoders_through_sampled_neighbourhoods() -> None:
    task = build(fan_out=3, batch_size=50)
    loss, _ = task.loss(next(task.batches(0)))
    loss.backward()
    gradients = [parameter.grad for parameter in task.model.fusion.encoders.parameters()]
    assert all(gradient is not None and bool(gradient.abs().sum() > 0) for gradient in gradients)


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="leave fan_out out"):
        build(objective="links", fan_out=3)
    graph = Adjacency.from_edge_index(torch.tensor([[0], [1]]), 3)
    with pytest.raises(InputError, match="a row for each of 3 nodes"):
        ModalNodes({"image": torch.zeros(2, 4)}, {}, graph)


@pytest.mark.data
def test_photographs_are_linked_by_a_sentence_the_model_does_not_read(real_data: Path) -> None:
    task = build(dataset="flickr8k", image_size=16)
    assert task.evaluate("test").keys() == {"test/auc", "test/ap"}
    with pytest.raises(ConfigError, match="no classes"):
        build(dataset="flickr8k", image_size=16, objective="classification")
