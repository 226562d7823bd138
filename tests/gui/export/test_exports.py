from __future__ import annotations

import math
import threading
import time
from dataclasses import replace

import pytest
from PySide6.QtCore import QSettings
from PySide6.QtGui import QImage, QPainter
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication

from mmgraph.report import page as report_page
from mmgraph.runs.structure import Connection, Layer, Structure, write_structure
from mmgraph_gui.asking.progress import ProgressDialog
from mmgraph_gui.frame.window import MainWindow
from mmgraph_gui.views.registry import VIEW_SPECS


@pytest.fixture
def window(qtbot, digits_run, tmp_path):
    window = MainWindow(digits_run.parent, QSettings(str(tmp_path / "s.ini"), QSettings.Format.IniFormat))
    qtbot.addWidget(window)
    window.resize(1200, 800)
    window.show()
    with qtbot.waitSignal(window.follower.opened):
        window.open_run(digits_run)
    qtbot.waitUntil(lambda: window.state.prediction is not None)
    yield window
    window.close()


def test_exports_picture_vectors_and_table(qtbot, window, tmp_path):
    qtbot.waitUntil(lambda: bool(window.area.views["metrics"].plots))
    for ending, start in ((".png", b"\x89PNG"), (".svg", b"<?xml"), (".csv", b"tag,step")):
        path = tmp_path / f"metrics{ending}"
        window.exports.view("metrics", path)
        qtbot.waitUntil(lambda path=path: str(path) in window.banner.text)
        assert path.read_bytes().startswith(start)
    assert len((tmp_path / "metrics.csv").read_text().splitlines()) == 1 + 40 * 2 + 4 * 3
    window.exports.view("metrics", tmp_path / "metrics.xyz")
    assert "can be written as .png, .svg, .csv" in window.banner.text
    window.exports.view("metrics", tmp_path / "no" / "such.png")
    qtbot.waitUntil(lambda: "could not be written" in window.banner.text)


@pytest.mark.parametrize("name", [spec.name for spec in VIEW_SPECS])
def test_every_view_is_written_as_vectors(qtbot, window, tmp_path, name):
    view = window.area.show_view(name)
    qtbot.waitUntil(lambda: not view.is_pending and not window.follower.is_busy)
    path = tmp_path / f"{name}.svg"
    window.exports.view(name, path)
    qtbot.waitUntil(lambda: str(path) in window.banner.text)
    drawing = QSvgRenderer(str(path))
    assert drawing.isValid()
    image = QImage(drawing.defaultSize(), QImage.Format.Format_RGB32)
    image.fill(0)
    painter = QPainter(image)
    drawing.render(painter)
    painter.end()
    small = image.scaled(160, 160)
    assert len({small.pixel(x, y) for x in range(160) for y in range(160)}) > (0 if view.message else 3)


def test_pictures_are_as_large_as_asked(qtbot, window, tmp_path):
    qtbot.waitUntil(lambda: bool(window.area.views["metrics"].plots))
    for scale in (1, 3):
        size = window.area.views["metrics"].content.size()
        path = tmp_path / f"metrics{scale}.png"
        window.exports.view("metrics", path, scale)
        qtbot.waitUntil(path.is_file)
        qtbot.waitUntil(lambda path=path: str(path) in window.banner.text)
        assert QImage(str(path)).size() == size * scale


def test_a_copied_view_is_on_the_clipboard(qtbot, window):
    view = window.area.show_view("metrics")
    qtbot.waitUntil(lambda: bool(view.plots))
    size = view.content.size()  # the message about it takes some height
    window.actions_["copy"].trigger()
    assert QApplication.clipboard().image().size() == size


def test_vectors_say_what_the_colours_mean(qtbot, window, tmp_path):
    view = window.area.show_view("embedding")
    qtbot.waitUntil(lambda: len(view.points) > 0)
    path = tmp_path / "embedding.svg"
    window.exports.view("embedding", path)
    qtbot.waitUntil(lambda: str(path) in window.banner.text)
    text = path.read_text()
    key = view.colour_key()
    assert len(key) == 10
    for name, colour in key:
        assert f">{name}</text>" in text
        assert colour in text


def test_the_report_is_a_page_or_a_pdf_of_every_view(qtbot, window, tmp_path):
    page, pdf = tmp_path / "report.html", tmp_path / "report.pdf"
    window.exports.report(page)
    qtbot.waitUntil(lambda: str(page) in window.banner.text)
    assert "digits" in page.read_text()
    before = window.area.current
    window.exports.report(pdf)
    qtbot.waitUntil(lambda: str(pdf) in window.banner.text, timeout=60_000)
    written = pdf.read_bytes()
    assert written.startswith(b"%PDF")
    drawn = [view for view in window.area.views.values() if not view.message]
    assert len(drawn) >= 6
    assert written.count(b"/Type /Page\n") == 1 + math.ceil(len(drawn) / 2)
    assert window.area.current == before
    assert list(tmp_path.glob(".*.part")) == []


@pytest.mark.parametrize("ending", ["html", "pdf"])
def test_a_report_that_cannot_be_written_says_so(qtbot, window, digits_run, ending):
    path = digits_run / "run.db" / f"report.{ending}"  # a file is no folder
    window.exports.report(path)
    qtbot.waitUntil(lambda: window.banner.text != "")
    assert "Wrote" not in window.banner.text


def dialog_of(window):
    dialogs = [one for one in window.findChildren(ProgressDialog) if one.isVisible()]
    return dialogs[0] if dialogs else None


def test_a_long_report_says_how_far_it_is_and_can_be_cancelled(qtbot, window, tmp_path, monkeypatch):
    def slow(_reader, between):
        while True:
            between()
            time.sleep(0.01)
        return []

    monkeypatch.setattr(report_page, "filters", slow)
    path = tmp_path / "report.html"
    path.write_text("an earlier one")
    window.exports.report(path)
    assert dialog_of(window) is None
    qtbot.waitUntil(lambda: dialog_of(window) is not None)
    dialog = dialog_of(window)
    qtbot.waitUntil(lambda: dialog.label.text() == "Filters …")
    assert 0 < dialog.bar.value() < dialog.bar.maximum()
    dialog.reject()
    assert dialog_of(window) is None
    qtbot.waitUntil(lambda: not window.follower.is_busy)  # the part itself goes no further
    assert path.read_text() == "an earlier one"
    assert list(tmp_path.glob(".*.part")) == []
    assert window.banner.text == ""


def test_pages_that_are_cancelled_leave_nothing(qtbot, window, tmp_path):
    path = tmp_path / "report.pdf"
    window.exports.report(path)
    window.findChild(ProgressDialog).reject()
    qtbot.waitUntil(lambda: window.findChild(ProgressDialog) is None)
    qtbot.waitUntil(lambda: list(tmp_path.glob("*report*")) + list(tmp_path.glob(".*report*")) == [])


@pytest.mark.parametrize("name", ["embedding", "graph", "metrics", "matrix", "model"])
def test_what_takes_long_is_drawn_beside_the_window(qtbot, window, digits_run, tmp_path, monkeypatch, name):
    if name == "model":
        layers = tuple(Layer(f"layer{number}", "Linear", 10, (4, 3)) for number in range(9))
        wires = tuple(Connection(f"layer{number}", f"layer{number + 1}") for number in range(8))
        write_structure(digits_run, Structure(layers, wires, 4))
    view = window.area.show_view(name)
    qtbot.waitUntil(lambda: not view.is_pending and not window.follower.is_busy)
    qtbot.waitUntil(lambda: view.vector_source() is not None)
    threads, drawing = [], view.vector_source()

    def paint(painter):
        threads.append(threading.current_thread())
        drawing.paint(painter)

    monkeypatch.setattr(view, "vector_source", lambda: replace(drawing, paint=paint))
    path = tmp_path / f"{name}.svg"
    window.exports.view(name, path)
    window.state.select([1, 2, 3])  # what happens meanwhile does not show
    qtbot.waitUntil(lambda: str(path) in window.banner.text)
    assert len(threads) == 1
    assert threads != [threading.main_thread()]
    assert QSvgRenderer(str(path)).isValid()
    text = path.read_text()
    if name in ("embedding", "graph"):
        assert text.count("<circle") + text.count("<ellipse") >= 300
    else:
        shown = {"metrics": "train", "matrix": "true class", "model": "layer0"}[name]
        assert shown in text


def test_a_file_holds_the_curves_as_they_were_when_it_was_asked_for(qtbot, window, tmp_path):
    view = window.area.show_view("metrics")
    qtbot.waitUntil(lambda: bool(view.plots) and not view.is_pending)
    drawings = []
    for _ in range(2):
        image = QImage(view.canvas.size(), QImage.Format.Format_RGB32)
        painter = QPainter(image)
        drawing = view.vector_source()
        if drawings:
            view.smoothing.setValue(90)
            window.theme.set_mode("dark")
            window.state.set_step(10)
            qtbot.waitUntil(lambda: not view.is_pending)
        drawing.paint(painter)
        painter.end()
        drawings.append(image)
    assert drawings[0] == drawings[1]
