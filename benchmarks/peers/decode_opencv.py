"""Decode videos with OpenCV whenever video_decoding.py asks over standard input, and answer how long it took.

Frames are chosen by their places, which the request names; those between are grabbed and not converted. Each is scaled
by area and its colours put into the order red, green, blue, as ours are.
"""

from __future__ import annotations

import json
import sys
import time

import cv2
import numpy as np


def decode(path: str, places: list[int], size: int) -> np.ndarray:
    wanted, frames = set(places), []
    video = cv2.VideoCapture(path)
    for place in range(places[-1] + 1):
        if not video.grab():
            break
        if place in wanted:
            _, frame = video.retrieve()
            small = cv2.resize(frame, (size, size), interpolation=cv2.INTER_AREA)
            frames.append(cv2.cvtColor(small, cv2.COLOR_BGR2RGB))
    video.release()
    return np.stack(frames)


def main() -> None:
    cv2.setNumThreads(1)
    print("{}", flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        wall, cpu, frames = time.perf_counter(), time.process_time(), 0
        for path, places in request["videos"]:
            frames += len(decode(path, places, request["size"]))
        spent = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu, "frames": frames}
        print(json.dumps(spent), flush=True)


if __name__ == "__main__":
    main()
