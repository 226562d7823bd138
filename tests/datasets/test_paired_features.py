from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.io import savemat

from mmgraph.datasets import catalogue
from mmgraph.datasets.described_digits import VOCABULARY, WORDS, describe_digits
from mmgraph.datasets.paired_features import PairedFeatures, read_paired_features
from mmgraph.errors import DatasetCorruptError, DatasetMissingError, InputError

MANIFEST = catalogue.manifest("wikipedia-crossmodal")


def write(folder, matrices=None, train="a-1\tb\t1\nc-2\td\t10\n", test="e-1\tf\t3\n"):
    random = np.random.default_rng(0)
    whole = {"I_tr": random.random((2, 4)), "T_tr": random.random((2, 3))}
    whole |= {"I_te": random.random((1, 4)), "T_te": random.random((1, 3))}
    savemat(folder / "raw_features.mat", {**whole, **(matrices or {})})
    (folder / "trainset_txt_img_cat.list").write_text(train, encoding="utf-8")
    (folder / "testset_txt_img_cat.list").write_text(test, encoding="utf-8")
    return whole


def test_a_small_set(tmp_path):
    written = write(tmp_path)
    data = read_paired_features(tmp_path, MANIFEST)
    np.testing.assert_allclose(data.train_images.numpy(), written["I_tr"], rtol=1e-6)
    np.testing.assert_allclose(data.test_texts.numpy(), written["T_te"], rtol=1e-6)
    assert (data.train_labels.tolist(), data.test_labels.tolist()) == ([0, 9], [2])
    assert (data.train_names, data.test_names) == (("a-1", "c-2"), ("e-1",))


@pytest.mark.parametrize(
    ("what", "complaint"),
    [
        (
            {"train": "a\tb\t1\nc\td\t11\n"},
            r"trainset.*line 2: expected a text, an image and a class from 1 to 10",
        ),
        ({"train": "a\tb\t1\nc\td\n"}, "line 2"),
        ({"train": "a\tb\t0\n"}, "line 1"),
        ({"train": "a\tb\t²\n"}, "plain text"),
        ({"test": "a\tb\t1\nc\td\t2\n"}, "1 images, 1 texts and 2 labels"),
        ({"matrices": {"T_te": np.zeros((1, 2))}}, "the same features"),
        ({"matrices": {"T_te": np.full((1, 3), np.nan)}}, "finite"),
        ({"matrices": {"I_tr": np.array(["x"])}}, "matrix of numbers 'I_tr'"),
        ({"matrices": {"I_tr": np.zeros((2, 2, 2))}}, "matrix of numbers 'I_tr'"),
    ],
)
def test_files_that_hold_something_else(tmp_path, what, complaint):
    write(tmp_path, **what)
    with pytest.raises(DatasetCorruptError, match=complaint):
        read_paired_features(tmp_path, MANIFEST)


def test_missing_and_damaged_files(tmp_path):
    write(tmp_path)
    (tmp_path / "raw_features.mat").write_bytes(b"no matrix")
    with pytest.raises(DatasetCorruptError, match="not a MATLAB file"):
        read_paired_features(tmp_path, MANIFEST)
    write(tmp_path)
    for name in ("testset_txt_img_cat.list", "raw_features.mat"):
        (tmp_path / name).unlink()
        with pytest.raises(DatasetMissingError, match=name):
            read_paired_features(tmp_path, MANIFEST)


def test_labels_and_features_are_checked():
    some, labels = torch.zeros(2, 3), torch.tensor([0, 1])
    with pytest.raises(InputError, match="0 to 0"):
        PairedFeatures("x", some, some, labels, some, some, labels, ("a",))
    with pytest.raises(InputError, match="int64"):
        PairedFeatures("x", some, some, labels.int(), some, some, labels, ("a", "b"))


@pytest.mark.data
def test_the_real_set(real_data):
    data = read_paired_features(real_data / MANIFEST.folder, MANIFEST)
    assert (data.train_images.shape, data.train_texts.shape) == ((2173, 128), (2173, 10))
    assert (data.test_images.shape, data.test_texts.shape) == ((693, 128), (693, 10))
    assert torch.bincount(data.train_labels).tolist() == [138, 272, 244, 248, 202, 178, 186, 144, 214, 347]
    torch.testing.assert_close(data.train_texts.sum(1), torch.ones(2173))
    assert data.class_names[8] == "sport"


def test_descriptions_of_digits():
    data = describe_digits(seed=3)
    assert data.images.shape == (1797, 8, 8)
    assert data.counts.sum(1).eq(6).all()
    row = 17
    assert [data.texts[row].split().count(word) for word in VOCABULARY] == data.counts[row].tolist()
    again, other = describe_digits(seed=3), describe_digits(seed=4)
    assert again.texts == data.texts
    assert other.texts != data.texts


def test_noise_is_the_share_of_words_that_say_nothing():
    own = torch.zeros(10, len(VOCABULARY))
    for digit, words in enumerate(WORDS):
        own[digit, [VOCABULARY.index(word) for word in words]] = 1
    clean = describe_digits(noise=0.0)
    assert (clean.counts * own[clean.labels]).sum(1).eq(6).all()
    noisy = describe_digits(words=50, noise=1.0)
    share = (noisy.counts * own[noisy.labels]).sum() / noisy.counts.sum()
    expected = (own.sum(1) / len(VOCABULARY))[noisy.labels].mean()
    assert float(share) == pytest.approx(float(expected), abs=0.01)
    with pytest.raises(InputError, match="at least one word"):
        describe_digits(words=0)
