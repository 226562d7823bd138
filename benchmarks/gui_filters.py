"""How fast 256 feature maps of 56 × 56 are drawn anew: colours, one picture, repaint. Beside pyqtgraph's ImageItem.

    QT_QPA_PLATFORM=offscreen python benchmarks/gui_filters.py [--rounds 40]

Both get the same values, tile them and paint a widget of 1200 × 800; rounds alternate. Target: below 16 ms.
"""

from __future__ import annotations

import argparse
import time
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pyqtgraph as pg
from PySide6.QtWidgets import QApplication

from mmgraph.analysis import TileGrid, tile
from mmgraph.runs import Snapshot
from mmgraph_gui.drawing.theme import Theme
from mmgraph_gui.views.filters.tiles import Display, make_tiles
from mmgraph_gui.views.picture import Picture


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    rounds = parser.parse_args().rounds
    app = QApplication([])
    theme = Theme()
    colours = theme.continuous(np.linspace(0, 1, 256))
    rng = np.random.default_rng(0)
    stacks = [rng.normal(size=(1, 256, 56, 56)).astype(np.float32) for _ in range(4)]
    ours, theirs = Picture(theme), pg.GraphicsLayoutWidget()
    item = pg.ImageItem(axisOrder="row-major")
    item.setLookupTable(colours)
    theirs.addViewBox(lockAspect=True, invertY=True).addItem(item)
    for widget in (ours, theirs):
        widget.resize(1200, 800)
        widget.show()
    app.processEvents()
    times: dict[str, list[float]] = {"mmgraph": [], "pyqtgraph": []}
    for turn in range(rounds):
        stack = stacks[turn % len(stacks)]
        began = time.perf_counter()
        made = make_tiles(
            None,
            (Snapshot("feature_maps", "conv", stack),),
            info=cast("Any", SimpleNamespace()),
            display=Display("joint"),
            colours=colours,
            gap=(128, 128, 128),
            mark=(255, 0, 0),
            aspect=1.5,
        )
        ours.set_image(made.image)
        ours.repaint()
        times["mmgraph"].append(time.perf_counter() - began)
        began = time.perf_counter()
        grid = TileGrid(256, 56, 56, columns=made.grid.columns, padding=2)
        item.setImage(tile(stack[0], grid), autoLevels=True)
        theirs.viewport().repaint()
        times["pyqtgraph"].append(time.perf_counter() - began)
    for name, taken in times.items():
        middle, high = np.median(taken) * 1000, np.quantile(taken, 0.9) * 1000
        print(f"{name:10}  median {middle:6.1f} ms   90 % below {high:6.1f} ms")


if __name__ == "__main__":
    main()
