from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mmgraph.datasets import catalogue, load
from mmgraph.datasets.action_videos import read_hmdb51, read_ucf101
from mmgraph.datasets.frame_cache import FrameCache
from mmgraph.datasets.frame_sampling import FrameSampling
from mmgraph.errors import DatasetCorruptError, DatasetMissingError, InputError, UnknownNameError

REAL = os.environ.get("MMGRAPH_DATA", "")


@pytest.fixture
def ucf(tmp_path: Path) -> Path:
    """A folder like UCF101, of files that are no videos yet."""
    lists = tmp_path / "lists"
    lists.mkdir()
    (lists / "classInd.txt").write_text("1 Punch\n2 Absent\n3 Crawl\n")
    (lists / "trainlist01.txt").write_text(
        "Punch/v_Punch_g08_c01.avi 1\nAbsent/v_Absent_g08_c01.avi 2\nCrawl/v_Crawl_g09_c02.avi 3\n"
    )
    (lists / "testlist01.txt").write_text("Crawl/v_Crawl_g01_c01.avi\r\nPunch/v_Punch_g02_c01.avi\r\n\r\n")
    for name in ("Punch/v_Punch_g08_c01", "Crawl/v_Crawl_g09_c02", "Crawl/v_Crawl_g01_c01"):
        (tmp_path / f"{name}.avi").parent.mkdir(exist_ok=True)
        (tmp_path / f"{name}.avi").touch()
    return tmp_path


def test_lists_say_what_is_what(ucf: Path) -> None:
    videos = read_ucf101(ucf, ucf / "lists")
    assert [path.name for path in videos.paths] == [
        "v_Punch_g08_c01.avi",
        "v_Crawl_g09_c02.avi",
        "v_Crawl_g01_c01.avi",
    ]
    assert videos.class_names == ("Punch", "Crawl")
    assert videos.labels == (0, 1, 1)
    assert videos.parts == {"train": (0, 1), "test": (2,)}
    assert videos.groups == (8, 9, 1)
    assert videos.listed == 5


def test_decoding(ucf: Path, write_video: Callable[..., Path]) -> None:
    videos = read_ucf101(ucf, ucf / "lists")
    for number, path in enumerate(videos.paths):
        frames = np.full((4 + number, 16, 24, 3), 40 * number, np.uint8)
        write_video(frames, f"{path.parent.name}/{path.name}")
    how = {"sampling": FrameSampling(count=3), "size": 8, "cache": FrameCache(ucf / "cache")}
    everything = videos.decode(**how)
    assert everything.clips.shape == (3, 3, 3, 8, 8)
    assert [int(clip.max()) for clip in everything.clips] == [0, 40, 80]
    assert everything.labels.tolist() == [0, 1, 1]
    test = videos.decode("test", **how)
    assert (len(test.clips), test.labels.tolist(), test.class_names) == (1, [1], ("Punch", "Crawl"))
    with pytest.raises(UnknownNameError, match="train"):
        videos.decode("training", **how)
    with pytest.raises(InputError, match="another number"):
        videos.decode(sampling=FrameSampling(strategy="all"), size=8)


def test_hmdb51(tmp_path: Path) -> None:
    lists = tmp_path / "lists"
    lists.mkdir()
    (lists / "wave_test_split1.txt").write_text("a.avi 1 \nb.avi 2 \nc.avi 0 \n")
    (lists / "run_test_split1.txt").write_text("d.avi 1 \n")
    (lists / "run_test_split2.txt").write_text("d.avi 2 \n")
    for name in ("wave/a.avi", "wave/b.avi", "wave/c.avi", "run/d.avi"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    videos = read_hmdb51(tmp_path, lists)
    found = {part: sorted(videos.paths[row].name for row in rows) for part, rows in videos.parts.items()}
    assert found == {"train": ["a.avi", "d.avi"], "test": ["b.avi"]}
    assert videos.class_names == ("run", "wave")
    (lists / "run_test_split1.txt").write_text("d.avi 3\n")
    with pytest.raises(DatasetCorruptError, match=r"not 'd\.avi 3'"):
        read_hmdb51(tmp_path, lists)
    with pytest.raises(DatasetMissingError, match="no lists"):
        read_hmdb51(tmp_path, tmp_path)


def test_damage(ucf: Path) -> None:
    lists = ucf / "lists"
    with pytest.raises(DatasetMissingError, match="none of the videos"):
        read_ucf101(lists, lists)
    with pytest.raises(DatasetMissingError, match="trainlist02"):
        read_ucf101(ucf, lists, split=2)
    for line in ("../secret.avi", "Punch/../../secret.avi", "Dance/a.avi", "Punch", "Punch/", "Punch/.."):
        (lists / "testlist01.txt").write_text(line)
        with pytest.raises(DatasetCorruptError, match="no class/video"):
            read_ucf101(ucf, lists)
    (lists / "testlist01.txt").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(DatasetCorruptError, match="UTF-8"):
        read_ucf101(ucf, lists)
    (lists / "classInd.txt").write_text("Punch\n")
    with pytest.raises(DatasetCorruptError, match="number class"):
        read_ucf101(ucf, lists)


@pytest.mark.data
@pytest.mark.skipif(not REAL, reason="$MMGRAPH_DATA is not set")
def test_the_real_videos(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("av")
    monkeypatch.setenv("MMGRAPH_DATA", REAL)
    here = catalogue.locate("ucf101")
    if here is None or not here.complete:
        pytest.skip("$MMGRAPH_DATA does not hold UCF101")
    videos = load("ucf101")
    assert videos.class_names == ("BabyCrawling", "Punch", "PushUps")
    assert (len(videos.parts["train"]), len(videos.parts["test"]), videos.listed) == (32, 21, 13_320)
    groups = {part: {videos.groups[row] for row in rows} for part, rows in videos.parts.items()}
    assert groups["test"] == set(range(1, 8))
    assert not groups["test"] & groups["train"]
    clips = videos.decode("test", sampling=FrameSampling(count=2), size=16, cache=FrameCache(tmp_path))
    assert clips.clips.shape == (21, 2, 3, 16, 16)
    assert clips.labels.bincount().tolist() == [7, 7, 7]
