"""What the table of runs says of one run: its summary, its best number and a small curve. No Qt."""

from __future__ import annotations

import functools
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from mmgraph.errors import MMGraphError
from mmgraph.options import Option, options_of
from mmgraph.runs import (
    RunReader,
    RunSummary,
    chief_curve,
    lower_is_better,
    read_notes,
    summary_of,
)
from mmgraph.runs.schema import CONFIG_FILE, DATABASE_FILE, NOTES_FILE

TRACE_POINTS = 40
"""Columns of the small curve."""
WHERE = ("device", "threads")
"""Options that say where a run was trained, not how."""
PATIENCE = 20.0
"""A small curve that took a second to read is read again after so many seconds."""


@dataclass(frozen=True)
class RunEntry:
    """One row.

    Args:
        created: seconds since 1970.
        best: name and value of the number that says most of the run, the best there was of it.
        trace: heights of the small curve, 0 … 1 from left to right.
        trace_of: name of the number that it is of.
        place: of one that waits for its turn: 1 is next.
        options: those that are not at the defaults of the recipe, in words.
    """

    summary: RunSummary
    created: float = 0.0
    best: tuple[str, float] | None = None
    trace: tuple[float, ...] = ()
    trace_of: str = ""
    place: int = 0
    options: str = ""

    @property
    def path(self) -> Path:
        """Its folder."""
        return self.summary.path

    @property
    def recipe(self) -> str:
        """What it was made by."""
        return self.summary.recipe

    @property
    def state(self) -> str:
        """running, finished …"""
        return self.summary.state

    @property
    def told_state(self) -> str:
        """The state, of one that waits with its place: "queued, next"."""
        return (
            self.state if not self.place else f"queued, {'next' if self.place == 1 else f'no. {self.place}'}"
        )

    @property
    def is_live(self) -> bool:
        """Whether a process is writing it."""
        return self.summary.is_live

    @property
    def resumable(self) -> bool:
        """Whether its recipe can go on from a checkpoint."""
        return self.summary.resumable

    @property
    def metric(self) -> str:
        """ "validation accuracy 0.953"."""
        return (
            f"{spoken(self.best[0]).removeprefix('best ')} {self.best[1]:.4g}"
            if self.best is not None
            else ""
        )

    @property
    def searched(self) -> str:
        """Every word that a search looks at."""
        summary = self.summary
        words = (summary.name, summary.state, summary.recipe, summary.dataset, *summary.notes.tags)
        return " ".join((*words, summary.notes.text, self.options)).casefold()


@dataclass(frozen=True)
class _Trace:
    """What was read of the number that a small curve is of, and when that may be done again."""

    due: float = 0.0
    points: tuple[float, ...] = ()
    tag: str = ""
    best: float | None = None


class EntryReader:
    """Reads entries again only where something has changed, and small curves no more often than they cost."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[tuple[int, ...], RunEntry]] = {}
        self._traces: dict[Path, _Trace] = {}

    def read(self, path: Path) -> RunEntry:
        """The entry of a run; one that cannot be read is listed as unreadable, and says why."""
        names = (DATABASE_FILE, f"{DATABASE_FILE}-wal", NOTES_FILE, CONFIG_FILE)
        stamp = tuple(_changed(path / name) for name in names)
        known = self._known.get(path)
        if known and known[0] == stamp and not known[1].is_live:
            return known[1]
        entry = self._read(path, stamp[-1] / 1e9)
        self._known[path] = stamp, entry
        return entry

    def _read(self, path: Path, created: float) -> RunEntry:
        try:
            with RunReader(path) as reader:
                summary = summary_of(reader)
                created = _written(reader.config) or created
                options = changed_options(summary.recipe, reader.config.get("options"))
                trace = self._traces.get(path, _Trace())
                if not summary.is_live or time.monotonic() >= trace.due:
                    trace = self._traces[path] = _traced(reader, summary)
        except (MMGraphError, OSError) as error:
            return RunEntry(RunSummary(path, "unreadable", str(error), notes=read_notes(path)), created)
        return RunEntry(summary, created, _best(summary, trace), trace.points, trace.tag, options=options)


def _written(config: Mapping[str, Any]) -> float | None:
    """When a run says that it began: a copy is younger than the run. None where it does not say."""
    run = config.get("run")
    said = run.get("created") if isinstance(run, Mapping) else None
    try:
        return datetime.fromisoformat(said).timestamp() if isinstance(said, str) else None
    except (ValueError, OverflowError, OSError):
        return None


def spoken(tag: str) -> str:
    """ "validation accuracy" of "validation/accuracy"."""
    return tag.replace("/", " ").replace("_", " ")


def changed_options(recipe: str, recorded: object) -> str:
    """ "learning rate 0.003, seed 2": what a run was trained with other than by default; "" of what has no recipe.

    Args:
        recorded: the options in its config.toml, where none stands for what is not written down.
    """
    if not isinstance(recorded, Mapping):
        return ""
    changed = {
        option.name: recorded.get(option.name)
        for option in _options(recipe)
        if (option.optional or option.name in recorded)
        and recorded.get(option.name) != option.default
        and option.name not in WHERE
    }
    return ", ".join(
        f"{spoken(name)} {'none' if value is None else f'{value:g}' if isinstance(value, float) else value}"
        for name, value in changed.items()
    )


@functools.cache
def _options(recipe: str) -> tuple[Option, ...]:
    from mmgraph.recipes import registry

    return options_of(registry.recipe(recipe).config) if recipe in registry.names() else ()


def age(then: float) -> str:
    """How long ago, in words."""
    seconds = time.time() - then
    if then <= 0 or seconds < 10:
        return ""
    for size, word in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {word} ago"
    return f"{int(seconds)} s ago"


def _traced(reader: RunReader, summary: RunSummary) -> _Trace:
    began = time.monotonic()
    tag = chief_curve(reader.tags(), summary.score[0] if summary.score else "")
    if tag is None:
        return _Trace()
    outline = reader.outline(tag, TRACE_POINTS)
    due = time.monotonic() + PATIENCE * (time.monotonic() - began)
    if not outline.lows:
        return _Trace(due, (), tag)
    low, high = min(outline.lows), max(outline.highs)
    lower = lower_is_better(tag)
    best = outline.last if lower is None else low if lower else high
    heights = [end for pair in zip(outline.lows, outline.highs, strict=True) for end in dict.fromkeys(pair)]
    scaled = [(height - low) / (high - low) if high > low else 0.5 for height in heights]
    return _Trace(due, tuple(scaled), tag, best)


def _best(summary: RunSummary, trace: _Trace) -> tuple[str, float] | None:
    """The chief score; where it is only the latest value of a curve, the best there was of that."""
    score = summary.score
    if score is not None and (score[0] != trace.tag or trace.best is None):
        return score
    return (trace.tag, trace.best) if trace.best is not None else None


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
