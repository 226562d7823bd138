"""Charts of recorded numbers."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mmgraph.report.curves import Chart, best, charts, draw, draw_all, thin
from mmgraph.runs import Series


def series(values, steps=None) -> Series:
    values = np.asarray(values, dtype=np.float64)
    steps = np.arange(len(values)) if steps is None else np.asarray(steps, dtype=np.int64)
    return Series(steps, np.zeros(len(values)), np.zeros(len(values)), values)


def drawn(chart: Chart) -> ElementTree.Element:
    return ElementTree.fromstring(draw(chart))


def text(root: ElementTree.Element) -> str:
    return " ".join("".join(root.itertext()).split())


def test_numbers_of_one_quantity_share_a_chart_losses_first():
    tags = ["learning_rate", "train/accuracy", "validation/loss", "train/loss", "my/own", "train"]
    found = charts({tag: series([1.0]) for tag in tags})
    assert [(chart.quantity, list(chart.curves)) for chart in found] == [
        ("loss", ["train", "validation"]),
        ("accuracy", ["train"]),
        ("learning_rate", [""]),
        ("my/own", [""]),
        ("train", [""]),
    ]


def test_the_best_is_the_lowest_loss_and_the_highest_score():
    values = series([3.0, np.nan, 1.0, np.inf, 2.0, -np.inf], [10, 20, 30, 40, 50, 60])
    assert best(Chart("loss", {"validation": values})) == ("validation", 30, 1.0)
    assert best(Chart("accuracy", {"validation": values})) == ("validation", 10, 3.0)
    assert best(Chart("loss", {"train": values})) is None
    assert best(Chart("loss", {"validation": series([np.nan])})) is None


def test_the_best_is_marked_where_it_is():
    root = drawn(Chart("accuracy", {"validation": series([0.0, 1.0, 0.5], [0, 10, 20])}))
    ring = root.find(".//circle[@class='best']")
    points = [tuple(map(float, pair.split(","))) for pair in root.find(".//polyline").get("points").split()]
    assert (float(ring.get("cx")), float(ring.get("cy"))) == points[1]
    assert points[1][1] < points[2][1] < points[0][1]  # up is better
    assert "best 1 at step 10" in text(root)


def test_a_line_is_broken_and_marked_where_it_is_not_finite():
    values = [1.0, 2.0, np.nan, 3.0, 4.0, np.inf, -np.inf, 5.0]
    root = drawn(Chart("loss", {"train": series(values)}))
    lines = [line.get("points").count(",") for line in root.iter("polyline")]
    assert lines == [2, 2]
    assert len(list(root.iter("circle"))) == 1  # the last value stands alone
    marks = root.findall(".//text[@class='notfinite']")
    assert [mark.find("title").text for mark in marks] == ["NaN", "+∞", "−∞"]
    assert "× 3 not finite" in text(root)


@pytest.mark.parametrize(
    ("values", "log"), [([1e-3, 1.0], True), ([0.0, 1.0], False), ([1.0, 49.0], False), ([-1.0, 1e9], False)]
)
def test_wide_ranges_of_positive_numbers_are_drawn_on_a_log_scale(values, log):
    assert ("log scale" in text(drawn(Chart("loss", {"train": series(values)})))) is log


def test_ticks_are_round_numbers_in_range():
    root = drawn(Chart("accuracy", {"train": series(np.linspace(0.31, 0.92, 50), np.arange(50) * 40)}))
    labels = [entry.text for entry in root.iter("text")]
    assert labels == ["0.4", "0.6", "0.8", "0", "500", "1000", "1500", "step"]


def test_what_never_changes_is_a_line_of_text():
    figures = draw_all({"learning_rate": series([0.1, 0.1]), "train/loss": series([2.0, 1.0])})
    assert len(figures) == 2
    assert "learning rate 0.1" in figures[1]


def test_the_words_of_a_chart_tell_its_story():
    root = drawn(Chart("loss", {"train": series([2.0, 0.5]), "validation": series([3.0, 1.0, 1.5])}))
    assert root.find(".//svg/title").text == (
        "Train loss goes from 2 to 0.5; validation loss goes from 3 to 1.5; "
        "the best validation loss is 1 at step 1."
    )


@given(
    arrays.arrays(np.float64, st.integers(0, 400), elements=st.floats(allow_nan=False)),
    st.integers(1, 20),
    st.randoms(use_true_random=False),
)
def test_thinning_keeps_the_ends_and_the_extremes_of_every_stretch(values, bins, random):
    steps = np.cumsum([random.choice([0, 1, 1, 7]) for _ in values]).astype(np.int64)
    rows = thin(steps, values, bins)
    assert (np.diff(rows) > 0).all()
    if len(values) <= 4 * bins:
        assert len(rows) == len(values)
        return
    assert len(rows) <= 4 * bins
    assert {0, len(values) - 1} <= set(rows.tolist())
    place = (steps - steps[0]) * bins // max(int(steps[-1] - steps[0]) + 1, 1)
    for stretch in np.unique(place):
        inside, kept = values[place == stretch], values[rows[place[rows] == stretch]]
        assert (kept.min(), kept.max()) == (inside.min(), inside.max())


@given(arrays.arrays(np.float64, st.integers(1, 30), elements=st.floats()))
def test_any_numbers_can_be_drawn(values):
    root = drawn(Chart("loss", {"train": series(values), "validation": series(values)}))
    for line in root.iter("polyline"):
        numbers = np.array([float(part) for pair in line.get("points").split() for part in pair.split(",")])
        assert np.isfinite(numbers).all()
        assert (numbers >= 0).all()
        assert (numbers <= 560).all()
