from __future__ import annotations

import pytest

from mmgraph.runs import (
    RunNotes,
    RunWriter,
    chief_curve,
    chief_score,
    lower_is_better,
    summarise,
    write_notes,
)


@pytest.mark.parametrize(
    ("metrics", "tag"),
    [
        ({"train/loss": 1, "validation/accuracy": 2, "test/accuracy": 3, "test/loss": 4}, "test/accuracy"),
        ({"train/accuracy": 1, "validation/auc": 2, "test/auc": 3, "test/ap": 4, "test/loss": 5}, "test/ap"),
        ({"train/loss": 1, "train/accuracy": 2, "validation/loss": 3}, "train/accuracy"),
        ({"learning_rate": 0.1, "train/loss": 1}, "train/loss"),
        ({"score": 1}, "score"),
        ({"test/kendall": 1, "test/pearson": 2, "best/validation/pearson": 3}, "test/pearson"),
        ({"train/gradient_norm": 1, "train/loss": 2}, "train/loss"),
        ({"test/accuracy": 1, "test/map@r": 2, "best/validation/map@r": 3}, "test/map@r"),
        ({"test/accuracy": 1, "test/ap": 2, "best/validation/loss": 3}, "test/accuracy"),
    ],
)
def test_the_chief_score(metrics, tag):
    assert chief_score(metrics) == (tag, metrics[tag])


def test_no_score():
    assert chief_score({}) is None


def test_a_folder_that_is_no_run_is_described_too(tmp_path):
    summary = summarise(tmp_path)
    assert summary.state == "unreadable"
    assert summary.score is None


def test_what_a_list_says_of_a_run(tmp_path):
    with RunWriter.create(tmp_path, "run", {"run": {"recipe": "r", "dataset": "d"}}) as run:
        run.status(step=3, metrics={"validation/accuracy": 0.5})
        run.flush()
        write_notes(run.folder, RunNotes(("a",), "b"))
        summary = summarise(run.folder)
    assert summary.is_live
    assert (summary.recipe, summary.dataset, summary.step) == ("r", "d", 3)
    assert summary.notes == RunNotes(("a",), "b")
    assert not summary.resumable
    assert not summarise(run.folder).is_live


def test_a_config_of_somebody_else_is_no_error(tmp_path):
    run = RunWriter.create(tmp_path, "run", {"run": {}})
    run.close("finished")
    (run.folder / "config.toml").write_text("run = 3")
    assert summarise(run.folder).recipe == ""


@pytest.mark.parametrize(
    ("tag", "lower"),
    [
        ("train/loss", True), ("validation/link_loss", True), ("perplexity", True), ("test/accuracy", False),
        ("hits@10", False), ("recall@1", False), ("learning_rate", None), ("growth", None), ("closs", True),
        ("validation/distance-correlation", False), ("bits_per_character", True), ("test/nats-per-character", True),
        ("test/1-nn", False), ("test/mean-absolute-error", True), ("test/kendall", False),
    ],
)  # fmt: skip
def test_which_way_is_better(tag, lower):
    assert lower_is_better(tag) is lower


def test_the_chief_curve():
    tags = ["learning_rate", "train/loss", "validation/loss", "validation/auc"]
    assert chief_curve(tags, "test/auc") == "validation/auc"
    assert chief_curve(tags, "test/odd") == "validation/loss"
    assert chief_curve(["learning_rate", "train/loss"]) == "train/loss"
    assert chief_curve(["b", "a"], "b") == "b"
    assert chief_curve(["learning_rate"]) is None
    assert chief_curve([]) is None
