"""What recording costs a recipe: numbers of every step and snapshots at the default throttle.

    python benchmarks/recording_cost.py [--pairs 20] [--block 3.0] [--only node-classification]

The same training loop runs with a run folder and with a writer that throws everything away, in turns (see
`paired.py`). The recording loop's clock stands still while the other one runs, so that snapshots come as often
as in a run of its own. The limit is 2 % for the image recipe and 5 % for GCN on Cora.

"accounted" is the processor time that the recording loop spends between its steps, and in the writer's thread, as
a part of the rest. It hardly depends on what else the machine does, and leaves out what shows elsewhere (caches,
waiting).
"""

from __future__ import annotations

import argparse
import platform
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from paired import compare
from watch_overhead import StoppableClock

from mmgraph.options import parse
from mmgraph.recipes import recipe
from mmgraph.runs import RunReader, RunWriter
from mmgraph.training.interruption import StopRequest
from mmgraph.training.loop import TrainingLoop

CASES = {
    "image-classification": ({"dataset": "fashion-mnist", "epochs": 1000, "evaluate_every": 1000}, 1.02),
    "node-classification": ({"dataset": "cora", "conv": "gcn", "epochs": 1_000_000}, 1.05),
}


class NoRecording:
    """A writer that throws everything away."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def scalars(self, *arguments: Any, **keywords: Any) -> None: ...
    def status(self, *arguments: Any, **keywords: Any) -> None: ...
    def items(self, *arguments: Any, **keywords: Any) -> None: ...
    def event(self, *arguments: Any, **keywords: Any) -> None: ...
    def snapshots(self, *arguments: Any, **keywords: Any) -> bool:
        return True

    def commands(self) -> list[Any]:
        return []


class Account:
    """Processor time of the training thread: in all, and between steps, where it records."""

    def __init__(self) -> None:
        self.total = self.recording = 0.0

    def counted(self, work: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any) -> Any:
            began = time.thread_time()
            result = work(*arguments)
            self.recording += time.thread_time() - began
            return result

        return run

    def step(self, steps: Iterator[None]) -> None:
        began = time.thread_time()
        next(steps)
        self.total += time.thread_time() - began

    def share(self) -> float:
        """Recording as a part of all else, the writer's thread included."""
        writing = sum(
            time.clock_gettime(time.pthread_getcpuclockid(thread.ident))
            for thread in threading.enumerate()
            if thread.name.startswith("mmgraph-writer") and thread.ident is not None
        )
        return (self.recording + writing) / (self.total - self.recording)


def make_loop(name: str, options: dict[str, Any], run: Any) -> TrainingLoop:
    chosen = recipe(name)
    config = parse(chosen.config, {"device": "cpu", "checkpoint_seconds": 1e9, **options})
    torch.manual_seed(config.seed)
    return TrainingLoop(chosen.build(config), run, config, torch.device("cpu"), StopRequest(), None)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--block", type=float, default=3.0, help="seconds")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--only", nargs="*", choices=list(CASES), default=list(CASES))
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    print(
        f"{platform.machine()}, {arguments.threads} threads, torch {torch.__version__}, "
        f"{arguments.pairs} pairs of {arguments.block:g} s blocks, 95 % intervals"
    )
    print(
        f"{'recipe':<22}{'step':>10}{'wall time':>28}{'processor time':>28}{'accounted':>11}"
        "  limit  verdict         snapshots"
    )
    for name in arguments.only:
        options, limit = CASES[name]
        with tempfile.TemporaryDirectory() as folder:
            run = RunWriter.create(folder, "on", {})
            clock = StoppableClock()
            account = Account()
            recording = make_loop(name, options, run)
            recording.clock = clock
            recording.begin()
            recording.between_steps = account.counted(recording.between_steps)
            on = recording.steps()
            off = make_loop(
                name, {**options, "snapshots_per_second": 0.0}, NoRecording(Path(folder) / "off")
            ).steps()

            def finish_block(clock: StoppableClock = clock, run: RunWriter = run) -> None:
                clock.stop()
                run.flush()

            found = compare(
                lambda off=off: next(off),
                lambda on=on, account=account: account.step(on),
                pairs=arguments.pairs,
                block_seconds=arguments.block,
                before_b=clock.go,
                after_b=finish_block,
            )
            accounted = account.share()
            with RunReader(run.folder) as reader:
                looks = len({info.step for info in reader.snapshots()})
            run.close("stopped")
        print(
            f"{name:<22}{found.step_seconds * 1e3:>7.2f} ms{found.wall!s:>28}{found.cpu!s:>28}"
            f"{accounted * 100:>+9.2f} %  {(limit - 1) * 100:>+4.0f}%  {found.wall.verdict(limit):<14}  {looks}",
            flush=True,
        )


if __name__ == "__main__":
    main()
