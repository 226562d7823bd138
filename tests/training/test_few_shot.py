from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from mmgraph.errors import InputError
from mmgraph.inspection import Capture
from mmgraph.metric import Siamese
from mmgraph.runs import ItemSet
from mmgraph.training.few_shot import EpisodePlan, FewShot, Trial

PLAN = EpisodePlan(
    train_ways=3, shots=2, queries=1, episodes=4, ways=2, validation_episodes=5, test_episodes=7
)


def pictures(classes: int, each: int = 4, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Each class has a grey value of its own."""
    labels = torch.arange(classes).repeat(each)
    images = (labels * 20 + 10).to(torch.uint8).view(-1, 1, 1).expand(-1, 4, 4).clone()
    return images + torch.randint(
        3, images.shape, generator=torch.Generator().manual_seed(seed)
    ).byte(), labels


def task(**changes: Any) -> FewShot:
    images, labels = pictures(5)
    unseen, kinds = pictures(3, seed=1)
    encoder = nn.Sequential(nn.Flatten(), nn.Linear(16, 4))
    given: dict[str, Any] = {
        "images": {"train": images, "validation": unseen, "test": unseen},
        "labels": {"train": labels, "validation": kinds, "test": kinds},
        "plan": PLAN,
        "items": ItemSet(labels=kinds.numpy(), class_names=("a", "b", "c")),
        "probe": unseen,
        "capture": Capture(encoder, kinds=()),
    }
    return FewShot(Siamese(encoder), **{**given, **changes})


def test_a_batch_has_the_items_of_each_class_side_by_side() -> None:
    few = task()
    _, labels = pictures(5)
    batches = list(few.batches(0))
    assert len(batches) == 4
    for rows, _ in batches:
        kinds = labels[rows]
        assert rows.shape == (3, 3)
        assert bool((kinds == kinds[:, :1]).all())
        assert len(kinds[:, 0].unique()) == 3
        assert len(rows.unique()) == 9


def test_batches_depend_on_epoch_position_and_seed_alone() -> None:
    whole, part = list(task().batches(2)), list(task().batches(2, 3))
    assert torch.equal(whole[3][0], part[0][0])
    assert torch.equal(whole[3][1].get_state(), part[0][1].get_state())
    assert not torch.equal(whole[0][0], next(task().batches(3))[0])
    assert not torch.equal(whole[0][0], next(task(seed=1).batches(2))[0])


def test_classes_that_are_easy_to_tell_apart_are_told_apart() -> None:
    few = task()
    with torch.no_grad():
        few.model.encoder[1].weight.fill_(1.0)
    found = few.evaluate("test")
    assert found["test/accuracy"] == found["test/accuracy-one-view"] == 1.0
    assert found["test/interval"] == 0.0
    assert few.evaluate()["validation/accuracy"] == 1.0


def test_views_are_averaged() -> None:
    few = task(augment=lambda images, generator: images + 1, views=3)
    images, _ = pictures(2)
    shifted = few.model(few.normalise(images) + 1)
    expected = (few.model(few.normalise(images)) + 2 * shifted) / 3
    torch.testing.assert_close(few.embed(images, 3), expected)


def test_trials_are_judged() -> None:
    images, labels = pictures(3, 1)
    answers = torch.tensor([2, 0, 1])
    few = task(trials=[Trial(images, labels, images[answers], answers)] * 2)
    found = few.evaluate("test")
    assert found["test/trials"] == found["test/trials-one-view"] == 1.0
    assert found["test/trials-interval"] == 0.0


def test_without_validation_nothing_is_chosen() -> None:
    images, labels = pictures(5)
    few = task(images={"train": images, "test": images}, labels={"train": labels, "test": labels})
    assert few.evaluate() == {}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"images": {"train": pictures(5)[0]}}, "test part needs"),
        ({"labels": {part: torch.arange(3) for part in ("train", "validation", "test")}}, "as many labels"),
        ({"views": 3}, "augmentation"),
        ({"plan": EpisodePlan(train_ways=6)}, "at least 6 classes"),
    ],
)
def test_what_does_not_fit(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        task(**changes)
