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
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel
from mmgraph_gui.window import MainWindow

run, folder, scale, keep = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4] == "keep"
application = QApplication([])
application.setStyle("Fusion")
window = MainWindow(run.parent, QSettings(str(folder / "s.ini"), QSettings.Format.IniFormat))
window.resize(1280, 820)
window.show()
window.open_run(run)
while window.state.prediction is None:
    QTest.qWait(20)
found = []

def cut(widget):
    # Words that do not fit: labels that neither wrap nor may shrink, and buttons.
    for part in (*widget.findChildren(QLabel), *widget.findChildren(QAbstractButton)):
        if not part.isVisible() or not part.text() or part.visibleRegion().isEmpty():
            continue
        wraps = isinstance(part, QLabel) and part.wordWrap()
        needed = part.minimumSizeHint() if isinstance(part, QLabel) else part.sizeHint()
        if not wraps and part.width() < needed.width() - 2:
            yield f"{type(part).__name__} {part.text()!r} has {part.width()} of {needed.width()} pixels"
        if part.height() < min(needed.height(), part.fontMetrics().height()) - 2:
            yield f"{type(part).__name__} {part.text()!r} has {part.height()} pixels of height"

for theme in ("light", "dark"):
    window.theme.set_mode(theme)
    for name in list(window.area.docks):
        view = window.area.show_view(name)
        QTest.qWait(50)
        while view.is_pending or window.follower.is_busy:
            QTest.qWait(20)
        QTest.qWait(50)
        if keep:
            window.grab().save(str(folder / f"{name}-{theme}-{scale}.png"))
        image = view.grab().toImage()
        image = image.convertToFormat(image.Format.Format_RGB888)
        pixels = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
        pixels = pixels[:, : image.width() * 3].reshape(image.height(), image.width(), 3)
        codes = (pixels[::2, ::2].astype(np.uint32) @ np.array([65536, 256, 1], np.uint32)).ravel()
        colours, counts = np.unique(codes, return_counts=True)
        found.append({
            "view": name, "theme": theme, "message": view.message, "ratio": image.devicePixelRatio(),
            "colours": len(colours), "share": float(counts.max() / counts.sum()),
            "lightness": float(pixels.mean()), "cut": list(cut(window)),
        })
print(json.dumps(found))
window.close()
"""


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
    found = json.loads(done.stdout.splitlines()[-1])
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
