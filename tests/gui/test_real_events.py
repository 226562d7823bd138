"""A session as a person has it: a real window on a real X server, moved by its mouse and keyboard alone.

Start a run, stop it, scrub, draw a lasso, export, close, reopen: what was selected is still selected.
"""

from __future__ import annotations

import csv
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mmgraph.runs import RunReader, find_runs

NEEDED = ("Xvfb", "xdotool")

pytestmark = [
    pytest.mark.skipif(any(shutil.which(name) is None for name in NEEDED), reason="needs Xvfb and xdotool"),
]


class Person:
    """Presses keys and moves the mouse of one X server."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment

    def xdotool(self, *words: object) -> str:
        command = ["xdotool", *map(str, words)]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
        return done.stdout.strip()

    def windows(self, title: str) -> list[str]:
        return self.xdotool("search", "--onlyvisible", "--name", title).split()

    def look_at(self, title: str) -> None:
        """Wait for a window and give it the keyboard, as a window manager would."""
        wait_for(lambda: self.windows(title))
        self.xdotool("windowfocus", self.windows(title)[-1])

    def keys(self, *keys: str) -> None:
        for key in keys:
            self.xdotool("key", "--clearmodifiers", key)

    def types(self, text: str) -> None:
        self.xdotool("type", "--delay", 30, text)

    def drag(self, places: list[tuple[int, int]]) -> None:
        (x, y), *rest = places
        self.xdotool("mousemove", x, y)
        self.xdotool("mousedown", 1)
        for x, y in rest:
            self.xdotool("mousemove", x, y)
            time.sleep(0.03)  # a hand is not faster, and X leaves out places that are passed at once
        self.xdotool("mouseup", 1)


def wait_for(found: Callable[[], object], patience: float = 180.0) -> None:
    """Wait until something is so; a session whose window hangs must end some time."""
    end = time.monotonic() + patience
    while not found():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.1)


@pytest.fixture
def person(tmp_path: Path) -> Iterator[Person]:
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "1400x900x24", "-nolisten", "tcp"]
    server = subprocess.Popen(
        command, pass_fds=(write,), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    os.close(write)
    with os.fdopen(read) as numbers:
        display = numbers.readline().strip()
    settings = {"XDG_CONFIG_HOME": str(tmp_path / "settings"), "HOME": str(tmp_path)}
    yield Person({**os.environ, **settings, "DISPLAY": f":{display}", "QT_QPA_PLATFORM": "xcb"})
    server.terminate()
    server.wait()


@pytest.fixture
def start(person: Person, tmp_path: Path) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    started = []

    def begin() -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "mmgraph", "gui", "--runs", str(tmp_path / "runs")]
        started.append(subprocess.Popen(command, env=person.environment))
        person.look_at("mmgraph")
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        process.wait()
    for run in find_runs(tmp_path / "runs"):  # a failed test leaves no training behind
        with RunReader(run) as reader:
            if reader.status().is_live:
                os.kill(reader.status().pid, signal.SIGTERM)


def exported(person: Person, path: Path) -> list[list[str]]:
    """What the current view writes as CSV, by its dialog."""
    path.unlink(missing_ok=True)
    person.keys("ctrl+e")
    person.look_at("Export")
    person.keys("ctrl+a")
    person.types(str(path))
    person.keys("Return")
    wait_for(lambda: path.is_file() and path.read_text())
    person.look_at("mmgraph")
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def test_start_stop_scrub_lasso_export_close_reopen(person, start, tmp_path):
    window = start()
    person.keys("ctrl+n")
    person.look_at("New run")
    person.keys("Return")
    wait_for(lambda: find_runs(tmp_path / "runs"))
    (folder,) = find_runs(tmp_path / "runs")
    with RunReader(folder) as run:
        wait_for(lambda: run.status().step >= 5 and len(run.snapshots(kind="embedding")) >= 2)
        person.look_at("digits-graph")
        person.keys("ctrl+period")
        wait_for(lambda: run.status().state == "stopped")

    person.keys("Home", "Right")
    first: list[list[str]] = []

    def some_are_inside() -> bool:
        """Draw a lasso and see what it selected; keys and mouse may overtake a busy window, so it may take two."""
        person.keys("ctrl+2", "l")
        person.drag([(880, 320), (1080, 320), (1080, 560), (880, 560), (880, 330)])
        person.keys("ctrl+6")
        first[:] = exported(person, tmp_path / "first.csv")
        return 1 < len(first) < 1798

    wait_for(some_are_inside)

    person.keys("ctrl+q")
    assert window.wait(60) == 0

    start()
    person.look_at("digits-graph")
    person.keys("ctrl+6")
    second = exported(person, tmp_path / "second.csv")
    assert [row[0] for row in second] == [row[0] for row in first]
