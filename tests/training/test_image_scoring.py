from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from mmgraph.errors import EmptyPairsError, InputError
from mmgraph.inspection import Capture
from mmgraph.runs import ItemSet
from mmgraph.training.image_scoring import ImageScoring, ScoredImages, ScoringModel
from mmgraph.vision import Augmentation, ConvNetwork, ConvSpec
from mmgraph.vision.conv_spec import Conv, Pool


def part(count, seed=0, wrong=0):
    """Images whose brightness is their score."""
    generator = torch.Generator().manual_seed(seed)
    scores = torch.rand(count, generator=generator)
    noise = torch.rand(count, 3, 8, 8, generator=generator)
    images = (255 * (0.7 * scores.view(-1, 1, 1, 1) + 0.3 * noise)).to(torch.uint8)
    scores[:wrong] = 1 - scores[:wrong]
    return ScoredImages(images, 10 * scores)


def task(**options):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        encoder = ConvNetwork(ConvSpec((Conv(4), Pool(), Conv(6)), "elu"), 3, 5)
        model = ScoringModel(encoder, 5)
    parts = {"pairs": part(60), "train": part(40, 1), "validation": part(30, 2), "test": part(30, 3)}
    parts |= options.pop("parts", {})
    probe = parts["test"].images[:7]
    return ImageScoring(
        model,
        parts,
        items=ItemSet(ids=np.arange(7)),
        probe=probe,
        capture=Capture(encoder, kinds=("filters", "feature_maps")),
        **{"bins": 4, "batch_size": 16, "pretrain_epochs": 2} | options,
    )


def train(task, epochs, rate=0.02):
    optimizer = torch.optim.Adam(task.model.parameters(), rate)
    for epoch in epochs:
        for batch in task.batches(epoch):
            optimizer.zero_grad()
            task.loss(batch)[0].backward()
            optimizer.step()
    return task


def test_pairs_come_first_and_scores_after_them():
    made = task()
    assert made.batches_per_epoch == 60 // 16
    kinds = [[batch[0] for batch in made.batches(epoch)] for epoch in range(4)]
    assert kinds == [[True] * 3, [True] * 3, [False] * 3, [False] * 3]


def test_it_learns_pairs_then_scores():
    made = train(task(pretrain_epochs=15), range(15))
    assert set(made.evaluate()) == {"validation/distance-correlation"}
    assert made.evaluate()["validation/distance-correlation"] > 0.8
    head = made.model.head.weight
    assert bool((head == 0).all())
    train(made, range(15, 30))
    found = made.evaluate()
    assert found["validation/pearson"] > 0.9
    assert found["validation/spearman"] > 0.9
    assert found["validation/pearson-low"] < found["validation/pearson"] < found["validation/pearson-high"]
    assert found["validation/mean-absolute-error"] < 1.2
    assert made.evaluate("test")["test/kendall"] > 0.7


def test_encoder_and_head_have_their_own_rates():
    made = task(rate_share=2.0, head_rate=10.0)
    encoder, head = made.parameter_groups(0.1)
    assert (encoder["rate_share"], head["rate_share"]) == (2.0, 20.0)
    assert encoder["weight_decay"] == head["weight_decay"] == 0.1
    assert head["params"] == list(made.model.head.parameters())
    assert len(encoder["params"]) + len(head["params"]) == len(list(made.model.parameters()))


def test_batches_are_balanced_over_bins():
    skewed = part(60)
    skewed.scores[skewed.scores < 7.5] *= 0.3
    made = task(parts={"pairs": skewed})
    for batch in made.batches(0):
        rows = batch[1]
        bins = (
            (skewed.scores[rows] - skewed.scores.min()) / (skewed.scores.max() - skewed.scores.min()) * 4
        ).long()
        counts = torch.bincount(bins.clamp(max=3), minlength=4)
        assert counts[counts > 0].unique().tolist() == [4]


def test_batches_from_any_position_are_those_of_the_whole_epoch():
    made = task(augmentation=Augmentation(rotation=20, colour=0.2))
    whole = [made.loss(batch)[0] for batch in made.batches(1)]
    rest = [made.loss(batch)[0] for batch in made.batches(1, 2)]
    assert torch.equal(torch.stack(whole[2:]), torch.stack(rest))


def test_before_the_first_step_nothing_correlates():
    found = task(pretrain_epochs=0).evaluate()
    assert np.isnan(found["validation/pearson"])
    assert np.isfinite(found["validation/loss"])


@pytest.mark.parametrize(("loss", "delta"), [("huber", 0.3), ("squared", 0.3)])
def test_the_loss_of_scores_is_that_of_torch(loss, delta):
    made = task(pretrain_epochs=0, loss=loss, delta=delta)
    nn.init.normal_(made.model.head.weight)
    batch = next(made.batches(0))
    train_part = part(40, 1)
    wanted = (train_part.scores - train_part.scores.mean()) / train_part.scores.std(unbiased=False)
    predicted = made.model(made.normalise(train_part.images[batch[1]]))
    expected = (
        nn.HuberLoss(delta=delta)(predicted, wanted[batch[1]])
        if loss == "huber"
        else nn.MSELoss()(predicted, wanted[batch[1]]) / 2
    )
    assert torch.allclose(made.loss(batch)[0], expected)


def test_huber_bears_wrong_scores_better():
    errors = {}
    for loss in ("huber", "squared"):
        made = task(pretrain_epochs=0, loss=loss, delta=0.1, parts={"train": part(40, 1, wrong=8)})
        errors[loss] = train(made, range(40), 0.01).evaluate("test")["test/mean-absolute-error"]
    assert errors["huber"] < errors["squared"]


def test_the_probe_shows_vectors_filters_and_predictions():
    made = task(pretrain_epochs=0)
    made.evaluate()
    training = made.model.training
    snapshots = {(snapshot.kind, snapshot.layer): snapshot for snapshot in made.probe()}
    assert made.model.training == training
    assert snapshots["embedding", "vectors"].array.shape == (7, 5)
    assert {"filters", "feature_maps"} <= {kind for kind, _ in snapshots}
    counts = snapshots["matrix", "scores/validation"].array
    assert counts.sum() == 30
    assert (counts.sum(axis=0) > 0).sum() == 1


def test_what_does_not_fit_says_why():
    whole = part(10)
    with pytest.raises(InputError, match="score each"):
        ScoredImages(whole.images, whole.scores[:5])
    with pytest.raises(InputError, match="uint8 images"):
        ScoredImages(whole.images.float(), whole.scores)
    with pytest.raises(InputError, match="uint8 images"):
        ScoredImages(whole.images[:0], whole.scores[:0])
    with pytest.raises(InputError, match="NaN"):
        ScoredImages(whole.images, whole.scores * float("nan"))
    with pytest.raises(InputError, match="differ"):
        task(parts={"pairs": ScoredImages(whole.images, torch.ones(10))})
    alone = torch.tensor([0.0] + [1.0] * 9)
    with pytest.raises(EmptyPairsError, match="two classes"):
        task(parts={"pairs": ScoredImages(whole.images, alone)})
