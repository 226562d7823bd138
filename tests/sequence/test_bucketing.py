"""Batches of about one length, padding, and windows of long sequences."""

from __future__ import annotations

import pytest
import torch

from mmgraph.errors import InputError
from mmgraph.sequence import LengthBuckets, pad, text_windows

LENGTHS = torch.randint(1, 100, (203,), generator=torch.Generator().manual_seed(0))


def test_every_sequence_is_there_once():
    buckets = LengthBuckets(LENGTHS, 16)
    batches = list(buckets.epoch(0))
    assert len(batches) == len(buckets) == 13
    assert torch.equal(torch.cat(batches).sort().values, torch.arange(203))


def test_little_is_padding():
    def padding(batches):
        return sum(int(LENGTHS[rows].max()) * len(rows) for rows in batches) / int(LENGTHS.sum())

    shuffled = torch.randperm(203, generator=torch.Generator().manual_seed(0)).split(16)
    assert padding(shuffled) > 1.7
    assert padding(LengthBuckets(LENGTHS, 16).epoch(0)) < 1.15


def test_batches_depend_on_seed_epoch_and_position_alone():
    buckets = LengthBuckets(LENGTHS, 16, seed=3)
    first, second = list(buckets.epoch(1)), list(buckets.epoch(2))
    assert any(set(a.tolist()) != set(b.tolist()) for a, b in zip(first, second, strict=True))
    again = list(LengthBuckets(LENGTHS, 16, seed=3).epoch(1, start=5))
    assert all(torch.equal(a, b) for a, b in zip(again, first[5:], strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(LengthBuckets(LENGTHS, 16).epoch(1), first, strict=True))


def test_one_sequence():
    assert [rows.tolist() for rows in LengthBuckets(torch.tensor([4]), 8).epoch(0)] == [[0]]


def test_padding_fills_up_the_end():
    padded, lengths = pad([torch.tensor([1, 2]), torch.tensor([], dtype=torch.int64), torch.tensor([3])], -1)
    assert padded.tolist() == [[1, 2], [-1, -1], [3, -1]]
    assert lengths.tolist() == [2, 0, 1]
    assert pad([torch.ones(2, 3), torch.ones(4, 3)])[0].shape == (2, 4, 3)


@pytest.mark.parametrize("shift", [0, 3])
def test_windows_together_are_the_rows(shift):
    tokens = torch.arange(40)
    windows = list(text_windows(tokens, 3, 10, 4, shift=shift))
    assert [begins for begins, _, _ in windows] == [True, False, False]
    before, after = (torch.cat([window[part] for window in windows], dim=1) for part in (1, 2))
    assert torch.equal(before.flatten(), tokens[shift : shift + 30])
    assert torch.equal(after, before + 1)
    (later,) = text_windows(tokens, 3, 10, 4, shift=shift, start=2)
    assert torch.equal(later[1], windows[2][1])


def test_bad_input_is_refused():
    for lengths, size in ((torch.tensor([], dtype=torch.int64), 2), (torch.tensor([1]), 0)):
        with pytest.raises(InputError, match="at least one length"):
            LengthBuckets(lengths, size)
    for sequences in (
        [],
        [torch.ones(2, 3), torch.ones(2, 4)],
        [torch.ones(2), torch.tensor([1])],
        [torch.tensor(1)],
    ):
        with pytest.raises(InputError, match="at least one sequence"):
            pad(sequences)
    for rows, columns, steps, shift in ((3, 10, 4, 10), (0, 10, 4, 0), (1, 10, 0, 0), (1, 10, 4, -1)):
        with pytest.raises(InputError, match="more than shift"):
            list(text_windows(torch.arange(40), rows, columns, steps, shift=shift))
