"""How quickly points are on screen and panned in the app, beside the projector of TensorBoard in headless Chromium.

    python benchmarks/gui_projector.py --peers FOLDER [--points 10000 100000 1000000] [--patience 180]

Ten classes of points in 4 dimensions. Ours is measured as in gui_points.py (1200 × 800, offscreen): the median of 3
first paints, from the moment the run has been read. Theirs is counted from the request of the page until the first
points are drawn, so it includes reading and what the page computes before; the projector reads no more than 100,000
rows of a file. A frame is a movement of the mouse until all points are drawn anew. Everything is drawn in software, on
this machine.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from gui_points import Bench, Times, points_run


def theirs(python: Path, folder: Path, count: int, patience: float) -> dict[str, object]:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 10, count)
    vectors = (6 * rng.normal(size=(10, 4))[labels] + rng.normal(size=(count, 4))).astype(np.float32)
    np.save(folder / "vectors.npy", vectors)
    np.save(folder / "labels.npy", labels)
    runner = Path(__file__).parent / "peers" / "project_tensorboard.py"
    command = [python, runner, folder / "vectors.npy", folder / "labels.npy", str(patience)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    answer: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return answer


def ours(bench: Bench, root: Path, count: int) -> tuple[float, float]:
    from mmgraph_gui.views.embedding.view import EmbeddingView

    first, folder = Times(), points_run(root, count)
    for again in (True, True, False):
        context, (view,) = bench.open(folder, EmbeddingView, times=first)
        if again:
            bench.close(context, [view])
    bench.settle(view)
    pan = bench.moved(view, lambda port: port.panned(9, 5))
    bench.close(context, [view])
    return statistics.median(first.wall), statistics.median(pan.wall)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers", type=Path, required=True, help="folder of the peers' environments")
    parser.add_argument("--points", type=int, nargs="*", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--patience", type=float, default=180.0, help="seconds to wait for the first points")
    given = parser.parse_args()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

    from PySide6.QtWidgets import QApplication

    from mmgraph_gui.app import SWITCH_SECONDS
    from mmgraph_gui.warm_up import draw_unseen

    sys.setswitchinterval(SWITCH_SECONDS)
    application = QApplication([])
    application.setStyle("Fusion")
    draw_unseen()  # as the app does when it starts
    bench = Bench(application, 25)
    print(f"{'points':>10}  {'':<12}{'first paint':>12}{'a frame':>12}{'frames/s':>10}   drawn")
    for count in given.points:
        with tempfile.TemporaryDirectory() as folder:
            first, pan = ours(bench, Path(folder), count)
            print(
                f"{count:>10,}  {'mmgraph':<12}{first:10.2f} s{1000 * pan:9.1f} ms{1 / pan:10.1f}   {count:,}"
            )
            peer = theirs(given.peers / "tensorboard" / "bin" / "python", Path(folder), count, given.patience)
        line = f"{count:>10,}  {'projector':<12}"
        if "first" in peer:
            line += f"{peer['first']:10.2f} s"
        if "frame" in peer:
            line += f"{1000 * float(str(peer['frame'])):9.1f} ms{1 / float(str(peer['frame'])):10.1f}"
        print(f"{line}   {peer.get('drawn', 0):,}  {peer.get('trouble', '')}", flush=True)
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
