from __future__ import annotations

import numpy as np
import torch
from sklearn.datasets import load_digits

from mmgraph.datasets import catalogue
from mmgraph.datasets.digits import read_digits


def test_all_digits_of_scikit_learn() -> None:
    data = read_digits(catalogue.manifest("digits"))
    source = load_digits()
    assert data.train_images.shape == (1797, 8, 8)
    assert data.train_images.dtype == torch.uint8
    assert len(data.test_images) == len(data.test_labels) == 0
    np.testing.assert_array_equal(data.train_labels, source.target)
    assert data.class_names == tuple(map(str, source.target_names))


def test_grey_values_keep_their_17_levels() -> None:
    grey = read_digits(catalogue.manifest("digits")).train_images.double().numpy() / 255
    source = load_digits().images
    np.testing.assert_allclose(grey, source / 16, atol=0.002)
    np.testing.assert_array_equal(np.rint(grey * 16), source)
    assert (grey.min(), grey.max()) == (0, 1)
