"""Pairs that somebody has listed: these two are similar, those two are not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from torch import Tensor

from mmgraph.errors import DatasetCorruptError, DatasetMissingError, EmptyPairsError, InputError
from mmgraph.metric.selection import Pairs

MOST_LIST_BYTES = 64 << 20


class PairSampler:
    """Batches of listed pairs, half of them similar and half not.

    Of the rarer kind some pairs come more often, so that both weigh the same; within a batch no pair comes twice unless
    there are too few. Batches depend on the seed, the epoch and their position alone, so that a resumed run sees the
    same.

    Args:
        pairs: the list.
        batch_size: pairs in a batch, an even number.
        batches: of an epoch; by default as many as it takes to see as many pairs as there are.
        seed: of the choice.

    Raises:
        EmptyPairsError: the list has no similar or no dissimilar pair.
        InputError: a batch size that is not even and positive.
    """

    def __init__(
        self, pairs: Pairs, *, batch_size: int = 32, batches: int | None = None, seed: int = 0
    ) -> None:
        if batch_size < 2 or batch_size % 2:
            raise InputError(f"Expected an even number of pairs in a batch, but got {batch_size}.")
        self._kinds = [torch.nonzero(kind).flatten() for kind in (pairs.similar, ~pairs.similar)]
        if any(len(kind) == 0 for kind in self._kinds):
            raise EmptyPairsError(
                f"Expected a list of similar and dissimilar pairs, but got {len(self._kinds[0])} and "
                f"{len(self._kinds[1])}."
            )
        self.pairs, self.batch_size, self.seed = pairs, batch_size, seed
        self.batches = max(1, len(pairs) // batch_size) if batches is None else batches

    def __len__(self) -> int:
        return self.batches

    def epoch(self, epoch: int, start: int = 0) -> Iterator[Pairs]:
        """The batches of an epoch from position `start` on, similar pairs first."""
        for position in range(start, self.batches):
            yield self.batch(epoch, position)

    def batch(self, epoch: int, position: int) -> Pairs:
        """One batch."""
        key = ((self.seed * 1_000_003 + epoch) * 1_000_003 + position) % 2**63
        generator = torch.Generator().manual_seed(key)
        rows = torch.cat([_drawn(kind, self.batch_size // 2, generator) for kind in self._kinds])
        return Pairs(self.pairs.first[rows], self.pairs.second[rows], self.pairs.similar[rows])


def read_pairs(path: Path | str, rows: Mapping[str, int]) -> Pairs:
    """Pairs from a text file with a line `first second 1` for each similar pair, and `… 0` for each dissimilar one.

    Empty lines and those that begin with # say nothing.

    Args:
        path: of the file.
        rows: the row of each name that may occur.

    Raises:
        DatasetMissingError: the file cannot be read.
        DatasetCorruptError: a line is of another form, or names what is not there; it is said which.
    """
    try:
        with Path(path).open(encoding="utf-8") as file:
            lines = file.read(MOST_LIST_BYTES).splitlines()
    except OSError as error:
        raise DatasetMissingError(f"{path} cannot be read ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise DatasetCorruptError(f"{path} is not a list in UTF-8 ({error}).") from error
    found: list[tuple[int, int, bool]] = []
    for number, line in enumerate(lines, 1):
        entry = line.split()
        if not entry or entry[0].startswith("#"):
            continue
        if len(entry) != 3 or entry[2] not in ("0", "1"):
            raise DatasetCorruptError(
                f"Line {number} of {path} should be 'first second 0 or 1', not '{line}'."
            )
        unknown = [name for name in entry[:2] if name not in rows]
        if unknown:
            raise DatasetCorruptError(f"Line {number} of {path} names '{unknown[0]}', which is not there.")
        found.append((rows[entry[0]], rows[entry[1]], entry[2] == "1"))
    return Pairs(
        torch.tensor([entry[0] for entry in found], dtype=torch.int64),
        torch.tensor([entry[1] for entry in found], dtype=torch.int64),
        torch.tensor([entry[2] for entry in found], dtype=torch.bool),
    )


def _drawn(rows: Tensor, count: int, generator: torch.Generator) -> Tensor:
    order = torch.randperm(len(rows), generator=generator)
    if count > len(rows):
        more = torch.randint(len(rows), (count - len(rows),), generator=generator)
        order = torch.cat([order, more])
    return rows[order[:count]]
