"""Two lines that make anybody's training loop visible while it runs."""

from __future__ import annotations

import atexit
import contextlib
import sys
import time
import warnings
from collections.abc import Iterator
from types import TracebackType
from typing import Any

from torch.optim import Optimizer

from mmgraph.errors import RunError
from mmgraph.inspection.deferred_scalars import DeferredScalars, first_not_finite
from mmgraph.inspection.probe import Probe
from mmgraph.runs import Command, RunWriter, Throttle

_CHORE_SECONDS = 0.05
_STATUS_SECONDS = 0.5
_BATCHLESS_STEPS = 10


class Watch:
    """Records a training loop in a run folder; made by `mmgraph.watch`.

        live = mmgraph.watch(model)
        for batch, target in loader:
            ...
            live.step(loss=loss)

    The model is kept alive until the watch is closed, so that its last state can be recorded; a program that
    ends without closing closes it. Nothing that goes wrong with looking or recording stops the loop: there is
    one warning, and the rest goes on.

    Attributes:
        steps: how often `step` was called; set it when a loop goes on from a checkpoint.
        should_stop: whether somebody asked the loop to stop, from the app or the command line.
    """

    def __init__(
        self,
        writer: RunWriter | None,
        probe: Probe | None,
        throttle: Throttle,
        *,
        optimizer: Optimizer | None = None,
    ) -> None:
        self.steps = 0
        self.should_stop = False
        self.clock = time.monotonic
        self.folder = None if writer is None else writer.folder
        self._writer = writer
        self._probe = probe
        self._throttle = throttle
        self._optimizer = optimizer
        self._scalars = DeferredScalars()
        self._tags: dict[str, str] = {}
        self._latest: dict[str, float] = {}
        self._epoch: float | None = None
        self._paused = False
        self._failed = False
        self._complaints: set[str] = set()
        self._not_finite: set[str] = set()
        self._described = False
        self._looked_for_batch_at = -1
        self._last_taken = -1
        self._next_chores = 0.0
        self._next_status = 0.0
        self._started = self._status_at = self.clock()
        self._status_steps = 0
        atexit.register(self._close_at_exit)

    # -- what the loop calls ---------------------------------------------------------------------------

    def step(self, loss: Any = None, *, epoch: float | None = None, **metrics: Any) -> None:
        """Count a step, record its numbers, and look at the model where a look is due.

        Args:
            loss: recorded as "train/loss".
            epoch: where the loop is; fractions are fine.
            metrics: further numbers or one-element tensors, recorded as "train/<name>"; a name with a slash
                ("validation/accuracy") and "learning_rate" stay as they are.

        Raises:
            InputError: a value is not one number.
        """
        writer = self._writer
        if writer is None:
            return
        self.steps += 1
        if loss is not None:
            metrics["loss"] = loss
        self.record(epoch=epoch, **metrics)
        now = self.clock()
        if now >= self._next_chores:
            self._next_chores = now + _CHORE_SECONDS
            self._chores(writer, now)
        if self._throttle.due(now):
            self._look(wait=False)

    def record(self, *, epoch: float | None = None, **metrics: Any) -> None:
        """Record numbers at the current step without counting a new one, as after a validation."""
        if epoch is not None:
            self._epoch = epoch
        if metrics and self._writer is not None:
            values = {self._tag(name): value for name, value in metrics.items()}
            self._scalars.add(self.steps, epoch, values)

    def log(self, text: str, *, level: str = "info") -> None:
        """Record a line of text."""
        if self._writer is not None:
            with self._recording():
                self._writer.event(text, level=level, step=self.steps)

    def snapshot(self) -> bool:
        """Look at the model now, whatever the throttle says; False if that was not possible."""
        self._throttle.due(self.clock())
        return self._look(wait=False)

    def flush(self) -> None:
        """Wait until everything recorded so far is on disk."""
        writer = self._writer
        if writer is not None:
            with self._recording():
                self._settle(writer)
                writer.flush()

    def close(self, state: str | None = None, message: str = "") -> None:
        """Look a last time, write what is left, and let go of the model. Closing twice does no harm.

        Args:
            state: finished, stopped or failed; by default stopped if somebody asked for it, else finished.
        """
        if self._writer is not None and self._last_taken != self.steps:
            self._look(wait=True)
        self._end(state, message)

    def detach(self) -> None:
        """Let go of the model at once, without a last look, and close the run."""
        self._end(None, "")

    @property
    def is_open(self) -> bool:
        """Whether steps are still being recorded."""
        return self._writer is not None

    def __enter__(self) -> Watch:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(*_ending(error))

    # -- looking at the model --------------------------------------------------------------------------

    def _look(self, *, wait: bool) -> bool:
        writer, probe = self._writer, self._probe
        if writer is None or probe is None:
            return False
        try:
            if not probe.is_ready:
                self._look_for_batch(probe)
                return False
            probe.wait_for_device()
            started = time.perf_counter()
            try:
                snapshots = probe.take()
                if not self._described:
                    self._described = True
                    snapshots += [graph] if (graph := probe.graph()) is not None else []
                    self._describe(writer, probe)
                    writer.structure(probe.structure())
            finally:
                self._throttle.took(time.perf_counter() - started)
        except Exception as error:  # in somebody else's model
            self._complain(f"The model could not be looked at ({type(error).__name__}: {error}).")
            return False
        for remark in probe.remarks:
            if remark not in self._complaints:
                self._complaints.add(remark)
                self.log(remark)
        with self._recording():
            self._settle(writer)
            self._last_taken = self.steps
            return writer.snapshots(self.steps, snapshots, epoch=self._epoch, wait=wait)
        return False

    def _describe(self, writer: RunWriter, probe: Probe) -> None:
        try:
            items = probe.items()
        except Exception as error:
            self._complain(f"The items of the probe could not be described: {error}")
            return
        if items is not None:
            with self._recording():
                writer.items(items)

    def _look_for_batch(self, probe: Probe) -> None:
        if self.steps == self._looked_for_batch_at:
            return
        self._looked_for_batch_at = self.steps
        if self.steps in (1, _BATCHLESS_STEPS):
            probe.look_again()
        if self.steps == _BATCHLESS_STEPS + 1:
            self._complain(
                "The model has not seen a batch since it was watched, so there is nothing to look at it with. "
                "Call the model itself (not a function that was compiled around it), or give probe=."
            )

    # -- recording -------------------------------------------------------------------------------------

    def _chores(self, writer: RunWriter, now: float) -> None:
        with self._recording():
            self._settle(writer)
            if now >= self._next_status:
                self._next_status = now + _STATUS_SECONDS
                self._say_where(writer, now)
            self._obey(writer)
            if self._paused:
                self._wait_while_paused(writer)

    def _settle(self, writer: RunWriter) -> None:
        if self._optimizer is not None:
            rate = float(self._optimizer.param_groups[0]["lr"])
            if self._latest.get("learning_rate") != rate:
                self._scalars.add(self.steps, self._epoch, {"learning_rate": rate})
        rows = self._scalars.settle()
        for step, epoch, values in rows:
            writer.scalars(step, values, epoch=epoch)
            self._latest |= values
        loss = "train/loss"
        if loss not in self._not_finite and (found := first_not_finite(rows, loss)) is not None:
            self._not_finite.add(loss)
            writer.event(
                f"The loss is {found[1]} at step {found[0]}.", level="warning", kind="nan", step=found[0]
            )

    def _say_where(self, writer: RunWriter, now: float) -> None:
        elapsed, steps = now - self._status_at, self.steps - self._status_steps
        fields: dict[str, Any] = {"step": self.steps, "seconds": now - self._started, "metrics": self._latest}
        if elapsed > 0:
            fields["steps_per_second"] = steps / elapsed
        if self._epoch is not None:
            fields["epoch"] = self._epoch
        if "learning_rate" in self._latest:
            fields["learning_rate"] = self._latest["learning_rate"]
        if self._probe is not None:
            fields["device_memory"] = self._probe.device_memory()
        self._status_at, self._status_steps = now, self.steps
        writer.status(**fields)

    def _obey(self, writer: RunWriter) -> None:
        for command in writer.commands():
            writer.answer(command, self._answer(command), step=self.steps)

    def _answer(self, command: Command) -> str:
        if command.name == "stop":
            self.should_stop = True
            return "the loop is asked to stop; it does so where it looks at `should_stop`"
        if command.name == "pause":
            self._paused = True
            return f"paused after step {self.steps}"
        if command.name == "resume":
            was_paused, self._paused = self._paused, False
            return "going on" if was_paused else "was not paused"
        if command.name == "snapshot":
            return (
                f"taken at step {self.steps}" if self.snapshot() else "the model could not be looked at now"
            )
        if command.name == "set-learning-rate" and command.argument is not None:
            if self._optimizer is None:
                return "not done: watch was not given the optimizer (optimizer=)"
            for group in self._optimizer.param_groups:
                if isinstance(group["lr"], float | int):
                    group["lr"] = command.argument
                else:
                    group["lr"].fill_(command.argument)
            return f"the learning rate is now {command.argument:g}"
        return "not done: this loop is its author's, and only they know how to do that"

    def _wait_while_paused(self, writer: RunWriter) -> None:
        writer.status(state="paused")
        while self._paused and not self.should_stop:
            time.sleep(_CHORE_SECONDS)
            self._obey(writer)
        self._paused = False
        writer.status(state="running")

    @contextlib.contextmanager
    def _recording(self) -> Iterator[None]:
        """A disk that fails ends the recording, never the loop."""
        try:
            yield
        except RunError as error:
            self._fail(error)

    def _fail(self, error: RunError) -> None:
        already, self._failed = self._failed, True
        self._end(None, "")
        if not already:
            self._complain(f"Nothing more is recorded: {error}", always=True)

    def _complain(self, sentence: str, *, always: bool = False) -> None:
        if sentence in self._complaints:
            return
        warn = always or not self._complaints
        self._complaints.add(sentence)
        if self._writer is not None:
            with contextlib.suppress(RunError):
                self._writer.event(sentence, level="warning", step=self.steps)
        if warn:
            warnings.warn(f"mmgraph.watch: {sentence}", RuntimeWarning, stacklevel=4)

    def _tag(self, name: str) -> str:
        tag = self._tags.get(name)
        if tag is None:
            tag = name if "/" in name or name == "learning_rate" else f"train/{name}"
            self._tags[name] = tag
        return tag

    # -- the end ---------------------------------------------------------------------------------------

    def _end(self, state: str | None, message: str) -> None:
        writer, self._writer = self._writer, None
        if self._probe is not None:
            self._probe.close()
        atexit.unregister(self._close_at_exit)
        if writer is None:
            return
        try:
            with contextlib.suppress(RunError):
                self._settle(writer)
                self._say_where(writer, self.clock())
            writer.close(state or ("stopped" if self.should_stop else "finished"), message)
        except RunError as error:
            self._fail(error)

    def _close_at_exit(self) -> None:
        # Python keeps the error that ended the program; in an interactive session it is an old one.
        error = None if hasattr(sys, "ps1") else getattr(sys, "last_value", None)
        self.close(*_ending(error))


def _ending(error: BaseException | None) -> tuple[str | None, str]:
    """State and message of a run that ended with an error, or without."""
    if error is None:
        return None, ""
    if isinstance(error, KeyboardInterrupt):
        return "stopped", "interrupted"
    return "failed", f"{type(error).__name__}: {error}"
