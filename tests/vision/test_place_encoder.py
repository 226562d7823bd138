from __future__ import annotations

import pytest
import torch
from torch import nn

from mmgraph.errors import InputError
from mmgraph.vision import PlaceEncoder


def spot(row: int, column: int, size: tuple[int, int] = (9, 13), side: int = 1) -> torch.Tensor:
    images = torch.zeros(1, 1, *size)
    images[0, 0, row : row + side, column : column + side] = 1.0
    return images


def looking() -> PlaceEncoder:
    """One filter that answers where it is bright."""
    encoder = PlaceEncoder(1, (1,), kernel_size=1, sharpness=50.0).eval()
    nn.init.ones_(encoder.blocks[0].conv.weight)
    return encoder


def test_it_says_where_a_spot_is() -> None:
    for row, column in ((0, 0), (4, 6), (8, 12), (2, 9)):
        x, y, _ = looking()(spot(row, column))[0].tolist()
        assert (x, y) == pytest.approx((column / 6 - 1, row / 4 - 1), abs=1e-4)


def test_it_is_the_mean_of_places_under_a_softmax() -> None:
    torch.manual_seed(0)
    encoder = PlaceEncoder(3, (4, 5), sharpness=2.0).eval()
    images = torch.randn(2, 3, 8, 10)
    maps = encoder.blocks(images)
    assert maps.shape == (2, 5, 4, 5)
    answers = encoder(images)
    for item in range(2):
        for filter_ in range(5):
            weight = (2 * maps[item, filter_]).exp()
            weight = weight / weight.sum()
            x = sum(weight[r, c] * (c / 2 - 1) for r in range(4) for c in range(5))
            y = sum(weight[r, c] * (2 * r / 3 - 1) for r in range(4) for c in range(5))
            strength = maps[item, filter_].exp().mean().log()
            torch.testing.assert_close(answers[item, filter_::5], torch.stack([x, y, strength]))


def test_a_larger_spot_answers_more_and_a_shift_only_moves_it() -> None:
    encoder = looking()
    small, large, moved = (encoder(image)[0] for image in (spot(2, 2), spot(2, 2, side=3), spot(3, 5)))
    assert large[2] > small[2]
    torch.testing.assert_close(small[2], moved[2])
    torch.testing.assert_close((moved - small)[:2], torch.tensor([3 / 6, 1 / 4]), atol=1e-4, rtol=0)


@pytest.mark.parametrize("size", [(2, 2), (2, 17), (31, 5)])
def test_images_of_any_size_and_none(size: tuple[int, int]) -> None:
    encoder = PlaceEncoder(3, (2, 4)).eval()
    assert encoder(torch.randn(3, 3, *size)).shape == (3, encoder.out_features)
    assert bool(torch.isfinite(encoder(torch.zeros(1, 3, *size))).all())
    assert encoder(torch.zeros(0, 3, *size)).shape == (0, 12)


def test_bad_requests() -> None:
    for make in (
        lambda: PlaceEncoder(0),
        lambda: PlaceEncoder(3, ()),
        lambda: PlaceEncoder(kernel_size=2),
        lambda: PlaceEncoder(sharpness=0.0),
        lambda: PlaceEncoder()(torch.zeros(1, 3, 1, 8)),
        lambda: PlaceEncoder()(torch.zeros(1, 1, 8, 8)),
    ):
        with pytest.raises(InputError, match="Expected"):
            make()
