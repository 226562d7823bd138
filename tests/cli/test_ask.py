from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from mmgraph.recipes import launch
from mmgraph.runs.snapshot import read_snapshot


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    runs = tmp_path_factory.mktemp("runs")
    folder, _ = launch.train(
        "metric-learning", {"epochs": 1, "probe_images": 30}, runs=runs, run_name="digits"
    )
    return folder


def ask(*words, told=b""):
    done = subprocess.run(
        [sys.executable, "-m", "mmgraph", "ask", *map(str, words)], input=told, capture_output=True
    )
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr.decode()


def test_one_question(trained, tmp_path):
    code, (said,), _ = ask(trained, '{"ask": "locate", "row": 2, "k": 3}', "--answers", tmp_path)
    assert code == 0
    assert len(said["answer"]["neighbours"]) == 3
    vector = read_snapshot(tmp_path / "answer.safetensors", "embedding/vectors")
    assert np.isfinite(vector.array).all()


def test_many_questions_in_order_and_nonsense_between_them(trained):
    lines = [
        b'{"id": 1, "ask": "locate", "row": 0, "k": 1}',
        b"no json",
        b"[1, 2]",
        b'{"id": "x"}',
        b'{"id": 2, "ask": "locate", "row": 99999}',
        b'{"id": 3, "ask": "nonsense"}',
        b'{"cancel": 4}',
        b'{"id": 4, "ask": "locate", "row": 1}',
        b'{"id": 5, "ask": "locate", "row": 1, "layer": "vectors"}',
    ]
    code, said, _ = ask(trained, "--checkpoint", "last", told=b"\n".join(lines))
    assert code == 0
    loading = [line["loading"] for line in said if "loading" in line]
    assert loading == [
        "Loading PyTorch …",
        "Reading digits …",
        "Loading weights …",
        "Trying the model …",
    ]
    ready, *rest = said[len(loading) :]
    assert ready["ready"] == 1
    assert ready["checkpoint"] == "last.safetensors"
    assert [line["error"] for line in rest if line.get("id", 0) is None] == [
        "A question is one line with a JSON object.",
        *["A question is one line with a JSON object; its id is a number."] * 2,
    ]
    last = {line["id"]: line for line in rest if line["id"] is not None}
    assert list(last) == [1, 2, 3, 4, 5]
    assert len(last[1]["answer"]["facts"]["neighbours"]) == 1
    assert "items 0 to 29" in last[2]["error"]
    assert "no question 'nonsense'" in last[3]["error"]
    assert last[4] == {"id": 4, "cancelled": True}
    assert last[5]["answer"]["facts"]["layer"] == "vectors"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["{"], "JSON object"),
        (["3"], "JSON object"),
        (['{"ask": "locate"}'], "one item"),
        (['{"ask": "locate", "row": 1}', "--checkpoint", "nowhere"], "checkpoint"),
    ],
)
def test_what_is_wrong_is_said(trained, words, said):
    code, lines, error = ask(trained, *words)
    assert code == 2
    assert lines == []
    assert said in error
