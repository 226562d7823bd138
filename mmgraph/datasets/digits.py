"""The 1,797 handwritten digits that come with scikit-learn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mmgraph.datasets.catalogue import Manifest, builtin_folder, manifest
from mmgraph.datasets.images import ImageDataset

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FILE = "datasets/data/digits.csv.gz"
"""In the folder of scikit-learn: a line per digit, 64 grey values from 0 to 16 and the label."""


def scikit_learn_digits() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Images and labels of `sklearn.datasets.load_digits`, read from its file, since importing it takes two seconds.

    Shapes:
        images (1797, 8, 8), labels (1797,).

    Units: grey values from 0 (background) to 16 (full ink).

    Raises:
        DatasetMissingError: scikit-learn is not installed.
    """
    import numpy as np

    path = builtin_folder(manifest("digits")) / FILE
    if path.is_file():
        table = np.loadtxt(path, delimiter=",")
        return table[:, :-1].reshape(-1, 8, 8), table[:, -1].astype(np.int64)
    from sklearn.datasets import load_digits  # a version that keeps it elsewhere

    found = load_digits()
    return found.images, found.target.astype(np.int64)


def read_digits(manifest: Manifest) -> ImageDataset:
    """All digits as training images; there is no published split, so the test part is empty.

    Grey values v = 0 … 16 become round(255 v / 16), so that v / 16 and image / 255 differ by less than 0.002.

    Shapes:
        train_images: (1797, 8, 8), uint8.
        train_labels: (1797,), int64.

    Source: Alpaydin, Kaynak, "Optical Recognition of Handwritten Digits", UCI, 1998 (its test part).
    """
    import numpy as np
    import torch

    found, digits = scikit_learn_digits()
    grey = np.rint(found * (255 / 16)).astype(np.uint8)
    images, labels = torch.from_numpy(grey), torch.from_numpy(digits)
    return ImageDataset(manifest.name, images, labels, images[:0], labels[:0], manifest.classes)
