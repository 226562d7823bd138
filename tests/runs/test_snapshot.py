"""Arrays in safetensors files."""

from __future__ import annotations

import json
import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from safetensors import safe_open

from mmgraph.errors import InputError, RunDamagedError
from mmgraph.runs import KIND_AXES, RunReader, Snapshot
from mmgraph.runs.snapshot import STORABLE_TYPES, read_snapshot, why_not_there, write_snapshots

ALL_AXES = [(kind, axes) for kind, choices in KIND_AXES.items() for axes in choices]


@pytest.mark.parametrize(("kind", "axes"), ALL_AXES)
def test_every_kind_comes_back(new_run, kind, axes):
    run = new_run()
    array = np.random.default_rng(0).normal(size=range(2, 2 + len(axes))).astype(np.float32)
    array.flat[:3] = [np.nan, np.inf, -np.inf]
    extras = {"rows": np.arange(2), "edge_index": np.zeros((2, 0), np.int32)}
    notes = {"classes": ["eins", "二", ""], "rate": 0.5, "nested": {"a": [1, None]}}
    given_ = Snapshot(kind, "layer.0", array, axes, items="items", extras=extras, notes=notes)
    run.snapshots(3, [given_], wait=True)
    with RunReader(run.folder) as reader:
        (info,) = reader.snapshots()
        loaded = reader.load(info)
    assert (info.kind, info.axes, info.shape, info.items) == (kind, axes, array.shape, "items")
    assert info.nbytes == given_.nbytes == array.nbytes + 16
    assert loaded.array.tobytes() == array.tobytes()
    assert (loaded.array.shape, loaded.array.dtype, loaded.axes) == (array.shape, array.dtype, axes)
    assert loaded.notes == notes
    assert loaded.items == "items"
    assert {name: (a.tolist(), a.dtype) for name, a in loaded.extras.items()} == {
        name: (a.tolist(), a.dtype) for name, a in extras.items()
    }


@given(
    arrays.arrays(
        st.sampled_from(STORABLE_TYPES),
        arrays.array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=4),
    ),
    st.sampled_from(["C", "F", "strided", "reversed", "big-endian"]),
)
def test_every_type_and_layout_in_memory_comes_back(tmp_path_factory, array, layout):
    stored = {
        "C": array,
        "F": np.asfortranarray(array),
        "strided": np.repeat(array, 2, axis=1)[:, ::2],
        "reversed": array[::-1][::-1],
        "big-endian": array.astype(array.dtype.newbyteorder(">")),
    }[layout]
    path = tmp_path_factory.getbasetemp() / "one.safetensors"
    write_snapshots(path, 1, [Snapshot("embedding", "fc", stored)])
    loaded = read_snapshot(path, "embedding/fc").array
    assert (loaded.shape, loaded.dtype) == (array.shape, array.dtype)
    assert loaded.tobytes() == array.tobytes()


def test_axes_follow_from_the_kind_and_the_dimensions():
    assert Snapshot("attention", "a", np.zeros((2, 3))).axes == ("heads", "edges")
    assert Snapshot("attention", "a", np.zeros((2, 3, 3))).axes == ("heads", "queries", "keys")
    assert Snapshot("filters", "a", np.zeros((1, 2, 3, 4, 5))).axes == (
        "out",
        "in",
        "time",
        "height",
        "width",
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("pictures", "fc", np.zeros((2, 2))), "one of the kinds embedding, attention"),
        (("embedding", "fc", np.zeros(2)), r"has axes \(items, features\), but 'fc' has shape \(2,\)\."),
        (("embedding", "fc", np.zeros(())), "has shape"),
        (("embedding", "fc", np.zeros((2, 2)), ("items",)), r"shape \(2, 2\) and axes \(items\)"),
        (("embedding", "fc", np.zeros((2, 2)), ("features", "items")), "axes"),
        (("embedding", "fc", np.zeros((2, 2), complex)), "not complex128"),
        (("embedding", "fc", np.zeros((2, 2), object)), "not object"),
        (("embedding", "fc", np.array([["a"]])), "bool, integers or floats"),
        (("embedding", "\udcff", np.zeros((2, 2))), "Unicode names"),
    ],
)
def test_what_cannot_be_stored_is_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        Snapshot(*arguments)


def test_extras_and_notes_are_checked_too():
    with pytest.raises(InputError, match="'rows' must be a NumPy array"):
        Snapshot("embedding", "fc", np.zeros((2, 2)), extras={"rows": [0, 1]})
    with pytest.raises(InputError, match="notes of snapshot 'fc' do not fit into JSON"):
        Snapshot("embedding", "fc", np.zeros((2, 2)), notes={"rate": np.float32(1)})


def test_names_that_begin_alike_are_not_mixed_up(tmp_path):
    path = tmp_path / "one.safetensors"
    ones, twos = np.ones((1, 1)), np.full((1, 1), 2.0)
    write_snapshots(
        path,
        1,
        [
            Snapshot("embedding", "fc", ones, extras={"rows": np.arange(1)}),
            Snapshot("embedding", "fc2", twos),
        ],
    )
    assert read_snapshot(path, "embedding/fc").array.tolist() == [[1.0]]
    assert read_snapshot(path, "embedding/fc2").array.tolist() == [[2.0]]
    assert list(read_snapshot(path, "embedding/fc2").extras) == []


def test_files_are_plain_safetensors_that_others_may_read(new_run):
    run = new_run()
    run.snapshots(3, [Snapshot("embedding", "fc", np.ones((1, 2)), items="items")], wait=True)
    (path,) = (run.folder / "snapshots").iterdir()
    umask = os.umask(0)
    os.umask(umask)
    assert path.stat().st_mode & 0o777 == 0o666 & ~umask
    with safe_open(path, framework="numpy") as file:
        assert list(file.keys()) == ["embedding/fc"]
        notes = json.loads(file.metadata()["mmgraph"])
    assert notes["step"] == 3
    assert notes["snapshots"]["embedding/fc"]["axes"] == ["items", "features"]


def test_damaged_files_are_one_sentence(new_run):
    run = new_run()
    run.snapshots(3, [Snapshot("embedding", "fc", np.ones((10, 10)))], wait=True)
    (path,) = (run.folder / "snapshots").iterdir()
    whole = path.read_bytes()
    with RunReader(run.folder) as reader:
        (info,) = reader.snapshots()
        size = int.from_bytes(whole[:8], "little")
        header = whole[8 : 8 + size]
        other = header.replace(b"embedding/fc", b"embedding/fd")
        forged = header.replace(b'\\"kind\\": \\"embedding\\"', b'\\"kind\\": \\"embeddinq\\"')
        assert forged != header
        for content in (
            whole[:-1],
            whole[:20],
            b"",
            b"\xff" * 100,
            whole[:8] + other + whole[8 + size :],
            whole[:8] + forged + whole[8 + size :],
            whole[:8] + header.replace(b"mmgraph", b"another") + whole[8 + size :],
            whole[:8] + header.replace(b'\\"step\\"', b'\\\\step\\\\"') + whole[8 + size :],
        ):
            path.write_bytes(content)
            with pytest.raises(RunDamagedError, match=path.name):
                reader.load(info)
        path.unlink()
        with pytest.raises(RunDamagedError, match="is missing"):
            reader.load(info)


def test_a_file_that_may_not_be_read_is_not_called_missing(tmp_path, monkeypatch):
    def refuse(self, *_args, **_given):
        raise PermissionError(13, "Permission denied", str(self))

    assert "is missing" in why_not_there(tmp_path / "a.safetensors")
    monkeypatch.setattr(type(tmp_path), "open", refuse)
    assert "may not be read" in why_not_there(tmp_path / "a.safetensors")


def test_an_index_entry_cannot_lead_out_of_the_run(new_run, tmp_path):
    from dataclasses import replace

    run = new_run()
    run.snapshots(1, [Snapshot("embedding", "fc", np.ones((1, 1)))], wait=True)
    with RunReader(run.folder) as reader:
        (info,) = reader.snapshots()
        assert reader.load(replace(info, file=f"../../{info.file}")).array.tolist() == [[1.0]]
        with pytest.raises(RunDamagedError, match=r"snapshots/passwd' is missing"):
            reader.load(replace(info, file="/etc/passwd"))
