from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mmgraph.datasets import video_file
from mmgraph.datasets.frame_sampling import FrameSampling
from mmgraph.datasets.video_file import frame_times, read_sound, read_video
from mmgraph.errors import (
    DatasetCorruptError,
    DatasetMissingError,
    InputError,
    MissingDependencyError,
    UnknownNameError,
)

ALL = FrameSampling(strategy="all")
REAL = os.environ.get("MMGRAPH_DATA", "")


def noise(frames: int = 10, height: int = 24, width: int = 32) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (frames, height, width, 3)).astype(np.uint8)


def smooth(frames: int = 10, height: int = 48, width: int = 64) -> np.ndarray:
    y, x, t = np.meshgrid(range(height), range(width), range(frames), indexing="ij")
    waves = [
        128 + 100 * np.sin(x / 9 + t / 3),
        128 + 100 * np.cos(y / 7),
        128 + 50 * np.sin((x + y + t) / 11),
    ]
    return np.stack(waves, -1).transpose(2, 0, 1, 3).astype(np.uint8)


def test_frames_come_back_as_they_were(write_video: Callable[..., Path]) -> None:
    frames = noise()
    video = read_video(write_video(frames), sampling=ALL)
    assert np.array_equal(video.frames, frames)
    np.testing.assert_allclose(video.times, np.arange(10) / 25)
    assert (video.sound, video.sample_rate, video.damaged) == (None, 0, 0)


def test_only_the_chosen_frames(write_video: Callable[..., Path]) -> None:
    frames = noise(20)
    video = read_video(write_video(frames), sampling=FrameSampling(count=4))
    assert np.array_equal(video.frames, frames[[2, 7, 12, 17]])
    np.testing.assert_allclose(video.times, np.array([2, 7, 12, 17]) / 25)


@pytest.mark.parametrize("shape", [(1, 24, 32), (10, 23, 31), (3, 17, 64), (5, 2, 2)])
def test_odd_sizes_and_single_frames(write_video: Callable[..., Path], shape: tuple[int, ...]) -> None:
    frames = noise(*shape)
    assert np.array_equal(read_video(write_video(frames), sampling=ALL).frames, frames)
    assert read_video(write_video(frames), size=(7, 9)).frames.shape == (16, 7, 9, 3)


def test_scaling_is_as_good_as_that_of_an_image_library(write_video: Callable[..., Path]) -> None:
    frames = smooth()
    path = write_video(frames)
    stretched = read_video(path, sampling=ALL, size=(12, 20), fit="stretch").frames
    cropped = read_video(path, sampling=ALL, size=24).frames
    for number, frame in enumerate(frames):
        picture = Image.fromarray(frame)
        expected = np.asarray(picture.resize((20, 12), Image.Resampling.BOX), dtype=int)
        assert np.abs(stretched[number] - expected).max() <= 6
        middle = picture.resize((32, 24), Image.Resampling.BOX).crop((4, 0, 28, 24))
        assert np.abs(cropped[number] - np.asarray(middle, dtype=int)).max() <= 6


def test_a_variable_frame_rate_keeps_its_times(write_video: Callable[..., Path]) -> None:
    frames = noise(5)
    path = write_video(frames, "clip.mkv", times=[0, 1, 2, 50, 51])
    video = read_video(path, sampling=ALL)
    np.testing.assert_allclose(video.times, np.array([0, 1, 2, 50, 51]) / 25)
    assert np.array_equal(read_video(path, sampling=FrameSampling(count=2)).frames, frames[[2, 2]])


def test_frames_that_are_stored_out_of_order(write_video: Callable[..., Path]) -> None:
    frames = smooth(30)
    path = write_video(frames, "clip.mp4", codec="mpeg4", pixels="yuv420p")
    assert len(frame_times(path)) == 30
    video = read_video(path, sampling=ALL)
    assert (np.diff(video.times) > 0).all()
    assert np.abs(video.frames.astype(int) - frames).mean() < 12


def test_sound(write_video: Callable[..., Path]) -> None:
    moment = np.arange(8000) / 8000
    tone = 0.5 * np.sin(2 * np.pi * 440 * moment)
    path = write_video(noise(25), sound=tone)
    video = read_video(path, sample_rate=8000)
    assert video.sound is not None
    assert video.sample_rate == 8000
    np.testing.assert_allclose(video.sound, tone, atol=1e-3)
    twice = read_sound(path, 16000)
    assert twice is not None
    assert len(twice) == pytest.approx(16000, abs=64)
    middle = twice[2000:14000]
    expected = 0.5 * np.sin(2 * np.pi * 440 * np.arange(len(twice)) / 16000)[2000:14000]
    assert np.corrcoef(middle, expected)[0, 1] > 0.99
    silent = read_video(write_video(noise(), "silent.avi"), sample_rate=8000)
    assert (silent.sound, silent.sample_rate) == (None, 0)


def test_a_broken_index_is_not_needed(write_video: Callable[..., Path], tmp_path: Path) -> None:
    frames = smooth(30)
    content = write_video(frames, codec="mpeg4", pixels="yuv420p").read_bytes()
    whole = read_video(write_video(frames, codec="mpeg4", pixels="yuv420p"), sampling=ALL).frames
    index = content.rindex(b"idx1")
    broken = tmp_path / "broken.avi"
    broken.write_bytes(content[:index])
    assert np.array_equal(read_video(broken, sampling=ALL).frames, whole)
    broken.write_bytes(content[: index + 8] + bytes(len(content) - index - 8))
    assert np.array_equal(read_video(broken, sampling=ALL).frames, whole)


def test_a_file_that_ends_early_gives_what_is_there(write_video: Callable[..., Path], tmp_path: Path) -> None:
    frames = noise(10)
    content = write_video(frames).read_bytes()
    short = tmp_path / "short.avi"
    short.write_bytes(content[: len(content) // 2])
    video = read_video(short, sampling=ALL)
    assert 1 <= len(video.frames) < 10
    assert np.array_equal(video.frames[:3], frames[:3])
    assert len(read_video(short).frames) == 16


def test_packets_that_cannot_be_decoded_are_counted(write_video: Callable[..., Path], tmp_path: Path) -> None:
    frames = np.stack([np.full((16, 16, 3), 20 * number, np.uint8) for number in range(8)])
    content = bytearray(write_video(frames, codec="png", pixels="rgb24").read_bytes())
    third = [place for place in range(len(content)) if content[place : place + 4] == b"IHDR"][2]
    content[third + 4 : third + 8] = bytes(4)
    path = tmp_path / "damaged.avi"
    path.write_bytes(content)
    video = read_video(path, sampling=ALL)
    assert video.damaged == 1
    assert np.array_equal(video.frames, np.delete(frames, 2, axis=0))


def test_what_is_no_video(tmp_path: Path, write_video: Callable[..., Path]) -> None:
    with pytest.raises(DatasetMissingError, match=r"absent\.avi"):
        read_video(tmp_path / "absent.avi")
    with pytest.raises(DatasetMissingError):
        read_video("http://127.0.0.1:9/clip.avi")
    text = tmp_path / "text.avi"
    for content in (b"", b"no video", bytes(5000)):
        text.write_bytes(content)
        with pytest.raises(DatasetCorruptError, match="not a video"):
            read_video(text)
    sound = tmp_path / "sound.wav"
    from scipy.io import wavfile

    wavfile.write(sound, 8000, np.zeros(800, np.int16))
    with pytest.raises(DatasetCorruptError, match="no pictures"):
        read_video(sound)
    content = write_video(noise(), "empty.avi").read_bytes()
    empty = tmp_path / "empty.avi"
    empty.write_bytes(content[: content.index(b"movi") + 4])
    with pytest.raises(DatasetCorruptError, match="without a single frame"):
        read_video(empty)


def test_bad_requests(write_video: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_video(noise())
    for size in (0, (3, 0), -1):
        with pytest.raises(InputError, match="positive size"):
            read_video(path, size=size)
    with pytest.raises(InputError, match="sample rate"):
        read_video(path, sample_rate=0)
    with pytest.raises(UnknownNameError, match="crop"):
        read_video(path, fit="fill")  # type: ignore[arg-type]
    monkeypatch.setattr(video_file, "MOST_BYTES", 10_000)
    with pytest.raises(InputError, match="fewer or smaller"):
        read_video(path, sampling=ALL)
    monkeypatch.setattr(video_file, "MOST_PIXELS", 100)
    with pytest.raises(DatasetCorruptError, match="32 × 24 pixels"):
        read_video(path)


def test_without_pyav_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MissingDependencyError, match=r"pip install \"mmgraph\[video\]\""):
        read_video(tmp_path / "clip.avi")
    with pytest.raises(MissingDependencyError):
        read_sound(tmp_path / "clip.avi", 8000)


def test_importing_needs_no_pyav() -> None:
    script = "import sys, mmgraph.datasets.video_file; print('av' in sys.modules, 'torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False False"


@pytest.mark.data
@pytest.mark.skipif(not REAL, reason="$MMGRAPH_DATA is not set")
def test_a_real_clip() -> None:
    pytest.importorskip("av")
    path = Path(REAL, "ucf101_3class/BabyCrawling/v_BabyCrawling_g01_c01.avi")
    if not path.is_file():
        pytest.skip("$MMGRAPH_DATA does not hold UCF101")
    video = read_video(path, size=64, sample_rate=8000)
    assert video.frames.shape == (16, 64, 64, 3)
    assert len(frame_times(path)) == 165
    assert video.times[-1] == pytest.approx(6.36, abs=0.05)
    assert video.sound is not None
    assert len(video.sound) == pytest.approx(6.6 * 8000, rel=0.02)
    assert 0.1 < np.abs(video.sound).max() <= 1
