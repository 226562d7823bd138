from __future__ import annotations

import json

import pytest

from mmgraph.runs import RunReader, RunWriter

SMALL = ("--epochs", 3, "--device", "cpu", "--threads", 1, "--quiet")


@pytest.fixture
def trained(mmgraph):
    outcome = mmgraph("train", "digits-graph", *SMALL, "--json", "--name", "first")
    assert outcome.code == 0, outcome.err
    return json.loads(outcome.out)


def test_what_was_found_is_printed_and_recorded_and_the_run_stays_finished(mmgraph, trained):
    told = json.loads(mmgraph("explain", "first", 7, "--json").out)
    assert told["item"] == 7
    assert 0 <= told["probability"] <= 1
    with RunReader(trained["run"]) as reader:
        (info,) = [info for info in reader.snapshots(kind="attention") if info.layer == told["layer"]]
        snapshot = reader.load(info)
        assert reader.status().state == "finished"
    assert info.step == trained["step"]
    assert snapshot.notes["explains"] == 7
    assert len(told["edges"]) == snapshot.array.shape[1]
    strongest = told["edges"][0]
    assert 7 in (strongest["source"], strongest["target"])
    assert mmgraph("explain", "first", 7).out.count("→") == 10


def test_no_such_item(mmgraph, trained):
    outcome = mmgraph("explain", "first", 5000)
    assert outcome.code == 1
    assert "Expected a node from 0 to 1796" in outcome.err
    assert "Traceback" not in outcome.err


def test_a_run_that_is_still_written(mmgraph, trained):
    run = RunWriter(trained["run"])
    try:
        outcome = mmgraph("explain", "first", 7)
    finally:
        run.close("stopped")
    assert outcome.code == 1
    assert "mmgraph runs send" in outcome.err


def test_a_run_of_somebodys_own_loop(mmgraph, tmp_path):
    RunWriter.create(tmp_path / "runs", "own", {"run": {"recipe": "watch"}}).close()
    outcome = mmgraph("explain", "own", 7)
    assert outcome.code == 2
    assert "somebody's own loop" in outcome.err
