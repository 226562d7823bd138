from __future__ import annotations

import pytest
import torch

from mmgraph import datasets
from mmgraph.datasets.fine_detail import fine_detail
from mmgraph.errors import InputError


def test_it_is_loaded_by_name_and_always_the_same():
    found = datasets.load("fine-detail")
    assert found.images.shape == (3000, 3, 32, 32)
    again = datasets.load("fine-detail")
    assert torch.equal(found.images, again.images)
    assert torch.equal(found.scores, again.scores)


def test_one_score_in_ten_is_wrong():
    found = fine_detail(4000, seed=1)
    wrong = found.scores != found.true_scores
    assert 0.08 < float(wrong.float().mean()) < 0.12
    assert float(torch.corrcoef(torch.stack([found.scores[wrong], found.true_scores[wrong]]))[0, 1]) < 0.15
    assert torch.equal(found.true_scores * 16, (found.true_scores * 16).round())
    assert found.true_scores.unique().numel() == 17
    assert torch.equal(found.labels, (found.scores * 8).long().clamp(max=7))


def test_what_is_coarse_says_nothing_about_the_score():
    found = fine_detail(3000, seed=2, outliers=0.0)
    pixels = found.images.float()
    for coarse in (pixels.mean((1, 2, 3)), pixels.mean((2, 3)).std(1)):
        assert abs(float(torch.corrcoef(torch.stack([coarse, found.true_scores]))[0, 1])) < 0.06
    across = torch.nn.functional.avg_pool2d(pixels, 8).std((2, 3)).mean(1)
    assert abs(float(torch.corrcoef(torch.stack([across, found.true_scores]))[0, 1])) < 0.3


def test_the_seed_decides():
    first, second = fine_detail(3, seed=1), fine_detail(3, seed=2)
    assert not torch.equal(first.images, second.images)
    assert len(fine_detail(1).images) == 1


@pytest.mark.parametrize(("count", "outliers"), [(0, 0.1), (3, -0.1), (3, 1.1)])
def test_numbers_out_of_range(count, outliers):
    with pytest.raises(InputError, match="share of outliers"):
        fine_detail(count, outliers=outliers)
