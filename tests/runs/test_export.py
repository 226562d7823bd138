"""CSV and TensorBoard files, read back by other code than wrote them."""

from __future__ import annotations

import builtins
import csv
import math
import struct

import numpy as np
import pytest

from mmgraph.errors import ConfigError, MissingDependencyError, RunError
from mmgraph.runs import ItemSet, RunReader, Snapshot
from mmgraph.runs.export import export_csv, export_tensorboard

VALUES = [0.1, math.nan, math.inf, -math.inf, 1e-300, 2.0]


@pytest.fixture
def reader(new_run):
    run = new_run()
    for step, value in enumerate(VALUES):
        run.scalars(step, {"train/loss": value}, epoch=step / 2)
    run.scalars(3, {'a,"b"\n': 7.0})
    run.scalars(3, {"train/loss": -1.0})
    run.event('says "no",\nthen stops', level="warning", kind="nan", step=2)
    run.event("plain")
    run.close()
    with RunReader(run.folder) as opened:
        yield opened


def table(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_long_table_holds_every_number(reader, tmp_path):
    path = export_csv(reader, tmp_path / "new" / "numbers.csv")
    rows = table(path)
    assert list(rows[0]) == ["tag", "step", "epoch", "wall_time", "value"]
    loss = reader.series("train/loss")
    held = [row for row in rows if row["tag"] == "train/loss"]
    assert [int(row["step"]) for row in held] == loss.step.tolist()
    for name in ("epoch", "wall_time", "value"):
        np.testing.assert_array_equal([float(row[name]) for row in held], getattr(loss, name))
    assert [(row["step"], row["value"]) for row in rows if row["tag"] == 'a,"b"\n'] == [("3", "7.0")]
    assert [entry.name for entry in path.parent.iterdir()] == ["numbers.csv"]


def test_the_wide_table_has_a_column_per_tag_and_drops_nothing(reader, tmp_path):
    rows = table(export_csv(reader, tmp_path / "wide.csv", wide=True))
    assert list(rows[0]) == ["step", "epoch", "wall_time", "train/loss", 'a,"b"\n']
    assert [row["step"] for row in rows] == ["0", "1", "2", "3", "3", "4", "5"]
    assert [row["train/loss"] for row in rows] == ["0.1", "nan", "inf", "-inf", "-1.0", "1e-300", "2.0"]
    assert [row['a,"b"\n'] for row in rows] == ["", "", "", "7.0", "", "", ""]


@pytest.mark.parametrize("exists", [True, False])
def test_a_folder_gets_numbers_and_events(reader, tmp_path, exists):
    folder = tmp_path / "tables"
    if exists:
        folder.mkdir()
    assert export_csv(reader, folder) == folder
    assert sorted(path.name for path in folder.iterdir()) == ["events.csv", "scalars.csv"]
    first, second = table(folder / "events.csv")
    assert (first["step"], first["level"], first["kind"], first["message"]) == (
        "2",
        "warning",
        "nan",
        'says "no",\nthen stops',
    )
    assert (second["step"], second["message"]) == ("", "plain")


def test_a_run_without_numbers_gives_the_heading(new_run, tmp_path):
    run = new_run()
    run.close()
    with RunReader(run.folder) as empty:
        assert export_csv(empty, tmp_path / "a.csv").read_text() == "tag,step,epoch,wall_time,value\n"
        assert export_csv(empty, tmp_path / "b.csv", wide=True).read_text() == "step,epoch,wall_time\n"
        export_tensorboard(empty, tmp_path / "board")


def test_a_target_that_cannot_be_written_is_a_sentence(reader, tmp_path):
    (tmp_path / "file").write_text("mine")
    for call in (export_csv, export_tensorboard):
        with pytest.raises(RunError, match="could not be written"):
            call(reader, tmp_path / "file" / "below" / "numbers.csv")
    assert (tmp_path / "file").read_text() == "mine"


def test_a_failure_leaves_the_file_that_was_there(reader, tmp_path, monkeypatch):
    path = tmp_path / "numbers.csv"
    path.write_text("before")
    monkeypatch.setattr("mmgraph.runs.export.os.replace", lambda *paths: (_ for _ in ()).throw(OSError("no")))
    with pytest.raises(RunError):
        export_csv(reader, path)
    assert path.read_text() == "before"
    with pytest.raises(RunError):
        export_tensorboard(reader, tmp_path / "board")
    assert [entry for entry in tmp_path.iterdir() if "part" in entry.name] == []


def records(path):
    """The frames of a TFRecord file; the checksums are those of the format."""
    from tensorboardX.crc32c import crc32c

    data, place = path.read_bytes(), 0
    while place < len(data):
        length = data[place : place + 8]
        (size,) = struct.unpack("<Q", length)
        content = data[place + 12 : place + 12 + size]
        for part, at in ((length, place + 8), (content, place + 12 + size)):
            crc = crc32c(part)
            masked = (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF
            assert struct.unpack("<I", data[at : at + 4]) == (masked,)
        yield content
        place += size + 16


def test_tensorboard_reads_numbers_with_step_and_time_and_texts(reader, tmp_path):
    from tensorboardX.proto.event_pb2 import Event

    folder = export_tensorboard(reader, tmp_path / "board")
    (path,) = folder.glob("events.out.tfevents.*")
    first, *events = [Event.FromString(content) for content in records(path)]
    assert first.file_version == "brain.Event:2"
    values = [(event.step, event.wall_time, value) for event in events for value in event.summary.value]
    loss = reader.series("train/loss")
    held = [entry for entry in values if entry[2].tag == "train/loss"]
    assert [step for step, _, _ in held] == loss.step.tolist()
    assert [time for _, time, _ in held] == loss.wall_time.tolist()
    np.testing.assert_array_equal([v.simple_value for _, _, v in held], loss.value.astype(np.float32))
    texts = {
        value.tag: value.tensor.string_val[0].decode() for _, _, value in values if value.tag[:4] == "log/"
    }
    assert texts == {"log/warning": 'says "no",\nthen stops', "log/info": "plain"}


def test_tensorboard_gets_the_last_embedding_with_classes(new_run, tmp_path):
    run = new_run()
    labels = np.array([0, 1, -1])
    run.items(ItemSet(labels=labels, class_names=("big\tcat", "dog")))
    vectors = np.arange(6, dtype=np.float32).reshape(3, 2)
    run.snapshots(1, [Snapshot("embedding", "fc", vectors * 0, items="items")])
    run.snapshots(
        2, [Snapshot("embedding", "fc", vectors, items="items"), Snapshot("embedding", "x", vectors)]
    )
    run.close()
    with RunReader(run.folder) as opened:
        folder = export_tensorboard(opened, tmp_path / "board")
    assert np.loadtxt(folder / "embedding-0.tsv", delimiter="\t").tolist() == vectors.tolist()
    assert (folder / "items-0.tsv").read_text().splitlines() == ["big cat", "dog", "unknown"]
    assert (folder / "items-1.tsv").read_text().splitlines() == ["0", "1", "2"]
    assert 'tensor_name: "fc at step 2"' in (folder / "projector_config.pbtxt").read_text()


def test_tensorboard_folders_are_not_mixed(reader, tmp_path):
    (tmp_path / "empty").mkdir()
    folder = export_tensorboard(reader, tmp_path / "empty")
    with pytest.raises(ConfigError, match="not empty"):
        export_tensorboard(reader, folder)
    assert len(list(folder.iterdir())) == 1


def test_without_tensorboardx_it_says_what_to_install(reader, tmp_path, monkeypatch):
    real = builtins.__import__

    def missing(name, *arguments, **keywords):
        if name.startswith("tensorboardX"):
            raise ModuleNotFoundError(name)
        return real(name, *arguments, **keywords)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(MissingDependencyError, match=r'pip install "mmgraph\[tensorboard\]"'):
        export_tensorboard(reader, tmp_path / "board")
