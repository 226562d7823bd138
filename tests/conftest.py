"""What all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("OMP_NUM_THREADS", "1")


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
