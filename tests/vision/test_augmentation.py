from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage

from mmgraph.errors import ConfigError, InputError
from mmgraph.vision import Augmentation


def images(n=4, size=(9, 13), dtype=torch.float32):
    return torch.rand(n, 3, *size, generator=torch.Generator().manual_seed(0)).to(dtype)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_without_parameters_nothing_changes():
    given = images()
    assert torch.equal(Augmentation()(given, seeded()), given)


def test_flip_mirrors_some_and_leaves_the_rest():
    given = images(200)
    changed = Augmentation(flip=0.25)(given, seeded())
    mirrored = (changed == given.flip(3)).flatten(1).all(1)
    same = (changed == given).flatten(1).all(1)
    assert bool((mirrored | same).all())
    assert 30 < int(mirrored.sum()) < 70
    assert torch.equal(Augmentation(flip=1.0)(given, seeded()), given.flip(3))


@pytest.mark.parametrize("size", [(21, 21), (15, 27)])
def test_turns_and_scales_equal_scipy(size):
    y, x = np.mgrid[: size[0], : size[1]]
    smooth = np.sin(x / 5.0) + np.cos(y / 4.0 + 0.5 * x / 7.0)
    given = torch.from_numpy(smooth).expand(6, 1, *size)
    augment = Augmentation(rotation=40, scale=0.2)
    changed = augment(given, seeded(5))
    turn, zoom, _ = torch.rand(3, 6, generator=seeded(5))
    centre = (np.array(size) - 1) / 2
    for image, phi, s in zip(changed, turn.tolist(), zoom.tolist(), strict=True):
        angle, factor = np.deg2rad(40) * (2 * phi - 1), 1.2 ** -(2 * s - 1)
        back = factor * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        expected = ndimage.affine_transform(smooth, back, centre - back @ centre, order=1, mode="nearest")
        assert np.abs(image[0].numpy() - expected).max() < 1e-6


@pytest.mark.parametrize("size", [(21, 21), (15, 27)])
def test_everything_that_moves_equals_scipy(size):
    y, x = np.mgrid[: size[0], : size[1]]
    smooth = np.sin(x / 5.0) + np.cos(y / 4.0 + 0.5 * x / 7.0)
    given = torch.from_numpy(smooth).expand(6, 1, *size)
    augment = Augmentation(rotation=20, scale=0.1, stretch=0.3, shear=0.4, shift=0.15)
    changed = augment(given, seeded(5))
    generator = seeded(5)
    turn, zoom, _ = (2 * torch.rand(3, 6, generator=generator) - 1).double().numpy()
    torch.randn(2, 6, 1, 1, 1, generator=generator)
    warp = (2 * torch.rand(5, 6, generator=generator) - 1).double().numpy()
    centre = (np.array(size) - 1) / 2
    for i, image in enumerate(changed):
        angle = np.deg2rad(20) * turn[i]
        # Rows and columns of what an image shows: down first, then across.
        squeeze = np.diag([1.3 ** -warp[1, i], 1.3 ** -warp[0, i]]) * 1.1 ** -zoom[i]
        turned = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        back = squeeze @ turned @ np.array([[1, 0], [0.4 * warp[2, i], 1]])
        offset = centre - back @ centre - 0.15 * warp[[4, 3], i] * np.array(size)
        expected = ndimage.affine_transform(smooth, back, offset, order=1, mode="nearest")
        assert np.abs(image[0].numpy() - expected).max() < 1e-5


def test_quarter_turns_move_pixels_and_mix_none():
    given = images(100, (6, 6))
    changed = Augmentation(quarter_turns=True)(given, seeded())
    seen = torch.stack(
        [(changed == torch.rot90(given, count, (2, 3))).flatten(1).all(1) for count in range(4)]
    )
    assert bool(seen.any(0).all())
    assert int(seen.sum(1).min()) > 10
    with pytest.raises(InputError, match="square"):
        Augmentation(quarter_turns=True)(images(), seeded())


def test_colour_noise_has_the_size_it_says():
    given = torch.full((3000, 2, 2, 2), 5.0)
    given[:, :, 0] = 7.0
    changed = Augmentation(colour=0.1)(given, seeded())
    assert float((changed.mean((2, 3)) - 6).std()) == pytest.approx(0.1, rel=0.1)
    assert float((changed[:, :, 0, 0] - changed[:, :, 1, 0]).std()) == pytest.approx(0.2, rel=0.1)


def test_each_image_is_changed_in_its_own_way_and_the_same_with_one_seed():
    given = images(1).expand(5, -1, -1, -1)
    augment = Augmentation(rotation=30, scale=0.1, flip=0.5, colour=0.1)
    changed = augment(given, seeded(1))
    assert torch.unique(changed.flatten(1), dim=0).size(0) == 5
    assert torch.equal(changed, augment(given, seeded(1)))
    assert not torch.equal(changed, augment(given, seeded(2)))
    assert changed.shape == given.shape


def test_batches_of_none():
    assert Augmentation(rotation=9, colour=1.0)(images(0), seeded()).shape == (0, 3, 9, 13)


@pytest.mark.parametrize(
    "wrong",
    [{"rotation": -1}, {"rotation": 181}, {"scale": -0.1}, {"flip": 1.1}]
    + [{name: -1} for name in ("colour", "stretch", "shear", "shift")],
)
def test_numbers_out_of_range(wrong):
    with pytest.raises(ConfigError, match="but got"):
        Augmentation(**wrong)


def test_what_is_no_batch_of_images():
    for given in (torch.rand(3, 4, 4), torch.zeros(1, 3, 4, 4, dtype=torch.uint8)):
        with pytest.raises(InputError, match="floating images"):
            Augmentation()(given)
