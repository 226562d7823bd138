from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mmgraph import __version__
from mmgraph.cli import entry


def test_help_names_every_command_and_imports_no_torch():
    script = (
        "import sys; from mmgraph.cli import app\n"
        "try: app(['--help'])\n"
        "except SystemExit: pass\n"
        "assert not {'torch', 'sklearn', 'scipy', 'PySide6'} & set(sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    for command in ("demo", "train", "resume", "runs", "datasets", "recipes", "gui", "doctor"):
        assert command in found.stdout


def test_version(mmgraph):
    assert mmgraph("--version").out == f"mmgraph {__version__}\n"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["train", "digit-graph"], "There is no recipe 'digit-graph'. Did you mean 'digits-graph'?"),
        (
            ["train", "digits-graph", "--epochs", "many"],
            "epochs is a whole number of at least 1, not 'many'.",
        ),
        (["train", "digits-graph", "--epochs", "0"], "epochs is a whole number of at least 1, not 0."),
        (["train", "digits-graph", "--dropout", "1.5"], "dropout is a number from 0 to 0.95, not 1.5."),
        (
            ["train", "node-classification", "--conv", "gatt"],
            "'gatt' is no choice of conv. Did you mean 'gat'?",
        ),
        (["train", "node-classification", "--dataset", "corra"], "Did you mean 'cora'?"),
        (["train", "digits-graph", "--device", "tpu"], "'tpu' is no choice of device."),
        (["train", "digits-graph", "--config", "absent.toml"], "There is no config file 'absent.toml'."),
        (["datasets", "info", "coraa"], "There is no data set 'coraa'. Did you mean 'cora'?"),
        (["recipes", "nothing"], "There is no recipe 'nothing'."),
    ],
)
def test_a_wrong_word_is_one_sentence_and_exit_code_2(mmgraph, words, sentence):
    outcome = mmgraph(*words)
    assert outcome.code == 2
    assert sentence in outcome.err
    assert "Traceback" not in outcome.err
    assert outcome.err.count("\n") == 1


def test_an_unknown_flag_is_exit_code_2_with_a_suggestion(mmgraph):
    outcome = mmgraph("train", "digits-graph", "--epoch", 3)
    assert outcome.code == 2
    assert "--epochs" in outcome.err


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("epochs = 'ten'", "epochs is a whole number of at least 1, not 'ten'."),
        ("epochs = 2.5", "epochs is a whole number of at least 1, not 2.5."),
        ("epoch = 2", "There is no option 'epoch'. Did you mean 'epochs'?"),
        ("epochs = ", "could not be read"),
        ("options = 3", "options is a table"),
    ],
)
def test_a_wrong_config_file_is_named(mmgraph, tmp_path, text, sentence):
    path = tmp_path / "my.toml"
    path.write_text(text)
    outcome = mmgraph("train", "digits-graph", "--config", path)
    assert outcome.code == 2
    assert "my.toml" in outcome.err
    assert sentence in outcome.err


def test_errors_are_json_too_when_asked_for(mmgraph, tmp_path):
    outcome = mmgraph("runs", "show", tmp_path, "--json")
    assert outcome.code == 1
    assert json.loads(outcome.out)["error"]["type"] == "NotARunError"


def test_recipes_and_their_options(mmgraph):
    listed = json.loads(mmgraph("recipes", "--json").out)["recipes"]
    assert listed[0]["name"] == "digits-graph"
    for found in listed:
        options = json.loads(mmgraph("recipes", found["name"], "--json").out)["options"]
        assert {"epochs", "learning_rate", "seed", "device"} <= {option["name"] for option in options}
        assert all(option["help"].endswith(".") for option in options)
    assert "--learning-rate" in mmgraph("train", "digits-graph", "--help").out
    assert "--neighbours" in mmgraph("recipes", "digits-graph").out


def test_doctor_says_what_a_bug_report_needs(mmgraph):
    findings = json.loads(mmgraph("doctor", "--json").out)
    assert findings["mmgraph"].startswith(__version__)
    assert {"python", "system", "torch", "device", "display", "data folders", "runs", "data set cora"} <= set(
        findings
    )
    assert "torch:" in mmgraph("doctor").out


def test_datasets(mmgraph):
    listed = json.loads(mmgraph("datasets", "list", "--json").out)["datasets"]
    assert {"cora", "digits", "fashion-mnist"} <= {entry["name"] for entry in listed}
    assert "licence" in mmgraph("datasets", "info", "cora").out
    assert json.loads(mmgraph("datasets", "get", "digits", "--json").out)["folder"]


def test_the_window_without_qt_is_one_sentence(mmgraph, monkeypatch):
    monkeypatch.setitem(sys.modules, "mmgraph_gui.app", None)
    outcome = mmgraph("gui")
    assert outcome.code == 1
    assert "pip install 'mmgraph[gui]'" in outcome.err


@pytest.mark.parametrize("path", ["nowhere", "/dev/null/below", "a\x00b", ""])
def test_a_window_on_nothing_is_one_sentence_and_a_mistake_of_use(mmgraph, monkeypatch, tmp_path, path):
    pytest.importorskip("PySide6")
    monkeypatch.chdir(tmp_path)
    outcome = mmgraph("gui", path)
    assert outcome.code == 2
    assert f"There is nothing at '{path}'" in outcome.err
    assert "Traceback" not in outcome.err


def test_ctrl_c_is_exit_code_130(mmgraph, monkeypatch):
    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setattr(entry, "app", interrupted)
    assert mmgraph("doctor").code == 130


@pytest.mark.parametrize(
    ("words", "expected"),
    [("mmgraph tr", "train"), ("mmgraph train dig", "digits-graph"), ("mmgraph runs show la", "latest")],
)
def test_shell_completion(words, expected):
    environment = os.environ | {
        "_MMGRAPH_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split()) - 1),
    }
    command = str(Path(sys.executable).with_name("mmgraph"))
    done = subprocess.run([command], env=environment, capture_output=True, text=True, check=False)
    assert expected in done.stdout.split()
