"""Make the pictures of the README: train digits-graph for real, open its run, grab the window.

    python resources/make_screenshots.py [--run FOLDER] [--out resources/screenshots]

Works without a display (QT_QPA_PLATFORM=offscreen) and with one.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

SIZE = (1400, 860)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--run", type=Path, help="a finished digits-graph run; by default one is trained now")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("screenshots"))
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    with tempfile.TemporaryDirectory() as scratch:
        run = arguments.run or train(Path(scratch) / "runs")
        take(run, arguments.out, Path(scratch))


def train(root: Path) -> Path:
    """A real run; in this process, since nothing else is going on."""
    from mmgraph.recipes import launch

    return launch.train("digits-graph", runs=root)[0]


def take(run: Path, out: Path, scratch: Path) -> None:
    """Grab the window on the run, in both themes and with each view of the right half in front."""
    import pyqtgraph as pg
    from PIL import Image
    from PySide6.QtCore import QEventLoop, QSettings, QTimer
    from PySide6.QtWidgets import QApplication

    from mmgraph_gui.window import MainWindow

    app = QApplication(sys.argv[:1])
    app.setStyle("Fusion")
    pg.setConfigOptions(imageAxisOrder="row-major")
    window = MainWindow(run.parent, QSettings(str(scratch / "settings.ini"), QSettings.Format.IniFormat))
    window.resize(*SIZE)

    def wait(milliseconds: int) -> None:
        loop = QEventLoop()
        QTimer.singleShot(milliseconds, loop.quit)
        loop.exec()

    def grab(name: str) -> None:
        wait(1500)
        path = out / f"{name}.png"
        window.grab().save(str(path))
        Image.open(path).convert("RGB").quantize(256).save(path, optimize=True)  # a quarter of the bytes
        print(path)

    window.show()
    window.open_run(run)
    wait(2500)
    for theme in ("light", "dark"):
        window.theme.set_mode(theme)
        grab(theme)
    window.theme.set_mode("light")
    labels = window.state.items.labels
    window.state.select([int(row) for row in (labels == 3).nonzero()[0][:40]])
    for view in ("graph", "attention", "items", "filters", "matrix", "log"):
        window.area.show_view(view)
        grab(view)
    window.close()
    app.processEvents()


if __name__ == "__main__":
    main()
