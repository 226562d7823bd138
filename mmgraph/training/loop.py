"""The training loop, from top to bottom."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import torch

from mmgraph.errors import MMGraphError, NonFiniteLossError
from mmgraph.inspection.device_memory import device_memory
from mmgraph.runs import Command, RunWriter, Throttle
from mmgraph.runs.schema import CHECKPOINT_FOLDER
from mmgraph.training.averaging import WeightAverage
from mmgraph.training.checkpoints import BEST, LAST, load_checkpoint, save_checkpoint, saved_progress
from mmgraph.training.devices import autocast, limited_threads, pick_device, seeded
from mmgraph.training.growth import Growth, load_weights
from mmgraph.training.interruption import StopRequest
from mmgraph.training.optimizers import make_optimizer, schedule_factor
from mmgraph.training.options import TrainingOptions
from mmgraph.training.progress import Progress, Report, Result
from mmgraph.training.task import Task

_REPORT_SECONDS = 0.1


def fit(
    task: Task,
    run: RunWriter,
    options: TrainingOptions,
    *,
    resume: bool = False,
    on_report: Callable[[Report], None] | None = None,
) -> Result:
    """Train a task and record it.

    The step is: forward, loss, backward, clip, optimiser, or what the task does by itself (`Task.own_step`);
    between two steps the loop records, obeys the commands in the run folder, takes snapshots and writes
    checkpoints. A run that is stopped anywhere and resumed gives the same numbers, bit for bit on a CPU, as one
    that was not.

    Args:
        task: model, data and objective.
        run: the open run folder; the caller closes it.
        options: how to train.
        resume: go on from the run's last checkpoint.
        on_report: called a few times a second with where the run stands.

    Raises:
        NonFiniteLossError: the loss became NaN or infinite; the step that did it is not applied.
        CheckpointError: there is nothing to resume from, or it does not fit.
        DeviceError: the device asked for is not there.
        RunError: the run folder could not be written.
    """
    device = pick_device(options.device)
    with seeded(options.seed, device), limited_threads(options.threads), StopRequest() as interrupt:
        return TrainingLoop(task, run, options, device, interrupt, on_report).train(resume)


class TrainingLoop:
    """The state of `fit`, and what it does; `steps` is the loop."""

    clock: Callable[[], float] = staticmethod(time.perf_counter)

    def __init__(
        self,
        task: Task,
        run: RunWriter,
        options: TrainingOptions,
        device: torch.device,
        interrupt: StopRequest,
        on_report: Callable[[Report], None] | None,
    ) -> None:
        self.task, self.run, self.options, self.device = task, run, options, device
        self.interrupt, self.on_report = interrupt, on_report
        task.to(device)
        self.optimizer = make_optimizer(task.parameter_groups(options.weight_decay), options)
        self.scaler = torch.amp.GradScaler(device.type, enabled=options.precision == "float16")
        self.parameters = [p for group in self.optimizer.param_groups for p in group["params"]]
        self.average = WeightAverage(task.model, options.average_weights) if options.average_weights else None
        self.progress = Progress(base_learning_rate=options.learning_rate)
        self.total_steps = options.epochs * task.batches_per_epoch
        self.snapshot_throttle = Throttle(
            per_second=options.snapshots_per_second, share=options.snapshot_share
        )
        self.folder = run.folder / CHECKPOINT_FOLDER
        self.stop_reason = ""

    def train(self, resume: bool) -> Result:
        """The whole run."""
        if resume:
            self.restore()
        else:
            self.begin()
        for _ in self.steps():
            pass
        return self.end()

    def steps(self) -> Iterator[None]:
        """Train, coming up for air after each step."""
        task, progress = self.task, self.progress
        self.checkpoint_time = self.clock()
        self.started = self.checkpoint_time - progress.seconds
        self.cpu_started = time.process_time() - progress.cpu_seconds
        self.reported, self.reported_step = 0.0, progress.step
        self.run.status(total_steps=self.total_steps, step=progress.step)
        self.obey()
        while progress.epoch < self.options.epochs and not self.stop_reason:
            for batch in task.batches(progress.epoch, progress.batch):
                numbers = self.step(batch)
                progress.step += 1
                progress.batch += 1
                if progress.batch == task.batches_per_epoch:
                    self.end_epoch(numbers)
                self.between_steps(numbers)
                yield
                if self.stop_reason:
                    break

    def step(self, batch: object) -> dict[str, float]:
        """One step, of the task's own or of gradient descent; returns its numbers."""
        rate = self.progress.base_learning_rate * self.schedule_factor
        own = self.task.own_step(batch, rate)
        numbers = self.descend(batch, rate) if own is None else {f"train/{k}": v for k, v in own.items()}
        if not math.isfinite(numbers.get("train/loss", 0.0)):
            self.fail_on(numbers)
        if self.average is not None:
            self.average.update()
        numbers["learning_rate"] = rate
        return numbers

    def descend(self, batch: object, rate: float) -> dict[str, float]:
        """One step of gradient descent; returns its numbers."""
        optimizer = self.optimizer
        for group in optimizer.param_groups:
            group["lr"] = rate * group.get("rate_share", 1.0)
        self.task.model.train()
        with autocast(self.device, self.options.precision):
            loss, metrics = self.task.loss(batch)
        # The one synchronisation with the GPU in a step.
        values = torch.stack([value.detach().to(loss.dtype) for value in (loss, *metrics.values())]).tolist()
        numbers = dict(zip(("train/loss", *(f"train/{name}" for name in metrics)), values, strict=True))
        if not math.isfinite(numbers["train/loss"]):
            return numbers
        optimizer.zero_grad(set_to_none=True)
        self.scaler.scale(loss).backward()
        if self.options.gradient_clip is not None:
            self.scaler.unscale_(optimizer)
            norm = torch.nn.utils.clip_grad_norm_(self.parameters, self.options.gradient_clip)
            numbers["train/gradient_norm"] = float(norm)
        self.scaler.step(optimizer)
        self.scaler.update()
        return numbers

    def averaged(self) -> contextlib.AbstractContextManager[None]:
        """The model as it is tested and shown: with the average of its weights where there is one."""
        return contextlib.nullcontext() if self.average is None else self.average.applied()

    def end_epoch(self, numbers: dict[str, float]) -> None:
        """Evaluate, keep the best weights, stop early."""
        progress, options = self.progress, self.options
        progress.epoch += 1
        progress.batch = 0
        if progress.epoch % options.evaluate_every and progress.epoch < options.epochs:
            return
        with self.averaged():
            scores = self.task.evaluate()
            remark = self.task.remark()
        numbers.update(scores)
        if remark:
            self.run.event(remark, kind="sample", step=progress.step)
        if self.task.times_cpu:
            numbers["cpu-seconds"] = time.process_time() - self.cpu_started
        deciding = {name: scores.get(name, math.nan) for name in self.monitored}
        if not all(math.isfinite(value) for value in deciding.values()):
            return
        better = {name: value for name, value in deciding.items() if self.is_better(name, value)}
        progress.best |= better
        if better == deciding:
            progress.metrics |= {f"best/{name}": value for name, value in deciding.items()}
            with self.averaged():
                self.save(BEST)
        if better:
            progress.best_epoch = progress.epoch
        elif options.patience is not None and progress.epoch - progress.best_epoch >= options.patience:
            self.stop_reason = "early-stop"

    @property
    def monitored(self) -> tuple[str, ...]:
        """The numbers that decide what is best."""
        monitor = self.task.monitor
        return (monitor,) if isinstance(monitor, str) else monitor

    def is_better(self, name: str, value: float) -> bool:
        """Whether a number is better than ever before; where several decide, as good is enough."""
        if name not in self.progress.best:
            return True
        sign = -1.0 if name.endswith("loss") else 1.0
        gain = sign * (value - self.progress.best[name])
        return gain > 0 or (gain == 0 and len(self.monitored) > 1)

    def between_steps(self, numbers: dict[str, float]) -> None:
        """Record, obey, look inside, save."""
        progress = self.progress
        now = self.clock()
        progress.seconds = now - self.started
        progress.cpu_seconds = time.process_time() - self.cpu_started
        progress.metrics.update(numbers)
        self.run.scalars(progress.step, numbers, epoch=self.epochs_done)
        if self.task.growth is not None and not self.stop_reason:
            self.grow(self.task.growth, numbers)
        if self.interrupt.requested:
            self.stop_reason = self.stop_reason or self.interrupt.reason
        self.obey()
        if not self.ending and self.snapshot_throttle.due(now):  # the last look is that of `end`
            self.look()
        if now - self.checkpoint_time >= self.options.checkpoint_seconds:
            self.save(LAST)
        if now - self.reported >= _REPORT_SECONDS:
            self.report(now)

    def grow(self, growth: Growth, numbers: dict[str, float]) -> None:
        """Let the network grow where its rules say so, and give it time before patience ends."""
        progress = self.progress
        done = growth.after_step(self.task.model, numbers, progress.epoch, self.optimizer)
        progress.growth = growth.state
        if done:
            self.parameters = [p for group in self.optimizer.param_groups for p in group["params"]]
            if self.average is not None:
                self.average.restart()
            progress.best_epoch = progress.epoch
            self.run.event("; ".join(done), kind="growth", step=progress.step)
            self.run.structure(self.task.structure())
            # Best weights saved from now on are of the grown network, so the run must never go back behind it.
            self.save(LAST)

    @property
    def schedule_factor(self) -> float:
        """What the learning rate is multiplied with at this step."""
        options = self.options
        return schedule_factor(
            options.schedule,
            self.progress.step,
            self.total_steps,
            options.warmup_steps,
            options.halve_every * self.task.batches_per_epoch,
        )

    @property
    def ending(self) -> bool:
        """Whether this was the last step."""
        return bool(self.stop_reason) or self.progress.epoch >= self.options.epochs

    @property
    def epochs_done(self) -> float:
        """Epochs so far, with the part of the one under way."""
        return self.progress.epoch + self.progress.batch / self.task.batches_per_epoch

    def begin(self) -> None:
        """Write down what does not change, and what the untrained model looks like."""
        if self.task.growth is not None:
            self.task.growth.check(self.task.model)
        items = self.task.items()
        if items is not None:
            self.run.items(items)
        self.run.snapshots(0, self.task.constants(), epoch=0.0, wait=True)
        self.run.structure(self.task.structure())
        self.snapshot_throttle.due(self.clock())
        self.look()
        self.save(LAST)  # so that a run which dies early can be resumed too

    def restore(self) -> None:
        """Take up the run where its last checkpoint left it."""
        growth = self.task.growth
        grown = None if growth is None else saved_progress(self.folder / LAST).get("growth")
        if growth is not None and grown is not None:
            growth.restore(self.task.model, grown, self.optimizer)
            self.parameters = [p for group in self.optimizer.param_groups for p in group["params"]]
        notes = load_checkpoint(
            self.folder / LAST,
            self.task.model,
            self.optimizer,
            self.scaler,
            random_state=True,
            average=self.average,
        )
        if not isinstance(notes["best"], dict):  # from when one number alone decided
            notes["best"] = {} if notes["best"] is None else {self.monitored[0]: notes["best"]}
        self.progress = Progress(**notes)
        self.run.event(f"Resumed from step {self.progress.step}.", kind="resume", step=self.progress.step)

    def look(self, *, wait: bool = False) -> None:
        """Take snapshots of the model as it is now."""
        started = self.clock()
        with self.averaged():
            snapshots = [*self.task.probe(), *self.task.spread()]
        self.run.snapshots(self.progress.step, snapshots, epoch=self.epochs_done, wait=wait)
        self.snapshot_throttle.took(self.clock() - started)

    def save(self, name: str) -> Path:
        """Write a checkpoint."""
        path = self.folder / name
        if name == LAST:
            # A run that is killed now goes on from here, so what was recorded up to here must be on disk.
            self.run.flush()
        average = self.average if name == LAST else None  # the best weights are those of the average
        save_checkpoint(path, self.task.model, self.optimizer, self.scaler, asdict(self.progress), average)
        if name == LAST:
            self.checkpoint_time = self.clock()
        return path

    def report(self, now: float) -> None:
        """Tell the run folder and the caller where the run stands."""
        progress = self.progress
        rate = (progress.step - self.reported_step) / max(now - self.reported, 1e-9) if self.reported else 0.0
        overall = progress.step / max(progress.seconds, 1e-9)
        left = (self.total_steps - progress.step) / overall if overall else None
        self.reported, self.reported_step = now, progress.step
        self.run.status(
            step=progress.step,
            epoch=self.epochs_done,
            seconds=progress.seconds,
            seconds_left=left,
            steps_per_second=rate or overall,
            learning_rate=progress.metrics.get("learning_rate"),
            metrics=progress.metrics,
            device_memory=device_memory(self.device),
        )
        if self.on_report is not None:
            self.on_report(
                Report(
                    progress.step,
                    self.total_steps,
                    progress.epoch,
                    self.options.epochs,
                    progress.metrics,
                    rate or overall,
                    left,
                )
            )

    def obey(self) -> None:
        """Do what the run folder asks for; while paused, nothing else."""
        paused = False
        while True:
            for command in self.run.commands():
                paused = self.obey_one(command, paused)
            if not paused or self.stop_reason:
                return
            if self.interrupt.wait(0.05):
                self.stop_reason = self.interrupt.reason
                return

    def obey_one(self, command: Command, paused: bool) -> bool:
        """Do one thing and say what came of it; whether the run is paused after it."""
        progress, answer = self.progress, "done"
        if command.name == "pause":
            paused, answer = True, "paused"
            self.save(LAST)
            self.report(self.clock())
            self.run.status(state="paused")
        elif command.name == "resume":
            if paused:
                self.started = self.clock() - progress.seconds
            paused, answer = False, "running"
            self.run.status(state="running")
        elif command.name == "stop":
            self.stop_reason, answer = "asked to stop", "stopping after this step"
        elif command.name == "set-learning-rate" and command.argument is not None:
            factor = self.schedule_factor
            progress.base_learning_rate = command.argument / factor if factor > 0 else command.argument
            answer = f"learning rate is {command.argument:g}"
        elif command.name == "checkpoint":
            answer = f"wrote {self.save(LAST).name}"
        elif command.name == "snapshot":
            self.look()
        elif command.name == "explain" and command.argument is not None:
            answer = self.explain(int(command.argument))
        else:
            answer = f"not understood: {command.name}"
        self.run.answer(command, answer, step=progress.step)
        return paused

    def explain(self, item: int) -> str:
        """Record what the answer about one item hangs on, and say so."""
        try:
            with self.averaged():
                snapshots = self.task.explain(item)
        except MMGraphError as error:
            return str(error)
        if not snapshots:
            return "this recipe has no explanations"
        self.run.snapshots(self.progress.step, snapshots, epoch=self.epochs_done)
        return f"recorded the {snapshots[0].layer}"

    def end(self) -> Result:
        """Last snapshot and checkpoint; when the run is complete, test the best weights."""
        progress = self.progress
        early = self.stop_reason == "early-stop"
        complete = early or progress.epoch >= self.options.epochs
        self.look(wait=True)
        self.save(LAST)
        message = f"stopped: {self.stop_reason}" if not complete else ""
        if early:
            best = " or ".join(f"{name} than {progress.best[name]:.4f}" for name in self.monitored)
            message = (
                f"stopped early: no better {best} since epoch {progress.best_epoch}, for "
                f"{self.options.patience} epochs"
            )
            self.run.event(message, kind="early-stop", step=progress.step)
        if complete:
            if (self.folder / BEST).is_file():
                load_weights(self.folder / BEST, self.task.model, self.task.growth)
            scores = self.task.evaluate("test")
            progress.metrics.update(scores)
            self.run.scalars(progress.step, scores, epoch=self.epochs_done)
        self.report(self.clock())
        state = "finished" if complete else "stopped"
        return Result(
            state,
            progress.step,
            progress.epoch,
            dict(progress.metrics),
            progress.seconds,
            str(self.device),
            message,
        )

    def fail_on(self, numbers: dict[str, float]) -> None:
        """Record a loss that is not finite, and end the run."""
        progress = self.progress
        value = numbers["train/loss"]
        word = "NaN" if math.isnan(value) else "infinite"
        message = (
            f"The loss became {word} at step {progress.step + 1} (epoch {progress.epoch + 1}), so training "
            f"stopped before that step was applied. Try a learning rate below {progress.base_learning_rate:g}, "
            "--gradient-clip 1, or --precision float32."
        )
        self.run.scalars(progress.step + 1, numbers, epoch=self.epochs_done)
        self.run.event(message, level="error", kind="nan", step=progress.step + 1)
        raise NonFiniteLossError(message)
