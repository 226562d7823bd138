"""Several processes that train one model together, as `torchrun` starts them.

Each holds the same weights and its own part of the data. All decisions (stop, pause, a better score) are made from
numbers that every process has, so that all do the same; rank 0 alone writes the run folder.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar, cast

import torch
import torch.distributed as dist

from mmgraph.errors import ConfigError, MMGraphError, TrainingError
from mmgraph.runs import Command, ItemSet, RunWriter, Snapshot
from mmgraph.runs.schema import CHECKPOINT_FOLDER
from mmgraph.runs.structure import Structure
from mmgraph.training.checkpoints import BEST, LAST
from mmgraph.training.devices import limited_threads, pick_device, seeded
from mmgraph.training.interruption import StopRequest
from mmgraph.training.loop import TrainingLoop
from mmgraph.training.options import TrainingOptions
from mmgraph.training.progress import Report, Result
from mmgraph.training.task import Task

T = TypeVar("T")

SECONDS_TO_ANSWER = 40.0
"""A process that does not take part in an exchange for so long is given up, and with it the job."""


@dataclass(frozen=True)
class World:
    """The processes of a job, and which of them this is."""

    rank: int
    size: int
    control: dist.ProcessGroup
    """Numbers that all must agree on go through here, on the CPU."""

    @property
    def leads(self) -> bool:
        """Whether this is the process that writes."""
        return self.rank == 0

    def shared(self, value: T) -> T:
        """What rank 0 has, for all."""
        box = [value]
        dist.broadcast_object_list(box, src=0, group=self.control)
        return box[0]

    def any(self, mine: bool) -> bool:
        """Whether it holds for some process."""
        flag = torch.tensor(int(mine))
        dist.all_reduce(flag, dist.ReduceOp.MAX, group=self.control)
        return bool(flag)


_worlds: list[World] = []


def current_world() -> World | None:
    """The processes this one trains with; None where it trains alone."""
    return _worlds[-1] if _worlds else None


@contextlib.contextmanager
def joined(seconds: float = SECONDS_TO_ANSWER) -> Iterator[World | None]:
    """Meet the other processes that torchrun started; None where there are none.

    Inside another `joined` this is the same world. NCCL carries features and gradients between GPUs, gloo all else.
    Where there is CUDA, each process takes the GPU of its local rank.

    Args:
        seconds: how long to wait for the others, at the start and in every exchange.

    Raises:
        TrainingError: another process ended or does not answer.
        ConfigError: torchrun's variables are incomplete.
    """
    if _worlds or int(os.environ.get("WORLD_SIZE", "1")) < 2:
        yield current_world()
        return
    missing = [name for name in ("RANK", "MASTER_ADDR", "MASTER_PORT") if name not in os.environ]
    if missing:
        raise ConfigError(
            f"WORLD_SIZE says that several processes train together, but {', '.join(missing)} is not set: start them "
            f"with torchrun."
        )
    backend = "gloo"
    if torch.cuda.is_available() and dist.is_nccl_available():
        backend = "cpu:gloo,cuda:nccl"
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")) % torch.cuda.device_count())
    wait = timedelta(seconds=seconds)
    with _one_ended():
        dist.init_process_group(backend, timeout=wait)
        control = cast("dist.ProcessGroup", dist.new_group(backend="gloo", timeout=wait))
    _worlds.append(World(dist.get_rank(), dist.get_world_size(), control))
    try:
        with _one_ended():
            yield _worlds[-1]
    finally:
        _worlds.pop()
        dist.destroy_process_group()


def fit_together(
    task: Task,
    run: RunWriter | None,
    options: TrainingOptions,
    world: World,
    *,
    resume: bool = False,
    on_report: Callable[[Report], None] | None = None,
) -> Result:
    """`fit` by all processes of a world; each has the task with its own part of the data.

    Args:
        run: the open run folder at rank 0, None elsewhere.

    Raises:
        TrainingError: another process ended or does not answer.
        MMGraphError: as `fit`; an error of one process ends the others too.
    """
    device = pick_device(options.device)
    with (
        _one_ended(),
        tempfile.TemporaryDirectory(prefix="mmgraph-") as scratch,
        seeded(options.seed, device),
        limited_threads(options.threads),
        AgreedStop(world) as interrupt,
    ):
        recording = SharedRun(run, world, Path(scratch))
        if resume:
            recording.share_checkpoints()
        writer = cast("RunWriter", recording)
        return TrainingLoop(task, writer, options, device, interrupt, on_report).train(resume)


class AgreedStop(StopRequest):
    """A request to stop that reaches all processes at the same step, whichever was asked."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    @property
    def requested(self) -> bool:
        """Whether somebody asked some process to stop."""
        asked = self._world.any(super().requested)
        if asked and not self.reason:
            self.reason = "another process was asked to end"
        return asked

    def wait(self, seconds: float) -> bool:
        """Wait that long; whether somebody asked some process to stop."""
        super().wait(seconds)
        return self.requested


class SharedRun:
    """What the loop records into: the run folder at rank 0; elsewhere nothing, with checkpoints in a scratch folder.

    Commands that arrive in the run folder are obeyed by all.
    """

    def __init__(self, run: RunWriter | None, world: World, scratch: Path) -> None:
        self._run, self._world = run, world
        self.folder = scratch if run is None else run.folder

    def share_checkpoints(self) -> None:
        """Bring the checkpoints of rank 0 to all, who need not have its disk."""
        for name in (LAST, BEST):
            path = self.folder / CHECKPOINT_FOLDER / name
            content = self._world.shared(
                path.read_bytes() if self._run is not None and path.is_file() else None
            )
            if content is not None and self._run is None:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)

    def commands(self) -> list[Command]:
        return self._world.shared([] if self._run is None else self._run.commands())

    def answer(self, command: Command, answer: str, *, step: int) -> None:
        if self._run is not None:
            self._run.answer(command, answer, step=step)

    def scalars(self, step: int, values: Mapping[str, float], *, epoch: float | None = None) -> None:
        if self._run is not None:
            self._run.scalars(step, values, epoch=epoch)

    def event(self, message: str, *, level: str = "info", kind: str = "log", step: int | None = None) -> None:
        if self._run is not None:
            self._run.event(message, level=level, kind=kind, step=step)

    def snapshots(
        self, step: int, snapshots: Sequence[Snapshot], *, epoch: float | None = None, wait: bool = False
    ) -> None:
        if self._run is not None:
            self._run.snapshots(step, snapshots, epoch=epoch, wait=wait)

    def structure(self, structure: Structure) -> None:
        if self._run is not None:
            self._run.structure(structure)

    def items(self, items: ItemSet) -> None:
        if self._run is not None:
            self._run.items(items)

    def flush(self) -> None:
        """Wait until everything is on disk, in the process that writes."""
        if self._run is not None:
            self._run.flush()

    def status(self, **fields: Any) -> None:
        if self._run is not None:
            self._run.status(**fields)


@contextlib.contextmanager
def _one_ended() -> Iterator[None]:
    """Say in words what torch.distributed raises where another process is gone or silent."""
    try:
        yield
    except MMGraphError:
        raise
    except RuntimeError as error:
        words = str(error).lower()
        if isinstance(error, dist.DistError) or any(word in words for word in _SIGNS):
            raise TrainingError(
                "Another process of this job ended or does not answer, so training stopped; its own message says "
                "why. Start all of them again with resume to go on from the last checkpoint."
            ) from error
        raise


_SIGNS = (
    "gloo",
    "nccl",
    "connection closed by peer",
    "connection reset",
    "timed out",
    "timeout",
    "broken pipe",
)
