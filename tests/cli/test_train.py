from __future__ import annotations

import dataclasses
import json
import tomllib
from pathlib import Path

import pytest

from mmgraph.options import option
from mmgraph.recipes import registry
from mmgraph.runs import RunReader

SMALL = ("--epochs", 3, "--device", "cpu", "--threads", 1, "--quiet")


@pytest.fixture
def trained(mmgraph, tmp_path):
    outcome = mmgraph("train", "digits-graph", *SMALL, "--json", "--name", "first")
    assert outcome.code == 0, outcome.err
    return json.loads(outcome.out)


def test_json_says_where_and_how_it_ended(trained, tmp_path):
    assert Path(trained["run"]) == tmp_path / "runs" / "first"
    assert trained["state"] == "finished"
    assert trained["step"] == 3
    assert trained["device"] == "cpu"
    assert trained["seconds"] > 0
    assert 0 <= trained["metrics"]["test/accuracy"] <= 1


def test_flags_win_over_the_config_file(mmgraph, tmp_path):
    path = tmp_path / "my.toml"
    path.write_text("[options]\nepochs = 1\nlearning-rate = 0.25\nneighbours = 4\n")
    outcome = mmgraph("train", "digits-graph", "--config", path, "--epochs", 2, "--quiet", "--json")
    config = tomllib.loads(Path(json.loads(outcome.out)["run"], "config.toml").read_text())
    assert config["options"]["epochs"] == 2
    assert config["options"]["learning_rate"] == 0.25
    assert config["options"]["neighbours"] == 4


def test_a_quick_look_gives_way_to_file_and_flags(mmgraph, tmp_path):
    tiny = ("--features=4", "--hidden=1", "--heads=1", "--neighbours=2", "--evaluate-every=40", "--threads=1")

    def options(*more):
        outcome = mmgraph("train", "digits-graph", "--quick", *tiny, *more, "--quiet", "--json")
        return tomllib.loads(Path(json.loads(outcome.out)["run"], "config.toml").read_text())["options"]

    path = tmp_path / "my.toml"
    path.write_text("epochs = 3\n")
    assert options()["epochs"] == registry.recipe("digits-graph").quick["epochs"]
    assert options("--config", path)["epochs"] == 3
    assert options("--config", path, "--epochs", 2)["epochs"] == 2
    said = mmgraph("train", "digits-graph", "--help").out.replace("│", " ")
    assert "something to see soon: --epochs 40" in " ".join(said.split())


def test_a_runs_own_config_repeats_it_exactly(mmgraph, trained):
    config = Path(trained["run"], "config.toml")
    again = json.loads(mmgraph("train", "digits-graph", "--config", config, "--quiet", "--json").out)
    for tag in ("train/loss", "test/accuracy"):
        assert again["metrics"][tag] == trained["metrics"][tag]


def test_resume_goes_on_to_more_epochs_and_equals_the_uninterrupted_run(mmgraph, trained):
    resumed = json.loads(mmgraph("resume", "first", "--epochs", 5, "--quiet", "--json").out)
    assert (resumed["run"], resumed["step"]) == (trained["run"], 5)
    whole = json.loads(
        mmgraph("train", "digits-graph", *SMALL, "--epochs", 5, "--name", "whole", "--json").out
    )
    curves = []
    for run in (resumed, whole):
        with RunReader(run["run"]) as reader:
            curves.append(reader.series("train/loss").value.tolist())
    assert curves[0] == curves[1]
    assert len(curves[0]) == 5


def test_resume_with_another_option(mmgraph, trained):
    assert mmgraph("resume", "latest", "--epochs", 4, "--set", "learning_rate=0.001", "--quiet").code == 0
    with RunReader(trained["run"]) as reader:
        assert reader.series("train/loss").step.tolist() == [1, 2, 3, 4]
    assert mmgraph("resume", "latest", "--set", "learning_rate").code == 2
    assert mmgraph("resume", "latest", "--set", "learning_rate=fast").code == 2


def test_resume_of_another_model_is_refused_in_a_sentence(mmgraph, trained):
    outcome = mmgraph("resume", "first", "--epochs", 4, "--set", "features=32", "--quiet")
    assert outcome.code == 1
    assert "does not fit the model" in outcome.err


def test_progress_goes_to_standard_error_and_results_to_standard_output(mmgraph):
    outcome = mmgraph("train", "digits-graph", "--epochs", 2, "--threads", 1, "--name", "loud")
    assert "Recording into" in outcome.err
    assert "step" in outcome.err
    assert outcome.out.startswith("Finished after 2 epochs")
    assert "test/accuracy" in outcome.out


def test_a_name_that_is_taken_gets_a_number(mmgraph, trained):
    again = json.loads(mmgraph("train", "digits-graph", *SMALL, "--json", "--name", "first").out)
    assert Path(again["run"]).name == "first-2"


def test_runs_commands(mmgraph, trained, tmp_path):
    assert json.loads(mmgraph("runs", "list", "--json").out)["runs"][0]["state"] == "finished"
    assert "first" in mmgraph("runs", "list").out
    shown = json.loads(mmgraph("runs", "show", "first", "--json").out)
    assert shown["recorded"]["train/loss"] == 3
    assert any(entry.startswith("attention") for entry in shown["snapshots"])
    assert "filters" in mmgraph("runs", "show", "first").out
    assert mmgraph("runs", "export", "first", tmp_path / "curves.csv").code == 0
    assert (tmp_path / "curves.csv").read_text().count("train/loss") >= 3
    assert mmgraph("runs", "export", "first", tmp_path / "x", "--format", "excel").code == 2
    assert mmgraph("runs", "report", "first", tmp_path / "first.html").code == 0
    assert (tmp_path / "first.html").read_text().startswith("<!")
    sent = mmgraph("runs", "send", "first", "pause")
    assert "nothing will happen" in sent.out
    assert mmgraph("runs", "send", "first", "jump").code == 2
    assert mmgraph("runs", "delete", "first", "--yes").code == 0
    assert not (tmp_path / "runs" / "first").exists()
    assert mmgraph("runs", "show", "first").code == 1
    assert mmgraph("runs", "show", "latest").code == 1


def test_runs_list_with_none_says_how_to_start(mmgraph):
    assert "mmgraph train digits-graph" in mmgraph("runs", "list").out


def test_demo_in_the_terminal_writes_a_report(mmgraph, monkeypatch):
    known, _ = registry._found()
    default = known[registry.DEFAULT]
    short = dataclasses.replace(default, config=_with_epochs(default.config, 2))
    monkeypatch.setitem(known, registry.DEFAULT, short)
    outcome = mmgraph("demo", "--terminal")
    assert outcome.code == 0, outcome.err
    assert "Finished after 2 epochs" in outcome.out
    report = Path(outcome.out.split("Report: ")[1].strip())
    assert report.name == "report.html"
    assert "<svg" in report.read_text()


def _with_epochs(config, epochs):
    return dataclasses.make_dataclass(
        "Short",
        [("epochs", int, option(epochs, "Passes.", minimum=1))],
        bases=(config,),
        frozen=True,
        kw_only=True,
    )
