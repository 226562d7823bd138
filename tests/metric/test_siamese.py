from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from mmgraph.errors import ConfigError, EmptyPairsError, InputError
from mmgraph.metric import ClassBalancedSampler, Distance, MetricLoss, Siamese


def blobs(count: int = 40, classes: int = 4) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(count) % classes
    centres = torch.randn(classes, 2, generator=generator) * 4
    noise = torch.randn(count, 6, generator=generator) * 3
    return torch.cat([centres[labels] + torch.randn(count, 2, generator=generator) * 0.3, noise], 1), labels


@pytest.mark.parametrize(
    "kind", ["contrastive", "hinge", "triplet", "ratio", "nt-xent", "multi-similarity", "prototypical"]
)
@pytest.mark.parametrize("miner", ["all", "hardest"])
def test_it_learns_to_tell_classes_apart(kind: str, miner: str) -> None:
    torch.manual_seed(0)
    x, labels = blobs()
    model = Siamese(nn.Linear(8, 2), Distance("l2"), kind, miner)  # type: ignore[arg-type]
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)

    def right() -> float:
        away = torch.cdist(model(x), model(x)).fill_diagonal_(torch.inf)
        return float((labels[away.argmin(1)] == labels).float().mean())

    before = right()
    for _ in range(150):
        optimizer.zero_grad()
        model.loss(x, labels).backward()
        optimizer.step()
    assert before < 0.7
    assert right() > 0.9


def test_branches_share_their_weights() -> None:
    model = Siamese(nn.Linear(8, 3), distance=Distance("l1"))
    x, _ = blobs()
    assert sum(p.numel() for p in model.parameters()) == 27
    torch.testing.assert_close(model.compare(x[:5], x[5:10]), (model(x[:5]) - model(x[5:10])).abs().sum(1))
    assert (model.compare(x, x) == 0).all()


def test_branches_of_different_length() -> None:
    with pytest.raises(InputError, match="as many items"):
        Siamese(nn.Linear(8, 3)).compare(torch.ones(3, 8), torch.ones(4, 8))


def test_a_loss_that_is_given_whole_has_its_own_miner() -> None:
    model = Siamese(nn.Linear(8, 2), loss=MetricLoss("ratio", miner="hardest"))
    assert (model.criterion.kind, model.criterion.miner) == ("ratio", "hardest")
    with pytest.raises(ConfigError, match="miner hardest already"):
        Siamese(nn.Linear(8, 2), loss=MetricLoss("ratio", miner="hardest"), miner="random")


def test_an_encoder_that_gives_no_vectors() -> None:
    with pytest.raises(InputError, match="vectors"):
        Siamese(nn.Conv2d(1, 2, 3))(torch.ones(2, 1, 8, 8))


def test_batches_have_classes_with_items_of_each() -> None:
    labels = torch.tensor([0] * 9 + [1] * 2 + [2] + [3] * 30 + [7] * 5)
    sampler = ClassBalancedSampler(labels, classes_per_batch=3, items_per_class=4, batches=20, seed=1)
    assert len(sampler) == 20
    seen = set()
    for rows in sampler.epoch(0):
        found, count = torch.unique(labels[rows], return_counts=True)
        assert count.tolist() == [4, 4, 4]
        assert 2 not in found
        seen |= set(found.tolist())
        for label in (0, 3, 7):
            of_class = rows[labels[rows] == label]
            assert len(of_class.unique()) == len(of_class)
    assert seen == {0, 1, 3, 7}


def test_batches_depend_on_seed_epoch_and_position_alone() -> None:
    labels = torch.arange(60) % 6
    sampler = ClassBalancedSampler(labels, classes_per_batch=3, items_per_class=4, seed=5)
    whole = list(sampler.epoch(2))
    rest = list(sampler.epoch(2, start=3))
    assert all(torch.equal(a, b) for a, b in zip(whole[3:], rest, strict=True))
    assert not torch.equal(whole[0], next(sampler.epoch(3)))


@pytest.mark.parametrize(
    "labels", [torch.zeros(9, dtype=torch.int64), torch.arange(9), torch.tensor([0, 0, 1])]
)
def test_no_classes_to_draw_from(labels: Tensor) -> None:
    with pytest.raises(EmptyPairsError, match="two classes with two items"):
        ClassBalancedSampler(labels)
