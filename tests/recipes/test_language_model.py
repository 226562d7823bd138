"""The recipe `language-model`, from a text to a sample."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from mmgraph.cli.entry import app
from mmgraph.errors import ConfigError, InputError
from mmgraph.recipes import launch
from mmgraph.runs import RunReader
from mmgraph.training.checkpoints import saved_progress

SMALL = {"epochs": 2, "hidden": 12, "embedding": 6, "steps": 16, "sample_length": 20, "device": "cpu"}


def losses(folder):
    with RunReader(folder) as reader:
        return reader.series("train/loss").value.tolist()


def test_a_run_that_was_stopped_goes_on_with_the_very_same_numbers(tmp_path, monkeypatch):
    whole, result = launch.train("language-model", SMALL, runs=tmp_path, run_name="whole")

    from mmgraph.training.loop import TrainingLoop

    between = TrainingLoop.between_steps

    def stop_in_the_middle(loop, numbers):
        between(loop, numbers)
        if loop.progress.step == 31:
            loop.stop_reason = "test"

    monkeypatch.setattr(TrainingLoop, "between_steps", stop_in_the_middle)
    folder, part = launch.train("language-model", SMALL, runs=tmp_path, run_name="part")
    monkeypatch.undo()
    assert (part.state, part.step) == ("stopped", 31)
    assert saved_progress(folder / "checkpoints" / "last.safetensors")["batch"] > 0
    launch.resume(folder)
    assert result.step > 31
    assert losses(folder) == losses(whole)


def test_words_of_a_file_of_ones_own(tmp_path):
    path = tmp_path / "own.txt"
    path.write_text("Ἄνδρα μοι ἔννεπε, Μοῦσα, πολύτροπον. " * 60, encoding="utf-8")
    folder, result = launch.train(
        "language-model",
        {
            **SMALL,
            "text_file": str(path),
            "tokens": "words",
            "vocabulary": 6,
            "tied": True,
            "kind": "gru",
            "prompt": "Ἄνδρα",
        },
        runs=tmp_path / "runs",
    )
    assert result.metrics["test/loss"] > 0
    with RunReader(folder) as reader:
        items = reader.items()
        samples = [event.message for event in reader.poll().events if event.kind == "sample"]
    assert len(items) == 7
    assert len(samples) == 2
    assert all(text.startswith("Ἄνδρα") for text in samples)


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", "is empty"),
        (b"\xff\xfe\xfa", "not a text in UTF-8"),
        (None, "cannot be read"),
        (b"abc", "at least 2 tokens"),
    ],
)
def test_texts_that_cannot_be_learned_are_refused(tmp_path, content, error):
    path = tmp_path / "own.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=error):
        launch.train("language-model", {**SMALL, "text_file": str(path)}, runs=tmp_path)


def test_peepholes_belong_to_an_lstm(tmp_path):
    with pytest.raises(ConfigError, match="kind = lstm"):
        launch.train("language-model", {**SMALL, "kind": "gru", "peephole": True}, runs=tmp_path)


def test_sampling_on_the_command_line(tmp_path):
    folder, _ = launch.train("language-model", {**SMALL, "epochs": 1}, runs=tmp_path)
    draw = ["sample", str(folder), "--prompt", "Shall I", "--length", "30", "--top-k", "5"]
    found = CliRunner().invoke(app, draw)
    assert found.exit_code == 0, found.output
    assert found.output.startswith("Shall I")
    assert len(found.output) == 7 + 30 + 1
    assert found.output == CliRunner().invoke(app, draw).output
    assert found.output == launch.sample(folder, "Shall I", 30, top_k=5) + "\n"
    assert found.output != CliRunner().invoke(app, [*draw, "--seed", "1"]).output
    greedy = CliRunner().invoke(app, ["sample", str(folder), "--temperature", "0", "--json"])
    assert '"text":' in greedy.output


def test_other_recipes_write_no_texts(tmp_path):
    folder, _ = launch.train(
        "edge-classification", {"epochs": 1, "dataset": "karate", "device": "cpu"}, runs=tmp_path
    )
    with pytest.raises(ConfigError, match="language-model does"):
        launch.sample(folder)
