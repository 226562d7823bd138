"""The benchmark of the views of points still drives them; its figures are for another day."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PATH = Path(__file__).parents[2] / "benchmarks" / "gui_points.py"


def test_every_row_is_measured():
    command = [sys.executable, PATH, "--millions", "0.002", "--frames", "2", "--epochs", "4"]
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    for name in (
        "first paint",
        "pan",
        "zoom",
        "point at one",
        "lasso to picture",
        "deselect to picture",
        "scrub 4 epochs × 20k points, cached",
        "a selection in 4 views, drawn in all",
        "updates of a view for one selection",
        "20k nodes, 100k edges: pan",
        "ScatterPlotItem: pan",
        "GraphItem: pan",
    ):
        assert name in done.stdout
