"""Seconds from opening a long run in the window to its curves on screen.

    python benchmarks/gui_open_run.py [--steps 100000] [--snapshots 200] [--runs 5]

Target: below 2 s for 100,000 steps of 4 numbers and 200 snapshots.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from mmgraph.runs import ItemSet, RunReader, RunWriter, Snapshot

TARGET = 2.0
TAGS = ("train/loss", "validation/loss", "train/accuracy", "validation/accuracy")


def write_run(root: Path, steps: int, snapshots: int) -> Path:
    """A run of that length, with an embedding and a prediction of 2,000 items at each snapshot."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 10, 2000)
    places = set(np.linspace(1, steps, snapshots).astype(int).tolist())
    with RunWriter.create(root, "long", {"run": {"recipe": "benchmark"}}) as run:
        run.items(ItemSet(labels=labels, class_names=tuple("0123456789")))
        for step in range(1, steps + 1):
            run.scalars(step, dict.fromkeys(TAGS, 1 / step + 0.01 * rng.random()), epoch=step / 100)
            if step in places:
                vectors = rng.normal(size=(2000, 64)).astype(np.float32)
                chances = rng.dirichlet(np.ones(10), 2000).astype(np.float32)
                found = [
                    Snapshot("embedding", "encoder", vectors, items="items"),
                    Snapshot("prediction", "output", chances, items="items"),
                ]
                run.snapshots(step, found, wait=True)
        run.status(step=steps, total_steps=steps)
    return run.folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--snapshots", type=int, default=200)
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args()
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

    from PySide6.QtCore import QEventLoop, QSettings
    from PySide6.QtWidgets import QApplication

    from mmgraph_gui.window import MainWindow

    application = QApplication([])
    with tempfile.TemporaryDirectory() as folder:
        path = write_run(Path(folder), given.steps, given.snapshots)
        settings = QSettings(f"{folder}/settings.ini", QSettings.Format.IniFormat)
        drawn, read, reader_alone, processor = [], [], [], []
        for _ in range(given.runs + 1):
            started = time.perf_counter()
            with RunReader(path) as reader:
                reader.poll()
            reader_alone.append(time.perf_counter() - started)
            window = MainWindow(Path(folder), settings)
            window.show()
            application.processEvents()
            metrics = window.area.views["metrics"]
            started, busy = time.perf_counter(), time.process_time()
            window.open_run(path)
            while not window.state.series:
                application.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
            read.append(time.perf_counter() - started)
            while len(metrics.plots) < 2 or metrics.is_pending:
                application.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
            metrics.grab()
            drawn.append(time.perf_counter() - started)
            processor.append(time.process_time() - busy)
            window.close()
            window.deleteLater()
            application.processEvents()
    print(f"{given.steps:,} steps of {len(TAGS)} numbers, {given.snapshots} snapshots")
    print(f"{'seconds until':<34}{'median':>8}{'fastest':>9}{'slowest':>9}")
    for name, times in (
        ("RunReader.poll alone has read it", reader_alone),
        ("the window has read it", read),
        ("the curves are on screen", drawn),
        ("processor seconds until then", processor),
    ):
        kept = times[1:]
        print(f"{name:<34}{statistics.median(kept):>8.2f}{min(kept):>9.2f}{max(kept):>9.2f}")
    met = "met" if statistics.median(drawn[1:]) < TARGET else "missed"
    print(f"target: below {TARGET} s: {met}; load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
