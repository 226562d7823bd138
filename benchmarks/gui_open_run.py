"""Seconds from opening a long run in the window to its curves on screen.

    python benchmarks/gui_open_run.py [--steps 100000] [--snapshots 200] [--runs 5]
    python benchmarks/gui_open_run.py --gigabytes 5                 # so much of snapshots; needs as much disk

Target: below 2 s for 100,000 steps of 4 numbers and 200 snapshots, and for a run of 5 GB, with less than 1 GB of
memory (the peak of the whole process).
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mmgraph.runs import ItemSet, RunReader, RunWriter, Snapshot

if TYPE_CHECKING:
    from mmgraph_gui.frame.window import MainWindow

TARGET, MEMORY_TARGET = 2.0, 1e9
ITEMS = 2000
TAGS = ("train/loss", "validation/loss", "train/accuracy", "validation/accuracy")


def write_run(root: Path, steps: int, snapshots: int, gigabytes: float = 0.0) -> Path:
    """A run of that length, with an embedding and a prediction of 2,000 items at each snapshot, and where gigabytes
    are given a second embedding that is as large as it takes."""
    features = round(gigabytes * 1e9 / (snapshots * ITEMS * 4))
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 10, ITEMS)
    large = rng.normal(size=(ITEMS, features)).astype(np.float32)
    places = set(np.linspace(1, steps, snapshots).astype(int).tolist())
    with RunWriter.create(root, "long", {"run": {"recipe": "benchmark"}}) as run:
        run.items(ItemSet(labels=labels, class_names=tuple("0123456789")))
        for step in range(1, steps + 1):
            run.scalars(step, dict.fromkeys(TAGS, 1 / step + 0.01 * rng.random()), epoch=step / 100)
            if step in places:
                vectors = rng.normal(size=(ITEMS, 64)).astype(np.float32)
                chances = rng.dirichlet(np.ones(10), ITEMS).astype(np.float32)
                found = [
                    Snapshot("embedding", "encoder", vectors, items="items"),
                    Snapshot("prediction", "output", chances, items="items"),
                ]
                if features:
                    found.insert(0, Snapshot("embedding", "large", large, items="items"))
                run.snapshots(step, found, wait=True)
        run.status(step=steps, total_steps=steps)
    return run.folder


def peak_memory() -> int | None:
    """Most bytes this process has had in memory, where the system says so (Linux)."""
    status = Path("/proc/self/status")
    if not status.exists():
        return None
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def embedding_is_empty(window: MainWindow) -> bool:
    """Whether the Embedding view has no points yet."""
    view: Any = window.area.views.get("embedding")
    return view is not None and not len(view.points)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--snapshots", type=int, default=200)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--gigabytes", type=float, default=0.0, help="size of the snapshots")
    given = parser.parse_args()
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

    from PySide6.QtCore import QEventLoop, QSettings
    from PySide6.QtWidgets import QApplication

    from mmgraph_gui.frame.window import MainWindow

    application = QApplication([])
    with tempfile.TemporaryDirectory() as folder:
        path = write_run(Path(folder), given.steps, given.snapshots, given.gigabytes)
        size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
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
            while len(metrics.plots) < 2 or metrics.is_pending or embedding_is_empty(window):
                application.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
            metrics.grab()
            drawn.append(time.perf_counter() - started)
            processor.append(time.process_time() - busy)
            window.close()
            window.deleteLater()
            application.processEvents()
    print(f"{given.steps:,} steps of {len(TAGS)} numbers, {given.snapshots} snapshots, {size / 1e9:.2f} GB")
    print(f"{'seconds until':<34}{'median':>8}{'fastest':>9}{'slowest':>9}")
    for name, times in (
        ("RunReader.poll alone has read it", reader_alone),
        ("the window has read it", read),
        ("curves and points are on screen", drawn),
        ("processor seconds until then", processor),
    ):
        kept = times[1:]
        print(f"{name:<34}{statistics.median(kept):>8.2f}{min(kept):>9.2f}{max(kept):>9.2f}")
    memory = peak_memory()
    if memory is not None:
        met = "met" if memory < MEMORY_TARGET else "missed"
        print(f"memory at most {memory / 1e6:,.0f} MB; target: below {MEMORY_TARGET / 1e6:,.0f} MB: {met}")
    met = "met" if statistics.median(drawn[1:]) < TARGET else "missed"
    print(f"target: below {TARGET} s: {met}; load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
