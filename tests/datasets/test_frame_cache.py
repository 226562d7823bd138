from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mmgraph.datasets import frame_cache
from mmgraph.datasets.frame_cache import FrameCache
from mmgraph.datasets.frame_sampling import FrameSampling
from mmgraph.errors import DatasetMissingError, InputError

FRAMES = np.random.default_rng(0).integers(0, 256, (6, 16, 20, 3)).astype(np.uint8)


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that were decoded."""
    calls: list[Path] = []
    read = frame_cache.read_video

    def counted(path: Path, **how: object) -> object:
        calls.append(path)
        return read(path, **how)

    monkeypatch.setattr(frame_cache, "read_video", counted)
    return calls


def test_a_video_is_decoded_once(
    write_video: Callable[..., Path], tmp_path: Path, decoded: list[Path]
) -> None:
    path = write_video(FRAMES, sound=np.zeros(800))
    cache = FrameCache(tmp_path / "cache")
    first = cache.read(path, size=8, sample_rate=4000)
    again = FrameCache(tmp_path / "cache").read(path, size=8, sample_rate=4000)
    assert decoded == [path]
    for one, other in ((first.frames, again.frames), (first.times, again.times), (first.sound, again.sound)):
        assert np.array_equal(one, other)
    assert (again.sample_rate, again.damaged) == (4000, 0)


def test_another_file_or_another_way_to_read_it_is_decoded_anew(
    write_video: Callable[..., Path], tmp_path: Path, decoded: list[Path]
) -> None:
    path = write_video(FRAMES)
    cache = FrameCache(tmp_path / "cache")
    cache.read(path)
    cache.read(path, size=8)
    cache.read(path, size=8, fit="stretch")
    cache.read(path, sampling=FrameSampling(count=3))
    write_video(255 - FRAMES)
    os.utime(path, ns=(1, 1))
    changed = cache.read(path, sampling=FrameSampling(strategy="all"))
    assert len(decoded) == 5
    assert np.array_equal(changed.frames, 255 - FRAMES)


def test_damage_and_a_folder_that_cannot_be_written_cost_only_time(
    write_video: Callable[..., Path], tmp_path: Path, decoded: list[Path]
) -> None:
    path = write_video(FRAMES)
    cache = FrameCache(tmp_path / "cache")
    cache.read(path)
    (file,) = (tmp_path / "cache").iterdir()
    file.write_bytes(b"damaged")
    assert cache.read(path).frames.shape == (16, 16, 20, 3)
    nowhere = tmp_path / "file"
    nowhere.write_bytes(b"")
    assert FrameCache(nowhere / "cache").read(path).frames.shape == (16, 16, 20, 3)
    assert len(decoded) == 3


def test_what_was_not_used_for_longest_makes_room(write_video: Callable[..., Path], tmp_path: Path) -> None:
    path = write_video(FRAMES)
    cache = FrameCache(tmp_path / "cache", most_bytes=40_000)
    for number, size in enumerate((20, 21, 20, 22)):
        cache.read(path, size=size)
        for file in cache.folder.iterdir():
            if file.stat().st_mtime > 10_000:
                os.utime(file, (number + 1, number + 1))
    sizes = sorted(file.stat().st_size for file in cache.folder.iterdir())
    assert len(sizes) == 1
    assert sizes[0] > 16 * 22 * 22 * 3


def test_bad_requests(tmp_path: Path) -> None:
    with pytest.raises(DatasetMissingError, match="absent"):
        FrameCache(tmp_path).read(tmp_path / "absent.avi")
    with pytest.raises(InputError, match="drawn anew"):
        FrameCache(tmp_path).read(tmp_path / "a.avi", sampling=FrameSampling(strategy="random-segment"))
