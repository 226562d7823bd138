"""Items that are given twice, as an image and as a text, each as a vector of features."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmgraph.errors import DatasetCorruptError, DatasetMissingError, InputError

if TYPE_CHECKING:
    from torch import Tensor

    from mmgraph.datasets.catalogue import Manifest

MAX_VALUES = 1 << 26
"""Numbers that a matrix of features has at most."""

_VARIABLES = ("I_tr", "T_tr", "I_te", "T_te")
_LISTS = {"train": "trainset_txt_img_cat.list", "test": "testset_txt_img_cat.list"}


@dataclass(frozen=True, eq=False)
class PairedFeatures:
    """Images and texts that belong to each other, in a training and a test part.

    Args:
        train_images, test_images: features of the images.
        train_texts, test_texts: features of the texts; row i belongs to image i.
        train_labels, test_labels: the class that both have.
        train_names, test_names: what a pair is called in its data set.

    Shapes:
        images (n, d) float32, texts (n, e) float32, labels (n,) int64.

    Raises:
        InputError: shapes, types or labels do not fit together.
    """

    name: str
    train_images: Tensor
    train_texts: Tensor
    train_labels: Tensor
    test_images: Tensor
    test_texts: Tensor
    test_labels: Tensor
    class_names: tuple[str, ...]
    train_names: tuple[str, ...] = ()
    test_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        import torch

        for part in ("train", "test"):
            images, texts, labels = (
                getattr(self, f"{part}_{what}") for what in ("images", "texts", "labels")
            )
            if not (len(images) == len(texts) == len(labels)):
                raise InputError(
                    f"The {part} part of '{self.name}' needs a text and a label for each image, but it has "
                    f"{len(images)} images, {len(texts)} texts and {len(labels)} labels."
                )
            for what, values in (("images", images), ("texts", texts)):
                if values.dtype != torch.float32 or values.dim() != 2 or not bool(values.isfinite().all()):
                    raise InputError(
                        f"The {part} {what} of '{self.name}' must be finite float32 vectors (n, features), not "
                        f"{values.dtype} of shape {tuple(values.shape)}."
                    )
            if labels.dtype != torch.int64 or labels.dim() != 1:
                raise InputError(
                    f"The {part} labels of '{self.name}' must be int64 (n,), not {labels.dtype}."
                )
            if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < len(self.class_names):
                raise InputError(
                    f"The {part} labels of '{self.name}' must lie in 0 to {len(self.class_names) - 1}."
                )
        if (
            self.train_images.shape[1] != self.test_images.shape[1]
            or self.train_texts.shape[1] != self.test_texts.shape[1]
        ):
            raise InputError(f"Both parts of '{self.name}' must have the same features.")


def read_paired_features(folder: Path, manifest: Manifest) -> PairedFeatures:
    """The Wikipedia image-text set as its authors hand it on.

    `raw_features.mat` holds I_tr, T_tr, I_te and T_te; a line of each list is "text id ⇥ image id ⇥ class from 1".
    SciPy's parser is not made for hostile files: give it only one whose checksum is known, as `datasets.load` does.

    Raises:
        DatasetMissingError: a file cannot be read.
        DatasetCorruptError: a file is damaged, or the files do not fit together.

    Source: Rasiwasia et al., "A new approach to cross-modal multimedia retrieval", ACM Multimedia 2010.
    """
    import torch

    features = {name: torch.from_numpy(values).float() for name, values in _matrices(folder).items()}
    lists = {part: _read_list(folder / file, len(manifest.classes)) for part, file in _LISTS.items()}
    try:
        return PairedFeatures(
            manifest.name,
            features["I_tr"],
            features["T_tr"],
            torch.tensor(lists["train"][1], dtype=torch.int64),
            features["I_te"],
            features["T_te"],
            torch.tensor(lists["test"][1], dtype=torch.int64),
            manifest.classes,
            lists["train"][0],
            lists["test"][0],
        )
    except InputError as error:
        raise DatasetCorruptError(f"The files in {folder} do not fit together: {error}") from error


def _matrices(folder: Path) -> dict[str, Any]:
    from scipy.io import loadmat, whosmat
    from scipy.io.matlab import MatReadError

    path = folder / "raw_features.mat"
    try:
        stream: Any = BytesIO(path.read_bytes())
    except OSError as error:
        raise DatasetMissingError(f"{path} cannot be read: {error.strerror}.") from error
    try:
        shapes = {name: (shape, kind) for name, shape, kind in whosmat(stream)}
        for name in _VARIABLES:
            shape, kind = shapes.get(name, ((), ""))
            if kind != "double" or len(shape) != 2 or shape[0] * shape[1] > MAX_VALUES:
                raise DatasetCorruptError(
                    f"{path} must hold a matrix of numbers '{name}' with {MAX_VALUES:,} entries at most. "
                    f"Fetch it again."
                )
        content = loadmat(stream, variable_names=_VARIABLES)
    except (OSError, ValueError, TypeError, KeyError, NotImplementedError, MatReadError, zlib.error) as error:
        raise DatasetCorruptError(f"{path} is not a MATLAB file of version 5 to 7: {error}.") from error
    return {name: content[name] for name in _VARIABLES}


def _read_list(path: Path, classes: int) -> tuple[tuple[str, ...], list[int]]:
    """Text ids and classes, from 0."""
    try:
        text = path.read_text(encoding="ascii")
    except OSError as error:
        raise DatasetMissingError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise DatasetCorruptError(f"{path} must be plain text. Fetch it again.") from error
    names, labels = [], []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split("\t")
        if len(words) != 3 or not words[2].isdigit() or not 1 <= int(words[2][:9]) <= classes:
            raise DatasetCorruptError(
                f"{path}, line {number}: expected a text, an image and a class from 1 to {classes}, found "
                f"'{line[:80]}'."
            )
        names.append(words[0])
        labels.append(int(words[2]) - 1)
    return tuple(names), labels
