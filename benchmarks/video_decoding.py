"""Decoding and scaling of video files, beside OpenCV.

    MMGRAPH_DATA=… python benchmarks/video_decoding.py --peers FOLDER [--rounds 7] [--size 64]

The 53 clips of UCF101 that are at hand (320 × 240, MPEG-4), every frame and 16 frames of each, scaled to a square in
RGB. With a folder of environments as benchmarks/peers describes, OpenCV runs in a process of its own that takes turns
with ours; ratios are medians over rounds. Both may use all processors to decode.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import time
from pathlib import Path
from statistics import median

from mmgraph.datasets import load
from mmgraph.datasets.frame_sampling import FrameSampling
from mmgraph.datasets.video_file import frame_times, read_video

CASES = {"every frame": FrameSampling(strategy="all"), "16 frames": FrameSampling(count=16)}


def ours(paths: list[Path], sampling: FrameSampling, size: int) -> dict[str, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    frames = sum(len(read_video(path, sampling=sampling, size=size, fit="stretch").frames) for path in paths)
    return {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu, "frames": frames}


class Peer:
    """OpenCV in a process of its environment."""

    def __init__(self, environments: Path) -> None:
        runner = Path(__file__).parent / "peers" / "decode_opencv.py"
        self.process = subprocess.Popen(
            [environments / "opencv" / "bin" / "python", runner],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._answer()

    def decode(self, request: dict[str, object]) -> dict[str, float]:
        assert self.process.stdin is not None
        print(json.dumps(request), file=self.process.stdin, flush=True)
        return self._answer()

    def _answer(self) -> dict[str, float]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise OSError(f"OpenCV ended with {self.process.wait()}")
        answer: dict[str, float] = json.loads(line)
        return answer

    def close(self) -> None:
        self.process.terminate()
        self.process.communicate()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--peers", type=Path, help="folder of the peers' environments")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--size", type=int, default=64)
    arguments = parser.parse_args()
    paths = list(load("ucf101").paths)
    times = {path: frame_times(path) for path in paths}
    peer = None if arguments.peers is None else Peer(arguments.peers)
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors; {len(paths)} videos")
    for title, sampling in CASES.items():
        places = [sampling.positions(times[path]).tolist() for path in paths]
        request = {"videos": list(zip(map(str, paths), places, strict=True)), "size": arguments.size}
        mine, theirs = [], []
        for turn in range(arguments.rounds + 1):
            pair = ours(paths, sampling, arguments.size), peer.decode(request) if peer else None
            if turn > 0:  # the first brings files into memory
                mine.append(pair[0])
                theirs.append(pair[1])
        decoded = sum(max(chosen) + 1 for chosen in places)
        line = f"{title:<12}"
        for kind in ("wall", "cpu"):
            line += f"{kind} {decoded / median(run[kind] for run in mine):>8,.0f} frames/s"
            if peer is not None:
                assert all(
                    other is not None and other["frames"] == run["frames"]
                    for run, other in zip(mine, theirs, strict=True)
                )
                ratio = median(
                    other[kind] / run[kind] for run, other in zip(mine, theirs, strict=True) if other
                )
                line += f" ({ratio:.2f} × OpenCV)  "
        print(line, flush=True)
    if peer is not None:
        peer.close()


if __name__ == "__main__":
    main()
