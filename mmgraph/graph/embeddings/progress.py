"""How far the training of an embedding is, what is kept when it ends early, and a bar that shows it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

OnProgress = Callable[["Progress"], object]


@dataclass(frozen=True)
class Progress:
    """How far training is, given to `on_progress`.

    Args:
        step, steps: parts of the work that are done, and all there are: blocks of walks, rounds, or buckets.
        tokens: what was trained on so far: nodes that walks visited (DeepWalk, Node2Vec), else contexts.
        seconds: since training began.
        metrics: numbers worth recording, such as "train/loss".
    """

    step: int
    steps: int
    tokens: int
    seconds: float
    _read: Callable[[NDArray[np.int64] | slice], NDArray[np.float32]] = field(repr=False)
    _cancelled: threading.Event = field(repr=False)
    metrics: Mapping[str, float] = field(default_factory=dict)

    @property
    def fraction(self) -> float:
        """How much of the work is done, 0 to 1."""
        return self.step / self.steps if self.steps else 1.0

    @property
    def vectors(self) -> NDArray[np.float32]:
        """The embedding as it changes, (nodes, dimensions); copy what is to be kept."""
        return self._read(slice(None))

    def rows(self, nodes: NDArray[np.int64]) -> NDArray[np.float32]:
        """The vectors of some nodes by their numbers, (n, dimensions); a copy."""
        return self._read(nodes)

    @property
    def is_cancelled(self) -> bool:
        """Whether somebody has asked to end training."""
        return self._cancelled.is_set()

    def cancel(self) -> None:
        """End training after the parts that are being trained; the embedding is kept as it is then."""
        self._cancelled.set()


@contextlib.contextmanager
def keeping(keep: Callable[[], None]) -> Iterator[None]:
    """Keep what was trained at the end, and also when Ctrl-C ends it; not after an error."""
    try:
        yield
    except KeyboardInterrupt:
        keep()
        raise
    keep()


@contextlib.contextmanager
def progress_bar(title: str) -> Iterator[OnProgress]:
    """A bar on standard error, or in the notebook."""
    from rich.console import Console
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    numbers = TextColumn("{task.fields[numbers]}")
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), numbers)
    with Bars(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as bars:
        task = bars.add_task(title, total=1.0, numbers="")

        def show(progress: Progress) -> None:
            named = {tag.replace("train/", ""): value for tag, value in progress.metrics.items()}
            text = "  ".join(f"{name} {value:.4g}" for name, value in named.items())
            bars.update(task, completed=progress.fraction, numbers=text)

        yield show
