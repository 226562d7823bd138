from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mmgraph.datasets import catalogue
from mmgraph.datasets.fetch import CHUNK_BYTES, fetch
from mmgraph.errors import DatasetCorruptError, DatasetMissingError, UnknownNameError

BIG = bytes(range(256)) * 1024
SMALL = b"small"
FILES = {"big": BIG, "small": SMALL}

CHILD = """
import sys
from pathlib import Path
import filelock
from mmgraph.datasets import catalogue
from mmgraph.datasets.fetch import fetch

class TellingLock(filelock.FileLock):
    def acquire(self, *args, **kwargs):
        print("at the lock", flush=True)
        return super().acquire(*args, **kwargs)

filelock.FileLock = TellingLock
catalogue.MANIFESTS = Path(sys.argv[1])
print(fetch("blobs"), flush=True)
"""


def held() -> dict[str, bytes]:
    """Everything in the user's folder of the data set."""
    folder = catalogue.user_root() / "blobs"
    return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.exists() else {}


def child(manifests: Path) -> subprocess.Popen[str]:
    """A process that fetches; it has come to the lock when this returns."""
    process = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(manifests)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "at the lock\n"
    return process


def test_download_with_progress(publish: Callable[..., Path], mirror: Any) -> None:
    publish("blobs", FILES)
    seen: list[tuple[str, int, int]] = []
    folder = fetch("blobs", progress=lambda *step: seen.append(step))
    assert folder == catalogue.user_root() / "blobs"
    assert held() == FILES
    for name, content in FILES.items():
        done = [step[1] for step in seen if step[0] == name]
        assert done == sorted(done)
        assert (done[0], done[-1]) == (0, len(content))
        assert {step[2] for step in seen if step[0] == name} == {len(content)}
    assert len([step for step in seen if step[0] == "big"]) >= len(BIG) / CHUNK_BYTES

    assert fetch("blobs", progress=lambda *step: seen.append(step)) == folder
    assert sorted(mirror.requests) == ["big", "small"]


def test_what_lies_in_a_data_folder_is_used_there_and_not_written_to(
    publish: Callable[..., Path], mirror: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish("blobs", FILES)
    folder = tmp_path / "data" / "blobs"
    folder.mkdir(parents=True)
    for name, content in FILES.items():
        (folder / name).write_bytes(content)
    monkeypatch.setenv("MMGRAPH_DATA", str(tmp_path / "data"))
    assert fetch("blobs") == folder
    assert mirror.requests == []
    assert held() == {}
    assert sorted(path.name for path in tmp_path.joinpath("data").rglob("*")) == ["big", "blobs", "small"]


def test_only_what_is_missing_is_downloaded(
    publish: Callable[..., Path], mirror: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish("blobs", FILES)
    folder = tmp_path / "data" / "blobs"
    folder.mkdir(parents=True)
    (folder / "big").write_bytes(BIG)
    monkeypatch.setenv("MMGRAPH_DATA", str(tmp_path / "data"))
    assert fetch("blobs") == catalogue.user_root() / "blobs"
    assert held() == FILES
    assert mirror.requests == ["small"]
    assert [path.name for path in folder.iterdir()] == ["big"]


def test_one_part_alone(publish: Callable[..., Path], mirror: Any) -> None:
    publish("blobs", FILES, parts={"big": "train", "small": "test"})
    fetch("blobs", part="test")
    assert held() == {"small": SMALL}
    with pytest.raises(UnknownNameError, match="no part"):
        fetch("blobs", part="validation")
    fetch("blobs")
    assert held() == FILES
    assert mirror.requests == ["small", "big"]


def test_built_in_set_needs_no_download() -> None:
    assert fetch("digits").name == "sklearn"


def test_not_found(
    publish: Callable[..., Path], mirror: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish("blobs", FILES)
    del mirror.contents["big"]
    monkeypatch.setenv("MMGRAPH_DATA", str(tmp_path / "data"))
    with pytest.raises(DatasetMissingError) as caught:
        fetch("blobs")
    places = (
        tmp_path / "data" / "blobs",
        catalogue.user_root() / "blobs",
        mirror.url + "big",
        "404",
        "put a copy",
    )
    for part in places:
        assert str(part) in str(caught.value)
    assert held() == {}


def test_no_network(publish: Callable[..., Path], mirror: Any) -> None:
    closed = {"path": "big", "bytes": 1, "sha256": "0" * 64, "url": "http://127.0.0.1:1/big"}
    publish("blobs", {}, files=[closed])
    with pytest.raises(DatasetMissingError, match=r"after 0 of 1 bytes: .*Connection refused"):
        fetch("blobs")
    assert held() == {}


def test_a_copy_put_by_hand_is_used(publish: Callable[..., Path], mirror: Any) -> None:
    publish("blobs", {"big": BIG})
    del mirror.contents["big"]
    folder = catalogue.user_root() / "blobs"
    folder.mkdir(parents=True)
    (folder / "big").write_bytes(BIG)
    assert fetch("blobs") == folder


@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        (
            "tampered",
            DatasetCorruptError,
            "not the published file: expected sha256 [0-9a-f]{64}, found [0-9a-f]{64}",
        ),
        ("longer", DatasetCorruptError, f"too long: expected {len(BIG):,} bytes"),
        ("ends early", DatasetMissingError, f"after {len(BIG) // 2:,} of {len(BIG):,} bytes"),
        (
            "ends early without a length",
            DatasetCorruptError,
            f"truncated: expected {len(BIG):,} bytes, found {len(BIG) // 2:,}",
        ),
    ],
)
def test_a_bad_download_leaves_nothing(
    publish: Callable[..., Path], mirror: Any, fault: str, error: type[Exception], words: str
) -> None:
    publish("blobs", {"big": BIG})
    mirror.faults["big"] = fault
    done: list[int] = []
    with pytest.raises(error, match=words) as caught:
        fetch("blobs", progress=lambda _, now, total: done.append(now))
    assert mirror.url + "big" in str(caught.value)
    assert max(done) <= len(BIG)
    assert held() == {}
    del mirror.faults["big"]
    fetch("blobs")
    assert held() == {"big": BIG}


@pytest.mark.parametrize("reached_through", ["user", "MMGRAPH_DATA", "MMGRAPH_DATA, incomplete"])
def test_a_tampered_file_that_lies_here_is_refused_and_left_alone(
    publish: Callable[..., Path],
    mirror: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    reached_through: str,
) -> None:
    tampered = b"\x01" + BIG[1:]
    publish("blobs", FILES if "incomplete" in reached_through else {"big": BIG})
    root = catalogue.user_root() if reached_through == "user" else tmp_path / "data"
    if reached_through != "user":
        monkeypatch.setenv("MMGRAPH_DATA", str(root))
    (root / "blobs").mkdir(parents=True)
    (root / "blobs" / "big").write_bytes(tampered)
    with pytest.raises(DatasetCorruptError, match=r"found [0-9a-f]{64}\. Delete or replace") as caught:
        fetch("blobs")
    assert str(root / "blobs" / "big") in str(caught.value)
    assert (root / "blobs" / "big").read_bytes() == tampered
    assert "big" not in mirror.requests
    assert "big.part" not in held()


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, RuntimeError])
def test_an_interrupted_download_leaves_nothing(
    publish: Callable[..., Path], interruption: type[BaseException]
) -> None:
    publish("blobs", {"big": BIG})

    def cancel(_: str, done: int, total: int) -> None:
        if done > total / 2:
            raise interruption

    with pytest.raises(interruption):
        fetch("blobs", progress=cancel)
    assert held() == {}


def test_a_killed_download_is_started_anew(publish: Callable[..., Path], mirror: Any) -> None:
    manifests = publish("blobs", {"big": BIG})
    mirror.faults["big"] = "waits half-way"
    process = child(manifests)
    mirror.half_sent.wait()
    process.kill()
    process.communicate()
    assert "big" not in held()
    mirror.go_on.set()
    fetch("blobs")
    assert held() == {"big": BIG}


def test_two_processes_at_once(publish: Callable[..., Path], mirror: Any) -> None:
    manifests = publish("blobs", FILES)
    mirror.faults["big"] = "waits half-way"
    first = child(manifests)
    mirror.half_sent.wait()
    second = child(manifests)
    assert mirror.requests == ["big"]
    mirror.go_on.set()
    for process in (first, second):
        out, err = process.communicate()
        assert (process.returncode, err) == (0, "")
        assert out.strip() == str(catalogue.user_root() / "blobs")
    assert held() == FILES
    assert sorted(mirror.requests) == ["big", "small"]


def test_a_full_disk(publish: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    publish("blobs", {"big": BIG})

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(
        DatasetMissingError, match=r"cannot be stored in .*: No space left on device\. Make room"
    ):
        fetch("blobs")
    assert held() == {}


def test_a_folder_that_cannot_be_made(publish: Callable[..., Path], home: Path) -> None:
    publish("blobs", {"big": BIG})
    home.mkdir()
    (home / "data").write_text("in the way")
    with pytest.raises(DatasetMissingError, match=r"cannot be stored in .*\$MMGRAPH_DATA"):
        fetch("blobs")
