"""What all maps of images and texts into a common space share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Literal, Self, get_args

import torch
from torch import Tensor, nn

from mmgraph.errors import InputError, UnknownNameError
from mmgraph.fusion.similarity import SimilarityKind, similarity_matrix

Modality = Literal["image", "text"]


class CrossModalMapping(nn.Module, ABC):
    """Maps images and texts into one space, where those that mean the same are near.

        mapping.fit(images, texts, labels)
        nearest = mapping.compare(mapping(texts, "text"), mapping(images, "image")).argsort(descending=True)

    "image" and "text" are names of the two modalities; sounds or videos do as well.

    Args:
        similarity: by which vectors of the common space are compared.
    """

    def __init__(self, similarity: SimilarityKind = "cosine") -> None:
        super().__init__()
        if similarity not in get_args(SimilarityKind):
            raise UnknownNameError.of("similarity", similarity, get_args(SimilarityKind))
        self.similarity = similarity

    @abstractmethod
    def fit(self, images: Tensor, texts: Tensor, labels: Tensor) -> Self:
        """Learn from pairs: image i and text i belong to each other and are of class labels[i].

        Shapes:
            images (n, …), texts (n, …), labels (n,) int64.

        Raises:
            InputError: lists of different lengths, no pairs, or values that are not finite.
        """

    @abstractmethod
    def forward(self, values: Tensor, modality: Modality) -> Tensor:
        """Vectors of the common space, (n, d).

        Raises:
            UnknownNameError: there is no such modality.
            InputError: features that do not fit.
        """

    def compare(self, queries: Tensor, gallery: Tensor) -> Tensor:
        """Similarity of vectors of the common space, (n, m)."""
        return similarity_matrix(queries, gallery, self.similarity)


class Standardize(nn.Module):
    """Features of mean 0 and standard deviation 1 over the items it was fitted to.

    z = (x − μ) / σ;  a feature that never changes has σ = 1

    Shapes:
        x (n, features): (n, features) float64.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, features: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(features, dtype=torch.float64))
        self.register_buffer("scale", torch.ones(features, dtype=torch.float64))

    def fit(self, x: Tensor) -> Self:
        """Measure mean and standard deviation."""
        x = x.double()
        self.mean.copy_(x.mean(0))
        scale = x.std(0, correction=0)
        self.scale.copy_(torch.where(scale > 1e-12 * x.abs().amax(0).clamp_min(1e-300), scale, 1.0))
        return self

    def forward(self, x: Tensor) -> Tensor:
        return (x.to(self.mean.dtype) - self.mean) / self.scale


def check_pairs(images: Tensor, texts: Tensor, labels: Tensor, least: int = 1) -> None:
    """As many images as texts and labels.

    Raises:
        InputError: they are not, or there are too few.
    """
    if not (len(images) == len(texts) == len(labels)) or len(images) < least:
        raise InputError(
            f"Expected a text and a label for each image, and at least {least} of them, but got {len(images)} images, "
            f"{len(texts)} texts and {len(labels)} labels."
        )
    if labels.dim() != 1 or labels.is_floating_point() or labels.is_complex():
        raise InputError(
            f"Expected whole numbers (n,) as labels, but got {tuple(labels.shape)} of {labels.dtype}."
        )


def check_features(values: Tensor, features: int, what: str) -> None:
    """Finite vectors of so many features.

    Raises:
        InputError: they are not.
    """
    if values.dim() != 2 or values.size(1) != features or not values.is_floating_point():
        raise InputError(
            f"Expected {what} as floating-point vectors of {features} features, but got {tuple(values.shape)} of "
            f"{values.dtype}."
        )
    finite = values.isfinite().all(1)
    if not bool(finite.all()):
        raise InputError(
            f"Expected finite {what}, but row {int((~finite).nonzero()[0])} has NaN or infinity."
        )


def check_modality(modality: str) -> None:
    """One of the two there are.

    Raises:
        UnknownNameError: it is not.
    """
    if modality not in get_args(Modality):
        raise UnknownNameError.of("modality", modality, get_args(Modality))
