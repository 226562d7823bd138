from __future__ import annotations

import pytest
import torch

from mmgraph.errors import EmptyPairsError, InputError
from mmgraph.metric import Distance, score_bins, score_pair_loss


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("weighted", [True, False])
def test_it_is_the_sum_over_pairs(dtype, weighted):
    generator = torch.Generator().manual_seed(0)
    vectors = torch.randn(12, 5, generator=generator, dtype=dtype)
    bins = torch.randint(4, (12,), generator=generator)
    near, far = [], []
    for i in range(12):
        for j in range(i):
            apart = float((vectors[i] - vectors[j]).norm())
            gap = abs(int(bins[i] - bins[j]))
            if gap == 0:
                near.append(apart)
            else:
                far.append(max(0.0, 1.5 * (gap if weighted else 1) - apart))
    expected = (sum(near) / len(near) + sum(far) / len(far)) / 2
    assert float(score_pair_loss(vectors, bins, margin=1.5, weighted=weighted)) == pytest.approx(
        expected, rel=1e-5
    )


def test_scores_on_a_line_as_far_apart_as_their_bins_cost_nothing():
    bins = torch.tensor([0, 0, 1, 3])
    vectors = torch.stack([0.5 * bins.double(), torch.ones(4, dtype=torch.float64)], 1)
    assert float(score_pair_loss(vectors, bins, margin=0.5)) == pytest.approx(0, abs=1e-6)
    assert float(score_pair_loss(vectors, bins, margin=0.6)) > 0.03


def test_one_kind_of_pairs_alone():
    vectors = torch.tensor([[0.0], [2.0]])
    assert float(score_pair_loss(vectors, torch.tensor([1, 1]))) == pytest.approx(1.0)
    assert float(score_pair_loss(vectors, torch.tensor([0, 3]))) == pytest.approx(0.5)
    assert float(score_pair_loss(vectors, torch.tensor([0, 3]), weighted=False)) == 0
    assert float(score_pair_loss(vectors, torch.tensor([0, 1]), distance=Distance("l1"), margin=3.0)) == 0.5


def test_gradients_are_finite_for_equal_and_for_huge_vectors():
    for vectors in (torch.ones(4, 3), 1e15 * torch.arange(12.0).reshape(4, 3)):
        vectors.requires_grad_()
        score_pair_loss(vectors, torch.tensor([0, 0, 1, 2])).backward()
        assert bool(torch.isfinite(vectors.grad).all())


def test_bins_are_of_equal_width():
    scores = torch.tensor([0.0, 1.0, 2.49, 2.5, 9.99, 10.0])
    assert score_bins(scores, 4).tolist() == [0, 0, 0, 1, 3, 3]
    assert score_bins(scores, 2, low=2.0, high=4.0).tolist() == [0, 0, 0, 0, 1, 1]


def test_what_does_not_fit_says_why():
    vectors = torch.ones(3, 2)
    with pytest.raises(EmptyPairsError, match="two items"):
        score_pair_loss(vectors[:1], torch.tensor([0]))
    with pytest.raises(InputError, match="integer label"):
        score_pair_loss(vectors, torch.tensor([0, 1]))
    with pytest.raises(InputError, match="margin"):
        score_pair_loss(vectors, torch.tensor([0, 1, 2]), margin=0.0)
    with pytest.raises(InputError, match="finite"):
        score_pair_loss(vectors * float("nan"), torch.tensor([0, 1, 2]))
    with pytest.raises(InputError, match="at least 2 bins"):
        score_bins(torch.arange(3.0), 1)
    with pytest.raises(InputError, match="differ"):
        score_bins(torch.ones(3), 2)
    for scores in (torch.tensor([]), torch.tensor([1.0, float("inf")]), torch.ones(2, 2)):
        with pytest.raises(InputError, match="finite scores"):
            score_bins(scores, 2)
