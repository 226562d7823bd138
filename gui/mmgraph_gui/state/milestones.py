"""What happened to a run that its curves should show: growth of the network, another learning rate, a resume. No Qt."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mmgraph.runs import Event

GROWTH, RESUME, COMMAND = "growth", "resume", "command"
TOLD_COMMAND = "set-learning-rate: "


@dataclass(frozen=True)
class Milestone:
    """Something that happened at a step.

    Args:
        growth: whether the network grew; it stands out from all else.
    """

    step: int
    text: str
    growth: bool = False


def milestones(events: Iterable[Event]) -> list[Milestone]:
    """Those of a log, by rising step; what happened at one step is told together.

    A resumed run does again what came after the step it went on from, so what was logged of that does not count.
    """
    kept: list[Event] = []
    for event in events:
        if event.step is None:
            continue
        if event.kind == RESUME:
            start = event.step
            kept = [earlier for earlier in kept if (earlier.step or 0) <= start]
        told = event.kind == COMMAND and event.message.startswith(TOLD_COMMAND)
        if event.kind in (GROWTH, RESUME) or told:
            kept.append(event)
    together: dict[int, list[Event]] = {}
    for event in kept:
        together.setdefault(event.step or 0, []).append(event)
    return [
        Milestone(
            step,
            "\n".join([f"Step {step:,}", *(_told(event) for event in happened)]),
            any(event.kind == GROWTH for event in happened),
        )
        for step, happened in sorted(together.items())
    ]


def nearest_milestone(known: Iterable[Milestone], step: float, reach: float) -> Milestone | None:
    """The one closest to a step, if it is within reach."""
    near = [milestone for milestone in known if abs(milestone.step - step) <= reach]
    return min(near, key=lambda milestone: abs(milestone.step - step), default=None)


def _told(event: Event) -> str:
    text = event.message
    if event.kind == COMMAND:
        text = text.removeprefix(TOLD_COMMAND)
    elif event.kind == GROWTH:
        text = f"network grew: {text}"
    return text[:1].upper() + text[1:]
