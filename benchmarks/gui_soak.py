"""Memory of the window while it is used for minutes beside a training run.

    python benchmarks/gui_soak.py [--minutes 10] [--recipe digits-graph]

The window follows a run that another process trains (anew when it ends) while somebody restless goes through the
views, steps, colours, layers, selections and hovers, a few times a second, always in the same order. Memory is that of
the process of the window. Target: after the first fifth, in which caches fill, it grows by no more than 5 %.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from pathlib import Path

TARGET = 0.05
ACTION_MILLISECONDS = 150
CACHES = 0.2
"""Share of the time in which caches fill."""


def resident() -> float:
    """Megabytes of this process in memory (Linux)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--recipe", default="digits-graph")
    given = parser.parse_args()
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

    from PySide6.QtCore import QSettings, QTimer
    from PySide6.QtWidgets import QApplication

    from mmgraph_gui.app import SWITCH_SECONDS
    from mmgraph_gui.collector import Collector
    from mmgraph_gui.frame.window import MainWindow

    sys.setswitchinterval(SWITCH_SECONDS)
    application = QApplication([])
    application.setStyle("Fusion")
    # The last run may still be ending, and writing, when its folder goes.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        window = MainWindow(
            Path(folder) / "runs", QSettings(f"{folder}/settings.ini", QSettings.Format.IniFormat)
        )
        window.resize(1200, 800)
        window.show()
        collector, chance, state = Collector(), random.Random(0), window.state
        samples: list[tuple[float, float]] = []
        problems: list[str] = []
        window.follower.message.connect(problems.append)
        done = {"actions": 0, "runs": 0}
        starting = True
        began = time.monotonic()

        def train() -> None:
            nonlocal starting
            starting = True
            done["runs"] += 1
            window.start(given.recipe, {"threads": 1})

        def appeared(_run: Path) -> None:
            nonlocal starting
            starting = False

        def act() -> None:
            done["actions"] += 1
            status = state.status
            if not starting and status is not None and status.state == "finished" and state.path is not None:
                train()
            rows = len(state.items) if state.items is not None else 0
            kind = done["actions"] % 6
            if kind == 0:
                window.area.show_view(chance.choice(list(window.area.docks)))
            elif kind == 1:
                state.move_step(chance.choice((-3, -1, 1, 3)))
            elif kind == 2 and rows:
                state.select(chance.sample(range(rows), min(rows, 40)))
            elif kind == 3 and (choices := state.colour_choices()):
                state.set_colour_by(chance.choice(choices))
            elif kind == 4 and rows:
                state.hover(chance.randrange(rows))
            elif kind == 5 and (layers := [(k, layer) for k in state.kinds() for layer in state.layers(k)]):
                state.set_layer(*chance.choice(layers))

        def sample() -> None:
            elapsed = time.monotonic() - began
            samples.append((elapsed, resident()))
            if elapsed >= given.minutes * 60:
                window.stop()
                application.quit()

        timers = [QTimer(interval=interval) for interval in (ACTION_MILLISECONDS, 1000)]
        for timer, do in zip(timers, (act, sample), strict=True):
            timer.timeout.connect(do)
            timer.start()
        window.launcher.appeared.connect(appeared)
        train()
        application.exec()
        collector.close()
        window.close()

    full = given.minutes * 60
    parts = [
        [memory for at, memory in samples if full * low <= at < full * high]
        for low, high in ((CACHES, CACHES + 0.2), (0.8, 1.01))
    ]
    first, last = (sorted(part)[len(part) // 2] for part in parts)
    growth = last / first - 1
    print(f"{given.minutes:g} minutes, {done['actions']:,} actions, {done['runs']} runs of {given.recipe}")
    print(
        f"memory, MB: {samples[0][1]:.0f} at the start, median {first:.0f} after caches filled, {last:.0f} at the end"
    )
    print(f"messages of failures: {len(problems)}{': ' + problems[0] if problems else ''}")
    met = "met" if growth <= TARGET else "missed"
    print(f"growth {growth:+.1%}; target: at most {TARGET:.0%}: {met}")


if __name__ == "__main__":
    main()
