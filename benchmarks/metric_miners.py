"""Processor time and memory of our miners beside pytorch-metric-learning's, on one batch.

    python benchmarks/metric_miners.py [--only hardest random] [--items 2048] [--features 128] [--rounds 7] [--memory]

The batch has 16 items of each class, in random order, as unit vectors around one point per class. Both start from the
embeddings. Ours is `mine_embeddings`; theirs is BatchHardMiner (hardest), TripletMarginMiner with semi-hard triplets
(semi-hard), DistanceWeightedMiner, and the functions that their losses call where there is no miner (all, random). Ours
take turns with theirs in one process on one thread; a figure is the median over rounds of seconds of processor time, a
ratio that of the rounds' ratios.

Their semi-hard miner lists every triplet within the margin, ours one per similar pair; hardest, all and random choose
from the same sets, and hardest is checked to be the same triplets.

Memory (--memory) is measured in a process of its own for each: the peak of resident memory (VmHWM) while mining twice,
less what was there after imports and data.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast, get_args

import torch
from torch import Tensor
from torch.nn import functional as F

from mmgraph.metric import Distance, mine_embeddings
from mmgraph.metric.mining import MinerKind

ITEMS_PER_CLASS = 16
MUST = 2.0
KINDS: tuple[MinerKind, ...] = get_args(MinerKind)

Mine = Callable[[], Any]


def batch(items: int, features: int) -> tuple[Tensor, Tensor]:
    """Unit vectors and their classes."""
    generator = torch.Generator().manual_seed(0)
    classes = items // ITEMS_PER_CLASS
    labels = torch.arange(classes).repeat_interleave(ITEMS_PER_CLASS)
    labels = labels[torch.randperm(len(labels), generator=generator)]
    centres = torch.randn(classes, features, generator=generator)
    noise = torch.randn(len(labels), features, generator=generator)
    return F.normalize(0.7 * centres[labels] + noise, dim=1), labels


def ours(kind: MinerKind, embeddings: Tensor, labels: Tensor) -> Mine:
    distance, generator = Distance("l2", normalize=True), torch.Generator().manual_seed(0)
    return lambda: mine_embeddings(embeddings, labels, kind, distance=distance, generator=generator)


def theirs(kind: MinerKind, embeddings: Tensor, labels: Tensor) -> Mine:
    from pytorch_metric_learning import miners
    from pytorch_metric_learning.utils import loss_and_miner_utils as without_miner

    if kind == "all":
        return lambda: without_miner.get_all_triplets_indices(labels)
    if kind == "random":
        return lambda: without_miner.get_random_triplet_indices(labels, t_per_anchor=1)
    miner: Any = {
        "hardest": lambda: miners.BatchHardMiner(),
        "semi-hard": lambda: miners.TripletMarginMiner(margin=0.2, type_of_triplets="semihard"),
        "distance-weighted": lambda: miners.DistanceWeightedMiner(cutoff=0.5, nonzero_loss_cutoff=1.4),
    }[kind]()
    return lambda: miner(embeddings, labels)


def report_times(kind: MinerKind, embeddings: Tensor, labels: Tensor, rounds: int) -> None:
    jobs = ours(kind, embeddings, labels), theirs(kind, embeddings, labels)
    first, second = (job() for job in jobs)
    if kind == "hardest":
        same = [
            torch.equal(a, b)
            for a, b in zip((first.anchor, first.negative), (second[0], second[2]), strict=True)
        ]
        print(f"{'':<20}same anchors and negatives: {all(same)}")  # fmt: skip
    del first, second
    times: list[list[float]] = [[], []]
    for number in range(rounds):
        for which in (0, 1) if number % 2 == 0 else (1, 0):
            started = time.process_time()
            jobs[which]()
            times[which].append(time.process_time() - started)
    ratio = statistics.median(b / a for a, b in zip(*times, strict=True))
    mine, peer = (1e3 * statistics.median(values) for values in times)
    verdict = "reached" if ratio >= MUST else "MISSED"
    print(f"{kind:<20}{mine:>10.1f} ms{peer:>10.1f} ms{ratio:>8.1f} ×  ≥ {MUST:g} {verdict}", flush=True)


def memory_of(who: str, kind: MinerKind, embeddings: Tensor, labels: Tensor) -> int:
    """Bytes at the peak of mining twice over what was there before, in this process."""
    job = (ours if who == "ours" else theirs)(kind, embeddings, labels)
    small = batch(64, embeddings.size(1))
    (ours if who == "ours" else theirs)(kind, *small)()
    Path("/proc/self/clear_refs").write_text("5")
    before = _status("VmRSS")
    for _ in range(2):
        job()
    return _status("VmHWM") - before


def _status(field: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))


def report_memory(kind: MinerKind, items: int, features: int) -> None:
    peaks = []
    for who in ("ours", "theirs"):
        command = [sys.executable, __file__, "--items", str(items), "--features", str(features)]
        done = subprocess.run(
            [*command, "--memory-of", who, kind], capture_output=True, text=True, check=True
        )
        peaks.append(int(done.stdout.split()[-1]))
    verdict = "reached" if peaks[0] < peaks[1] else "MISSED"
    mine, peer = (peak / 1e6 for peak in peaks)
    print(f"{kind:<20}{mine:>10.1f} MB{peer:>10.1f} MB   less {verdict}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="*", choices=KINDS, default=KINDS)
    parser.add_argument("--items", type=int, default=2048)
    parser.add_argument("--features", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--memory", action="store_true", help="memory in place of time")
    parser.add_argument("--memory-of", nargs=2, metavar=("WHO", "MINER"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    embeddings, labels = batch(arguments.items, arguments.features)
    if arguments.memory_of:
        who, kind = arguments.memory_of
        print(memory_of(who, cast(MinerKind, kind), embeddings, labels))
        return
    print(
        f"{arguments.items} × {arguments.features}; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors"
    )
    print(f"{'':<20}{'ours':>13}{'theirs':>13}")
    for kind in arguments.only:
        if arguments.memory:
            report_memory(kind, arguments.items, arguments.features)
        else:
            report_times(kind, embeddings, labels, arguments.rounds)


if __name__ == "__main__":
    main()
