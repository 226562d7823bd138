"""Item sets: what rows are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmgraph.errors import InputError, RunDamagedError
from mmgraph.runs import ItemSet, RunReader
from mmgraph.runs.items import item_names, item_path, read_items, write_items


def same(one: ItemSet, other: ItemSet) -> None:
    for name in ("name", "class_names", "split_names", "texts", "noun"):
        assert getattr(one, name) == getattr(other, name)
    for name in ("ids", "labels", "splits", "thumbnails"):
        a, b = getattr(one, name), getattr(other, name)
        assert (a is None) == (b is None)
        if a is not None:
            assert a.dtype == b.dtype
            np.testing.assert_array_equal(a, b)
    assert one.columns.keys() == other.columns.keys()
    for name, column in one.columns.items():
        assert column.dtype == other.columns[name].dtype
        np.testing.assert_array_equal(column, other.columns[name])


@pytest.mark.parametrize("shape", [(3, 8, 6), (3, 8, 6, 3)])
def test_everything_comes_back(new_run, shape):
    pixels = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    table = np.arange(12.0).reshape(3, 4)
    items = ItemSet(
        name="papers",
        ids=np.array([5, 7, 2**40]),
        labels=np.array([0, -1, 1], np.int32),
        class_names=("Äpfel", "梨"),
        splits=np.array([-1, 0, 0], np.int8),
        split_names=("train",),
        thumbnails=pixels[:, ::-1],
        texts=("", "naïve 🙂 文字", "שלום\nworld"),
        columns={"degree": table[:, 2], "a/b": np.array([True, False, True])},
        noun="paper",
    )
    run = new_run()
    run.items(items)
    with RunReader(run.folder) as reader:
        assert reader.item_names() == ["papers"]
        loaded = reader.items("papers")
        assert reader.item_file("papers").is_file()
    same(items, loaded)
    assert len(loaded) == 3


@given(st.lists(st.text(st.characters(codec="utf-8")), min_size=1, max_size=6))
def test_texts_of_any_script(tmp_path_factory, texts):
    folder = tmp_path_factory.getbasetemp()
    write_items(folder, ItemSet(texts=tuple(texts)))
    assert read_items(folder, "items").texts == tuple(texts)


def test_half_a_character_is_refused(tmp_path):
    with pytest.raises(InputError, match="not valid Unicode"):
        write_items(tmp_path, ItemSet(texts=("fine", "half \ud83d")))
    assert item_names(tmp_path) == []


@given(st.sets(st.text(st.characters(codec="utf-8"), min_size=1, max_size=20), min_size=1, max_size=5))
def test_every_name_has_a_file_of_its_own(tmp_path_factory, names):
    folder = tmp_path_factory.mktemp("items")
    for number, name in enumerate(sorted(names)):
        write_items(folder, ItemSet(name=name, ids=np.array([number])))
    assert item_names(folder) == sorted(names)
    for number, name in enumerate(sorted(names)):
        assert item_path(folder, name).parent == folder / "items"
        loaded = read_items(folder, name)
        assert (loaded.name, loaded.ids.tolist()) == (name, [number])


def test_ids_count_from_zero_where_none_are_given():
    items = ItemSet(labels=np.array([1, 1]))
    assert items.ids.tolist() == [0, 1]
    assert len(ItemSet(texts=())) == 0


def test_a_set_of_no_items_comes_back(tmp_path):
    write_items(tmp_path, ItemSet(texts=(), thumbnails=np.zeros((0, 2, 2), np.uint8)))
    loaded = read_items(tmp_path, "items")
    assert (len(loaded), loaded.texts) == (0, ())


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({}, "at least one of ids"),
        ({"name": "", "texts": ("a",)}, "needs a name"),
        ({"labels": np.zeros(2, int), "texts": ("a",)}, "'labels': 2, 'texts': 1"),
        ({"labels": np.zeros(2)}, "labels are whole numbers"),
        ({"splits": np.zeros((2, 2), int)}, "splits are whole numbers"),
        ({"labels": np.array([0, 2]), "class_names": ("a", "b")}, "from 0 to 1, for there are 2 names"),
        ({"labels": np.array([-2]), "class_names": ("a",)}, "go from -2"),
        ({"splits": np.array([1]), "split_names": ("train",)}, "splits are numbers"),
        ({"thumbnails": np.zeros((2, 3, 3))}, "Thumbnails are uint8"),
        ({"thumbnails": np.zeros((2, 3, 3, 4), np.uint8)}, "Thumbnails are uint8"),
        ({"columns": {"c": np.array(["a"])}}, "'c' must be a NumPy array"),
        ({"columns": {"c": np.zeros((2, 2))}}, "Column 'c' has shape"),
    ],
)
def test_parts_that_do_not_fit_are_refused(parts, message):
    with pytest.raises(InputError, match=message):
        ItemSet(**parts)


def test_damaged_files_are_one_sentence(tmp_path):
    with pytest.raises(RunDamagedError, match="is missing"):
        read_items(tmp_path, "items")
    write_items(tmp_path, ItemSet(labels=np.array([0, 1]), class_names=("a", "b")))
    path = item_path(tmp_path, "items")
    whole = path.read_bytes()
    forged = whole.replace(b'[\\"a\\", \\"b\\"]', b'[\\"a\\"      ]')
    assert forged != whole
    for content in (whole[:-4], forged, whole.replace(b"noun", b"nuon")):
        path.write_bytes(content)
        with pytest.raises(RunDamagedError, match=r"items\.safetensors"):
            read_items(tmp_path, "items")
