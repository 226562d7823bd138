"""Markup, colours, pictures and numbers of the parts."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmgraph.report.attention import focus
from mmgraph.report.colours import CATEGORIES, UNKNOWN, category, diverging, rgb
from mmgraph.report.confusion import confusions
from mmgraph.report.embedding import _fitted, _spread
from mmgraph.report.markup import Markup, element, escape
from mmgraph.report.pictures import upscaled
from mmgraph.runs import RunReader, RunWriter, Snapshot


@given(st.text(), st.text())
def test_any_text_is_text(content, attribute):
    root = ElementTree.fromstring(element("p", content, title=attribute))
    kept = "".join(letter if letter in "\t\n\r" or letter >= " " else "\ufffd" for letter in content)
    assert len(root) == 0
    if not any("\x7f" <= letter <= "\x9f" or "\ud800" <= letter <= "\udfff" for letter in content):
        assert (root.text or "").replace("\r\n", "\n").replace("\r", "\n").replace("\ufffe", "").replace(
            "\uffff", ""
        ).replace("\ufffd", "") == "".join(
            letter
            for letter in kept.replace("\r\n", "\n").replace("\r", "\n")
            if letter not in "\ufffd\ufffe\uffff" and not "\ufdd0" <= letter <= "\ufdef"
        )


def test_elements():
    assert element("p", "a<b", None, element("b", 1), class_="x", hidden=True, id=None) == (
        '<p class="x" hidden="hidden">a&lt;b<b>1</b></p>'
    )
    assert element("img", alt="") == '<img alt=""/>'
    assert element("line", x1=1) == '<line x1="1"/>'
    assert element("td") == "<td></td>"
    assert escape(Markup("<b>")) == "<b>"


def test_classes_have_colours_of_their_own():
    assert len(set(CATEGORIES)) == len(CATEGORIES) == 30
    assert category(-1) == UNKNOWN
    assert category(31) == category(1)


@pytest.mark.parametrize("background", [(255, 255, 255), (29, 32, 37)])
def test_the_first_ten_colours_are_seen_on_light_and_dark(background):
    def luminance(colour):
        parts = [c / 255 / 12.92 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    for colour in CATEGORIES[:10]:
        low, high = sorted((luminance(rgb(colour)), luminance(background)))
        assert (high + 0.05) / (low + 0.05) > 2


def test_zero_is_near_white_and_signs_differ():
    low, middle, high, bad = diverging(np.array([0.0, 0.5, 1.0, np.nan])).tolist()
    assert min(middle) > 235
    assert low[2] > low[0]
    assert high[0] > high[2]
    assert tuple(bad) == rgb(UNKNOWN)


def test_focus_is_zero_for_even_shares_and_one_for_a_single_neighbour():
    targets = np.array([0, 0, 0, 1, 1, 2])
    even = np.array([1 / 3, 1 / 3, 1 / 3, 0.5, 0.5, 1.0])
    assert focus(even, targets) == pytest.approx(0, abs=1e-12)
    assert focus(np.array([1.0, 0, 0, 0, 1, 1]), targets) == pytest.approx(1)
    # By hand: node 0 alone has two edges; H(¼, ¾) / ln 2 = 0.8113 bits.
    assert focus(np.array([0.25, 0.75]), np.array([7, 7])) == pytest.approx(1 - 0.8112781)
    assert np.isnan(focus(np.array([1.0]), np.array([0])))
    assert np.isnan(focus(np.zeros(0), np.zeros(0, int)))


def test_points_keep_their_proportions_inside_the_picture():
    positions = np.array([[0.0, 0.0], [10.0, 0.0], [10.0, 20.0], [np.nan, 1.0]])
    fitted = _fitted(positions)
    assert np.isnan(fitted[3]).any()
    inside = fitted[:3]
    assert (inside >= 0).all()
    assert (inside <= [560, 440]).all()
    width, height = np.ptp(inside, axis=0)
    assert height == pytest.approx(2 * width)
    assert inside[2, 1] < inside[0, 1]  # y goes up
    assert _fitted(np.ones((2, 2))).tolist() == [[280, 220]] * 2
    assert _fitted(np.full((1, 2), np.nan)).shape == (1, 2)


def test_thumbnails_do_not_overlap():
    positions = np.random.default_rng(0).uniform(0, 400, (500, 2))
    chosen = _spread(positions, np.arange(0, 500, 2))
    assert len(chosen) == 24
    assert all(row % 2 == 0 for row in chosen)
    apart = np.abs(positions[chosen][:, None] - positions[chosen][None]).max(axis=2)
    assert apart[~np.eye(len(chosen), dtype=bool)].min() >= 30
    assert _spread(positions, np.zeros(0, int)) == []


def test_small_thumbnails_keep_square_pixels():
    pixels = np.array([[0, 255], [255, 0]], np.uint8)
    large = np.asarray(upscaled(pixels, 8))
    assert np.array_equal(large, pixels.repeat(4, axis=0).repeat(4, axis=1))
    assert upscaled(np.zeros((100, 40, 3), np.uint8), 50).size == (20, 50)


def test_the_confusion_table_holds_the_counts(tmp_path):
    counts = np.array([[50, 1, 0], [3, 40, 7], [0, 0, 0]])
    with RunWriter.create(tmp_path, "run", {}) as run:
        old = Snapshot("matrix", "confusion/test", counts * 0, notes={"classes": ["a", "b"]})
        run.snapshots(1, [old])
        run.snapshots(2, [Snapshot("matrix", "confusion/test", counts, notes={"classes": ["a", "b"]})])
        run.snapshots(3, [Snapshot("matrix", "similarity", counts)])
    with RunReader(run.folder) as reader:
        (figure,) = confusions(reader)
    root = ElementTree.fromstring(figure)
    cells = [[cell.text.replace("·", "0") for cell in row.iter("td")] for row in root.iter("tr")][1:]
    assert [[int(cell) for cell in row] for row in cells] == counts.tolist()
    assert [row.find("th/span").text for row in root.iter("tr")][1:] == ["a", "b", "2"]
    words = " ".join("".join(root.find(".//figcaption").itertext()).split())
    assert words == "90 of 101 right (89.1%); most often mistaken: b for 2 (7 ×)."
