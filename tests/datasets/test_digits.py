from __future__ import annotations

import subprocess
import sys

import numpy as np
import torch
from sklearn.datasets import load_digits

from mmgraph.datasets import catalogue, digits
from mmgraph.datasets.digits import read_digits, scikit_learn_digits


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


def test_they_are_those_of_scikit_learn_wherever_it_keeps_them(monkeypatch) -> None:
    read = scikit_learn_digits()
    monkeypatch.setattr(digits, "FILE", "nowhere.csv.gz")
    for mine, its in zip(read, scikit_learn_digits(), strict=True):
        assert (mine.dtype, mine.shape) == (its.dtype, its.shape)
        np.testing.assert_array_equal(mine, its)


def test_scikit_learn_is_not_imported_for_them() -> None:
    code = "import sys, mmgraph.datasets as d; d.load('digits'); sys.exit('sklearn' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
