from __future__ import annotations

import math

import pytest
import torch
from pytorch_metric_learning import distances as pml_distances
from pytorch_metric_learning import losses as pml
from pytorch_metric_learning import reducers
from torch import Tensor
from torch.nn import functional as F

from mmgraph.errors import ConfigError, EmptyPairsError, InputError, UnknownNameError
from mmgraph.metric import (
    AngularMarginLoss,
    Distance,
    MetricLoss,
    all_pairs,
    all_triplets,
    contrastive_loss,
    distance_ratio_loss,
    hinge_embedding_loss,
    info_nce_loss,
    multi_similarity_loss,
    nt_xent_loss,
    prototypical_loss,
    triplet_loss,
)

DTYPES = [torch.float32, torch.float64]
LABELS = torch.tensor([0, 1, 2, 0, 1, 1, 3, 0])


def vectors(n: int = 8, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(n, 6, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def mean_of_all(loss: type, **options: object) -> object:
    return loss(reducer=reducers.MeanReducer(), **options)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_hinge_embedding_like_torch(dtype: torch.dtype, reduction: str) -> None:
    distance, similar = vectors(1, 3, dtype).abs().flatten() * 2, torch.tensor([1, 0, 1, 0, 0, 1]).bool()
    signs = torch.where(similar, 1, -1)
    torch.testing.assert_close(
        hinge_embedding_loss(distance, similar, margin=1.5, reduction=reduction),
        F.hinge_embedding_loss(distance, signs, margin=1.5, reduction=reduction),
    )


@pytest.mark.parametrize("dtype", DTYPES)
def test_contrastive_by_its_formula(dtype: torch.dtype) -> None:
    distance = torch.tensor([0.5, 0.5, 3.0, 3.0], dtype=dtype)
    losses = contrastive_loss(
        distance, torch.tensor([True, False, True, False]), margin=2.0, reduction="none"
    )
    torch.testing.assert_close(losses, torch.tensor([0.125, 1.125, 4.5, 0.0], dtype=dtype))


@pytest.mark.parametrize("dtype", DTYPES)
def test_hinge_over_all_pairs_like_pytorch_metric_learning(dtype: torch.dtype) -> None:
    x = vectors(dtype=dtype)
    distance = pml_distances.LpDistance(normalize_embeddings=False)
    theirs = mean_of_all(pml.ContrastiveLoss, pos_margin=0, neg_margin=4, distance=distance)(x, LABELS)
    pairs = all_pairs(LABELS)
    between = Distance("l2")(x[pairs.first], x[pairs.second])
    losses = hinge_embedding_loss(between, pairs.similar, margin=4, reduction="none")
    torch.testing.assert_close(losses[pairs.similar].mean() + losses[~pairs.similar].mean(), theirs)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_triplet_like_torch(dtype: torch.dtype, reduction: str) -> None:
    a, p, n = (vectors(8, seed, dtype) for seed in (1, 2, 3))
    distance = Distance("l2")
    torch.testing.assert_close(
        triplet_loss(distance(a, p), distance(a, n), margin=0.7, reduction=reduction),
        F.triplet_margin_loss(a, p, n, margin=0.7, eps=0, reduction=reduction),
    )


@pytest.mark.parametrize("dtype", DTYPES)
def test_all_triplets_like_pytorch_metric_learning(dtype: torch.dtype) -> None:
    x = vectors(dtype=dtype)
    theirs = pml.TripletMarginLoss(
        margin=0.3, distance=pml_distances.LpDistance(), reducer=reducers.AvgNonZeroReducer()
    )
    ours = MetricLoss(
        "triplet", margin=0.3, distance=Distance("l2", normalize=True), reduction="mean-nonzero"
    )
    torch.testing.assert_close(ours(x, LABELS), theirs(x, LABELS))


@pytest.mark.parametrize("dtype", DTYPES)
def test_ratio_values(dtype: torch.dtype) -> None:
    near = torch.tensor([1.0, 1.0, 200.0, 0.0], dtype=dtype)
    far = torch.tensor([1.0, 2.0, 0.0, 200.0], dtype=dtype)
    losses = distance_ratio_loss(near, far, reduction="none")
    torch.testing.assert_close(losses[:2], torch.tensor([0.693147, 0.313262], dtype=dtype), atol=1e-6, rtol=0)
    torch.testing.assert_close(losses[2], torch.tensor(200.0, dtype=dtype))
    assert torch.isfinite(losses).all()
    direct = -torch.log(torch.exp(-near[:2]) / (torch.exp(-near[:2]) + torch.exp(-far[:2])))
    torch.testing.assert_close(losses[:2], direct)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("temperature", [0.07, 1.0])
def test_nt_xent_like_pytorch_metric_learning(dtype: torch.dtype, temperature: float) -> None:
    x = vectors(dtype=dtype)
    theirs = pml.NTXentLoss(temperature=temperature)(x, LABELS)
    torch.testing.assert_close(nt_xent_loss(x, LABELS, temperature=temperature), theirs)


@pytest.mark.parametrize("dtype", DTYPES)
def test_info_nce_is_cross_entropy_over_the_keys(dtype: torch.dtype) -> None:
    queries, keys = vectors(5, 1, dtype), vectors(5, 2, dtype)
    logits = F.cosine_similarity(queries[:, None], keys[None], dim=-1) / 0.3
    expected = F.cross_entropy(logits, torch.arange(5))
    torch.testing.assert_close(info_nce_loss(queries, keys, temperature=0.3), expected)
    both = (expected + F.cross_entropy(logits.T, torch.arange(5))) / 2
    torch.testing.assert_close(info_nce_loss(queries, keys, temperature=0.3, symmetric=True), both)


@pytest.mark.parametrize("dtype", DTYPES)
def test_multi_similarity_like_pytorch_metric_learning(dtype: torch.dtype) -> None:
    x = vectors(dtype=dtype)
    theirs = mean_of_all(pml.MultiSimilarityLoss, alpha=2, beta=50, base=0.5)(x, LABELS)
    torch.testing.assert_close(multi_similarity_loss(x, LABELS), theirs)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", ["arcface", "cosface"])
def test_angular_margin_like_pytorch_metric_learning(dtype: torch.dtype, kind: str) -> None:
    x = vectors(dtype=dtype)
    ours = AngularMarginLoss(6, 4, kind, margin=0.4, scale=16).to(dtype)  # type: ignore[arg-type]
    if kind == "arcface":
        theirs = pml.ArcFaceLoss(4, 6, margin=math.degrees(0.4), scale=16)
    else:
        theirs = pml.CosFaceLoss(4, 6, margin=0.4, scale=16)
    theirs.W.data = ours.weight.data.T.clone()
    torch.testing.assert_close(ours(x, LABELS), theirs(x, LABELS), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("dtype", DTYPES)
def test_prototypical_by_a_loop(dtype: torch.dtype) -> None:
    support, queries = vectors(6, 1, dtype), vectors(4, 2, dtype)
    labels, asked = torch.tensor([0, 1, 2, 0, 1, 2]), torch.tensor([2, 0, 1, 1])
    losses = []
    for query, label in zip(queries, asked.tolist(), strict=True):
        away = torch.stack([(query - support[labels == k].mean(0)).square().sum() for k in range(3)])
        losses.append(-torch.log_softmax(-away, 0)[label])
    torch.testing.assert_close(
        prototypical_loss(support, labels, queries, asked, reduction="none"), torch.stack(losses)
    )


KINDS = [
    "contrastive",
    "hinge",
    "triplet",
    "ratio",
    "nt-xent",
    "multi-similarity",
    "prototypical",
    "arcface",
    "cosface",
]


@pytest.mark.parametrize("kind", KINDS)
def test_extreme_embeddings_have_finite_losses_and_gradients(kind: str) -> None:
    for scale in (1e-6, 1.0, 1e6):
        x = (vectors(dtype=torch.float32) * scale).requires_grad_()
        x.data[3] = x.data[0]
        loss = MetricLoss(kind, classes=4, in_channels=6)(x, LABELS)  # type: ignore[arg-type]
        loss.backward()
        assert torch.isfinite(loss)
        assert torch.isfinite(x.grad).all()


@pytest.mark.parametrize("kind", KINDS)
def test_gradients(kind: str) -> None:
    torch.manual_seed(0)
    loss = MetricLoss(kind, classes=4, in_channels=6).double()  # type: ignore[arg-type]
    assert torch.autograd.gradcheck(lambda x: loss(x, LABELS), vectors().requires_grad_())


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("arcface", "cosface")])
@pytest.mark.parametrize("labels", [torch.zeros(8, dtype=torch.int64), torch.arange(8)])
def test_nothing_to_compare(kind: str, labels: Tensor) -> None:
    with pytest.raises(EmptyPairsError):
        MetricLoss(kind)(vectors(), labels)  # type: ignore[arg-type]


def test_no_pairs() -> None:
    none = torch.zeros(0)
    for loss in (contrastive_loss, hinge_embedding_loss):
        with pytest.raises(EmptyPairsError):
            loss(none, none.bool())
    for other in (triplet_loss, distance_ratio_loss):
        with pytest.raises(EmptyPairsError):
            other(none, none)
    with pytest.raises(EmptyPairsError):
        MetricLoss("contrastive")(vectors(1), LABELS[:1])


@pytest.mark.parametrize("margin", [0.0, -1.0, math.nan, math.inf])
def test_margins_are_positive(margin: float) -> None:
    one = torch.ones(1)
    with pytest.raises(InputError, match="a margin"):
        triplet_loss(one, one, margin=margin)
    with pytest.raises(InputError, match="a margin"):
        contrastive_loss(one, one.bool(), margin=margin)
    with pytest.raises(InputError, match="a margin"):
        MetricLoss("arcface", margin=margin, classes=3, in_channels=4)


def test_bad_arguments() -> None:
    with pytest.raises(UnknownNameError, match="contrastive"):
        MetricLoss("contrastiv")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="number of classes"):
        MetricLoss("arcface")
    with pytest.raises(InputError, match="degrees"):
        AngularMarginLoss(6, 4, margin=28.6)
    with pytest.raises(InputError, match="0 to 3"):
        AngularMarginLoss(6, 4)(vectors(dtype=torch.float32), LABELS + 1)
    with pytest.raises(InputError, match="one integer label per item"):
        MetricLoss("triplet")(vectors(), LABELS[:4])
    with pytest.raises(InputError, match="NaN or infinity"):
        MetricLoss("triplet")(vectors() * math.nan, LABELS)
    with pytest.raises(UnknownNameError, match="reduction"):
        triplet_loss(torch.ones(1), torch.ones(1), reduction="median")  # type: ignore[arg-type]


def test_mean_of_what_is_not_zero() -> None:
    near, far = torch.tensor([1.0, 0.0, 0.0]), torch.tensor([0.0, 5.0, 5.0])
    assert triplet_loss(near, far, margin=1.0, reduction="mean-nonzero") == 2
    assert triplet_loss(near[1:], far[1:], margin=1.0, reduction="mean-nonzero") == 0


def test_triplets_of_a_loop() -> None:
    found = all_triplets(LABELS)
    expected = {
        (a, p, n)
        for a in range(8)
        for p in range(8)
        for n in range(8)
        if a != p and LABELS[a] == LABELS[p] and LABELS[n] != LABELS[a]
    }
    rows = list(zip(found.anchor.tolist(), found.positive.tolist(), found.negative.tolist(), strict=True))
    assert set(rows) == expected
    assert len(rows) == len(expected)
