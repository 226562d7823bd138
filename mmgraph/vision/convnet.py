"""A small convolutional encoder with as many blocks as the image needs."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Literal, get_args

from torch import Tensor, nn

from mmgraph.errors import InputError, UnknownNameError

Pooling = Literal["max", "average"]

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "elu": nn.ELU,
    "leaky_relu": nn.LeakyReLU,
    "gelu": nn.GELU,
    "tanh": nn.Tanh,
}

RISING = ("relu", "leaky_relu")


class ConvEncoder(nn.Module):
    """Images to feature vectors.

    per block:  h ← pool(σ(norm(conv(h)))), or with pool_first σ(norm(pool(conv(h))));  then y = W flatten(h) + b

    Every convolution keeps height and width, every pooling halves them (rounded down).

    Args:
        in_channels: colours of the image.
        channels: filters of each block, kept in `blocks`.
        out_features: features per image; None ends with flatten(h), without W and b.
        image_size: height and width, one number where they are equal.
        kernel_size: of the convolutions, odd.
        activation: "relu", "elu", "leaky_relu", "gelu" or "tanh".
        batch_norm: normalise over the batch before the activation.
        pooling: "max" or "average".
        pool_first: norm and activation work on the pooled quarter, a third less time.
        everywhere: what is seen counts the same wherever it is: filters are averaged over height and width instead of
            flattened, which needs far fewer weights.
        dropout: probability with which a feature is dropped before the last layer in training.

    Shapes:
        images (n, in_channels, height, width): (n, out_features).

    Raises:
        InputError: a number is out of range, the image is too small for the blocks, or images do not fit.
        UnknownNameError: there is no such activation or pooling.
    """

    def __init__(
        self,
        in_channels: int = 1,
        channels: Sequence[int] = (16, 32),
        out_features: int | None = 64,
        image_size: int | tuple[int, int] = 8,
        *,
        kernel_size: int = 3,
        activation: str = "relu",
        batch_norm: bool = False,
        pooling: Pooling = "max",
        pool_first: bool = False,
        everywhere: bool = False,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        height, width = (image_size, image_size) if isinstance(image_size, int) else image_size
        shrink = 2 ** len(channels)
        if not channels or min(in_channels, 1 if out_features is None else out_features, *channels) < 1:
            raise InputError(
                f"Expected at least one block and positive sizes, but got {in_channels} input channels, "
                f"channels {tuple(channels)} and {out_features} features."
            )
        if kernel_size < 1 or kernel_size % 2 == 0:
            raise InputError(f"Expected an odd kernel size, but got {kernel_size}.")
        if min(height, width) < shrink:
            raise InputError(
                f"Expected images of at least {shrink}×{shrink} for {len(channels)} poolings, "
                f"but got {height}×{width}: use fewer channels entries."
            )
        if activation not in ACTIVATIONS:
            raise UnknownNameError.of("activation", activation, ACTIVATIONS)
        if pooling not in get_args(Pooling):
            raise UnknownNameError.of("pooling", pooling, get_args(Pooling))
        if not 0 <= dropout <= 1:
            raise InputError(f"Expected a dropout from 0 to 1, but got {dropout}.")

        self.image_shape = (in_channels, height, width)
        if pool_first:
            order = ("pool", "norm", "activation")
        elif pooling == "max" and activation in RISING:
            # A maximum may be taken before a function that only rises: the same numbers from a quarter of the work.
            order = ("norm", "pool", "activation")
        else:
            order = ("norm", "activation", "pool")
        self.blocks = nn.Sequential()
        for filters in channels:
            parts: dict[str, nn.Module] = {
                "pool": nn.MaxPool2d(2) if pooling == "max" else nn.AvgPool2d(2),
                "activation": ACTIVATIONS[activation](),
            }
            if batch_norm:
                parts["norm"] = nn.BatchNorm2d(filters)
            block: OrderedDict[str, nn.Module] = OrderedDict()
            block["conv"] = nn.Conv2d(
                in_channels, filters, kernel_size, padding=kernel_size // 2, bias=not batch_norm
            )
            block.update((name, parts[name]) for name in order if name in parts)
            self.blocks.append(nn.Sequential(block))
            in_channels = filters
        self.dropout = nn.Dropout(dropout)
        self.everywhere = everywhere
        flat = in_channels * (1 if everywhere else (height // shrink) * (width // shrink))
        self.out_features = flat if out_features is None else out_features
        self.output = nn.Identity() if out_features is None else nn.Linear(flat, out_features)

    def forward(self, images: Tensor) -> Tensor:
        check_images(images, self.image_shape)
        maps = self.blocks(images)
        flat = maps.mean((2, 3)) if self.everywhere else maps.flatten(1)
        features: Tensor = self.output(self.dropout(flat))
        return features


def check_images(images: Tensor, shape: tuple[int, int, int]) -> None:
    """Images have the channels, height and width the network was built for.

    Raises:
        InputError: they have not.
    """
    if images.dim() != 4 or images.shape[1:] != shape:
        raise InputError(
            f"Expected images (n, {shape[0]}, {shape[1]}, {shape[2]}), but got {tuple(images.shape)}."
        )
