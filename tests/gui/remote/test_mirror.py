"""Runs on another machine: the real rsync and sftp through a program `ssh` that runs the other side on this machine."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QSettings

from mmgraph.errors import ConfigError
from mmgraph.runs import RunNotes, RunReader, RunWriter, Snapshot, find_runs, write_notes
from mmgraph_gui.frame.window import MainWindow
from mmgraph_gui.remote import mirror as mirrors
from mmgraph_gui.remote.address import Address, Fetcher
from mmgraph_gui.remote.mirror import Mirror

SSH = """#!/bin/sh
echo "$@" >> "$(dirname "$0")/log"
while [ $# -gt 0 ]; do
    case "$1" in
        -o|-p|-l) shift 2 ;;
        -*) shift ;;
        *) break ;;
    esac
done
host="$1"; shift
case "$host" in
    nowhere) echo "ssh: Could not resolve hostname nowhere: Name or service not known" >&2; exit 255 ;;
    closed) echo "me@closed: Permission denied (publickey)." >&2; exit 255 ;;
    bare) if [ "$1" != sftp ]; then echo "sh: rsync: not found" >&2; exit 127; fi ;;
    hangs) exec sleep 1000 ;;
esac
if [ "$1" = sftp ]; then exec SFTP_SERVER; fi
exec sh -c "$*"
"""
PLACES = ("/usr/lib/openssh", "/usr/libexec", "/usr/libexec/openssh", "/usr/lib/ssh", "/usr/lib")
SFTP_SERVER = next((f"{place}/sftp-server" for place in PLACES if Path(place, "sftp-server").is_file()), "")

needs_rsync = pytest.mark.skipif(shutil.which("rsync") is None, reason="rsync is not installed")
needs_sftp = pytest.mark.skipif(not (SFTP_SERVER and shutil.which("sftp")), reason="sftp is not installed")
either_way = pytest.mark.parametrize(
    "by_sftp", [pytest.param(False, marks=needs_rsync), pytest.param(True, marks=needs_sftp)]
)


@pytest.fixture
def ssh(tmp_path, monkeypatch):
    """Put a program called ssh first on the path; returns what it was called with."""
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "ssh").write_text(SSH.replace("SFTP_SERVER", SFTP_SERVER))
    (programs / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(mirrors, "SECONDS", 0.1)
    return programs / "log"


@pytest.fixture
def follow(qapp, tmp_path, ssh):
    """`follow("host", path)`: a mirror of a folder that has been started."""
    made = []

    def start(host: str, path: Path | str, **others: object) -> Mirror:
        mirror = Mirror(Address.parse(f"ssh://{host}{path}"), tmp_path / "cache")
        made.append(mirror)
        return mirror

    yield start
    for mirror in made:
        mirror.close()


@pytest.mark.parametrize(
    ("text", "host", "port", "path", "name"),
    [
        ("ssh://box/data/runs", "box", None, "/data/runs", "runs"),
        ("ssh://me@box:2222/data/my%20runs/", "me@box", 2222, "/data/my runs", "my runs"),
        ("ssh://box/~/runs", "box", None, "runs", "runs"),
        ("ssh://[::1]/x", "::1", None, "/x", "x"),
    ],
)
def test_addresses(text, host, port, path, name):
    address = Address.parse(text)
    assert (address.host, address.port, address.below_home, address.name) == (host, port, path, name)


@pytest.mark.parametrize(
    "text",
    [
        "", "box:/runs", "ssh://", "ssh://box", "ssh://box/", "ssh://-oProxyCommand=x/runs", "ssh://-l@box/runs",
        "ssh://a b/runs", "ssh://box:port/runs", "ssh://box/a%0Ab", "http://box/runs", "ssh://$(x)/runs",
        "ssh://box/runs?x=1",
    ],
)  # fmt: skip
def test_what_is_no_address_or_an_option_of_ssh_is_refused(text):
    with pytest.raises(ConfigError, match="ssh://host/path"):
        Address.parse(text)


@either_way
def test_a_folder_of_runs_is_copied_and_stays_up_to_date(qtbot, follow, ssh, tmp_path, write_run, by_sftp):
    there = tmp_path / "there $HOME" / "my runs"
    done = write_run(there, "done", steps=(10, 20))
    write_notes(done, RunNotes(("remote",)))
    (done / "checkpoints").mkdir(exist_ok=True)
    (done / "checkpoints" / "last.safetensors").write_bytes(b"x" * 1000)
    (there / "holiday.jpg").write_bytes(b"x")
    live = RunWriter.create(there, "live", {})
    live.scalars(1, {"train/loss": 1.0})
    live.flush()
    address = str(there).replace(" ", "%20").replace("$", "%24")
    mirror = follow("me@box:2222", address)
    mirror._fetcher.by_sftp = by_sftp
    with qtbot.waitSignal(mirror.ready, timeout=30_000):
        mirror.start()
    assert {path.name for path in find_runs(mirror.folder)} == {"done", "live"}
    assert mirror.covers(mirror.folder / "done")
    assert not mirror.covers(done)
    with RunReader(mirror.folder / "done") as here, RunReader(done) as original:
        assert here.poll().scalars.keys() == original.poll().scalars.keys()
        for info in here.snapshots():
            here.load(info)
        assert len(here.items("items")) == 300
    assert not (mirror.folder / "done" / "checkpoints").exists()
    assert not (mirror.folder / "holiday.jpg").exists()
    assert "2222" in ssh.read_text()
    with RunReader(mirror.folder / "live") as reader:
        update = reader.poll()
        for step in range(2, 6):
            live.scalars(step, {"train/loss": 1 / step})
            live.snapshots(step, [Snapshot("matrix", "m", np.full((1, 1), step))], wait=True)
            live.flush()
            seen: list[float] = []

            def arrived(step=step, seen=seen) -> bool:
                nonlocal update
                update = reader.poll(update.cursor)
                seen += [*update.scalars.get("train/loss", _NONE).value]
                return seen[-1:] == [1 / step]

            qtbot.waitUntil(arrived, timeout=20_000)
            reader.load(reader.snapshots()[-1])
        live.close("finished")
        qtbot.waitUntil(lambda: reader.status().state == "finished", timeout=20_000)
    shutil.rmtree(done)
    qtbot.waitUntil(lambda: not (mirror.folder / "done").exists(), timeout=20_000)


@needs_rsync
def test_numbers_are_whole_whenever_they_are_copied(qtbot, follow, tmp_path, monkeypatch):
    """A writer that often begins its log anew: every copy is a sound database whose numbers have no gap."""
    monkeypatch.setattr(mirrors, "SECONDS", 0.01)
    there = tmp_path / "there"
    run = RunWriter.create(there, "run", {})
    mirror = follow("box", there)
    mirror.start()
    database = sqlite3.connect(run.folder / "run.db", isolation_level=None)
    step, begun, pause, seen = 0, time.monotonic(), 0.2, set()
    while len(seen) < 5:
        for _ in range(100):
            step += 1
            run.scalars(step, {"x": float(step)})
        run.flush()
        if time.monotonic() - begun > pause:  # less and less often: some copies fall into it, others do not
            begun, pause = time.monotonic(), 1.3 * pause
            database.execute("PRAGMA wal_checkpoint(RESTART)").fetchall()
        copy = mirror.folder / "run"
        if (copy / "run.db").exists():
            with RunReader(copy) as reader:
                steps = reader.poll().scalars["x"].step.tolist() if reader.tags() else []
            assert steps == list(range(1, len(steps) + 1))
            if steps:
                seen.add(len(steps))
        qtbot.wait(1)
    database.close()
    run.close("finished")


@pytest.mark.parametrize(
    "host", [pytest.param("box", marks=needs_rsync), pytest.param("bare", marks=[needs_rsync, needs_sftp])]
)
def test_one_run_is_copied_too_and_without_rsync_over_there(qtbot, follow, digits_run, host):
    mirror = follow(host, digits_run)
    with qtbot.waitSignal(mirror.ready, timeout=30_000):
        mirror.start()
    with RunReader(mirror.folder) as reader:
        assert reader.status().state == "finished"
        reader.load(reader.snapshots()[-1])


@needs_rsync
@pytest.mark.parametrize(
    ("host", "folder", "told"),
    [
        ("nowhere", "x", "Could not resolve hostname"),
        ("closed", "x", "Log in once with 'ssh closed'"),
        ("box", "missing", "No such file or directory"),
        ("box", "empty", "holds no runs"),
    ],
)
def test_what_goes_wrong_is_told_once(qtbot, follow, tmp_path, host, folder, told):
    (tmp_path / "empty").mkdir()
    mirror, texts = follow(host, tmp_path / folder), []
    mirror.failed.connect(texts.append)
    with qtbot.waitSignal(mirror.failed, timeout=30_000):
        mirror.start()
    assert told in texts[0]
    qtbot.wait(1)
    assert len(texts) == 1


@needs_rsync
def test_it_goes_on_when_the_other_machine_is_back(qtbot, follow, tmp_path, digits_run):
    mirror = follow("box", digits_run.parent)
    with qtbot.waitSignal(mirror.ready, timeout=30_000):
        mirror.start()
    away = digits_run.parent.with_name("away")
    with qtbot.waitSignal(mirror.failed, timeout=30_000):
        digits_run.parent.rename(away)
    assert RunReader(mirror.folder / "digits").status().state == "finished"
    with qtbot.waitSignal(mirror.recovered, timeout=30_000):
        away.rename(digits_run.parent)


def test_a_connection_that_hangs_is_ended_with_the_window(qtbot, follow, ssh):
    if shutil.which("rsync") is None:
        pytest.skip("rsync is not installed")
    mirror = follow("hangs", "/x")
    mirror.start()
    qtbot.waitUntil(ssh.exists, timeout=20_000)
    mirror.close()
    assert mirror.isFinished()


@needs_sftp
@pytest.mark.parametrize(
    ("host", "folder", "told"),
    [
        ("nowhere", "x", "Could not resolve hostname"),
        ("box", "missing", "not found"),
        ("box", "empty", "holds no runs"),
    ],
)
def test_what_goes_wrong_with_sftp_is_told_too(qtbot, follow, tmp_path, host, folder, told):
    (tmp_path / "empty").mkdir()
    mirror = follow(host, tmp_path / folder)
    mirror._fetcher.by_sftp = True
    with qtbot.waitSignal(mirror.failed, timeout=30_000) as failed:
        mirror.start()
    assert told in failed.args[0]


def test_without_rsync_and_sftp_it_says_what_to_install(qtbot, follow, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    mirror = follow("box", "/x")
    with qtbot.waitSignal(mirror.failed) as told:
        mirror.start()
    assert "needs the program" in told.args[0]


@needs_rsync
def test_a_file_as_large_as_before_that_changed_in_the_same_second_is_copied(ssh, tmp_path):
    there, here = tmp_path / "there" / "run", tmp_path / "here"
    there.mkdir(parents=True)
    fetcher = Fetcher(Address.parse(f"ssh://box{there.parent}"))
    second = 1_700_000_000 * 10**9
    for content, nanoseconds in ((b"before", 1_000_000), (b"behind", 400_000_000)):
        (there / "run.db").write_bytes(content)
        os.utime(there / "run.db", ns=(second + nanoseconds, second + nanoseconds))
        fetcher.databases(here)
        assert (here / "run" / "run.db").read_bytes() == content


@needs_rsync
def test_the_window_shows_a_run_of_another_machine_and_changes_nothing(
    qtbot, ssh, tmp_path, write_run, monkeypatch
):
    monkeypatch.setattr(mirrors, "user_cache_dir", lambda *_, **__: str(tmp_path / "cache"))
    there = write_run(tmp_path / "there", "far", steps=(10, 20), close=False)
    settings = QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)
    window = MainWindow(tmp_path / "here", settings)
    qtbot.addWidget(window)
    window.show()
    try:
        window.remote.open(f"ssh://box{there.folder.parent}")
        qtbot.waitUntil(lambda: [e.path.name for e in window.runs.entries] == ["far"], timeout=30_000)
        copy = window.runs.entries[0].path
        window.open_run(copy)
        qtbot.waitUntil(lambda: window.state.status is not None and window.state.step == 20, timeout=20_000)
        assert not window.actions_["stop"].isEnabled()
        assert window.run_dock.windowTitle() == "Runs on box, only to be looked at"
        assert window.windowTitle() == "far on box – mmgraph"
        assert window.actions_["run-list"].text() == "Run &list"
        for name in ("notes", "resume", "stop", "delete"):
            window.deeds.do(name, copy)
            assert "only to be looked at" in window.banner.text
            window.banner.hide()
        assert window.remote.root == tmp_path / "here"
        there.scalars(30, {"train/loss": 0.125})
        there.close("stopped")
        qtbot.waitUntil(lambda: window.state.status.state == "stopped", timeout=20_000)
        assert window.state.series["train/loss"].value[-1] == 0.125
        window.opening.open([there.folder.parent])
        qtbot.waitUntil(lambda: window.run_dock.windowTitle() == "Runs")
        window.remote.open("ssh://-oProxyCommand=evil/x")
        assert "ssh://host/path" in window.banner.text
        window.remote.open("ssh://nowhere/x")
        qtbot.waitUntil(lambda: "Could not resolve hostname" in window.banner.text, timeout=20_000)
    finally:
        window.close()


class _None:
    value: tuple[float, ...] = ()


_NONE = _None()
