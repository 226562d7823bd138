"""Canonical correlation analysis: the directions in which images and texts vary together."""

from __future__ import annotations

import math
from typing import Self

import torch
from torch import Tensor, nn

from mmgraph.errors import InputError
from mmgraph.fusion.mapping import (
    CrossModalMapping,
    Modality,
    Standardize,
    check_features,
    check_modality,
    check_pairs,
)
from mmgraph.fusion.similarity import SimilarityKind


class CCA(CrossModalMapping):
    """Regularised canonical correlation analysis, solved exactly.

    max over A, B of tr(Aᵀ C_xy B)  with  Aᵀ C̃_xx A = Bᵀ C̃_yy B = I,  C̃ = C + ρ (tr C / d) I

    Whitened by the Cholesky factors of C̃, the cross-covariance has a singular value decomposition whose vectors
    give A and B and whose values are the canonical correlations (without ρ; with it they are smaller). Features are
    standardised first. Labels are not looked at.

    Args:
        image_features, text_features: of each modality.
        components: of the common space, at most the smaller number of features.
        regularisation: ρ, one number or one for each modality, relative to the mean variance of a feature.
        similarity: by which vectors are compared.

    Shapes:
        images (n, image_features), texts (n, text_features): (n, components), of the type of the input.

    Raises:
        InputError: sizes out of range, values that do not fit, or, without regularisation, a covariance that is
            singular.

    Source: Hotelling, "Relations between two sets of variates", Biometrika 28, 1936; Hardoon, Szedmak & Shawe-Taylor,
        "Canonical correlation analysis", Neural Computation 16, 2004.
    """

    correlations: Tensor

    def __init__(
        self,
        image_features: int,
        text_features: int,
        components: int,
        *,
        regularisation: float | tuple[float, float] = 1e-2,
        similarity: SimilarityKind = "cosine",
    ) -> None:
        super().__init__(similarity)
        most = min(image_features, text_features)
        if not 1 <= components <= most:
            raise InputError(
                f"Expected 1 to {most} components, the features of the smaller modality, but got {components}."
            )
        both = regularisation if isinstance(regularisation, tuple) else (regularisation, regularisation)
        if not all(math.isfinite(value) and value >= 0 for value in both):
            raise InputError(f"Expected a regularisation of at least 0, but got {regularisation}.")
        self.components, self.regularisation = components, both
        self.image_scale, self.text_scale = Standardize(image_features), Standardize(text_features)
        self.image_weight, self.text_weight = (
            nn.Parameter(torch.zeros(features, components, dtype=torch.float64), requires_grad=False)
            for features in (image_features, text_features)
        )
        self.register_buffer("correlations", torch.zeros(components, dtype=torch.float64))

    def fit(self, images: Tensor, texts: Tensor, labels: Tensor | None = None) -> Self:
        """Solve for the directions of the largest correlation; signs are such that each image direction's largest
        weight is positive."""
        check_pairs(
            images, texts, torch.zeros(len(images), dtype=torch.int64) if labels is None else labels, 2
        )
        check_features(images, len(self.image_weight), "images")
        check_features(texts, len(self.text_weight), "texts")
        x, y = self.image_scale.fit(images)(images), self.text_scale.fit(texts)(texts)
        x_factor = _factor(x, self.regularisation[0], "image")
        y_factor = _factor(y, self.regularisation[1], "text")
        cross = x.T @ y / len(x)
        half = torch.linalg.solve_triangular(x_factor, cross, upper=False)
        whitened = torch.linalg.solve_triangular(y_factor, half.T, upper=False).T
        u, s, v = torch.linalg.svd(whitened, full_matrices=False)
        kept = self.components
        a = torch.linalg.solve_triangular(x_factor.T, u[:, :kept], upper=True)
        b = torch.linalg.solve_triangular(y_factor.T, v[:kept].T, upper=True)
        sign = a.gather(0, a.abs().argmax(0, keepdim=True)).sign()
        self.image_weight.copy_(a * sign)
        self.text_weight.copy_(b * sign)
        self.correlations.copy_(s[:kept])
        return self

    def forward(self, values: Tensor, modality: Modality) -> Tensor:
        check_modality(modality)
        if modality == "image":
            scale, weight = self.image_scale, self.image_weight
        else:
            scale, weight = self.text_scale, self.text_weight
        check_features(values, len(weight), f"{modality}s")
        mapped: Tensor = scale(values) @ weight
        return mapped.to(values.dtype)


def _factor(x: Tensor, regularisation: float, what: str) -> Tensor:
    """Cholesky factor of the regularised covariance of centred features."""
    covariance = x.T @ x / len(x)
    covariance.diagonal().add_(regularisation * covariance.diagonal().mean())
    factor: Tensor
    factor, failed = torch.linalg.cholesky_ex(covariance)
    if bool(failed) or float(factor.diagonal().min()) < 1e-7 * float(factor.diagonal().max()):
        raise InputError(
            f"The {what} features depend on each other linearly, or there are fewer pairs than features: give a "
            "regularisation > 0."
        )
    return factor
