"""The page as somebody receives it: whole, self-contained, harmless."""

from __future__ import annotations

import base64
import errno
import io
import itertools
import os
import re
import subprocess
import sys
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from mmgraph.errors import RunError
from mmgraph.report import write_report
from mmgraph.report.page import render
from mmgraph.runs import ItemSet, RunReader, RunWriter, Snapshot

SECTIONS = ["curves", "embedding", "confusion", "wrong", "filters", "attention", "log", "configuration"]


def page(folder) -> tuple[str, ElementTree.Element]:
    with RunReader(folder) as reader:
        text = render(reader)
    assert text.startswith("<!DOCTYPE html>\n")
    return text, ElementTree.fromstring(text.split("\n", 1)[1])


def words(element: ElementTree.Element | None) -> str:
    assert element is not None
    return " ".join(" ".join(element.itertext()).split())


def section(root: ElementTree.Element, name: str) -> ElementTree.Element:
    found = root.find(f".//section[@id='{name}']")
    assert found is not None
    return found


def test_every_part_is_there(write_run):
    _, root = page(write_run())
    assert [entry.get("id") for entry in root.iter("section")] == SECTIONS
    assert [link.get("href") for link in root.find(".//nav")] == [f"#{name}" for name in SECTIONS]
    assert words(root.find(".//h1")) == "Digits"
    assert words(root.find(".//header//span")) == "stopped"
    tiles = {words(tile[0]): words(tile[1]) for tile in root.find(".//dl")}
    assert tiles == {"test accuracy": "90.00%", "train loss": "0.5", "steps": "40", "time": "1 min 1 s"}
    assert "watch out" in words(section(root, "log"))
    configuration = words(section(root, "configuration"))
    for text in ("epochs 10", "layers 1, 2", "deep a: 1", "recipe digits-graph", "version 3"):
        assert text in configuration


def test_nothing_is_loaded_from_anywhere(write_run):
    text, root = page(write_run())
    for element in root.iter():
        assert element.tag not in {"script", "link", "iframe", "object", "embed", "base", "form"}
        for name, value in element.attrib.items():
            assert not name.startswith("on")
            if name in {"src", "href", "srcset", "data", "action"}:
                assert value.startswith(("data:image/png;base64,", "#")), value
    assert not re.search(r"https?:|url\(|@import", text)
    policy = root.find(".//meta[@http-equiv='Content-Security-Policy']")
    assert policy.get("content").startswith("default-src 'none'")


@pytest.mark.parametrize("element", ["img", "image"])
def test_pictures_inside_are_pictures(write_run, element):
    _, root = page(write_run())
    found = list(root.iter(element))
    assert found
    for entry in found:
        uri = entry.get("src") or entry.get("href")
        image = Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2])))
        image.load()
        assert len(np.unique(np.asarray(image))) > 1
        if element == "img":
            assert (str(image.width), str(image.height)) == (entry.get("width"), entry.get("height"))


def test_everything_has_words_for_those_who_cannot_see_it(write_run):
    _, root = page(write_run())
    assert root.get("lang") == "en"
    assert words(root.find(".//title"))
    assert all(entry.get("alt") for entry in root.iter("img"))
    for drawing in root.iter("svg"):
        assert drawing.get("role") == "img"
        assert words(drawing.find("title"))
    levels = [int(entry.tag[1]) for entry in root.iter() if re.fullmatch("h[1-6]", entry.tag)]
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    for table in root.iter("table"):
        assert all(cell.get("scope") in {"col", "row"} for cell in table.iter("th"))
    ids = [entry.get("id") for entry in root.iter() if entry.get("id")]
    assert len(ids) == len(set(ids))


def test_hostile_texts_stay_texts(write_run, hostile):
    text, root = page(write_run(hostile))
    plain = "</style><script>alert('x')</script>\"&<b>"
    assert "<script" not in text
    assert "<b>\ufffd" not in text
    assert "\x00" not in text
    assert "\x1b" not in text
    for name in ("curves", "embedding", "confusion", "wrong", "filters", "attention", "log", "configuration"):
        assert plain in words(section(root, name)), name
    assert plain in words(root.find(".//h1"))
    assert plain in words(root.find(".//header/p[@class='message']"))


def test_the_default_place_is_the_run_folder_and_writing_is_whole_or_not(write_run, monkeypatch, tmp_path):
    folder = write_run()
    with RunReader(folder) as reader:
        assert write_report(reader) == folder / "report.html"
        assert write_report(reader, tmp_path / "deep" / "other.html") == tmp_path / "deep" / "other.html"
        before = (folder / "report.html").read_bytes()
        real = os.replace

        def full(*paths):
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(os, "replace", full)
        with pytest.raises(RunError, match="is full"):
            write_report(reader)
        monkeypatch.setattr(os, "replace", real)
    assert (folder / "report.html").read_bytes() == before
    assert not list(folder.glob(".*.part"))


def test_a_run_that_has_only_begun(tmp_path):
    run = RunWriter.create(tmp_path, "begun", {})
    _, root = page(run.folder)
    run.close()
    assert [entry.get("id") for entry in root.iter("section")] == []
    assert words(root.find(".//h1")) == "begun"
    assert words(root.find(".//header//span")) == "running"


def test_a_part_that_cannot_be_read_says_so_and_the_rest_is_there(write_run):
    folder = write_run()
    for path in (folder / "snapshots").iterdir():
        path.write_bytes(path.read_bytes()[:-1])
    _, root = page(folder)
    assert "cannot be shown: " in words(section(root, "embedding"))
    assert "loss" in words(section(root, "curves"))
    assert [entry.get("id") for entry in root.iter("section")] == SECTIONS


def test_numbers_without_arrays(tmp_path):
    with RunWriter.create(tmp_path, "numbers", {"run": {"recipe": "watch", "title": "MyNet"}}) as run:
        run.scalars(1, {"loss": 1.0})
        run.scalars(2, {"loss": 0.5})
    _, root = page(run.folder)
    assert [entry.get("id") for entry in root.iter("section")] == ["curves", "configuration"]
    assert "loss" in words(root.find(".//dl"))


def test_arrays_of_odd_shapes_and_values(tmp_path):
    nan = np.full((5, 4), np.nan)
    with RunWriter.create(tmp_path, "odd", {}) as run:
        run.items(ItemSet(labels=np.array([0, 1, 2, -1, 5])))
        run.snapshots(
            1,
            [
                Snapshot("embedding", "empty", np.zeros((0, 4))),
                Snapshot("embedding", "nan", nan, items="items"),
                Snapshot("prediction", "nan", nan, items="items"),
                Snapshot("filters", "nan", np.full((2, 1, 3, 3), np.nan)),
                Snapshot("filters", "colour", np.ones((2, 3, 5, 5))),
                Snapshot("filters", "video", np.ones((2, 1, 3, 5, 5))),
                Snapshot(
                    "attention", "nan", np.full((1, 3), np.nan), extras={"edge_index": np.zeros((2, 3), int)}
                ),
                Snapshot("attention", "none", np.zeros((1, 0)), extras={"edge_index": np.zeros((2, 0), int)}),
                Snapshot("matrix", "confusion/none", np.zeros((2, 3))),
            ],
            wait=True,
        )
        run.scalars(1, {"train/loss": np.nan, "a": 1e308})
        run.scalars(2, {"train/loss": np.inf, "a": -1e308})
    _, root = page(run.folder)
    assert "cannot be placed" in words(section(root, "embedding"))
    assert "time slice 2 of 3" in words(section(root, "filters"))
    assert "never finite" in words(section(root, "curves"))
    # Label 5 is none of the four classes of the output: said, not hidden.
    assert "cannot be shown: Labels are class numbers" in words(section(root, "wrong"))


def test_all_right_is_said(tmp_path):
    with RunWriter.create(tmp_path, "right", {}) as run:
        run.items(ItemSet(labels=np.array([0, 1]), noun="paper"))
        run.snapshots(1, [Snapshot("prediction", "output", np.eye(2), items="items")], wait=True)
    _, root = page(run.folder)
    assert (
        words(section(root, "wrong")) == "Most wrong All 2 papers with a known label are predicted rightly."
    )


def test_large_things_are_cut_and_say_so(tmp_path, monkeypatch):
    from mmgraph.report import embedding

    monkeypatch.setattr(embedding, "MOST_POINTS", 50)
    with RunWriter.create(tmp_path, "large", {}) as run:
        for number in range(200):
            run.event(f"line {number}", level="warning" if number == 3 else "info")
        run.snapshots(
            1,
            [
                Snapshot("embedding", "fc", np.random.default_rng(0).normal(size=(80, 3))),
                Snapshot("filters", "conv", np.ones((200, 1, 3, 3))),
                Snapshot("matrix", "confusion/test", np.eye(40)),
                Snapshot("attention", "heads", np.ones((20, 3))),
            ],
            wait=True,
        )
    _, root = page(run.folder)
    assert "50 of 80 shown" in words(section(root, "embedding"))
    assert "144 of 200 shown" in words(section(root, "filters"))
    assert "the first 30 of 40 classes shown" in words(section(root, "confusion"))
    assert "16 of 20 heads shown" in words(section(root, "attention"))
    log = words(section(root, "log"))
    assert "26 of 200 lines" in log
    assert "line 3" in log
    assert "line 199" in log


def test_no_torch_is_needed(write_run):
    folder = write_run()
    code = (
        "import sys; from mmgraph.report import write_report; from mmgraph.runs import RunReader\n"
        f"write_report(RunReader({str(folder)!r})); print('torch' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False"


def test_progress_is_told_and_what_it_raises_leaves_no_file(write_run, tmp_path) -> None:
    told = []
    with RunReader(write_run()) as reader:
        write_report(reader, tmp_path / "whole.html", lambda share, text: told.append((share, text)))
        shares = [share for share, _ in told]
        assert shares == sorted(shares)
        assert (shares[0], shares[-1]) == (0.0, 1.0)
        assert "Filters …" in [text for _, text in told]

        texts = [text for _, text in told]
        for part in ("Curves", "Embedding", "Confusion", "Most wrong", "Filters", "Edge attention"):
            assert texts.count(f"{part} …") > 1  # it can be ended within each part

        def enough(share, text):
            if share == 1.0:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            write_report(reader, tmp_path / "cancelled.html", enough)
    assert [file.name for file in tmp_path.glob("*.html*")] == ["whole.html"]
    assert list(tmp_path.glob(".*.part")) == []


def test_a_part_of_many_points_is_ended_within_it(tmp_path):
    count = 12_000
    with RunWriter.create(tmp_path, "run", {}) as run:
        vectors = np.random.default_rng(0).random((count, 3)).astype(np.float32)
        run.snapshots(1, [Snapshot("embedding", "layer", vectors)])
    told = []

    def enough(share, text):
        told.append(text)
        if told.count("Embedding …") == 9:  # while its points are drawn
            raise KeyboardInterrupt

    with RunReader(run.folder) as reader, pytest.raises(KeyboardInterrupt):
        write_report(reader, tmp_path / "cancelled.html", enough)
    assert told[-1] == "Embedding …"
    assert not (tmp_path / "cancelled.html").exists()


def test_a_run_of_many_numbers_is_ended_while_they_are_read(tmp_path):
    with RunWriter.create(tmp_path, "run", {}) as run:
        for step in range(50_000):
            run.scalars(step, {"loss": float(step)})
    told = []

    def enough(share, text):
        told.append((share, text))
        if len(told) == 2:
            raise KeyboardInterrupt

    with RunReader(run.folder) as reader:
        with pytest.raises(KeyboardInterrupt):
            write_report(reader, tmp_path / "cancelled.html", enough)
        assert told == [(0.0, "Numbers …")] * 2
        assert not (tmp_path / "cancelled.html").exists()
        assert len(reader.poll().scalars["loss"].value) == 50_000  # and can be read again
