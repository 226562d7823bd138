from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from mmgraph.datasets.catalogue import DataFile
from mmgraph.datasets.verification import verify
from mmgraph.errors import DatasetCorruptError, DatasetMissingError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "a"
    path.write_bytes(b"content")
    return path


def entry(content: bytes = b"content") -> DataFile:
    return DataFile("a", hashlib.sha256(content).hexdigest(), len(content), "https://example.org/a")


def forbid_hashing(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("hashed")

    monkeypatch.setattr(hashlib, "file_digest", fail)


def test_a_file_is_hashed_once(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    verify(path, entry(), remedy="")
    forbid_hashing(monkeypatch)
    verify(path, entry(), remedy="")


def test_a_changed_file_is_hashed_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    verify(path, entry(), remedy="")
    stat = path.stat()
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
    forbid_hashing(monkeypatch)
    with pytest.raises(RuntimeError, match="hashed"):
        verify(path, entry(), remedy="")


def test_a_changed_manifest_is_noticed(path: Path) -> None:
    verify(path, entry(), remedy="")
    with pytest.raises(DatasetCorruptError):
        verify(path, entry(b"CONTENT"), remedy="")


def test_a_failure_is_not_remembered(path: Path) -> None:
    for _ in range(2):
        with pytest.raises(DatasetCorruptError, match="not the published file"):
            verify(path, entry(b"CONTENT"), remedy="")


def test_the_error_says_what_was_expected_and_found(path: Path) -> None:
    with pytest.raises(DatasetCorruptError) as caught:
        verify(path, entry(b"CONTENT"), remedy="Fetch it again.")
    for part in (str(path), entry(b"CONTENT").sha256, entry().sha256, "Fetch it again."):
        assert part in str(caught.value)


@pytest.mark.parametrize(("published", "what"), [(b"contents", "is truncated"), (b"conten", "is too long")])
def test_wrong_size(path: Path, published: bytes, what: str) -> None:
    with pytest.raises(DatasetCorruptError, match=f"{what}: expected {len(published)} bytes, found 7"):
        verify(path, entry(published), remedy="")


def test_unreadable_file(tmp_path: Path) -> None:
    with pytest.raises(DatasetMissingError, match="cannot be read: No such file"):
        verify(tmp_path / "absent", entry(), remedy="")


@pytest.mark.parametrize("memory", ["{", "[]", '{"/a": 3}', ""])
def test_a_damaged_memory_is_started_anew(
    path: Path, home: Path, monkeypatch: pytest.MonkeyPatch, memory: str
) -> None:
    (home / "cache" / "mmgraph").mkdir(parents=True)
    (home / "cache" / "mmgraph" / "verified.json").write_text(memory)
    verify(path, entry(), remedy="")
    forbid_hashing(monkeypatch)
    verify(path, entry(), remedy="")


def test_vanished_files_are_forgotten(path: Path, tmp_path: Path, home: Path) -> None:
    verify(path, entry(), remedy="")
    other = path.rename(tmp_path / "b")
    verify(other, entry(), remedy="")
    memory = (home / "cache" / "mmgraph" / "verified.json").read_text()
    assert str(other) in memory
    assert str(path) not in memory


def test_works_without_a_cache_folder(path: Path, home: Path) -> None:
    home.mkdir()
    (home / "cache").write_text("in the way")
    verify(path, entry(), remedy="")
    verify(path, entry(), remedy="")
