"""Who looks on while an estimator trains: a bar, a run folder."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest

from mmgraph.errors import ConfigError, NonFiniteLossError, RunError
from mmgraph.graph import DeepWalk, Node2Vec, PartitionedEmbedding, Planetoid
from mmgraph.graph.embeddings import Progress, recording
from mmgraph.runs import RunReader, RunWriter, send_command

QUICK = {"dimensions": 8, "walk_length": 10, "window": 3}
LONG = {**QUICK, "walks_per_node": 10**6}


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MMGRAPH_RUNS", str(tmp_path / "runs"))
    return tmp_path / "runs"


def planetoid(graph: nx.Graph, group: np.ndarray, **options: Any) -> Planetoid:
    model = Planetoid(dimensions=8, hidden=8, rounds=20, pretraining_pairs=50)
    train, x = np.arange(60) % 6 == 0, np.eye(3, dtype=np.float32)[group]
    return model.fit(graph, np.array(["a", "b", "c"])[group], x=x, train=train, **options)


ESTIMATORS: dict[str, Callable[..., Any]] = {
    "DeepWalk": lambda graph, group, folder, **options: DeepWalk(**QUICK).fit(graph, **options),
    "Node2Vec": lambda graph, group, folder, **options: Node2Vec(0.5, 2, **QUICK).fit(graph, **options),
    "Planetoid": lambda graph, group, folder, **options: planetoid(graph, group, **options),
    "PartitionedEmbedding": lambda graph, group, folder, **options: PartitionedEmbedding(
        DeepWalk(**QUICK), 3, folder / "storage"
    ).fit(graph, **options),
}


@pytest.mark.parametrize("name", ESTIMATORS)
def test_a_run_shows_the_vectors_while_they_learn(communities, tmp_path: Path, root: Path, name: str):
    graph, group = communities
    model = ESTIMATORS[name](graph, group, tmp_path, run="mine", every=0.0)
    assert model.finished_
    with RunReader(root / "mine") as run:
        status, update = run.status(), run.poll()
        items = run.items("items")
        looks = [info for info in update.snapshots if info.kind == "embedding"]
        graphs = [info for info in update.snapshots if info.kind == "graph"]
        assert status.state == "finished"
        assert status.step == status.total_steps > 0
        assert run.config["run"]["title"] == name
        assert len(looks) >= 1
        assert {info.items for info in looks} == {"items"}
        assert np.array_equal(run.load(looks[-1]).array, model.embedding_)
        assert run.load(graphs[0]).array.shape == (2, 2 * graph.number_of_edges())
    assert items.texts == tuple(graph)
    assert items.columns["degree"].tolist() == [degree for _, degree in graph.degree()]
    if name == "Planetoid":
        assert items.class_names == ("a", "b", "c")
        assert (items.labels >= 0).sum() == (items.splits == 0).sum() == 10
    else:
        assert items.labels is None


@pytest.mark.parametrize("name", ESTIMATORS)
def test_looking_on_changes_no_bit(communities, tmp_path: Path, name: str):
    graph, group = communities
    watched = ESTIMATORS[name](graph, group, tmp_path / "a", run="mine", progress=True)
    alone = ESTIMATORS[name](graph, group, tmp_path / "b")
    assert np.array_equal(watched.embedding_, alone.embedding_)
    assert "run" not in alone.get_params()


def test_the_app_can_stop_training_and_ask_for_a_snapshot(communities, root: Path):
    graph, _ = communities
    asked: list[str] = []

    def ask(progress: Progress) -> None:
        if progress.tokens and len(asked) < 3:
            asked.append(("pause", "snapshot", "stop")[len(asked)])
            send_command(root / "mine", asked[-1])

    model = DeepWalk(**LONG).fit(graph, run="mine", on_progress=ask, every=0.02)
    assert not model.finished_
    assert np.isfinite(model.embedding_).all()
    with RunReader(root / "mine") as run:
        assert run.status().state == "stopped"
        answers = [event.message for event in run.poll().events if event.kind == "command"]
    assert answers[0].startswith("pause: not done")
    assert answers[1].startswith("snapshot: taken at step")
    assert answers[2].startswith("stop: training ends")


@pytest.mark.parametrize(
    ("raised", "state"), [(KeyboardInterrupt, "stopped"), (NonFiniteLossError, "failed")]
)
def test_how_training_ended_is_in_the_run(communities, root: Path, raised: type[BaseException], state: str):
    def end(progress: Progress) -> None:
        if raised is KeyboardInterrupt:
            signal.raise_signal(signal.SIGINT)

    options = LONG if raised is KeyboardInterrupt else {**QUICK, "learning_rate": 1e20}
    with pytest.raises(raised):
        DeepWalk(**options).fit(communities[0], run="mine", on_progress=end, every=0.02)
    with RunReader(root / "mine") as run:
        assert run.status().state == state


def test_an_open_run_stays_open(communities, root: Path):
    with RunWriter.create(root, "mine", {"run": {"recipe": "mine"}}) as run:
        DeepWalk(**QUICK).fit(communities[0], run=run)
        run.event("still here")
    with RunReader(root / "mine") as reader:
        update = reader.poll()
        assert any(event.message == "still here" for event in update.events)
        assert any(info.kind == "embedding" for info in update.snapshots)


def test_of_large_graphs_evenly_spaced_nodes_are_recorded(communities, root: Path, monkeypatch):
    monkeypatch.setattr(recording, "MOST_NODES", 25)
    graph, _ = communities
    model = DeepWalk(**QUICK).fit(graph, run="mine")
    with RunReader(root / "mine") as run:
        update = run.poll()
        (*_, last) = [info for info in update.snapshots if info.kind == "embedding"]
        assert np.array_equal(run.load(last).array, model.embedding_[::3])
        assert run.items("items").ids.tolist() == list(range(0, 60, 3))
        assert not [info for info in update.snapshots if info.kind == "graph"]
        assert any("20 of 60 nodes" in event.message for event in update.events)


def test_a_disk_that_fails_ends_the_recording_alone(communities, monkeypatch):
    def fail(*arguments: object, **options: object) -> None:
        raise RunError("the disk is full")

    monkeypatch.setattr(RunWriter, "scalars", fail)
    with pytest.warns(RuntimeWarning, match="Nothing more is recorded: the disk is full"):
        model = DeepWalk(**QUICK).fit(communities[0], run="mine")
    assert model.finished_


def test_a_name_that_is_none_leaves_nothing_trained(communities):
    model = DeepWalk(**QUICK)
    with pytest.raises(ConfigError, match="not hidden"):
        model.fit(communities[0], run=".hidden")
    assert not hasattr(model, "embedding_")


def test_a_bar_is_drawn_where_it_is_asked_for(communities, capsys):
    DeepWalk(**QUICK).fit(communities[0])
    assert capsys.readouterr() == ("", "")
    DeepWalk(**QUICK).fit(communities[0], progress=True)
    out, err = capsys.readouterr()
    assert not out
    assert "DeepWalk" in err
    assert "100%" in err
    assert "loss" in err
