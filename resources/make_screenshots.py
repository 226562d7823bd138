"""Make the pictures of README and docs/app.md: train three small runs for real, open them, grab the window.

    python resources/make_screenshots.py [--runs FOLDER] [--only graph items] [--out resources/screenshots]

Works without a display (QT_QPA_PLATFORM=offscreen) and with one. With a folder of runs named as in RUNS nothing is
trained; the folder is copied, for tags are written into it and a run is started in it.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

SIZE = (1280, 800)
COLOURS, CLASSES = 256, 20
QUIET_SECONDS = 0.6
RUNS: dict[str, tuple[str, dict[str, object]]] = {
    "digits-gat": ("digits-graph", {}),
    "digits-slower": ("digits-graph", {"seed": 1, "learning_rate": 0.003}),
    "digits-pairs": ("metric-learning", {"epochs": 3}),
}
"""Name of the run, its recipe and options. None needs a download."""


def train(root: Path) -> None:
    """Real runs; in this process, since nothing else is going on."""
    from mmgraph.recipes import launch

    for name, (recipe, values) in RUNS.items():
        launch.train(recipe, values, runs=root, run_name=name)


def label(root: Path) -> None:
    """Tags and notes, as a person writes them."""
    from mmgraph.runs import RunNotes, write_notes

    write_notes(root / "digits-gat", RunNotes(("baseline", "attention"), "Defaults of the recipe."))
    write_notes(root / "digits-slower", RunNotes(("slower",), "Does a smaller learning rate help?"))
    write_notes(root / "digits-pairs", RunNotes(("siamese",), ""))


class Tour:
    """A window that is led from view to view.

    Args:
        root: folder of the runs.
        out: where pictures go.
        only: names of pictures; all where it is empty.
    """

    def __init__(self, root: Path, out: Path, scratch: Path, only: list[str]) -> None:
        from PySide6.QtCore import QSettings

        from mmgraph_gui.frame.window import MainWindow

        self.root, self.out, self.scratch, self.only = root, out, scratch, only
        settings = QSettings(str(scratch / "settings.ini"), QSettings.Format.IniFormat)
        self.window = MainWindow(root, settings)
        self.window.resize(*SIZE)
        self.window.show()

    def close(self) -> None:
        """End all that was started."""
        from PySide6.QtWidgets import QApplication

        if self.window.comparison is not None:
            self.window.comparison.close()
        self.window.close()
        QApplication.processEvents()

    # -- waiting -------------------------------------------------------------------------------------------

    def busy(self) -> bool:
        """Whether something is being read, drawn or asked."""
        window = self.window
        views = [view for view in window.area.views.values() if view.isVisible()]
        contexts = [window.area.context]
        comparison = window.comparison
        if comparison is not None and comparison.isVisible():
            contexts.append(comparison.right)
            views += [view for pair in comparison.pairs.values() for view in pair if view.isVisible()]
        return any(view.is_pending for view in views) or any(
            one.follower.is_busy or one.model._asked or one.own._waiting for one in contexts
        )

    def wait(self, ready: Callable[[], Any], seconds: float = 0) -> None:
        """Let the window work for so long and until something is so."""
        from PySide6.QtTest import QTest

        began = time.monotonic()
        while time.monotonic() - began < seconds or not ready():
            QTest.qWait(20)

    def settle(self, ready: Callable[[], Any] = lambda: True) -> None:
        """Let the window work until something is so and nothing has been going on for a while."""
        from PySide6.QtTest import QTest

        quiet = time.monotonic()
        while time.monotonic() - quiet < QUIET_SECONDS:
            QTest.qWait(20)
            if not ready() or self.busy():
                quiet = time.monotonic()

    # -- pictures ------------------------------------------------------------------------------------------

    def grab(self, name: str, widget: Any = None, over: Any = None) -> None:
        """Write the window, or another one, as a small picture; `over` is drawn where it stands in front."""
        from PIL import Image
        from PySide6.QtCore import QPoint
        from PySide6.QtGui import QPainter

        picture = (widget or self.window).grab()
        if over is not None:
            painter = QPainter(picture)
            corner = over.mapToGlobal(QPoint(0, 0)) - self.window.mapToGlobal(QPoint(0, 0))
            painter.drawPixmap(corner, over.grab())
            painter.end()
        path = self.out / f"{name}.png"
        picture.save(str(path))
        small(Image.open(path).convert("RGB"), self.colours()).save(path, optimize=True)
        print(f"{path}  {path.stat().st_size // 1024} kB", flush=True)

    def colours(self) -> list[str]:
        """Those that mean something: of classes, and of the parts of the window."""
        theme = self.window.theme
        return [theme.category(code) for code in range(CLASSES)] + list(vars(theme.palette).values())

    def open(self, run: str) -> None:
        """Show a run as it is opened by a click, its views where they stand at first."""
        state = self.window.state
        if state.path != self.root / run:
            self.window.open_run(self.root / run)
            self.settle(lambda: state.path == self.root / run and state.items is not None and state.kinds())

    def show(self, name: str, theme: str) -> Any:
        """Bring a view to the front."""
        self.window.theme.set_mode(theme)
        view = self.window.area.show_view(name)
        self.give_room_to_runs()
        self.settle()
        return view

    def give_room_to_runs(self) -> None:
        """Make the table of runs as wide as it is at first; a wide view has made it narrow."""
        from PySide6.QtCore import Qt

        self.window.resizeDocks([self.window.run_dock], [250], Qt.Orientation.Horizontal)

    def take(self) -> None:
        """All pictures, or those that were asked for."""
        for name, do in stops(self).items():
            if not self.only or name in self.only:
                do()


def small(picture: Any, kept: list[str]) -> Any:
    """A picture of few colours: the commonest, and those that must stay what they are although few dots have them."""
    from PIL import Image, ImageColor

    palette = [part for colour in kept for part in ImageColor.getrgb(colour)]
    palette += picture.quantize(COLOURS - len(kept)).getpalette()[: 3 * (COLOURS - len(kept))]
    table = Image.new("P", (1, 1))
    table.putpalette(palette)
    return picture.quantize(palette=table, dither=Image.Dither.NONE)


def stops(tour: Tour) -> dict[str, Callable[[], None]]:
    """What is shown in each picture."""
    from PySide6.QtCore import Qt

    window, state = tour.window, tour.window.state

    def digits(digit: int, count: int) -> list[int]:
        return [int(row) for row in np.flatnonzero(state.items.labels == digit)[:count]]

    def overview(name: str) -> Callable[[], None]:
        def do() -> None:
            tour.open("digits-gat")
            state.clear_selection()
            tour.show("metrics", name)
            tour.show("embedding", name)
            tour.grab(name)

        return do

    def runs() -> None:
        tour.open("digits-gat")
        window.theme.set_mode("light")
        window.start("digits-graph", {"seed": 2, "epochs": 3000})
        live = lambda: state.status is not None and state.status.is_live and state.status.step > 50  # noqa: E731
        tour.wait(live)
        window.queue.add("metric-learning", {"epochs": 5}, tour.root)
        window.queue.add("digits-graph", {"hidden": 16}, tour.root)
        tour.give_room_to_runs()
        tour.wait(live, seconds=4)
        tour.grab("runs")
        for waiting in list(window.queue._waiting):
            window.queue.cancel(waiting.entry.path)
        window.stop()
        tour.wait(lambda: not live())

    def run_table() -> None:
        tour.open("digits-gat")
        window.theme.set_mode("light")
        window.others.set(tour.root / "digits-slower", True)
        window.show_run_table()
        window.run_dock.resize(SIZE[0], 200)
        window.runs.sort("best")
        tour.settle()
        tour.grab("run-table", window.run_dock)
        window.show_run_table()
        window.runs.sort("created")
        window.others.set(tour.root / "digits-slower", False)

    def palette() -> None:
        from mmgraph_gui.frame.commands import CommandPalette

        tour.open("digits-gat")
        tour.show("embedding", "dark")
        window.show_commands()
        found = window.findChild(CommandPalette)
        found.field.setText("col")
        tour.settle()
        tour.grab("palette", over=found)
        found.close()

    def metrics() -> None:
        tour.open("digits-gat")
        window.others.set(tour.root / "digits-slower", True)
        tour.show("metrics", "light")
        tour.grab("metrics")
        window.others.set(tour.root / "digits-slower", False)

    def embedding() -> None:
        tour.open("digits-gat")
        view = tour.show("embedding", "dark")
        view.space.setChecked(True)
        tour.settle()
        view._turn(110, 60)
        state.select(digits(4, 12))
        tour.settle()
        tour.grab("embedding")
        view.space.setChecked(False)
        state.clear_selection()

    def filters() -> None:
        tour.open("digits-gat")
        state.clear_selection()
        view = tour.show("filters", "light")
        docks = [window.area.docks[name] for name in ("filters", "embedding")]
        window.area.resizeDocks(docks, [720, 300], Qt.Orientation.Horizontal)
        view.choose_unit(3)
        view.panel.ask("top")
        tour.settle()
        view.display.menu().popup(view.display.mapToGlobal(view.display.rect().bottomLeft()))
        tour.settle()
        tour.grab("filters", over=view.display.menu())
        view.display.menu().close()
        view.choose_unit(None)
        window.area.resizeDocks(docks, [1, 1], Qt.Orientation.Horizontal)

    def attention() -> None:
        tour.open("digits-gat")
        state.select(digits(3, 1))
        tour.show("attention", "light")
        tour.grab("attention")

    def graph() -> None:
        tour.open("digits-gat")
        view = tour.show("graph", "dark")
        tour.settle(lambda: view.layout_now is not None and view.layout_now.rests)
        state.clear_selection()
        view.questions.find_communities()
        tour.settle(lambda: state.colour_by == "community")
        view.by_degree.trigger()
        view.degrees.fewest.setValue(9)
        tour.settle()
        tour.grab("graph")
        view.by_degree.trigger()
        state.set_colour_by("label")

    def items() -> None:
        tour.open("digits-pairs")
        state.clear_selection()
        tour.show("items", "light")
        window.own.bring_image(seven(), "my seven")
        tour.settle(lambda: not window.own._waiting)
        tour.grab("items")
        window.own.leave()

    def matrix() -> None:
        tour.open("digits-gat")
        tour.show("matrix", "light")
        tour.grab("matrix")

    def pairs() -> None:
        tour.open("digits-pairs")
        tour.show("pairs", "dark")
        tour.grab("pairs")

    def model() -> None:
        tour.open("digits-gat")
        view = tour.show("model", "light")
        layers = state.layers("filters")
        view.choose(layers[0])
        tour.settle()
        tour.grab("model")

    def log() -> None:
        tour.open("digits-gat")
        tour.show("log", "dark")
        tour.grab("log")

    def compare() -> None:
        tour.open("digits-gat")
        window.theme.set_mode("light")
        window.compare(tour.root / "digits-slower")
        comparison = window.comparison
        tour.settle(lambda: comparison.right.state.items is not None)
        tour.grab("compare", comparison)
        comparison.close()

    return {
        "light": overview("light"),
        "dark": overview("dark"),
        "run-table": run_table,
        "palette": palette,
        "metrics": metrics,
        "embedding": embedding,
        "attention": attention,
        "graph": graph,
        "matrix": matrix,
        "model": model,
        "log": log,
        "compare": compare,
        "filters": filters,
        "pairs": pairs,
        "items": items,
        "runs": runs,
    }


def seven() -> Any:
    """A digit that is in no data set: drawn here."""
    from PySide6.QtCore import QPointF, Qt
    from PySide6.QtGui import QColor, QImage, QPainter, QPen

    image = QImage(64, 64, QImage.Format.Format_RGB32)
    image.fill(QColor("black"))
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    pen = QPen(QColor("white"), 8)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    painter.setPen(pen)
    painter.drawPolyline([QPointF(16, 12), QPointF(48, 11), QPointF(38, 32), QPointF(28, 54)])
    painter.drawLine(QPointF(24, 33), QPointF(48, 33))
    painter.end()
    return image


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=Path, help="folder with the runs; by default they are trained now")
    parser.add_argument("--only", nargs="*", default=[], help="names of pictures")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("screenshots"))
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        os.environ["XDG_CACHE_HOME"] = str(scratch / "cache")
        if arguments.runs:
            for name in RUNS:
                shutil.copytree(arguments.runs / name, scratch / "runs" / name)
        else:
            train(scratch / "runs")
        label(scratch / "runs")
        from PySide6.QtWidgets import QApplication

        application = QApplication(sys.argv[:1])
        application.setStyle("Fusion")
        tour = Tour(scratch / "runs", arguments.out, scratch, arguments.only)
        tour.take()
        tour.close()


if __name__ == "__main__":
    main()
