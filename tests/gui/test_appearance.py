"""Every view at 100, 125 and 200 %, light and dark: nothing is blank, no words are cut.

With MMGRAPH_SCREENSHOTS=FOLDER the pictures are kept, to be looked at.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

LOOK = """
import json, sys
from pathlib import Path
import numpy as np
from PySide6.QtCore import QSettings
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLabel, QStyle, QStyleOptionComboBox
from mmgraph_gui.views.shortened import ShortBox
from mmgraph_gui.frame.window import MainWindow

run, folder, scale, keep = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4] == "keep"
application = QApplication([])
application.setStyle("Fusion")
window = MainWindow(run.parent, QSettings(str(folder / "s.ini"), QSettings.Format.IniFormat))
window.resize(1280, 800)
window.show()
window.open_run(run)
while window.state.prediction is None:
    QTest.qWait(20)
found, also_cut = [], []

def cut(widget):
    # Words that do not fit: choosers, labels that neither wrap nor may shrink, and buttons.
    for box in widget.findChildren(QComboBox):
        text, option = box.currentText(), QStyleOptionComboBox()
        if not box.isVisible() or box.visibleRegion().isEmpty():
            continue
        box.initStyleOption(option)
        field = QStyle.SubControl.SC_ComboBoxEditField
        room = box.style().subControlRect(QStyle.ComplexControl.CC_ComboBox, option, field, box).width()
        if isinstance(box, ShortBox):
            text = box.shown  # whole in its tool tip; some letters must be left
            if len(text) < min(len(box.currentText()), 4):
                yield f"{box.accessibleName()} shows {text!r} of {box.currentText()!r}"
        if box.fontMetrics().horizontalAdvance(text) > room:
            yield f"{box.accessibleName()} has {room} pixels for {text!r}"
    for part in (*widget.findChildren(QLabel), *widget.findChildren(QAbstractButton)):
        if not part.isVisible() or not part.text() or part.visibleRegion().isEmpty():
            continue
        wraps = isinstance(part, QLabel) and part.wordWrap()
        needed = part.minimumSizeHint() if isinstance(part, QLabel) else part.sizeHint()
        if not wraps and part.width() < needed.width() - 2:
            yield f"{type(part).__name__} {part.text()!r} has {part.width()} of {needed.width()} pixels"
        if part.height() < min(needed.height(), part.fontMetrics().height()) - 2:
            yield f"{type(part).__name__} {part.text()!r} has {part.height()} pixels of height"

def settle(*views):
    # Until nothing is left to read or draw, and what came last has its place.
    calm = 0
    while calm < 3:
        QTest.qWait(5)
        calm = 0 if any(view.is_pending or view.follower.is_busy for view in views) else calm + 1

def look_at_more(theme):
    # What opens when something is chosen, and the comparison.
    view = window.area.show_view("filters")
    settle(view)
    window.state.select([5])
    view.kind_box.setCurrentIndex(1)
    view.request_render("control")
    settle(view)
    view.choose_unit(0)
    settle(view)
    yield "unit", window
    view.choose_unit(None)
    view.kind_box.setCurrentIndex(0)
    window.state.clear_selection()
    window.compare()
    window.comparison.resize(1280, 800)
    while window.comparison.right.state.path is None:
        QTest.qWait(20)
    for name in ("filters", "model", "embedding", "graph", "metrics"):
        window.comparison.show_view(name)
        settle(*window.comparison.pairs[name])
        yield f"compare {name}", window.comparison
    window.comparison.close()

for theme in ("light", "dark"):
    window.theme.set_mode(theme)
    for name in list(window.area.docks):
        view = window.area.show_view(name)
        settle(view)
        if keep:
            window.grab().save(str(folder / f"{name}-{theme}-{scale}.png"))
        image = view.grab().toImage()
        image = image.convertToFormat(image.Format.Format_RGB32)
        codes = np.frombuffer(image.constBits(), np.uint32).reshape(image.height(), image.width())
        colours, counts = np.unique(codes[::2, ::2], return_counts=True)
        channels = colours.view(np.uint8).reshape(-1, 4)[:, :3].mean(axis=1)
        found.append({
            "view": name, "theme": theme, "message": view.message, "ratio": image.devicePixelRatio(),
            "colours": len(colours), "share": float(counts.max() / counts.sum()),
            "lightness": float(channels @ counts / counts.sum()), "cut": list(cut(window)),
        })
    for name, shown in look_at_more(theme):
        if keep:
            shown.grab().save(str(folder / f"{name}-{theme}-{scale}.png".replace(" ", "-")))
        also_cut += [f"{name}: {text}" for text in cut(shown)]
print(json.dumps([found, also_cut]))
window.close()
"""


@pytest.mark.usefixtures("kept_layouts")
@pytest.mark.parametrize("scale", ["1", "1.25", "2"])
def test_every_view_is_drawn_whole(digits_run, tmp_path, scale):
    kept = os.environ.get("MMGRAPH_SCREENSHOTS")
    environment = {**os.environ, "QT_SCALE_FACTOR": scale, "QT_QPA_PLATFORM": "offscreen"}
    command = [
        sys.executable,
        "-c",
        LOOK,
        str(digits_run),
        kept or str(tmp_path),
        scale,
        "keep" if kept else "",
    ]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    found, also_cut = json.loads(done.stdout.splitlines()[-1])
    assert also_cut == []
    assert [entry for entry in found if entry["cut"]] == []
    for entry in found:
        assert entry["ratio"] == float(scale)
        words = entry["message"] != ""  # of what this run does not hold, such as pairs
        assert entry["colours"] >= (3 if words else 12), entry
        assert entry["share"] < (1.0 if words else 0.985), entry
    drawn = {entry["view"]: entry["message"] for entry in found}
    assert sum(not message for message in drawn.values()) >= 7, drawn
    light, dark = (
        {entry["view"]: entry["lightness"] for entry in found if entry["theme"] == theme}
        for theme in ("light", "dark")
    )
    for view, message in drawn.items():
        if message or view in ("metrics", "embedding", "graph", "log"):
            assert light[view] > dark[view] + 60, view
