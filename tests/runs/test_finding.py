from __future__ import annotations

import numpy as np
import pytest

from mmgraph.runs import ItemSet, find_items


@pytest.fixture
def papers():
    return ItemSet(
        ids=np.array([10, 11, 12, 7]),
        labels=np.array([0, 1, -1, 7]),
        class_names=("Neural networks", "Graph theory", "a", "b", "c", "d", "e", "7"),
        splits=np.array([0, 1, 1, -1]),
        split_names=("train", "test"),
        texts=("Attention on GRAPHS", "Colouring planes 7 ways", "Deep nets", ""),
    )


@pytest.mark.parametrize(
    ("words", "rows"),
    [
        ("", [0, 1, 2, 3]),
        ("graph", [0, 1]),
        ("GRAPH attention", [0]),
        ("text:graph", [0]),
        ("label:graph", [1]),
        ("7", [1, 3]),
        ("label:7", [3]),
        ("id:7", [3]),
        ("id:11 split:test", [1]),
        ("split:test", [1, 2]),
        ("split:te net", [2]),
        ("nothing", []),
        ("id:graph", []),
        ("99999999999999999999999", []),
        ("http://x", []),
        ("label:", []),
    ],
)
def test_items_that_fit_every_word(papers, words, rows):
    assert find_items(papers, words).tolist() == rows


def test_classes_and_items_without_names_are_found_by_number():
    items = ItemSet(labels=np.array([3, 1, -1]))
    assert find_items(items, "label:3").tolist() == [0]
    assert find_items(items, "1").tolist() == [1]
    assert find_items(items, "2").tolist() == [2]
    assert find_items(items, "word").tolist() == []


def test_a_number_is_a_whole_class_name():
    items = ItemSet(labels=np.arange(12), class_names=tuple(map(str, range(12))))
    assert find_items(items, "label:1").tolist() == [1]
