"""What all tests share."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("OMP_NUM_THREADS", "1")


@dataclass(frozen=True)
class Outcome:
    """Exit code of a command, and what it wrote."""

    code: int
    out: str
    err: str


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data sets; tests that need it are skipped where it is not."""
    folder = os.environ.get("MMGRAPH_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("real data sets are needed: set MMGRAPH_DATA to the folder that holds them")
    return Path(folder)


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs and settings of a test stay in its own folder."""
    monkeypatch.setenv("MMGRAPH_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture
def write_video(tmp_path: Path) -> Callable[..., Path]:
    """Write frames (t, height, width, 3) and perhaps sound as a video file; gives its path."""
    av = pytest.importorskip("av", reason="PyAV is needed for video: pip install mmgraph[video]")

    def write(
        frames: np.ndarray,
        name: str = "clip.avi",
        *,
        codec: str = "ffv1",
        pixels: str = "bgr0",
        rate: int = 25,
        times: list[int] | None = None,
        sound: np.ndarray | None = None,
        sample_rate: int = 8000,
    ) -> Path:
        path = tmp_path / name
        with av.open(path, "w") as container:
            stream = container.add_stream(codec, rate=rate)
            stream.height, stream.width, stream.pix_fmt = *frames.shape[1:3], pixels
            voice = None
            if sound is not None:
                voice = container.add_stream("pcm_s16le", rate=sample_rate, layout="mono")
            for number, pixels_of_frame in enumerate(frames):
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels_of_frame), format="rgb24")
                if times is not None:
                    frame.pts = times[number]
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
            if voice is not None:
                piece = av.AudioFrame.from_ndarray(
                    (sound * 32767).astype(np.int16)[None], format="s16", layout="mono"
                )
                piece.sample_rate = sample_rate
                container.mux(voice.encode(piece))
                container.mux(voice.encode())
        return path

    return write


@pytest.fixture
def mmgraph(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Run a command in this process, as typed."""
    from mmgraph.cli import main

    def run(*words: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["mmgraph", *map(str, words)])
        with pytest.raises(SystemExit) as exit_:
            main()
        captured = capsys.readouterr()
        return Outcome(int(exit_.value.code or 0), captured.out, captured.err)

    return run
