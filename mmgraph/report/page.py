"""The page: what is on it and in which order."""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mmgraph.errors import MMGraphError
from mmgraph.report.attention import attentions
from mmgraph.report.between import Between, nobody_asks
from mmgraph.report.confusion import confusions
from mmgraph.report.curves import draw_all
from mmgraph.report.embedding import embeddings
from mmgraph.report.gallery import most_wrong
from mmgraph.report.markup import Markup, element
from mmgraph.report.pictures import filters
from mmgraph.report.style import STYLE
from mmgraph.runs import Event, RunReader, Status, Update
from mmgraph.runs.schema import write_failure
from mmgraph.whole_file import whole_file

REPORT_FILE = "report.html"
_MOST_EVENTS = 25
_TILES = 8
_ORDER = (
    *("test/accuracy", "best/validation/accuracy", "validation/accuracy", "train/accuracy"),
    *("test/auc", "best/validation/auc", "validation/auc", "test/ap", "validation/ap"),
    *("test/loss", "validation/loss", "train/loss"),
)


def write_report(
    reader: RunReader, path: Path | str | None = None, progress: Callable[[float, str], object] | None = None
) -> Path:
    """Write one self-contained HTML page about a run; returns where.

    It loads nothing from anywhere: pictures are inside, styles follow light and dark, and it can be sent
    by e-mail or printed. A part that cannot be read says so in its place.

    Args:
        path: the file; by default report.html in the run folder.
        progress: called with the share that is done, 0 to 1, and what is being done, several times in a
            part; what it raises ends the work, and nothing is written.

    Raises:
        RunDamagedError: the tables of the run cannot be read.
        RunReadOnlyError, RunError: the file cannot be written; one that was there is as before.
    """
    target = reader.folder / REPORT_FILE if path is None else Path(path)
    text = render(reader, progress)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(target) as part:
            part.write_text(text, encoding="utf-8")
            if progress is not None:
                progress(1.0, "Writing …")
    except OSError as error:
        raise write_failure(target.parent, error) from error
    return target


def render(reader: RunReader, progress: Callable[[float, str], object] | None = None) -> str:
    """The page as text; `progress` is that of `write_report`."""
    # A million numbers take seconds to read.
    update = reader.poll(between=progress and functools.partial(progress, 0.0, "Numbers …"))
    described = _table_of(reader.config, "run")
    title = str(described.get("title") or described.get("recipe") or reader.name)
    parts: list[tuple[str, str, bool, Callable[[Between], Sequence[Markup]]]] = [
        ("Curves", "curves", True, lambda between: draw_all(update.scalars, between)),
        ("Embedding", "embedding", True, lambda between: embeddings(reader, between)),
        ("Confusion", "confusion", True, lambda between: confusions(reader, between)),
        ("Most wrong", "wrong", False, lambda between: most_wrong(reader, between)),
        ("Filters", "filters", True, lambda between: filters(reader, between)),
        ("Edge attention", "attention", True, lambda between: attentions(reader, between)),
        ("Log", "log", False, lambda _: _log(update.events)),
        ("Configuration", "configuration", True, lambda _: _configuration(reader.config)),
    ]
    sections = []
    for place, (name, anchor, grid, make) in enumerate(parts):
        between: Between = nobody_asks
        if progress is not None:
            between = functools.partial(progress, place / len(parts), f"{name} …")
        between()
        sections.append(_section(name, anchor, functools.partial(make, between), grid=grid))
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        # The promise that nothing is loaded, kept by the browser.
        element(
            "meta",
            http_equiv="Content-Security-Policy",
            content="default-src 'none'; img-src data:; style-src 'unsafe-inline'",
        ),
        element("title", f"{title} – {reader.name}"),
        Markup(f"<style>{STYLE}</style>"),
    )
    present = [(name, anchor, body) for name, anchor, body in sections if body is not None]
    body = element(
        "body",
        _header(reader, update, title, described),
        element(
            "nav",
            *(element("a", name, href=f"#{anchor}") for name, anchor, _ in present),
            aria_label="Parts of this page",
        ),
        element("main", *(body for _, _, body in present)),
        element(
            "footer",
            f"Written by mmgraph on {time.strftime('%Y-%m-%d %H:%M %Z')}. This page loads nothing from anywhere.",
        ),
    )
    return f"<!DOCTYPE html>\n{element('html', head, body, lang='en')}\n"


def _section(
    name: str, anchor: str, make: Callable[[], Sequence[Markup]], *, grid: bool = False
) -> tuple[str, str, Markup | None]:
    try:
        parts = make()
    except MMGraphError as error:
        parts = [element("p", f"This part cannot be shown: {error}", class_="problem")]
    if not parts:
        return name, anchor, None
    inner = element("div", *parts, class_="grid") if grid else element("div", *parts)
    return name, anchor, element("section", element("h2", name), inner, id=anchor)


def _header(reader: RunReader, update: Update, title: str, described: Mapping[str, Any]) -> Markup:
    status = update.status
    facts = [
        reader.name,
        str(described.get("dataset", "")),
        str(described.get("created", "")).replace("T", " "),
    ]
    return element(
        "header",
        element(
            "div",
            element("h1", title),
            element("span", status.state, class_=f"state {status.state}"),
            class_="titles",
        ),
        element("p", " · ".join(fact for fact in facts if fact), class_="note"),
        element("p", status.message, class_="message") if status.message else None,
        element(
            "dl", *(_tile(name, text, kind) for name, text, kind in _tiles(status, update)), class_="tiles"
        ),
    )


def _tile(name: str, text: str, kind: str) -> Markup:
    return element("div", element("dt", name), element("dd", text), class_=f"tile {kind}".rstrip())


def _tiles(status: Status, update: Update) -> list[tuple[str, str, str]]:
    metrics = dict(status.metrics)
    if not metrics:
        metrics = {tag: float(series.value[-1]) for tag, series in update.scalars.items() if len(series)}
    ranked = sorted(metrics, key=lambda tag: _ORDER.index(tag) if tag in _ORDER else len(_ORDER))
    chosen = [
        (tag.replace("/", " "), _number(tag, metrics[tag]), "main" * (tag == ranked[0])) for tag in ranked
    ]
    tiles = chosen[: _TILES - 3]
    of_all = f" of {status.total_steps:,}" if status.total_steps and status.total_steps != status.step else ""
    tiles.append(("steps", f"{status.step:,}{of_all}", ""))
    tiles.append(("time", _duration(status.seconds), ""))
    if status.dropped:
        tiles.append(("snapshots dropped", f"{status.dropped:,}", ""))
    return tiles


def _number(tag: str, value: float) -> str:
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("∞" if value > 0 else "−∞")
    if "accuracy" in tag and 0 <= value <= 1:
        return f"{value:.2%}"
    return f"{value:.4g}"


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def _log(events: Sequence[Event]) -> list[Markup]:
    """The last lines, and all warnings and errors that are earlier."""
    if not events:
        return []
    serious = [event for event in events[:-_MOST_EVENTS] if event.level != "info"][-_MOST_EVENTS:]
    shown = [*serious, *events[-_MOST_EVENTS:]]
    rows = [
        element(
            "tr",
            element("td", time.strftime("%H:%M:%S", time.localtime(event.wall_time))),
            element("td", "" if event.step is None else f"{event.step:,}"),
            element("td", event.level, class_=f"level {event.level}"),
            element("td", event.message, class_="text"),
        )
        for event in shown
    ]
    head = element("tr", *(element("th", name, scope="col") for name in ("time", "step", "level", "message")))
    caption = f"{len(shown):,} of {len(events):,} lines: the last, and earlier warnings"
    whole = len(shown) == len(events)
    return [
        element(
            "table",
            element("caption", "All lines of the log" if whole else caption),
            element("thead", head),
            element("tbody", *rows),
            class_="plain log",
        )
    ]


def _configuration(config: Mapping[str, Any]) -> list[Markup]:
    tables = []
    plain = {key: value for key, value in config.items() if not isinstance(value, Mapping)}
    for name, values in [
        *((key, _table_of(config, key)) for key in config if key not in plain),
        ("other", plain),
    ]:
        if values:
            rows = [
                element("tr", element("th", key.replace("_", " "), scope="row"), element("td", _plain(value)))
                for key, value in values.items()
            ]
            table = element("table", element("tbody", *rows), class_="plain")
            tables.append(element("div", element("h3", name), table, class_="panel"))
    return tables


def _table_of(config: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    table = config.get(name)
    return table if isinstance(table, Mapping) else {}


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_plain, value))
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_plain(entry)}" for key, entry in value.items())
    return str(value)
