"""Images with sentences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mmgraph.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

Box = tuple[float, float, float, float]
"""Top, left, bottom and right, as shares of height and width."""
Mention = tuple[int, Box]
"""Which word of a sentence names a thing, and where the thing lies."""


@dataclass(frozen=True, eq=False)
class CaptionedImages:
    """Colour images with at least one sentence each.

    Args:
        images: all of one size.
        captions: the sentences of each image, words apart by spaces.
        mentions: for each sentence what it names where; empty where that is not known.
        names: of the images, such as file names.

    Shapes:
        images (n, 3, height, width) uint8.

    Raises:
        InputError: shapes or lengths do not fit, or an image has no sentence.
    """

    name: str
    images: Tensor
    captions: tuple[tuple[str, ...], ...]
    mentions: tuple[tuple[tuple[Mention, ...], ...], ...] = ()
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        import torch

        images = self.images
        if images.dtype != torch.uint8 or images.dim() != 4 or images.size(1) != 3:
            raise InputError(
                f"The images of '{self.name}' must be uint8 of shape (n, 3, height, width), not {images.dtype} of "
                f"shape {tuple(images.shape)}."
            )
        if len(self.captions) != len(images):
            raise InputError(
                f"'{self.name}' has {len(images)} images, but sentences of {len(self.captions)}."
            )
        for number, sentences in enumerate(self.captions):
            if not any(sentence.strip() for sentence in sentences):
                raise InputError(
                    f"Image {number} of '{self.name}' has no sentence: give it one or leave it out."
                )
        if self.mentions and [len(named) for named in self.mentions] != [len(said) for said in self.captions]:
            raise InputError(f"The mentions of '{self.name}' must be one entry per sentence of every image.")
        if self.names and len(self.names) != len(images):
            raise InputError(f"'{self.name}' has {len(images)} images, but {len(self.names)} names of them.")

    def __len__(self) -> int:
        return len(self.images)
