from __future__ import annotations

import numpy as np
import pytest

from mmgraph.errors import InputError, RunDamagedError
from mmgraph.runs import ItemSet, Recordings
from mmgraph.runs.items import item_path, read_items, write_items
from mmgraph.runs.snapshot import read_arrays, write_arrays


def test_sounds_and_clips_come_back(tmp_path):
    generator = np.random.default_rng(0)
    sounds = [generator.uniform(-1, 1, length) for length in (5, 0, 3)]
    clips = [generator.integers(0, 256, (length, 4, 6, 3), np.uint8) for length in (2, 3, 0)]
    items = ItemSet(
        texts=("a", "b", "c"), sounds=Recordings.of_sounds(sounds, 8000), clips=Recordings.of_clips(clips, 25)
    )
    write_items(tmp_path, items)
    read = read_items(tmp_path, "items")
    assert (read.sounds.rate, read.clips.rate) == (8000, 25)
    for row in range(3):
        np.testing.assert_allclose(read.sounds[row] / 32767, sounds[row], atol=2e-5)
        np.testing.assert_array_equal(read.clips[row], clips[row])
    with pytest.raises(IndexError):
        read.sounds[3]


def test_loud_sound_keeps_its_form_and_nan_is_silent():
    sound = np.array([0.0, 2.0, -4.0, np.nan])
    assert Recordings.of_sounds([sound], 100)[0].tolist() == [0, 16384, -32767, 0]


def test_no_more_than_so_many_bytes_are_kept():
    sounds = [np.zeros(100)] * 3
    kept = Recordings.of_sounds(sounds, 100, most_bytes=450)
    assert [len(kept[row]) for row in range(3)] == [100, 100, 0]
    clips = [np.zeros((2, 4, 4), np.uint8)] * 3
    kept = Recordings.of_clips(clips, 5, most_bytes=40)
    assert [len(kept[row]) for row in range(3)] == [2, 0, 0]
    assert len(Recordings.of_clips([], 5)) == len(Recordings.of_sounds([], 5)) == 0


@pytest.mark.parametrize(
    ("values", "ends", "rate"),
    [
        (np.zeros(3, np.float32), np.array([3]), 8000),
        (np.zeros((3, 4, 4, 2), np.uint8), np.array([3]), 8000),
        (np.zeros(3, np.int16), np.array([2]), 8000),
        (np.zeros(3, np.int16), np.array([2, 1, 3]), 8000),
        (np.zeros(3, np.int16), np.array([1.5, 3.0]), 8000),
        (np.zeros(3, np.int16), np.array([3]), 0),
        (np.zeros(3, np.int16), np.array([3]), np.nan),
        (np.zeros(3, np.int16), np.zeros(0, np.int64), 8000),
    ],
)
def test_what_does_not_fit_is_refused(values, ends, rate):
    with pytest.raises(InputError):
        Recordings(values, ends, rate)
    with pytest.raises(InputError, match="one size"):
        Recordings.of_clips([np.zeros((1, 2, 2), np.uint8), np.zeros((1, 3, 2), np.uint8)], 5)
    with pytest.raises(InputError, match="lengths"):
        ItemSet(texts=("a",), sounds=Recordings.of_sounds([np.zeros(1)] * 2, 100))


def test_damaged_recordings_are_said(tmp_path):
    write_items(tmp_path, ItemSet(sounds=Recordings.of_sounds([np.zeros(4)], 100)))
    path = item_path(tmp_path, "items")
    arrays, notes = read_arrays(path)
    write_arrays(path, arrays | {"sounds/ends": np.array([9])}, notes)
    with pytest.raises(RunDamagedError):
        read_items(tmp_path, "items")
