"""What all tasks share that train a Siamese network over pictures: their data."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from mmgraph.inspection import Capture
from mmgraph.metric import Siamese
from mmgraph.runs import ItemSet
from mmgraph.training.classification import pixel_statistics
from mmgraph.training.encoded_pictures import EncodedPictures
from mmgraph.vision import channels_innermost


class SiameseTask(EncodedPictures):
    """A task whose model makes vectors of pictures.

    Args:
        model: a Siamese network over images.
        images: uint8 pictures of each part, "train" among them.
        labels: classes of each part.
        items: the pictures the model is looked at with; their pixels are `probe`.
        probe: uint8 pictures, as rows of `items`.
        capture: what else to look at in the encoder.

    Shapes:
        images (n, height, width) or (n, channels, height, width) uint8; labels (n,) int64.
    """

    def __init__(
        self,
        model: Siamese,
        images: Mapping[str, Tensor],
        labels: Mapping[str, Tensor],
        *,
        items: ItemSet,
        probe: Tensor,
        capture: Capture,
    ) -> None:
        super().__init__(items, probe, capture)
        self.model: Siamese = model
        self._images, self._labels = dict(images), dict(labels)
        self._mean, self._std = pixel_statistics(images["train"])

    def to(self, device: torch.device) -> None:
        """Move model and all pictures to a device."""
        self.model.to(device)
        self._images = {part: value.to(device) for part, value in self._images.items()}
        self._labels = {part: value.to(device) for part, value in self._labels.items()}
        self._probe = self._probe.to(device)

    def adopt(self, model: nn.Module) -> None:
        """Try somebody's own encoder: normalised pictures (n, channels, height, width) → vectors (n, features)."""
        self.model.encoder = model
        self._capture = Capture(model, kinds=("filters", "feature_maps", "attention"))
        self.__dict__.pop("examined", None)

    def normalise(self, images: Tensor) -> Tensor:
        """Pixels 0 … 255 as numbers of mean 0 and standard deviation 1 over the training part."""
        pictures = images if images.dim() == 4 else images.unsqueeze(1)
        return (pictures.float() / 255 - self._mean) / self._std

    def encode(self, images: Tensor) -> Tensor:
        """Vectors of normalised pictures."""
        vectors: Tensor = self.model(channels_innermost(images))
        return vectors
