"""LeNet-5, with its choices as parameters."""

from __future__ import annotations

from typing import get_args

from torch import Tensor, nn

from mmgraph.errors import InputError, UnknownNameError
from mmgraph.vision.convnet import ACTIVATIONS, Pooling, check_images


class LeNet(nn.Module):
    """Two convolutions and three linear layers.

    h ← pool(σ(conv1(x))),  h ← pool(σ(conv2(h))),  y = output(σ(fc2(σ(fc1(flatten(h))))))

    Kernels are 5×5; images of 28×28 are padded to 32×32, so that 14×14 and 5×5 follow the two poolings.

    Args:
        in_channels: colours of the image.
        num_classes: logits per image.
        image_size: 28 or 32.
        channels: filters of conv1 and conv2; the paper has 6 and 16.
        hidden: units of fc1 and fc2.
        activation: "relu", "elu", "leaky_relu", "gelu" or "tanh".
        pooling: "max" or "average".
        dropout: probability with which a unit is dropped before fc1 and fc2 in training.

    Shapes:
        images (n, in_channels, image_size, image_size): (n, num_classes).

    Raises:
        InputError: a number is out of range, or images do not fit.
        UnknownNameError: there is no such activation or pooling.

    Source: LeCun, Bottou, Bengio and Haffner, Gradient-Based Learning Applied to Document Recognition, Proceedings
    of the IEEE, 1998.
    Differs: every map of conv2 sees all maps of conv1; pooling has no weights; by default more filters, ReLU and
    the maximum in place of the scaled tanh and the average; logits in place of distances to bitmaps.
    """

    def __init__(
        self,
        in_channels: int = 1,
        num_classes: int = 10,
        image_size: int = 28,
        *,
        channels: tuple[int, int] = (16, 32),
        hidden: tuple[int, int] = (120, 84),
        activation: str = "relu",
        pooling: Pooling = "max",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if image_size not in (28, 32):
            raise InputError(
                f"Expected an image size of 28 or 32, but got {image_size}: resize the images or use ConvEncoder."
            )
        if min(in_channels, num_classes, *channels, *hidden) < 1:
            raise InputError(
                f"Expected positive sizes, but got {in_channels} input channels, {num_classes} classes, "
                f"channels {channels} and hidden {hidden}."
            )
        if activation not in ACTIVATIONS:
            raise UnknownNameError.of("activation", activation, ACTIVATIONS)
        if pooling not in get_args(Pooling):
            raise UnknownNameError.of("pooling", pooling, get_args(Pooling))
        if not 0 <= dropout <= 1:
            raise InputError(f"Expected a dropout from 0 to 1, but got {dropout}.")
        self.image_shape = (in_channels, image_size, image_size)
        self.conv1 = nn.Conv2d(in_channels, channels[0], 5, padding=(32 - image_size) // 2)
        self.conv2 = nn.Conv2d(channels[0], channels[1], 5)
        self.pool = nn.MaxPool2d(2) if pooling == "max" else nn.AvgPool2d(2)
        self.fc1 = nn.Linear(channels[1] * 5 * 5, hidden[0])
        self.fc2 = nn.Linear(hidden[0], hidden[1])
        self.output = nn.Linear(hidden[1], num_classes)
        self.activation = ACTIVATIONS[activation]()
        self.dropout = nn.Dropout(dropout)

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.output(self.embed(images))
        return logits

    def embed(self, images: Tensor) -> Tensor:
        """What the last layer works on, (n, hidden[1])."""
        check_images(images, self.image_shape)
        h = self.pool(self.activation(self.conv1(images)))
        h = self.pool(self.activation(self.conv2(h))).flatten(1)
        h = self.activation(self.fc1(self.dropout(h)))
        h = self.activation(self.fc2(self.dropout(h)))
        embedding: Tensor = h
        return embedding
