"""Seconds from the start of the process to the first painted window, beside a bare Qt window.

    python benchmarks/gui_startup.py [--runs 7] [--cold 3]

Warm: the first start of each is thrown away, so files are cached. Cold: before each start the system
is told to forget all files (Linux, as root). Targets: below 1.5 s warm, below 3 s cold.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TARGET, COLD_TARGET = 1.5, 3.0
DROP = Path("/proc/sys/vm/drop_caches")

OURS = """
import sys, time
from pathlib import Path
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from mmgraph_gui import app
from mmgraph_gui.frame import window

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


def forget_files() -> None:
    """Have the system read every file from the disk again."""
    os.sync()
    DROP.write_text("3\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--cold", type=int, default=3, help="starts with nothing in the cache; 0 for none")
    given = parser.parse_args()
    cold = given.cold if os.access(DROP, os.W_OK) else 0
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "XDG_CONFIG_HOME": folder}
        environment.pop(
            "PYTHONDONTWRITEBYTECODE", None
        )  # else all that is not installed is compiled at each start
        if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            environment.setdefault("QT_QPA_PLATFORM", "offscreen")
        print(f"{'window':<26}{'median s':>10}{'fastest':>10}{'slowest':>10}{'processor s':>13}")
        medians = {}
        for name, code in (("mmgraph gui", OURS), ("bare QMainWindow", BARE)):
            for start, count in (("cold", cold), ("warm", given.runs)):
                if not count:
                    continue
                measured = []
                for _ in range(count + (start == "warm")):
                    if start == "cold":
                        forget_files()
                    measured.append(seconds(code, folder, environment))
                measured = measured[-count:]
                times = [clock for clock, _ in measured]
                busy = statistics.median(processor for _, processor in measured)
                medians[name, start] = statistics.median(times)
                label = f"{name}, {start}"
                print(
                    f"{label:<26}{medians[name, start]:>10.2f}{min(times):>10.2f}{max(times):>10.2f}{busy:>13.2f}"
                )
    for start, target in (("cold", COLD_TARGET), ("warm", TARGET)):
        if ("mmgraph gui", start) in medians:
            met = "met" if medians["mmgraph gui", start] < target else "missed"
            print(f"target, {start}: below {target} s: {met}")
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
