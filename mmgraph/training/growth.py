"""Networks that grow while they are trained: what changes, when, and how a resumed run grows again."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

import torch
from torch import Tensor, nn

from mmgraph.errors import ConfigError
from mmgraph.training.checkpoints import load_checkpoint, saved_progress
from mmgraph.vision.growth import deepen, widen

Optimizer = torch.optim.Optimizer


@dataclass(frozen=True)
class Widen:
    """Give a layer more outputs; see `vision.widen`.

    Args:
        layer: its name in the model.
        width: outputs afterwards; where none is given, `factor` times as many, rounded.
        noise: share by which copies differ.

    Raises:
        ConfigError: neither or both of width and factor.
    """

    kind: ClassVar[str] = "widen"

    layer: str
    width: int | None = None
    factor: float | None = None
    noise: float = 0.05

    def __post_init__(self) -> None:
        if (self.width is None) == (self.factor is None):
            raise ConfigError(f"Widening '{self.layer}' needs either a width or a factor.")
        if self.factor is not None and not 1 <= self.factor < math.inf:
            raise ConfigError(f"Widening '{self.layer}' needs a factor of at least 1, but got {self.factor}.")

    def apply(
        self,
        model: nn.Module,
        example: Tensor,
        generator: torch.Generator,
        optimizer: Optimizer | None = None,
        *,
        exact: bool = False,
    ) -> str:
        """Change a model in place, without noise where `exact`; says what was done."""
        weight = getattr(dict(model.named_modules()).get(self.layer), "weight", None)
        before = len(weight) if isinstance(weight, Tensor) else 0
        width = self.width if self.factor is None else round(before * self.factor)
        together = widen(
            model,
            self.layer,
            before if width is None else width,
            example,
            noise=0.0 if exact else self.noise,
            generator=generator,
            optimizer=optimizer,
        )
        others = [name for name in together if name != self.layer]
        return f"widened {self.layer} {before} → {width}" + (f" (with {', '.join(others)})" if others else "")


@dataclass(frozen=True)
class Deepen:
    """Insert a layer that computes the identity at first; see `vision.deepen`."""

    kind: ClassVar[str] = "deepen"

    after: str
    batch_norm: bool = False
    noise: float = 0.01

    def apply(
        self,
        model: nn.Module,
        example: Tensor,
        generator: torch.Generator,
        optimizer: Optimizer | None = None,
        *,
        exact: bool = False,
    ) -> str:
        """Change a model in place, without noise where `exact`; says what was done."""
        added = deepen(
            model,
            self.after,
            example,
            batch_norm=self.batch_norm,
            noise=0.0 if exact else self.noise,
            generator=generator,
            optimizer=optimizer,
        )
        return f"inserted {added} after {self.after}"


@dataclass(frozen=True)
class ScaleRate:
    """Multiply the learning rate, for a step that suits a narrow network is too large for a wide one.

    A step of Adam moves every weight by about the learning rate, however many there are. So a sum over n times as many
    channels moves n times as far, and widening by n asks for a factor of 1 / n.

    Raises:
        ConfigError: a factor that is not positive and finite.

    Source: Yang et al., "Tuning large neural networks via zero-shot hyperparameter transfer", NeurIPS 2021.
    """

    kind: ClassVar[str] = "scale-rate"

    factor: float

    def __post_init__(self) -> None:
        if not 0 < self.factor < math.inf:
            raise ConfigError(
                f"Expected a positive factor to multiply the learning rate with, but got {self.factor}."
            )

    def apply(
        self,
        model: nn.Module,
        example: Tensor,
        generator: torch.Generator,
        optimizer: Optimizer | None = None,
        *,
        exact: bool = False,
    ) -> str:
        """Change the shares that all parameters have of the learning rate; says what was done."""
        for group in () if optimizer is None else optimizer.param_groups:
            group["rate_share"] = group.get("rate_share", 1.0) * self.factor
        return f"learning rate × {self.factor:.3g}"


Change = Widen | Deepen | ScaleRate
_KINDS: dict[str, type[Change]] = {kind.kind: kind for kind in (Widen, Deepen, ScaleRate)}


class GrowthRule(Protocol):
    """Says when a network grows, and how. What it remembers lies in `state`, which goes into checkpoints as JSON."""

    @property
    def changes(self) -> Sequence[Change]:
        """All it may ever do, in order."""

    def due(self, state: dict[str, Any], numbers: Mapping[str, float], epoch: int) -> Sequence[Change]:
        """What is to be done now.

        Args:
            state: its own memory, empty at the start; changed in place.
            numbers: what was recorded at this step.
            epoch: epochs that are over.
        """


@dataclass(frozen=True)
class GrowWhenStalled:
    """Grow when a number has stopped getting better.

    Every time the number is recorded it is compared with the best so far. When `patience` times in a row it gained no
    more than `min_delta`, the next growth of the plan is made; then `cooldown` records pass uncounted.

    Args:
        plan: growths in order, each made of changes that happen together.
        monitor: the number; it is minimised where its name ends in "loss", else maximised.
        patience: records without a gain: evaluations for "validation/…", steps for "train/…".
        min_delta: what does not count as a gain.
        cooldown: records after a growth that do not count.
        max_growths: at most so many; by default all of the plan.
        latest: epochs after which what is left of the plan is made, stalled or not; by default it never has to be.

    Raises:
        ConfigError: an empty plan, or a number out of range.
    """

    plan: tuple[tuple[Change, ...], ...]
    monitor: str = "validation/loss"
    patience: int = 5
    min_delta: float = 0.0
    cooldown: int = 0
    max_growths: int | None = None
    latest: int | None = None

    def __post_init__(self) -> None:
        if not self.plan or not all(self.plan):
            raise ConfigError(
                "Expected a plan of at least one growth, each of at least one change, but it has an empty one."
            )
        if self.patience < 1 or self.cooldown < 0 or not self.min_delta >= 0:
            raise ConfigError(
                f"Expected a patience of at least 1, a cooldown and a min_delta of at least 0, but got "
                f"{self.patience}, {self.cooldown} and {self.min_delta}."
            )
        if self.max_growths is not None and self.max_growths < 1:
            raise ConfigError(f"Expected at least 1 growth, but got max_growths {self.max_growths}.")
        if self.latest is not None and self.latest < 1:
            raise ConfigError(f"Expected to grow after at least 1 epoch, but got latest {self.latest}.")

    @property
    def changes(self) -> tuple[Change, ...]:
        """All changes of the plan."""
        return tuple(change for growth in self.plan[: self.max_growths] for change in growth)

    def due(self, state: dict[str, Any], numbers: Mapping[str, float], epoch: int) -> tuple[Change, ...]:
        """The next growth of the plan if the number has stalled; all that are left where it is the latest time."""
        plan, grown = self.plan[: self.max_growths], state.get("growths", 0)
        if self.latest is not None and epoch >= self.latest and grown < len(plan):
            state["growths"] = len(plan)
            return tuple(change for growth in plan[grown:] for change in growth)
        value = numbers.get(self.monitor, math.nan)
        if not math.isfinite(value):
            return ()
        sign = -1.0 if self.monitor.endswith("loss") else 1.0
        best = state.get("best")
        if best is None or sign * (value - best) > self.min_delta:
            state["best"], state["waited"] = value, 0
        elif state.get("cooldown", 0) > 0:
            state["cooldown"] -= 1
        else:
            state["waited"] = state.get("waited", 0) + 1
        if state["waited"] < self.patience or grown >= len(plan):
            return ()
        state |= {"waited": 0, "cooldown": self.cooldown, "growths": grown + 1}
        return plan[grown]


@dataclass(frozen=True)
class GrowAtEpoch:
    """Grow once, when so many epochs are over.

    Args:
        epoch: how many.
        changes: what then happens.

    Raises:
        ConfigError: an epoch before the first, or no change.
    """

    epoch: int
    changes: tuple[Change, ...]

    def __post_init__(self) -> None:
        if self.epoch < 1 or not self.changes:
            raise ConfigError(
                f"Expected an epoch of at least 1 and at least one change, but got {self.epoch} and {self.changes}."
            )

    def due(self, state: dict[str, Any], numbers: Mapping[str, float], epoch: int) -> tuple[Change, ...]:
        """The changes, the first time the epoch is reached."""
        if epoch < self.epoch or state.get("done"):
            return ()
        state["done"] = True
        return self.changes


class Growth:
    """Grows one model by rules, and knows all it has done, so that the same network can be made again.

        growth = Growth([GrowWhenStalled(((Widen("conv1", 32),), (Deepen("relu1"),)))], example)
        growth.after_step(model, {"validation/loss": loss}, epoch, optimizer)     # what was done, in words

    Args:
        rules: when to grow, and how.
        example: an input of the model.
        seed: of copies and noise.
    """

    def __init__(self, rules: Sequence[GrowthRule], example: Tensor, *, seed: int = 0) -> None:
        self.rules, self.example, self.seed = tuple(rules), example, seed
        self.state: dict[str, Any] = {"rules": [{} for _ in self.rules], "changes": []}
        """The memory of the rules and every change made, as JSON."""
        self._ungrown: nn.Module | None = None

    def check(self, model: nn.Module) -> None:
        """Try all that the rules may ever do on a copy, so that a plan that cannot be fails before training.

        Raises:
            UnknownNameError, InputError: as `vision.widen` and `vision.deepen`.
        """
        trial = copy.deepcopy(model)
        for change in (change for rule in self.rules for change in rule.changes):
            change.apply(trial, self._input(trial), torch.Generator().manual_seed(self.seed))

    def after_step(
        self,
        model: nn.Module,
        numbers: Mapping[str, float],
        epoch: int,
        optimizer: Optimizer | None = None,
    ) -> list[str]:
        """Grow where a rule says so; what was done, in words.

        Args:
            numbers: what was recorded at this step.
            epoch: epochs that are over.
        """
        done = []
        for rule, state in zip(self.rules, self.state["rules"], strict=True):
            for change in rule.due(state, numbers, epoch):
                done.append(self.apply(change, model, optimizer))
        return done

    def restore(self, model: nn.Module, state: Mapping[str, Any], optimizer: Optimizer | None = None) -> None:
        """Make the network again that had grown so far; weights are still to be loaded.

        Args:
            model: ungrown.
            state: of the growth, from a checkpoint.
        """
        for record in state["changes"][len(self.state["changes"]) :]:
            self.apply(_change(record), model, optimizer)
        self.state["rules"] = copy.deepcopy(list(state["rules"]))

    def load_weights(self, path: Path, model: nn.Module) -> None:
        """Put back the weights of a checkpoint, whether the model had grown as far as now, further, or less.

        What has grown since is made again without noise, so the model computes what it did when it was saved.

        Raises:
            CheckpointError: the file is missing, damaged, or does not fit.
        """
        saved = saved_progress(path).get("growth")
        then = 0 if saved is None else len(saved["changes"])
        if saved is not None and then > len(self.state["changes"]):
            self.restore(model, saved)
        if then == len(self.state["changes"]) or self._ungrown is None:
            load_checkpoint(path, model)
            return
        earlier = copy.deepcopy(self._ungrown)
        for number, record in enumerate(self.state["changes"]):
            if number == then:
                load_checkpoint(path, earlier)
            _change(record).apply(
                earlier, self._input(earlier), self._generator(number), exact=number >= then
            )
        model.load_state_dict(earlier.state_dict())

    def apply(self, change: Change, model: nn.Module, optimizer: Optimizer | None = None) -> str:
        """Make one change of the network, and keep in `state` that it was made; says what was done."""
        if self._ungrown is None:
            self._ungrown = copy.deepcopy(model)
        number = len(self.state["changes"])
        said = change.apply(model, self._input(model), self._generator(number), optimizer)
        self.state["changes"].append({"kind": change.kind, **asdict(change)})
        return said

    def _input(self, model: nn.Module) -> Tensor:
        parameter = next(model.parameters())
        return self.example.to(parameter.device)

    def _generator(self, number: int) -> torch.Generator:
        return torch.Generator().manual_seed((self.seed * 1_000_003 + number) % 2**63)


def _change(record: Mapping[str, Any]) -> Change:
    values = dict(record)
    return _KINDS[values.pop("kind")](**values)


def load_weights(path: Path, model: nn.Module, growth: Growth | None) -> None:
    """Put back the weights of a checkpoint of a model that may have grown.

    Raises:
        CheckpointError: the file is missing, damaged, or does not fit.
    """
    if growth is None:
        load_checkpoint(path, model)
    else:
        growth.load_weights(path, model)
