"""What all tasks share whose encoder makes vectors of pictures: how it is looked at."""

from __future__ import annotations

from abc import abstractmethod
from functools import cached_property

import torch
from torch import Tensor

from mmgraph.inspection import Capture
from mmgraph.inspection.examined import Examined
from mmgraph.inspection.inputs import Inputs
from mmgraph.inspection.undisturbed import undisturbed
from mmgraph.runs import ItemSet, Snapshot
from mmgraph.training.task import Task


class EncodedPictures(Task):
    """A task that is looked at by the vectors of some pictures.

    Args:
        items: the pictures the model is looked at with; their pixels are `probe`.
        probe: uint8 pictures, as rows of `items`.
        capture: what else to look at in the encoder.
    """

    forward_images = 1000
    """So many pictures go through the model at once where nothing is learned."""

    def __init__(self, items: ItemSet, probe: Tensor, capture: Capture) -> None:
        self._items, self._probe, self._capture = items, probe, capture

    @abstractmethod
    def normalise(self, images: Tensor) -> Tensor:
        """What the encoder is given for pixels 0 … 255."""

    @abstractmethod
    def encode(self, images: Tensor) -> Tensor:
        """Vectors of normalised pictures."""

    def items(self) -> ItemSet:
        """What the rows of the embedding are."""
        return self._items

    @cached_property
    def examined(self) -> Examined:
        """The encoder, and the probe as pictures: so can others be shown to it."""
        return Examined(self._capture, self.look, None, self._items, self._probe, self.normalise)

    def look(self, inputs: Inputs) -> list[Snapshot]:
        """Vectors of normalised pictures, and what the encoder sees in them."""
        (images,) = inputs.args
        with undisturbed(self.model):
            vectors = torch.cat([self.encode(some) for some in images.split(self.forward_images)])
        found = Snapshot("embedding", "vectors", vectors.float().cpu().numpy(), items=self._items.name)
        return [found, *self._capture.capture(images)]
