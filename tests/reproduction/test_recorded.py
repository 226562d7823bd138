from __future__ import annotations

import pytest

from mmgraph import __version__
from mmgraph.errors import UnknownNameError
from mmgraph.reproduction.recorded import find, signature
from mmgraph.runs import RunWriter


def record(root, name, options, *, recipe="node-embedding", version=__version__, state="finished"):
    config = {"run": {"recipe": recipe}, "options": options, "environment": {"mmgraph": version}}
    with RunWriter.create(root, name, config) as run:
        run.status(metrics={"test/accuracy": 0.5}, seconds=3.0)
        run.close(state)
    return run.folder


def test_runs_are_found_by_their_options(tmp_path):
    folder = record(tmp_path, "a", {"seed": 3, "threads": 2, "method": "netmf"})
    ((key, found),) = find(tmp_path).items()
    assert key == signature("node-embedding", {"seed": 3, "threads": 2, "method": "netmf"})
    assert (found.folder, found.state, found.seconds) == (folder, "finished", 3.0)
    assert found.metrics == {"test/accuracy": 0.5}


def test_none_is_not_the_default_it_replaced(tmp_path):
    record(tmp_path, "a", {"seed": 3})  # threads is 1 by default, and none in this run
    (key,) = find(tmp_path)
    assert key == signature("node-embedding", {"seed": 3, "threads": None})
    assert key != signature("node-embedding", {"seed": 3})


def test_a_finished_run_goes_before_others_with_equal_options(tmp_path):
    for name, state in (("a", "stopped"), ("b", "finished"), ("c", "failed")):
        record(tmp_path, name, {"seed": 3}, state=state)
    (found,) = find(tmp_path).values()
    assert (found.folder.name, found.state) == ("b", "finished")


def test_what_does_not_count(tmp_path):
    record(tmp_path, "old", {}, version="0.0.1")
    record(tmp_path, "unknown-option", {"colour": "red"})
    record(tmp_path, "bad-value", {"seed": "three"})
    record(tmp_path, "own-loop", {}, recipe="watch")
    with RunWriter.create(tmp_path, "bare", {}):
        pass
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "run.db").write_bytes(b"no database")
    assert find(tmp_path) == {}
    assert find(tmp_path / "nowhere") == {}


def test_unknown_recipe():
    with pytest.raises(UnknownNameError, match="node-embedding"):
        signature("node-embeding", {})
