"""Batches of sequences of about one length, so that little of a batch is padding."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from mmgraph.errors import InputError


class LengthBuckets:
    """Batches whose sequences are about equally long, in an order drawn for each epoch.

    Sequences are sorted by length, those of one length in random order, and cut into batches; the batches are shuffled.
    Batches depend on the seed, the epoch and their position alone, so that a resumed run sees the same.

    Args:
        lengths: of the sequences.
        batch_size: sequences in a batch; one batch of an epoch may be smaller.
        jitter: a length counts as up to this share longer when sorting, so that batches differ between epochs.
        seed: of the order.

    Shapes:
        lengths (n,) int64.

    Raises:
        InputError: there is no sequence, or a number is out of range.

    Source: Khomenko et al., Accelerating recurrent neural network training using sequence bucketing, 2016.
    """

    def __init__(self, lengths: Tensor, batch_size: int, *, jitter: float = 0.1, seed: int = 0) -> None:
        if lengths.dim() != 1 or not len(lengths) or batch_size < 1 or not jitter >= 0:
            raise InputError(
                f"Expected at least one length, a batch_size of at least 1 and a jitter of at least 0, but got "
                f"{tuple(lengths.shape)}, {batch_size} and {jitter}."
            )
        self._lengths = lengths.cpu()
        self.batch_size, self.jitter, self.seed = batch_size, jitter, seed

    def __len__(self) -> int:
        return -(-len(self._lengths) // self.batch_size)

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Tensor]:
        """Rows of each batch from position `start` on."""
        generator = torch.Generator().manual_seed((self.seed * 1_000_003 + epoch) % 2**63)
        keys = self._lengths * (1 + self.jitter * torch.rand(len(self._lengths), generator=generator))
        shuffled = torch.randperm(len(keys), generator=generator)
        rows = shuffled[keys[shuffled].argsort(stable=True)].split(self.batch_size)
        for place in torch.randperm(len(rows), generator=generator)[start:].tolist():
            yield rows[place]


def pad(sequences: Sequence[Tensor], value: float = 0) -> tuple[Tensor, Tensor]:
    """Sequences beside each other, the shorter ones filled up at their end, and their lengths.

    Shapes:
        sequences (time, …) each: (batch, most steps, …) and (batch,) int64.

    Raises:
        InputError: there is no sequence, or they differ in more than their length.
    """
    if (
        not sequences
        or len({(s.shape[1:], s.dtype) for s in sequences}) > 1
        or any(s.dim() < 1 for s in sequences)
    ):
        raise InputError(
            f"Expected at least one sequence, all of shape (time, …) and one type, but got "
            f"{[(tuple(s.shape), s.dtype) for s in sequences[:3]]}."
        )
    padded = torch.nn.utils.rnn.pad_sequence(list(sequences), batch_first=True, padding_value=value)
    return padded, torch.tensor([len(sequence) for sequence in sequences])
