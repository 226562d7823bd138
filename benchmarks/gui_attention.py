"""Seconds and memory from opening a run with large attention maps to its pictures on screen.

    python benchmarks/gui_attention.py [--layers 12] [--heads 12] [--tokens 512] [--runs 7]

The Attention view is opened on a run with two steps of that attention; then the other step is shown. Beside it, what
a view in a notebook does before a browser has drawn anything: all weights in memory and as JSON. Targets: below 1 s,
below 500 MB more than the empty window.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from mmgraph.runs import RunReader, RunWriter, Snapshot

TARGET_SECONDS, TARGET_MEGABYTES = 1.0, 500


def write_run(root: Path, layers: int, heads: int, tokens: int) -> Path:
    """Two steps of attention that looks like that of a language model: local, with some columns that all look at."""
    generator = np.random.default_rng(0)
    near = -np.abs(np.arange(tokens)[:, None] - np.arange(tokens))
    with RunWriter.create(root, "transformer", {"run": {"recipe": "benchmark"}}) as run:
        for step in (1, 2):
            snapshots = []
            for layer in range(layers):
                scores = near * generator.uniform(0.01, 1, (heads, 1, 1)) + generator.normal(
                    size=(heads, 1, tokens)
                )
                raised = np.exp(scores - scores.max(axis=2, keepdims=True))
                weights = (raised / raised.sum(axis=2, keepdims=True)).astype(np.float32)
                snapshots.append(Snapshot("attention", f"layers.{layer}", weights))
            run.snapshots(step, snapshots, wait=True)
    return run.folder


def resident() -> float:
    """Megabytes that this process holds now (Linux), mapped files that it has read included."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def as_json(path: Path) -> None:
    """What a notebook view does: every weight in memory, rounded, as JSON for a browser."""
    before, started = resident(), time.perf_counter()
    with RunReader(path) as reader:
        infos = reader.snapshots(kind="attention", step=1)
        weights = np.stack([reader.load(info).array for info in infos])
        text = json.dumps(weights.round(3).tolist())
    took = time.perf_counter() - started
    print(json.dumps({"seconds": took, "megabytes": resident() - before, "text": len(text)}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--layers", type=int, default=12)
    parser.add_argument("--heads", type=int, default=12)
    parser.add_argument("--tokens", type=int, default=512)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--json", type=Path, help="measure the peer on a run, print and end")
    given = parser.parse_args()
    if given.json:
        as_json(given.json)
        return
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    with tempfile.TemporaryDirectory() as folder:
        path = write_run(Path(folder), given.layers, given.heads, given.tokens)
        size = sum(file.stat().st_size for file in (path / "snapshots").iterdir()) / 2**20 / 2
        rows = measure(path, given.runs)
        command = [sys.executable, __file__, "--json", str(path)]
        peer = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    print(f"{given.layers} layers × {given.heads} heads × {given.tokens} tokens: {size:,.0f} MB a step")
    print(f"{'seconds until on screen':<38}{'median':>8}{'fastest':>9}{'slowest':>9}{'MB more':>9}")
    for name, (seconds, megabytes) in rows.items():
        print(
            f"{name:<38}{statistics.median(seconds):>8.2f}{min(seconds):>9.2f}{max(seconds):>9.2f}"
            f"{max(megabytes):>9.0f}"
        )
    print(
        f"{'all weights as JSON, without a browser':<38}{peer['seconds']:>8.2f}{'':>18}{peer['megabytes']:>9.0f}"
        f"   ({peer['text'] / 2**20:,.0f} MB of text)"
    )
    seconds = max(statistics.median(rows[name][0]) for name in rows)
    megabytes = max(max(rows[name][1]) for name in rows)
    met = "met" if seconds < TARGET_SECONDS and megabytes < TARGET_MEGABYTES else "missed"
    print(
        f"targets: below {TARGET_SECONDS:g} s and {TARGET_MEGABYTES} MB: {met}; "
        f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    )


def measure(path: Path, runs: int) -> dict[str, tuple[list[float], list[float]]]:
    """Seconds and megabytes of each thing that is shown, over some windows; the first window is not counted."""
    from PySide6.QtCore import QSettings
    from PySide6.QtWidgets import QApplication

    application = QApplication([])
    settings = QSettings(str(path.parent / "settings.ini"), QSettings.Format.IniFormat)
    rows: dict[str, tuple[list[float], list[float]]] = {}
    for number in range(runs + 1):
        for name, seconds, megabytes in look(application, settings, path):
            if number:
                kept = rows.setdefault(name, ([], []))
                kept[0].append(seconds)
                kept[1].append(megabytes)
    return rows


def look(application: Any, settings: Any, path: Path) -> Iterator[tuple[str, float, float]]:
    """One window, with one thing after the other shown in it."""
    from PySide6.QtCore import QEventLoop

    from mmgraph_gui.frame.window import MainWindow
    from mmgraph_gui.views.attention.view import AttentionView

    window = MainWindow(path.parent, settings)
    window.resize(1200, 800)
    window.show()
    view = window.area.show_view("attention")
    assert isinstance(view, AttentionView)
    application.processEvents()
    before = resident()

    def timed(name: str, act: Callable[[], object], shown: Callable[[], bool]) -> tuple[str, float, float]:
        started = time.perf_counter()
        act()
        while not shown():
            application.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
        view.grab()
        return name, time.perf_counter() - started, resident() - before

    def all_heads(step: int) -> bool:
        return view.heads is not None and view.heads.step == step and view.heads.complete

    def rolled_out() -> bool:
        return view.map is not None and view.map.layers > 0

    yield timed("run opened, mean of all heads", lambda: window.open_run(path), lambda: view.map is not None)
    yield timed(
        "one head", lambda: window.state.set_head(3), lambda: view.map is not None and view.map.head == 3
    )
    yield timed("every head of every layer", view.toggle_heads, lambda: all_heads(2))
    yield timed("every head, other step", lambda: window.state.set_step(1), lambda: all_heads(1))
    assert view.heads is not None
    window.state.set_layer("attention", view.heads.layers[-1])
    place = view.head_box.findData("rollout")
    yield timed("rollout of all layers", lambda: view.head_box.activated.emit(place), rolled_out)
    window.close()
    window.deleteLater()
    application.processEvents()


if __name__ == "__main__":
    main()
