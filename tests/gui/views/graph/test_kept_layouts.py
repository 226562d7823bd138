from __future__ import annotations

import os

import numpy as np
import pytest

from mmgraph_gui.views.graph import kept_layouts
from mmgraph_gui.views.graph.kept_layouts import (
    KeptLayout,
    keep_layout,
    kept_layout,
    layout_key,
    layouts_folder,
)

EDGES = np.array([[0, 1], [1, 2]])


def test_a_layout_is_kept_by_what_the_graph_is() -> None:
    key = layout_key(EDGES, 3)
    assert kept_layout(key, 3) is None
    places = np.random.default_rng(0).normal(size=(3, 2)).astype(np.float32)
    keep_layout(key, KeptLayout(places, 7, 150))
    found = kept_layout(layout_key(np.asfortranarray(EDGES), 3), 3)
    assert found is not None
    np.testing.assert_array_equal(found.positions, places)
    assert (found.step, found.steps) == (7, 150)
    others = {layout_key(EDGES, 4), layout_key(EDGES[:, :1], 3), layout_key(EDGES[:, ::-1], 3)}
    assert len(others - {key}) == 3
    assert [path.suffix for path in layouts_folder().iterdir()] == [".safetensors"]


def test_an_empty_graph_has_a_key_of_its_own() -> None:
    none = np.zeros((2, 0), np.int64)
    assert layout_key(none, 0) != layout_key(none, 1)
    keep_layout("none", KeptLayout(np.zeros((0, 2), np.float32), 150, 150))
    assert kept_layout("none", 0) is not None


def test_what_is_damaged_or_of_another_graph_is_not_taken() -> None:
    keep_layout("k", KeptLayout(np.zeros((3, 2), np.float32), 1, 2))
    assert kept_layout("k", 4) is None
    keep_layout("k", KeptLayout(np.full((3, 2), np.nan, np.float32), 1, 2))
    assert kept_layout("k", 3) is None
    (layouts_folder() / "k.safetensors").write_bytes(b"\x00" * 40)
    assert kept_layout("k", 3) is None


def test_those_looked_at_longest_ago_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_layouts, "MOST_KEPT", 2)
    for age, key in ((30, "a"), (20, "b")):
        keep_layout(key, KeptLayout(np.zeros((1, 2), np.float32), 1, 1))
        path = layouts_folder() / f"{key}.safetensors"
        os.utime(path, (path.stat().st_mtime - age,) * 2)
    assert kept_layout("a", 1) is not None  # looked at just now
    keep_layout("c", KeptLayout(np.zeros((1, 2), np.float32), 1, 1))
    assert sorted(path.stem for path in layouts_folder().iterdir()) == ["a", "c"]


def test_a_folder_that_cannot_be_written_is_no_trouble(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    keep_layout("a", KeptLayout(np.zeros((1, 2), np.float32), 1, 1))
    assert kept_layout("a", 1) is None
