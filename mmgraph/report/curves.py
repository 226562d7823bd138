"""Recorded numbers over training, as inline SVG."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mmgraph.report.between import Between, nobody_asks
from mmgraph.report.markup import Markup, element
from mmgraph.runs import Series

WIDTH, HEIGHT = 560, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 54, 14, 12, 40
_BINS = 300
_LOG_RATIO = 50.0
_LARGEST = 1e300
_PARTS = ("train", "validation", "test")


@dataclass(frozen=True)
class Chart:
    """Numbers that share a quantity: train/loss, validation/loss and test/loss.

    `curves` maps the part of the data (train, validation, test, or nothing) to its numbers.
    """

    quantity: str
    curves: dict[str, Series]


def charts(scalars: dict[str, Series]) -> list[Chart]:
    """Recorded numbers by quantity: losses and accuracies first, in order of recording after that."""
    grouped: dict[str, dict[str, Series]] = {}
    for tag, series in scalars.items():
        part, slash, quantity = tag.partition("/")
        known = bool(slash) and part in _PARTS
        grouped.setdefault(quantity if known else tag, {})[part if known else ""] = series
    order = {"loss": 0, "accuracy": 1}
    return [
        Chart(quantity, {part: curves[part] for part in (*_PARTS, "") if part in curves})
        for quantity, curves in sorted(grouped.items(), key=lambda entry: order.get(entry[0], 2))
    ]


def constant(chart: Chart) -> float | None:
    """The value of a number that never changed over several steps, which needs no picture."""
    values = np.concatenate([series.value for series in chart.curves.values()])
    same = len(values) > 1 and np.isfinite(values).all() and (values == values[0]).all()
    return float(values[0]) if same else None


def draw_all(scalars: dict[str, Series], between: Between = nobody_asks) -> list[Markup]:
    """A figure of everything that changed, and a line about what did not."""
    found = charts(scalars)
    figures = [draw(chart, between) for chart in found if constant(chart) is None]
    constants = [(chart.quantity.replace("_", " "), constant(chart)) for chart in found]
    text = ", ".join(f"{name} {_value(value)}" for name, value in constants if value is not None)
    return figures + ([element("p", f"The same at every step: {text}.", class_="note")] if text else [])


def best(chart: Chart) -> tuple[str, int, float] | None:
    """Part, step and value of the best validation score; the lowest of a loss, the highest of anything else."""
    series = chart.curves.get("validation")
    if series is None or not np.isfinite(series.value).any():
        return None
    values = np.where(np.isfinite(series.value), series.value, np.nan)
    index = int(np.nanargmin(values) if "loss" in chart.quantity else np.nanargmax(values))
    return "validation", int(series.step[index]), float(series.value[index])


def draw(chart: Chart, between: Between = nobody_asks) -> Markup:
    """A figure with axes, legend, the best value and marks where a number is not finite."""
    values = np.concatenate([_drawable(series)[1] for series in chart.curves.values()])
    title = chart.quantity.replace("_", " ")
    steps = np.concatenate([series.step for series in chart.curves.values()])
    log = len(values) > 0 and values.min() > 0 and values.max() > _LOG_RATIO * values.min()
    axes = _Axes(
        _span(steps.min(initial=0), steps.max(initial=1)), _value_span(values, log), log, len(values) > 0
    )
    top = best(chart)
    drawn = []
    for part, series in chart.curves.items():
        between()
        drawn.append(_curve(axes, part, series))
    mark = None
    if top is not None:
        x, y = axes.x(top[1]), axes.y(float(np.clip(top[2], -_LARGEST, _LARGEST)))
        mark = element(
            "g",
            element("circle", cx=_n(x), cy=_n(y), r=5, class_="best"),
            element("title", f"best validation {title}: {_value(top[2])} at step {top[1]:,}"),
        )
    svg = element(
        "svg",
        element("title", _summary(chart, title, top)),
        axes.draw(),
        *drawn,
        mark,
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="img",
        class_="chart",
    )
    entries = [
        element("span", element("span", class_=f"line {part or 'other'}"), part, class_="entry")
        for part in chart.curves
        if part
    ]
    if top is not None:
        text = f"best {_value(top[2])} at step {top[1]:,}"
        entries.append(element("span", element("span", class_="ring"), text, class_="entry"))
    bad = sum(int((~np.isfinite(series.value)).sum()) for series in chart.curves.values())
    if bad:
        entries.append(element("span", f"× {bad:,} not finite", class_="entry bad"))
    return element(
        "figure",
        element("h3", title, element("small", " log scale") if log else None),
        svg,
        element("figcaption", *entries) if entries else None,
        class_="panel",
    )


def thin(step: npt.NDArray[Any], value: npt.NDArray[Any], bins: int = _BINS) -> npt.NDArray[np.int64]:
    """Rows to draw: of each bin of steps the first, the lowest, the highest and the last; extremes are kept."""
    count = len(step)
    if count <= 4 * bins:
        return np.arange(count)
    low, high = int(step.min()), int(step.max())
    place = ((step - low) * bins // max(high - low + 1, 1)).astype(np.int64)
    rows = np.arange(count)
    by_value, by_row = np.lexsort((rows, value, place)), np.lexsort((rows, place))
    kept = []
    for order in (by_value, by_row):
        starts = np.flatnonzero(np.diff(place[order], prepend=-1))
        kept += [order[starts], order[np.append(starts[1:], count) - 1]]
    return np.unique(np.concatenate(kept))


@dataclass(frozen=True)
class _Axes:
    steps: tuple[float, float]
    values: tuple[float, float]
    log: bool
    has_values: bool

    def x(self, step: float) -> float:
        low, high = self.steps
        return _LEFT + (step - low) / (high - low) * (WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        low, high = self.values
        place = math.log10(value) if self.log else value
        return HEIGHT - _BOTTOM - (place - low) / (high - low) * (HEIGHT - _TOP - _BOTTOM)

    def draw(self) -> Markup:
        floor, parts = HEIGHT - _BOTTOM, []
        for value, label in self._value_ticks():
            y = _n(self.y(value))
            parts.append(element("line", x1=_LEFT, x2=WIDTH - _RIGHT, y1=y, y2=y, class_="grid"))
            parts.append(element("text", label, x=_LEFT - 6, y=_n(self.y(value) + 4), text_anchor="end"))
        for step in _ticks(*self.steps, 6, whole=True):
            x = _n(self.x(step))
            parts.append(element("line", x1=x, x2=x, y1=floor, y2=floor + 4, class_="axis"))
            parts.append(element("text", _count(step), x=x, y=floor + 18, text_anchor="middle"))
        parts.append(element("line", x1=_LEFT, x2=WIDTH - _RIGHT, y1=floor, y2=floor, class_="axis"))
        middle = (_LEFT + WIDTH - _RIGHT) / 2
        parts.append(element("text", "step", x=middle, y=HEIGHT - 4, text_anchor="middle", class_="name"))
        return element("g", *parts)

    def _value_ticks(self) -> list[tuple[float, str]]:
        if not self.has_values:
            return []
        low, high = self.values
        if self.log:
            powers = range(max(math.ceil(low), -307), min(math.floor(high), 307) + 1)
            sparse = powers[:: max(1, math.ceil(len(powers) / 7))]
            return [(10.0**power, f"{10.0**power:g}") for power in sparse]
        ticks = _ticks(low, high, 6)
        digits = max(0, -math.floor(math.log10(ticks[1] - ticks[0]) + 1e-9)) if len(ticks) > 1 else 3
        compact = max(map(abs, ticks), default=0.0) >= 1e5 or digits > 5
        return [(tick, f"{tick:.3g}" if compact else f"{tick:.{digits}f}") for tick in ticks]


def _curve(axes: _Axes, part: str, series: Series) -> Markup:
    name = part or "other"
    finite = np.isfinite(series.value)
    step, value = _drawable(series)
    # A line is broken where something that is not finite lies between.
    piece = np.cumsum(~finite)[finite]
    shapes = []
    for number in np.unique(piece):
        rows = np.flatnonzero(piece == number)
        rows = rows[thin(step[rows], value[rows])]
        points = [(axes.x(float(step[row])), axes.y(float(value[row]))) for row in rows]
        if len(points) == 1:
            shapes.append(
                element("circle", cx=_n(points[0][0]), cy=_n(points[0][1]), r=3.5, class_=f"dot {name}")
            )
        else:
            path = " ".join(f"{_n(x)},{_n(y)}" for x, y in points)
            dense = len(points) > _BINS
            shapes.append(element("polyline", points=path, class_=f"curve {name}{' dense' if dense else ''}"))
    for x, sign in sorted({(round(axes.x(float(s))), _sign(v)) for s, v in _bad(series)}):
        y = _TOP + 8 if sign == "+∞" else HEIGHT - _BOTTOM - 4
        shapes.append(
            element("text", "×", element("title", sign), x=x, y=y, text_anchor="middle", class_="notfinite")
        )
    return element("g", *shapes)


def _drawable(series: Series) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Steps and values that are finite, so far in that their distances are finite too."""
    finite = np.isfinite(series.value)
    return series.step[finite], np.clip(series.value[finite], -_LARGEST, _LARGEST)


def _bad(series: Series) -> list[tuple[int, float]]:
    rows = ~np.isfinite(series.value)
    return list(zip(series.step[rows].tolist(), series.value[rows].tolist(), strict=True))


def _sign(value: float) -> str:
    return "NaN" if math.isnan(value) else ("+∞" if value > 0 else "−∞")


def _summary(chart: Chart, title: str, top: tuple[str, int, float] | None) -> str:
    parts = []
    for part, series in chart.curves.items():
        finite = series.value[np.isfinite(series.value)]
        name = f"{part} " if part else ""
        if not len(finite):
            parts.append(f"{name}{title} was never finite")
        elif len(finite) == 1:
            parts.append(f"{name}{title} is {_value(finite[0])}")
        else:
            parts.append(f"{name}{title} goes from {_value(finite[0])} to {_value(finite[-1])}")
    if top is not None:
        parts.append(f"the best validation {title} is {_value(top[2])} at step {top[1]:,}")
    text = "; ".join(parts)
    return text[:1].upper() + text[1:] + "."


def _value_span(values: npt.NDArray[Any], log: bool) -> tuple[float, float]:
    if not len(values):
        return 0.0, 1.0
    if log:
        low, high = math.log10(values.min()), math.log10(values.max())
    else:
        low, high = float(values.min()), float(values.max())
    if high - low <= 1e-12 * max(abs(low), abs(high), 1e-300):
        room = abs(low) * 0.1 or 1.0
    else:
        room = (high - low) * 0.05
    return low - room, high + room


def _span(low: float, high: float) -> tuple[float, float]:
    return (float(low), float(high)) if high > low else (float(low) - 1, float(high) + 1)


def _ticks(low: float, high: float, count: int, *, whole: bool = False) -> list[float]:
    """Round numbers between two values: steps of 1, 2 or 5 times a power of ten."""
    rough = high / count - low / count
    if not (math.isfinite(rough) and rough > 0):
        return [low]
    power = 10.0 ** math.floor(math.log10(rough))
    gap = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    if whole:
        gap = max(gap, 1.0)
    return [gap * number for number in range(math.ceil(low / gap), math.floor(high / gap) + 1)]


def _count(step: float) -> str:
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(step) >= size:
            return f"{step / (1e3 if letter == 'k' else size):g}{letter}"
    return f"{step:g}"


def _value(value: float) -> str:
    return f"{value:.4g}"


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
