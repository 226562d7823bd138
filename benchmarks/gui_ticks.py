"""How late the event loop of the window gets while another process trains, lays a graph out, or compiles kernels.

    python benchmarks/gui_ticks.py [--seconds 30] [--recipe digits-graph] [--threads 1] [--views filters graph]
    python benchmarks/gui_ticks.py --layout 20000 100000
    python benchmarks/gui_ticks.py --first-start

A timer of 5 ms notes how much later than that it fires. An empty event loop on the same machine at the same time
(a process of its own) shows how much of it is the machine's doing; the processor time of the UI thread from tick to
tick shows what the window itself would cost on a machine of its own, and the time it could have run while others had
the processors how much of the lateness is the load (Linux). Target: no tick more than 50 ms late.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

INTERVAL = 0.005
TARGET = 0.050


class Ticks:
    """Measures from `begin` on, per tick: seconds beyond the interval; processor seconds of this thread, and
    seconds it was kept from a processor.
    """

    def __init__(self) -> None:
        from PySide6.QtCore import Qt, QTimer

        self.late: list[float] = []
        self.busy: list[float] = []
        self.queued: list[float] = []
        self._last = self._used = self._queued = 0.0
        self._schedule = Path(f"/proc/self/task/{threading.get_native_id()}/schedstat")
        self._timer = QTimer(timerType=Qt.TimerType.PreciseTimer, interval=round(INTERVAL * 1000))
        self._timer.timeout.connect(self._tick)

    def begin(self) -> None:
        self._last, self._used, self._queued = time.perf_counter(), time.thread_time(), self._waited()
        self._timer.start()

    def _tick(self) -> None:
        now, used, queued = time.perf_counter(), time.thread_time(), self._waited()
        self.late.append(now - self._last - INTERVAL)
        self.busy.append(used - self._used)
        self.queued.append(queued - self._queued)
        self._last, self._used, self._queued = now, used, queued

    def _waited(self) -> float:
        """Seconds this thread could have run while others had the processors; 0 where the system does not say."""
        return int(self._schedule.read_text().split()[1]) / 1e9 if self._schedule.exists() else 0.0


def row(name: str, late: list[float]) -> str:
    """One line of the table, in milliseconds."""
    values = np.array(late) * 1000
    high = int((values > TARGET * 1000).sum())
    return (
        f"{name:<26}{len(values):>8}{np.median(values):>9.1f}{np.percentile(values, 99):>9.1f}"
        f"{values.max():>9.1f}{high:>12}"
    )


def measure_empty(seconds: float) -> list[float]:
    """An event loop with nothing to do but the timer."""
    from PySide6.QtCore import QCoreApplication, QTimer

    application = QCoreApplication([])
    ticks = Ticks()
    ticks.begin()
    QTimer.singleShot(round(seconds * 1000), application.quit)
    application.exec()
    return ticks.late


def measure_window(
    seconds: float, recipe: str, root: Path, threads: int | None = None, views: Sequence[str] = ()
) -> tuple[Ticks, int, int]:
    """The window following a training it has started, with its default views or these in front.

    Also returns the steps and snapshots seen.
    """
    from PySide6.QtCore import QSettings, QTimer
    from PySide6.QtWidgets import QApplication

    from mmgraph_gui.app import show
    from mmgraph_gui.frame.window import MainWindow

    application = QApplication([])
    settings = QSettings(str(root / "settings.ini"), QSettings.Format.IniFormat)
    window = MainWindow(root / "runs", settings)
    window.resize(1200, 800)
    collector = show(window)
    for view in views:
        window.area.show_view(view)
    ticks = Ticks()
    window.follower.opened.connect(ticks.begin)
    window.follower.opened.connect(lambda: QTimer.singleShot(round(seconds * 1000), window.stop))
    window.follower.opened.connect(lambda: QTimer.singleShot(round(seconds * 1000) + 500, application.quit))
    window.start(recipe, {"threads": threads} if threads else {})
    application.exec()
    collector.close()
    status, snapshots = window.state.status, len(window.state.steps())
    while window.launcher.is_training:
        application.processEvents()
        time.sleep(INTERVAL)
    window.close()
    return ticks, 0 if status is None else status.step, snapshots


def measure_layout(root: Path, nodes: int, edges: int) -> tuple[Ticks, float, int]:
    """The window with the graph of a run in front, from the opening of the run until the graph is laid out.

    Also returns the seconds that took and how many pictures of it were seen on the way.
    """
    from PySide6.QtCore import QSettings, QTimer
    from PySide6.QtWidgets import QApplication

    from mmgraph.runs import ItemSet, RunWriter, Snapshot
    from mmgraph_gui.app import show
    from mmgraph_gui.frame.window import MainWindow

    os.environ["XDG_CACHE_HOME"] = str(root / "cache")  # laid out anew, not as it lay the last time
    rng = np.random.default_rng(0)
    at = rng.integers(0, nodes, edges)
    index = np.stack([at, (at + rng.integers(1, 60, edges)) % nodes]).astype(np.int32)
    with RunWriter.create(root, "graph", {"run": {"recipe": "benchmark"}}) as run:
        run.items(ItemSet(labels=at[:nodes] % 10, class_names=tuple("0123456789")))
        run.snapshots(1, [Snapshot("graph", "graph", index, items="items")], wait=True)
    application = QApplication([])
    window = MainWindow(root, QSettings(str(root / "settings.ini"), QSettings.Format.IniFormat))
    window.resize(1200, 800)
    collector = show(window)
    view = window.area.show_view("graph")
    pictures, began = 0, 0.0

    place = view.place_points

    def placed(cloud: object) -> None:
        nonlocal pictures, began
        place(cloud)
        pictures += 1
        if view.layout_now.done:
            began = time.perf_counter() - began
            QTimer.singleShot(500, application.quit)

    def begin() -> None:
        nonlocal began
        began = time.perf_counter()
        ticks.begin()

    ticks = Ticks()
    view.place_points = placed
    QTimer.singleShot(2000, lambda: (begin(), window.open_run(run.folder)))
    application.exec()
    collector.close()
    window.close()
    return ticks, began, pictures


def measure_first_start(root: Path) -> tuple[Ticks, float]:
    """The window from the moment it is shown, without compiled kernels on disk, until all it draws with are loaded.

    Also returns the seconds that took.
    """
    from PySide6.QtCore import QSettings, QTimer
    from PySide6.QtWidgets import QApplication

    from mmgraph_gui.app import show
    from mmgraph_gui.frame.window import MainWindow
    from mmgraph_gui.warm_up import DELAY_MILLISECONDS

    application = QApplication([])
    window = MainWindow(root / "runs", QSettings(str(root / "settings.ini"), QSettings.Format.IniFormat))
    window.resize(1200, 800)
    began = time.perf_counter()
    collector = show(window)
    ticks = Ticks()
    ready = QTimer(interval=20)

    def look() -> None:
        if not window.follower.is_busy:
            application.quit()

    ready.timeout.connect(look)
    QTimer.singleShot(0, ticks.begin)
    QTimer.singleShot(DELAY_MILLISECONDS + 200, ready.start)
    application.exec()
    taken = time.perf_counter() - began
    collector.close()
    window.close()
    return ticks, taken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--recipe", default="digits-graph")
    parser.add_argument("--threads", type=int, help="processor threads of the training")
    parser.add_argument("--views", nargs="*", default=[], help="views to bring to the front")
    parser.add_argument("--layout", nargs=2, type=int, metavar=("NODES", "EDGES"), help="lay a graph out")
    parser.add_argument("--first-start", action="store_true", help="no compiled kernels are on disk yet")
    parser.add_argument("--empty", action="store_true", help="measure an empty loop and print its ticks")
    given = parser.parse_args()
    if given.empty:
        print(*measure_empty(given.seconds))
        return
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, "--empty", "--seconds", str(given.seconds + 10)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as empty:
            if given.first_start:
                os.environ["NUMBA_CACHE_DIR"] = str(Path(folder, "kernels"))
                ticks, seconds = measure_first_start(Path(folder))
                done = f"ready to draw {seconds:.1f} s after the window was shown"
            elif given.layout:
                nodes, edges = given.layout
                ticks, seconds, pictures = measure_layout(Path(folder), nodes, edges)
                done = f"{nodes:,} nodes and {edges:,} edges laid out in {seconds:.1f} s, {pictures} pictures"
            else:
                ticks, steps, snapshots = measure_window(
                    given.seconds, given.recipe, Path(folder), given.threads, given.views
                )
                views = " and ".join(given.views) or "Metrics and Embedding"
                followed = f"{steps:,} steps and {snapshots} snapshots followed in {given.seconds:g} s"
                done = f"{views}, {given.recipe}: {followed}"
            words = empty.communicate()[0].split()
        idle = [float(word) for word in words]
    print(done)
    print(f"{'lateness in ms':<26}{'ticks':>8}{'median':>9}{'99 %':>9}{'latest':>9}{'over 50 ms':>12}")
    print(row("window", ticks.late))
    print(row("empty loop beside it", idle))
    print(row("its own processor time", ticks.busy))
    if any(ticks.queued):
        print(row("others had the processors", ticks.queued))
    met = "met" if max(ticks.late) <= TARGET else "missed"
    print(f"target: none over 50 ms: {met}; load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
