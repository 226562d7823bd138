"""Seconds from the start of the process to the first painted window, beside a bare Qt window.

    python benchmarks/gui_startup.py [--runs 7]

The first start of each is thrown away: files are then in the cache of the system. Target: below 1.5 s.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

TARGET = 1.5

OURS = """
import sys, time
from pathlib import Path
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from mmgraph_gui import app, window

class Window(window.MainWindow):
    def paintEvent(self, event):
        super().paintEvent(event)
        QTimer.singleShot(0, self.report)
    def report(self):
        print(time.time() - float(sys.argv[1]), time.process_time(), flush=True)
        self.close()
        QApplication.quit()

window.MainWindow = Window
app.main(runs=Path(sys.argv[2]))
"""

BARE = """
import sys, time
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QMainWindow

class Window(QMainWindow):
    def paintEvent(self, event):
        QTimer.singleShot(0, self.report)
    def report(self):
        print(time.time() - float(sys.argv[1]), time.process_time(), flush=True)
        QApplication.quit()

application = QApplication([])
window = Window()
window.resize(1280, 820)
window.show()
application.exec()
"""


def seconds(code: str, folder: str, environment: dict[str, str]) -> tuple[float, float]:
    """From before the process is started to after the first paint: by the clock, and of the processor."""
    command = [sys.executable, "-c", code, str(time.time()), folder]
    output = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60)
    clock, processor = output.stdout.split()[:2]
    return float(clock), float(processor)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=7)
    repeats = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "XDG_CONFIG_HOME": folder}
        if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            environment.setdefault("QT_QPA_PLATFORM", "offscreen")
        print(f"{'window':<22}{'median s':>10}{'fastest':>10}{'slowest':>10}{'processor s':>13}")
        medians = {}
        for name, code in (("mmgraph gui", OURS), ("bare QMainWindow", BARE)):
            measured = [seconds(code, folder, environment) for _ in range(repeats + 1)][1:]
            times = [clock for clock, _ in measured]
            busy = statistics.median(processor for _, processor in measured)
            medians[name] = statistics.median(times)
            print(f"{name:<22}{medians[name]:>10.2f}{min(times):>10.2f}{max(times):>10.2f}{busy:>13.2f}")
    met = "met" if medians["mmgraph gui"] < TARGET else "missed"
    print(f"target: below {TARGET} s: {met}; load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
