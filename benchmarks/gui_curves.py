"""How fast many long curves move: a plot of the Metrics view beside pyqtgraph's stock PlotDataItem.

    python benchmarks/gui_curves.py [--curves 50] [--points 100000] [--frames 30]

Both draw the same random walks at 1200 × 800 and show half of their length, which moves a little with each frame; a
frame is the time from the wish to move to the end of painting. Beside it stands the processor time of the UI thread,
which is what a frame takes where nothing else runs. The peer draws as it comes, and with its options for
long curves (down-sampled to peaks, clipped to the view). Frames of all are interleaved; medians. Target: 30 frames/s.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable

import numpy as np

SIZE = (1200, 800)
TARGET = 30.0


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--curves", type=int, default=50)
    parser.add_argument("--points", type=int, default=100_000)
    parser.add_argument("--frames", type=int, default=30)
    arguments = parser.parse_args()
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtWidgets import QApplication

    app = QApplication([])
    rng = np.random.default_rng(0)
    walks = rng.normal(size=(arguments.curves, arguments.points)).cumsum(axis=1)
    movers = {
        "mmgraph": ours(app, walks),
        "pyqtgraph, peaks and clipped": peer(app, walks, tuned=True),
        "pyqtgraph as it comes": peer(app, walks, tuned=False),
    }
    spent: dict[str, list[tuple[float, float]]] = {name: [] for name in movers}
    for frame in range(arguments.frames):
        low = arguments.points * (0.1 + 0.3 * frame / arguments.frames)
        for name, move in movers.items():
            if "as it comes" in name and frame >= 3:
                continue  # seconds each
            began, used = time.perf_counter(), time.thread_time()
            move(low, low + arguments.points / 2)
            spent[name].append((time.perf_counter() - began, time.thread_time() - used))
    print(f"{arguments.curves} curves of {arguments.points:,} points, pan at {SIZE[0]} x {SIZE[1]}")
    for name, seconds in spent.items():
        wall, used = np.median(np.array(seconds), axis=0)
        print(
            f"{name:<30} {1000 * wall:8.1f} ms a frame  {1 / wall:7.1f} frames/s   "
            f"processor {1000 * used:7.1f} ms  {1 / used:7.1f} frames/s  ({len(seconds)} frames)"
        )
    reached = 1 / np.median(np.array(spent["mmgraph"]), axis=0)
    for what, frames in zip(("time", "processor time"), reached, strict=True):
        print(f"target {TARGET:.0f} frames/s by {what}: {'reached' if frames >= TARGET else 'missed'}")


def ours(app: object, walks: np.ndarray) -> Callable[[float, float], None]:
    """Moves a plot of the Metrics view."""
    from mmgraph.runs import Series
    from mmgraph_gui.drawing.curve import Curve
    from mmgraph_gui.drawing.curves import CurvePlot
    from mmgraph_gui.drawing.theme import Theme

    steps = np.arange(walks.shape[1])
    plot = CurvePlot("walk", Theme())
    plot.resize(*SIZE)
    curves = [
        Curve("validation", Series(steps, steps / 100, steps * 0.1, values), 0.0, f"run {number}", number)
        for number, values in enumerate(walks)
    ]
    first = True
    while first or plot.curves.is_partial:  # as the view does it, a few curves at each rendering
        plot.draw(curves, (0.0, float(walks.shape[1])))
        first = False
    plot.show()
    app.processEvents()  # type: ignore[attr-defined]

    def move(low: float, high: float) -> None:
        plot._show(low, high)
        plot.repaint()

    return move


def peer(app: object, walks: np.ndarray, *, tuned: bool) -> Callable[[float, float], None]:
    """Moves a plot of pyqtgraph."""
    import pyqtgraph as pg

    widget = pg.PlotWidget()
    widget.resize(*SIZE)
    x = np.arange(walks.shape[1], dtype=np.float64)
    for number, values in enumerate(walks):
        item = pg.PlotDataItem(x, values, pen=pg.intColor(number, len(walks)))
        widget.addItem(item)
        if tuned:
            item.setDownsampling(auto=True, method="peak")
            item.setClipToView(True)
    widget.show()
    app.processEvents()  # type: ignore[attr-defined]

    def move(low: float, high: float) -> None:
        widget.setXRange(low, high, padding=0)
        widget.repaint()
        app.processEvents()  # type: ignore[attr-defined]

    return move


if __name__ == "__main__":
    main()
