"""The 1,797 handwritten digits that come with scikit-learn."""

from __future__ import annotations

from mmgraph.datasets.catalogue import Manifest
from mmgraph.datasets.images import ImageDataset


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
    from sklearn.datasets import load_digits

    digits = load_digits()
    grey = np.rint(digits.images * (255 / 16)).astype(np.uint8)
    images = torch.from_numpy(grey)
    labels = torch.from_numpy(digits.target.astype(np.int64))
    return ImageDataset(manifest.name, images, labels, images[:0], labels[:0], manifest.classes)
