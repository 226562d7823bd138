from __future__ import annotations

import gzip
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from mmgraph.datasets import catalogue
from mmgraph.datasets.images import ImageDataset, read_images
from mmgraph.errors import DatasetCorruptError, DatasetMissingError, InputError

MNIST = catalogue.manifest("mnist")


def idx(array: np.ndarray) -> bytes:
    header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return gzip.compress(header + array.astype(np.uint8).tobytes())


def write(folder: Path, prefix: str, images: np.ndarray, labels: np.ndarray) -> None:
    (folder / f"{prefix}-images-idx3-ubyte.gz").write_bytes(idx(images))
    (folder / f"{prefix}-labels-idx1-ubyte.gz").write_bytes(idx(labels))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path, "train", np.arange(48).reshape(4, 4, 3), np.array([3, 1, 9, 0]))
    write(tmp_path, "t10k", np.arange(24).reshape(2, 4, 3), np.array([5, 5]))
    return tmp_path


def test_both_parts(folder: Path) -> None:
    data = read_images(folder, MNIST)
    assert data.name == "mnist"
    assert data.num_classes == 10
    assert torch.equal(data.train_images, torch.arange(48, dtype=torch.uint8).reshape(4, 4, 3))
    assert torch.equal(data.train_labels, torch.tensor([3, 1, 9, 0]))
    assert torch.equal(data.test_images, torch.arange(24, dtype=torch.uint8).reshape(2, 4, 3))
    assert torch.equal(data.test_labels, torch.tensor([5, 5]))


@pytest.mark.parametrize(("split", "sizes"), [("train", (4, 0)), ("test", (0, 2))])
def test_one_part_alone(folder: Path, split: str, sizes: tuple[int, int]) -> None:
    for path in folder.glob("t10k*" if split == "train" else "train*"):
        path.unlink()
    data = read_images(folder, MNIST, split)
    assert (len(data.train_images), len(data.test_images)) == sizes
    assert (len(data.train_labels), len(data.test_labels)) == sizes
    assert data.train_images.shape[1:] == data.test_images.shape[1:] == (4, 3)


def test_missing_file(folder: Path) -> None:
    (folder / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(DatasetMissingError, match="t10k-labels"):
        read_images(folder, MNIST)


@pytest.mark.parametrize(
    ("images", "labels", "complaint"),
    [
        (np.zeros((2, 4, 3)), np.array([1]), "one for each image"),
        (np.zeros((2, 4, 3)), np.array([1, 10]), "must lie in 0 to 9"),
        (np.zeros((2, 3, 3)), np.array([1, 2]), "one size"),
    ],
)
def test_files_that_do_not_fit(folder: Path, images: np.ndarray, labels: np.ndarray, complaint: str) -> None:
    write(folder, "t10k", images, labels)
    with pytest.raises(DatasetCorruptError, match=complaint):
        read_images(folder, MNIST)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"train_images": torch.zeros(4, 4, 3)}, "uint8 of shape"),
        ({"train_images": torch.zeros(4, 12, dtype=torch.uint8)}, "uint8 of shape"),
        ({"train_labels": torch.zeros(4, dtype=torch.uint8)}, "int64 of shape"),
        ({"test_labels": torch.tensor([0, -1])}, "must lie in 0 to 9"),
        ({"class_names": ()}, "must lie in 0 to -1"),
    ],
)
def test_a_data_set_is_checked(folder: Path, change: dict[str, object], complaint: str) -> None:
    data = read_images(folder, MNIST)
    assert isinstance(data, ImageDataset)
    with pytest.raises(InputError, match=complaint):
        replace(data, **change)
