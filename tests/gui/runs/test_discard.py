from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mmgraph.errors import NotARunError, RunBusyError, RunError
from mmgraph.runs import RunWriter, is_run
from mmgraph_gui.runs.discard import discard_run, has_trash


def test_for_good(digits_run):
    discard_run(digits_run, trash=False)
    assert not digits_run.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="looks into the trash of freedesktop.org")
@pytest.mark.skipif(not has_trash(), reason="send2trash is not installed")
def test_the_trash_keeps_all_of_it(digits_run, tmp_path):
    home = tmp_path / "share"
    script = "import sys; from mmgraph_gui.runs.discard import *; discard_run(Path(sys.argv[1]), trash=True)"
    environment = {**os.environ, "XDG_DATA_HOME": str(home)}
    subprocess.run([sys.executable, "-c", script, str(digits_run)], env=environment, check=True)
    assert not digits_run.exists()
    assert is_run(home / "Trash" / "files" / digits_run.name)


def test_a_trash_that_does_not_take_it_leaves_it_where_it_is(digits_run, monkeypatch):
    import send2trash

    def refuse(path: str) -> None:
        raise OSError("no trash on this disk")

    monkeypatch.setattr(send2trash, "send2trash", refuse)
    with pytest.raises(RunError, match="no trash on this disk"):
        discard_run(digits_run, trash=True)
    assert is_run(digits_run)


@pytest.mark.parametrize("trash", [True, False])
def test_what_is_no_run_or_is_being_trained_stays(tmp_path, trash):
    (tmp_path / "photos").mkdir()
    with pytest.raises(NotARunError):
        discard_run(tmp_path / "photos", trash=trash)
    assert (tmp_path / "photos").exists()
    with RunWriter.create(tmp_path, "live", {}) as run:
        with pytest.raises(RunBusyError):
            discard_run(run.folder, trash=trash)
        assert is_run(Path(run.folder))
