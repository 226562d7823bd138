"""Where a run stands: what its checkpoint holds of it, what is told on the way, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Progress:
    """Where a run stands. All of it is in the checkpoint, so that a resumed run is the same run."""

    step: int = 0
    epoch: int = 0
    batch: int = 0
    base_learning_rate: float = 0.0
    best: dict[str, float] = field(default_factory=dict)
    best_epoch: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    metrics: dict[str, float] = field(default_factory=dict)
    growth: dict[str, Any] | None = None


@dataclass(frozen=True)
class Report:
    """What `on_report` is told a few times a second."""

    step: int
    total_steps: int
    epoch: int
    epochs: int
    metrics: dict[str, float]
    steps_per_second: float
    seconds_left: float | None
    """None before the first step."""


@dataclass(frozen=True)
class Result:
    """How a run ended: `state` is finished (all epochs, or early stopping) or stopped (somebody asked)."""

    state: str
    step: int
    epoch: int
    metrics: dict[str, float]
    seconds: float
    device: str
    message: str = ""
