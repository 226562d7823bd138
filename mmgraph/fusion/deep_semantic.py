"""Deep semantic mapping: five layers to the classes, three for each modality and two that both share."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal, Self, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mmgraph.errors import InputError, UnknownNameError
from mmgraph.fusion.fitting import descend
from mmgraph.fusion.mapping import CrossModalMapping, Modality, check_modality, check_pairs
from mmgraph.fusion.similarity import SimilarityKind

Stage = Literal["modal", "joint", "shared"]


class FeatureTower(nn.Sequential):
    """Fully connected layers, each with ReLU: h ← relu(W dropout(h) + b); features are standardised by the caller.

    Args:
        features: of the input.
        widths: of each layer; three for the image–topic network.
        dropout: of the input of all layers but the first.
        input_dropout: of the input of the first.

    Shapes:
        (n, features): (n, widths[-1]).

    Raises:
        InputError: no layer, or sizes out of range.
    """

    def __init__(
        self,
        features: int,
        widths: tuple[int, ...] = (128, 128, 128),
        *,
        dropout: float = 0.5,
        input_dropout: float = 0.0,
    ) -> None:
        if not widths or min(features, *widths) < 1 or not (0 <= dropout < 1 and 0 <= input_dropout < 1):
            raise InputError(
                f"Expected layers of positive width and dropout from 0 to below 1, but got {features} features, "
                f"widths {widths}, dropout {dropout} and {input_dropout}."
            )
        layers: list[nn.Module] = []
        for place, (before, width) in enumerate(pairwise((features, *widths))):
            layers += [nn.Dropout(dropout if place else input_dropout), nn.Linear(before, width), nn.ReLU()]
        super().__init__(*layers)


class DeepSemanticMapping(CrossModalMapping):
    """Both modalities are mapped to class posteriors by one network, which answers for either or for both.

    h_v = image(v), h_t = text(t);  y = W₅ relu(W₄ [h_v; h_t] + b₄) + b₅, where a missing modality is 0
    modal stage: CE(V_v h_v + c_v) + CE(V_t h_t + c_t), which trains the first three layers apart
    joint stage: CE(y(v, t)) + λ (CE(y(v)) + CE(y(t)))
    shared stage: the same, but the first three layers stay as they are

    The common space are the posteriors softmax(y(v)) and softmax(y(t)) that either modality gives alone.

    Args:
        image, text: encoders → vectors, such as `FeatureTower` with its three layers.
        features: how many features the encoders give, one number or one for each.
        classes: how many there are.
        dim: width of the fourth layer.
        dropout: before the fourth and fifth layer.
        alone: λ, how much the answers to single modalities count; 0 trains on pairs alone.
        similarity: by which posteriors are compared; "dot" is the probability that both are of one class.

    Shapes:
        images (n, …) or texts (n, …): (n, classes).

    Raises:
        UnknownNameError: there is no such stage or modality.
        InputError: lists of different lengths, labels out of range, or encoders that give something else.

    Source: Wang, Yang & Meinel, "Deep semantic mapping for cross-modal retrieval", ICTAI 2015. Differs: ReLU and
        dropout; λ, by which a modality is trained to answer alone.
    """

    def __init__(
        self,
        image: nn.Module,
        text: nn.Module,
        features: int | tuple[int, int],
        classes: int,
        *,
        dim: int = 128,
        dropout: float = 0.5,
        alone: float = 0.0,
        similarity: SimilarityKind = "dot",
    ) -> None:
        super().__init__(similarity)
        both = features if isinstance(features, tuple) else (features, features)
        if min(*both, dim) < 1 or classes < 2 or not 0 <= dropout < 1 or not alone >= 0:
            raise InputError(
                f"Expected positive sizes, at least two classes, dropout from 0 to below 1 and alone ≥ 0, but got "
                f"features {both}, dim {dim}, {classes} classes, dropout {dropout} and alone {alone}."
            )
        self.classes, self.alone, self.features = classes, alone, both
        self.image, self.text = image, text
        self.image_head, self.text_head = (nn.Linear(width, classes) for width in both)
        self.joint = nn.Sequential(
            nn.Dropout(dropout),
            nn.Linear(sum(both), dim),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(dim, classes),
        )

    def logits(self, images: Tensor | None, texts: Tensor | None) -> Tensor:
        """y of both modalities, or of one where the other is None, (n, classes)."""
        if images is None and texts is None:
            raise InputError("Expected images, texts or both, but got neither.")
        if images is not None and texts is not None and len(images) != len(texts):
            raise InputError(f"Expected a text for each image, but got {len(images)} and {len(texts)}.")
        return self._joined(
            None if images is None else self._encoded(images, "image"),
            None if texts is None else self._encoded(texts, "text"),
        )

    def loss(self, images: Tensor, texts: Tensor, labels: Tensor, stage: Stage = "joint") -> Tensor:
        """What a batch of pairs is trained on."""
        if stage not in get_args(Stage):
            raise UnknownNameError.of("stage", stage, get_args(Stage))
        check_pairs(images, texts, labels)
        if int(labels.min()) < 0 or int(labels.max()) >= self.classes:
            raise InputError(
                f"Expected labels from 0 to {self.classes - 1}, but got {int(labels.min())} to {int(labels.max())}."
            )
        seen, read = self._encoded(images, "image"), self._encoded(texts, "text")
        if stage == "shared":
            seen, read = seen.detach(), read.detach()
        if stage == "modal":
            return F.cross_entropy(self.image_head(seen), labels) + F.cross_entropy(
                self.text_head(read), labels
            )
        loss = F.cross_entropy(self._joined(seen, read), labels)
        if self.alone:
            apart = F.cross_entropy(self._joined(seen, None), labels)
            apart = apart + F.cross_entropy(self._joined(None, read), labels)
            loss = loss + self.alone * apart
        return loss

    def fit(
        self,
        images: Tensor,
        texts: Tensor,
        labels: Tensor,
        *,
        modal_epochs: int = 60,
        epochs: int = 20,
        keep: bool = True,
        batch_size: int = 64,
        learning_rate: float = 1e-3,
        weight_decay: float = 1e-4,
        seed: int = 0,
    ) -> Self:
        """Train each modality apart, then both together; dropout draws from torch's global generator.

        Args:
            images, texts, labels: pairs and their classes.
            modal_epochs: of the modal stage.
            epochs: of the stage after it: "shared" if there was one and it is to be kept, else "joint".
            keep: whether the first three layers stay as the modal stage left them.
            batch_size, learning_rate, weight_decay, seed: of AdamW and its batches.
        """
        for stage, count in (
            ("modal", modal_epochs),
            ("shared" if keep and modal_epochs else "joint", epochs),
        ):
            descend(
                self,
                lambda v, t, y, stage=stage: self.loss(v, t, y, stage),  # type: ignore[misc]
                images,
                texts,
                labels,
                epochs=count,
                batch_size=batch_size,
                learning_rate=learning_rate,
                weight_decay=weight_decay,
                seed=seed,
            )
        return self

    def forward(self, values: Tensor, modality: Modality) -> Tensor:
        check_modality(modality)
        encoded = self._encoded(values, modality)
        joined = self._joined(encoded, None) if modality == "image" else self._joined(None, encoded)
        return joined.softmax(1)

    def _encoded(self, values: Tensor, modality: Modality) -> Tensor:
        encoded = self.image(values) if modality == "image" else self.text(values)
        expected = (len(values), self.features[modality == "text"])
        if not isinstance(encoded, Tensor) or tuple(encoded.shape) != expected:
            shape = tuple(encoded.shape) if isinstance(encoded, Tensor) else type(encoded).__name__
            raise InputError(f"Expected the {modality} encoder to give {expected}, but it gives {shape}.")
        return encoded

    def _joined(self, seen: Tensor | None, read: Tensor | None) -> Tensor:
        known = seen if seen is not None else read
        assert known is not None
        if seen is None:
            seen = known.new_zeros(len(known), self.features[0])
        if read is None:
            read = known.new_zeros(len(known), self.features[1])
        answer: Tensor = self.joint(torch.cat([seen, read], dim=1))
        return answer
