"""Contrastive mapping: each image finds its own text among all of a batch, and each text its image."""

from __future__ import annotations

from typing import Literal, Self, get_args

import torch
from torch import Tensor, nn

from mmgraph.errors import InputError, UnknownNameError
from mmgraph.fusion.fitting import descend
from mmgraph.fusion.mapping import CrossModalMapping, Modality, check_modality, check_pairs
from mmgraph.metric import info_nce_loss, nt_xent_loss

Positives = Literal["pair", "class"]


class ContrastiveMapping(CrossModalMapping):
    """Two encoders whose vectors agree for what belongs together, as in CLIP.

    u = W_v image(v), w = W_t text(t);  s = cosine(u, w) / τ
    positives "pair": −log softmax over the texts of a batch of the own one, and the same over its images
    positives "class": every item of the class, of either modality, is brought near (`nt_xent_loss`)

    Args:
        image, text: encoders → vectors.
        features: how many features the encoders give, one number or one for each.
        dim: of the common space.
        temperature: τ.
        positives: what belongs together; "pair" looks at no labels.

    Shapes:
        images (n, …) or texts (n, …): (n, dim).

    Raises:
        UnknownNameError: there are no such positives or modality.
        InputError: sizes out of range, lists of different lengths, or encoders that give something else.
        EmptyPairsError: a batch has nothing to tell apart.

    Source: Radford et al., "Learning transferable visual models from natural language supervision", ICML 2021.
        Differs: τ is given, not learned.
    """

    def __init__(
        self,
        image: nn.Module,
        text: nn.Module,
        features: int | tuple[int, int],
        dim: int = 64,
        *,
        temperature: float = 0.07,
        positives: Positives = "pair",
    ) -> None:
        super().__init__("cosine")
        both = features if isinstance(features, tuple) else (features, features)
        if min(*both, dim) < 1 or not temperature > 0:
            raise InputError(
                f"Expected positive sizes and a temperature > 0, but got features {both}, dim {dim} and {temperature}."
            )
        if positives not in get_args(Positives):
            raise UnknownNameError.of("kind of positives", positives, get_args(Positives))
        self.temperature, self.positives = temperature, positives
        self.image, self.text = image, text
        self.image_projection, self.text_projection = (nn.Linear(width, dim) for width in both)

    def forward(self, values: Tensor, modality: Modality) -> Tensor:
        check_modality(modality)
        encoder, projection = (
            (self.image, self.image_projection) if modality == "image" else (self.text, self.text_projection)
        )
        encoded = encoder(values)
        expected = (len(values), projection.in_features)
        if not isinstance(encoded, Tensor) or tuple(encoded.shape) != expected:
            shape = tuple(encoded.shape) if isinstance(encoded, Tensor) else type(encoded).__name__
            raise InputError(f"Expected the {modality} encoder to give {expected}, but it gives {shape}.")
        projected: Tensor = projection(encoded)
        return projected

    def loss(self, images: Tensor, texts: Tensor, labels: Tensor) -> Tensor:
        """What a batch of pairs is trained on."""
        check_pairs(images, texts, labels, 2)
        u, w = self(images, "image"), self(texts, "text")
        if self.positives == "pair":
            return info_nce_loss(u, w, temperature=self.temperature, symmetric=True)
        return nt_xent_loss(torch.cat([u, w]), torch.cat([labels, labels]), temperature=self.temperature)

    def fit(
        self,
        images: Tensor,
        texts: Tensor,
        labels: Tensor,
        *,
        epochs: int = 40,
        batch_size: int = 128,
        learning_rate: float = 1e-3,
        weight_decay: float = 1e-4,
        seed: int = 0,
    ) -> Self:
        """Train both encoders; dropout draws from torch's global generator."""
        descend(
            self,
            self.loss,
            images,
            texts,
            labels,
            epochs=epochs,
            batch_size=batch_size,
            learning_rate=learning_rate,
            weight_decay=weight_decay,
            seed=seed,
        )
        return self
