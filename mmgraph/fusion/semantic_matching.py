"""Semantic matching: both modalities are mapped to the probabilities of the classes."""

from __future__ import annotations

import warnings
from typing import Self

import torch
from torch import Tensor, nn

from mmgraph.errors import InputError
from mmgraph.fusion.cca import CCA
from mmgraph.fusion.mapping import (
    CrossModalMapping,
    Modality,
    Standardize,
    check_features,
    check_modality,
    check_pairs,
)
from mmgraph.fusion.similarity import SimilarityKind


class SemanticMatching(CrossModalMapping):
    """A multinomial logistic regression for each modality; the common space has one axis per class.

    π(x) = softmax(W z(x) + b),  min over W, b of ½‖W‖² + C Σ_i −log π(x_i)[label_i]

    z standardises features. With `correlation` they are first mapped by it: semantic correlation matching.

    Args:
        image_features, text_features: of each modality.
        classes: how many there are.
        inverse_penalty: C, one number or one for each modality.
        correlation: a CCA that `fit` fits first; None looks at the features themselves.
        similarity: by which posteriors are compared; "dot" is the probability that both are of one class.

    Shapes:
        images (n, image_features), texts (n, text_features): (n, classes), of the type of the input.

    Raises:
        InputError: sizes out of range, values or labels that do not fit, or a class without training items.

    Source: Rasiwasia et al., "A new approach to cross-modal multimedia retrieval", ACM Multimedia 2010. Differs: the
        paper compares posteriors by normalised correlation ("correlation").
    """

    def __init__(
        self,
        image_features: int,
        text_features: int,
        classes: int,
        *,
        inverse_penalty: float | tuple[float, float] = 1.0,
        correlation: CCA | None = None,
        similarity: SimilarityKind = "dot",
    ) -> None:
        super().__init__(similarity)
        both = inverse_penalty if isinstance(inverse_penalty, tuple) else (inverse_penalty, inverse_penalty)
        if classes < 2 or min(both) <= 0:
            raise InputError(
                f"Expected at least two classes and an inverse penalty > 0, but got {classes} and {inverse_penalty}."
            )
        self.classes, self.inverse_penalty = classes, both
        self.features = (image_features, text_features)
        self.correlation = correlation
        sizes = self.features if correlation is None else (correlation.components,) * 2
        self.image_scale, self.text_scale = (Standardize(size) for size in sizes)
        for name, size in zip(("image", "text"), sizes, strict=True):
            for part, shape in (("weight", (size, classes)), ("bias", (classes,))):
                solved = nn.Parameter(torch.zeros(shape, dtype=torch.float64), requires_grad=False)
                self.register_parameter(f"{name}_{part}", solved)

    def fit(self, images: Tensor, texts: Tensor, labels: Tensor) -> Self:
        """Fit the map of the correlation, if there is one, and both regressions."""
        check_pairs(images, texts, labels, 2)
        found = torch.bincount(labels.cpu(), minlength=self.classes) if int(labels.min()) >= 0 else labels
        if int(labels.min()) < 0 or len(found) != self.classes or bool((found == 0).any()):
            raise InputError(
                f"Expected labels from 0 to {self.classes - 1} with items of every class, but got "
                f"{int(labels.min())} to {int(labels.max())} of {len(labels.unique())} classes."
            )
        if self.correlation is not None:
            self.correlation.fit(images, texts)
        modalities: tuple[tuple[Modality, Tensor, float], ...] = (
            ("image", images, self.inverse_penalty[0]),
            ("text", texts, self.inverse_penalty[1]),
        )
        for modality, values, penalty in modalities:
            x = self._mapped(values, modality)
            scale, weight, bias = self._parts(modality)
            coefficients, intercept = _logistic_regression(scale.fit(x)(x), labels, penalty)
            weight.copy_(coefficients)
            bias.copy_(intercept)
        return self

    def forward(self, values: Tensor, modality: Modality) -> Tensor:
        check_modality(modality)
        scale, weight, bias = self._parts(modality)
        logits: Tensor = scale(self._mapped(values, modality)) @ weight + bias
        return logits.softmax(1).to(values.dtype)

    def _mapped(self, values: Tensor, modality: Modality) -> Tensor:
        check_features(values, self.features[modality == "text"], f"{modality}s")
        if self.correlation is None:
            return values
        mapped: Tensor = self.correlation(values.double(), modality)
        return mapped

    def _parts(self, modality: Modality) -> tuple[Standardize, Tensor, Tensor]:
        return (
            self.get_submodule(f"{modality}_scale"),  # type: ignore[return-value]
            self.get_parameter(f"{modality}_weight"),
            self.get_parameter(f"{modality}_bias"),
        )


def _logistic_regression(x: Tensor, labels: Tensor, inverse_penalty: float) -> tuple[Tensor, Tensor]:
    """Weights (features, classes) and biases (classes,) of scikit-learn's LogisticRegression."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=inverse_penalty, max_iter=5000)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(x.cpu().numpy(), labels.cpu().numpy())
    weight, bias = torch.from_numpy(model.coef_).T, torch.from_numpy(model.intercept_)
    if len(model.classes_) == 2:  # one logit, of the second class
        weight, bias = torch.cat([-weight / 2, weight / 2], 1), torch.cat([-bias / 2, bias / 2])
    return weight, bias
