from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from mmgraph.runs import ItemSet, RunWriter, Snapshot

VECTORS = np.random.default_rng(0).normal(size=(2, 20, 6)).astype(np.float32)


@pytest.fixture
def run(tmp_path):
    with RunWriter.create(tmp_path, "papers", {}) as writer:
        writer.items(
            ItemSet(
                ids=np.arange(100, 120),
                labels=np.arange(20) % 3,
                class_names=("cats", "dogs", "fish"),
                texts=tuple(f"text number {row} " + "long " * 30 for row in range(20)),
                noun="paper",
            )
        )
        for step, vectors in enumerate(VECTORS, start=1):
            shallow = Snapshot("embedding", "first", -vectors[:, :2], items="items")
            writer.snapshots(
                step, [shallow, Snapshot("embedding", "deep", vectors, items="items")], wait=True
            )
    return writer.folder


def test_the_nearest_neighbours_are_exact_at_each_step(mmgraph, run):
    for step, metric in ((1, "euclidean"), (2, "cosine")):
        told = json.loads(
            mmgraph("search", run, 4, "--k", 3, "--step", step, "--metric", metric, "--json").out
        )
        expected = cdist(VECTORS[step - 1][4:5], VECTORS[step - 1], metric)[0]
        order = [row for row in np.argsort(expected) if row != 4][:3]
        assert [near["item"] for near in told["neighbours"]] == order
        assert [near["distance"] for near in told["neighbours"]] == pytest.approx(expected[order], rel=1e-5)
        assert (told["layer"], told["step"], told["metric"]) == ("deep", step, metric)
        assert told["item"] == {"item": 4, "id": 104, "label": "dogs", "text": told["item"]["text"]}


def test_it_is_told_in_lines(mmgraph, run):
    outcome = mmgraph("search", run, 4, "--k", 3, "--layer", "first")
    heading, *lines = outcome.out.splitlines()
    assert heading == "Nearest to paper 4 ('dogs') of papers, by euclidean distance in 'first' at step 2:"
    assert len(lines) == 3
    assert all(len(line.split("\t")) == 5 for line in lines)
    assert "…" in lines[0]


def test_items_are_found_by_words(mmgraph, run):
    told = json.loads(mmgraph("search", run, "label:dog", "--k", 2, "--json").out)
    assert told["found"] == 7
    assert [item["item"] for item in told["items"]] == [1, 4]
    assert mmgraph("search", run, "id:104").out.startswith(
        "1 item of papers fit 'id:104'.\n4\t104\tdogs\ttext number 4"
    )
    assert mmgraph("search", run, "nothing").out == "0 items of papers fit 'nothing'.\n"


@pytest.mark.parametrize(
    ("words", "said", "code"),
    [
        (["99"], "Item 99 has no vector", 1),
        (["4", "--metric", "hamming"], "hamming", 2),
        (["4", "--layer", "none"], "none", 2),
        (["4", "--step", "0"], "by step 0", 2),
        (["4", "--k", "0"], "--k", 2),
    ],
)
def test_bad_questions_are_answered_in_a_sentence(mmgraph, run, words, said, code):
    outcome = mmgraph("search", run, *words)
    assert outcome.code == code
    assert said in outcome.err
    assert "Traceback" not in outcome.err


def test_a_run_without_embedding_or_items(mmgraph, tmp_path):
    with RunWriter.create(tmp_path, "bare", {}) as writer:
        writer.scalars(1, {"train/loss": 1.0})
    assert "recorded no embedding" in mmgraph("search", writer.folder, 1).err
    assert "0 items" in mmgraph("search", writer.folder, "word").out
