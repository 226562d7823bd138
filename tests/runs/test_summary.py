from __future__ import annotations

import pytest

from mmgraph.runs import chief_score, summarise


@pytest.mark.parametrize(
    ("metrics", "tag"),
    [
        ({"train/loss": 1, "validation/accuracy": 2, "test/accuracy": 3, "test/loss": 4}, "test/accuracy"),
        ({"train/accuracy": 1, "validation/auc": 2, "test/auc": 3, "test/ap": 4, "test/loss": 5}, "test/ap"),
        ({"train/loss": 1, "train/accuracy": 2, "validation/loss": 3}, "train/accuracy"),
        ({"learning_rate": 0.1, "train/loss": 1}, "train/loss"),
        ({"score": 1}, "score"),
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
