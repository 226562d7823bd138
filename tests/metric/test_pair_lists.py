from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from mmgraph.errors import (
    ConfigError,
    DatasetCorruptError,
    DatasetMissingError,
    EmptyPairsError,
    InputError,
)
from mmgraph.metric import MetricLoss, Pairs, PairSampler, Siamese, contrastive_loss, read_pairs

ROWS = {name: row for row, name in enumerate(["a.avi", "b.avi", "c.avi", "d.avi"])}


def pairs(similar: int = 3, dissimilar: int = 9) -> Pairs:
    count = similar + dissimilar
    return Pairs(torch.arange(count), torch.arange(count) + 1, torch.arange(count) < similar)


def test_half_of_each_batch_is_similar_and_all_pairs_come() -> None:
    sampler = PairSampler(pairs(), batch_size=6, batches=20, seed=1)
    seen = set()
    for batch in sampler.epoch(0):
        assert batch.similar.tolist() == [True] * 3 + [False] * 3
        assert len(set(batch.first.tolist())) == 6
        assert torch.equal(batch.second, batch.first + 1)
        seen |= set(batch.first.tolist())
    assert seen == set(range(12))


def test_batches_depend_on_seed_epoch_and_position_alone() -> None:
    sampler = PairSampler(pairs(), batch_size=4, batches=5, seed=2)
    whole = [batch.first.tolist() for batch in sampler.epoch(3)]
    assert [batch.first.tolist() for batch in sampler.epoch(3, 2)] == whole[2:]
    assert whole != [batch.first.tolist() for batch in sampler.epoch(4)]
    assert whole != [batch.first.tolist() for batch in PairSampler(pairs(), batch_size=4, batches=5).epoch(3)]


def test_few_pairs_come_again() -> None:
    (batch,) = PairSampler(pairs(1, 1), batch_size=8).epoch(0)
    assert batch.first.tolist() == [0] * 4 + [1] * 4


@pytest.mark.parametrize(("similar", "dissimilar"), [(0, 3), (3, 0), (0, 0)])
def test_one_kind_alone_is_refused(similar: int, dissimilar: int) -> None:
    with pytest.raises(EmptyPairsError, match=f"{similar} and {dissimilar}"):
        PairSampler(pairs(similar, dissimilar))


@pytest.mark.parametrize("size", [0, -2, 5])
def test_odd_batches_are_refused(size: int) -> None:
    with pytest.raises(InputError, match="even"):
        PairSampler(pairs(), batch_size=size)


def test_a_list_of_pairs(tmp_path: Path) -> None:
    path = tmp_path / "pairs.txt"
    path.write_text("# crawling\na.avi b.avi 1\n\nc.avi   a.avi 0\n")
    found = read_pairs(path, ROWS)
    assert (found.first.tolist(), found.second.tolist()) == ([0, 2], [1, 0])
    assert found.similar.tolist() == [True, False]
    path.write_text("")
    assert len(read_pairs(path, ROWS)) == 0


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("a.avi b.avi", "Line 2 .* not 'a.avi b.avi'"),
        ("a.avi b.avi 2", "0 or 1"),
        ("a.avi e.avi 1", "names 'e.avi'"),
        ("a.avi b.avi 1 0", "0 or 1"),
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, line: str, words: str) -> None:
    path = tmp_path / "pairs.txt"
    path.write_text(f"a.avi b.avi 1\n{line}\n")
    with pytest.raises(DatasetCorruptError, match=words):
        read_pairs(path, ROWS)


def test_a_list_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(DatasetMissingError, match="absent"):
        read_pairs(tmp_path / "absent.txt", ROWS)
    (tmp_path / "pairs.txt").write_bytes(b"\xff\xff")
    with pytest.raises(DatasetCorruptError, match="UTF-8"):
        read_pairs(tmp_path / "pairs.txt", ROWS)


@pytest.mark.parametrize("kind", ["contrastive", "hinge"])
def test_the_loss_of_listed_pairs_is_that_of_their_distances(kind: str) -> None:
    torch.manual_seed(0)
    inputs = torch.randn(6, 4)
    model = Siamese(nn.Linear(4, 3), loss=MetricLoss(kind))  # type: ignore[arg-type]
    listed = Pairs(torch.tensor([5, 0, 0]), torch.tensor([1, 5, 2]), torch.tensor([True, False, True]))
    loss = model.pair_loss(inputs, listed)
    distance = model.compare(inputs[listed.first], inputs[listed.second])
    assert torch.allclose(loss, model.criterion.of_pairs(distance, listed.similar))
    if kind == "contrastive":
        assert torch.allclose(loss, contrastive_loss(distance, listed.similar))
    loss.backward()
    assert float(model.encoder.weight.grad.abs().sum()) > 0


def test_each_item_is_looked_at_once() -> None:
    seen: list[int] = []

    class Count(nn.Module):
        def forward(self, items: torch.Tensor) -> torch.Tensor:
            seen.append(len(items))
            return items

    listed = Pairs(torch.zeros(9, dtype=torch.int64), torch.arange(9) % 3 + 1, torch.arange(9) < 4)
    Siamese(Count(), loss=MetricLoss("contrastive")).pair_loss(torch.randn(5, 2), listed)
    assert seen == [4]


def test_other_losses_and_empty_lists_are_refused() -> None:
    inputs, listed = torch.randn(6, 4), pairs(1, 1)
    with pytest.raises(ConfigError, match="contrastive or hinge, not triplet"):
        Siamese(nn.Linear(4, 3)).pair_loss(inputs, listed)
    empty = Pairs(torch.zeros(0, dtype=torch.int64), torch.zeros(0, dtype=torch.int64), torch.zeros(0).bool())
    with pytest.raises(EmptyPairsError, match="empty"):
        Siamese(nn.Linear(4, 3), loss=MetricLoss("hinge")).pair_loss(inputs, empty)
