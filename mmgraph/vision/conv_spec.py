"""Convolutional networks as data: what follows what. `ConvNetwork` makes a module of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, get_args

from mmgraph.errors import InputError, UnknownNameError

Activation = Literal["relu", "elu", "leaky_relu", "gelu", "tanh"]
Pooling = Literal["max", "average"]


@dataclass(frozen=True)
class Conv:
    """A convolution that keeps height and width, divided by `stride`, with activation and perhaps batch norm."""

    channels: int
    kernel: int = 3
    stride: int = 1


@dataclass(frozen=True)
class Pool:
    """Height and width divided by `size`."""

    size: int = 2
    kind: Pooling = "max"


@dataclass(frozen=True)
class Residual:
    """h + f(h): what the layers make of the input is added to it, so they end with as many channels."""

    layers: tuple[Layer, ...]


@dataclass(frozen=True)
class Concat:
    """[f₁(h), f₂(h), …]: what the branches make of the input, side by side; an empty branch passes it on."""

    branches: tuple[tuple[Layer, ...], ...]


Layer = Conv | Pool | Residual | Concat


@dataclass(frozen=True)
class ConvSpec:
    """A convolutional network up to its pooled features.

    Args:
        layers: in order.
        activation: after every convolution.
        batch_norm: between convolution and activation.

    Raises:
        InputError: no convolution, or a number that is out of range.
        UnknownNameError: there is no such activation or pooling.
    """

    layers: tuple[Layer, ...]
    activation: Activation = "relu"
    batch_norm: bool = False

    def __post_init__(self) -> None:
        if self.activation not in get_args(Activation):
            raise UnknownNameError.of("activation", self.activation, get_args(Activation))
        found = list(_flat(self.layers))
        if not any(isinstance(layer, Conv) for layer in found):
            raise InputError("Expected a network with at least one convolution, but its spec has none.")
        for layer in found:
            if isinstance(layer, Conv) and (
                layer.channels < 1 or layer.stride < 1 or layer.kernel < 1 or layer.kernel % 2 == 0
            ):
                raise InputError(
                    f"Expected channels and stride of at least 1 and an odd kernel, but got {layer}."
                )
            if isinstance(layer, Pool) and layer.size < 1:
                raise InputError(f"Expected pooling over at least 1 pixel, but got {layer}.")
            if isinstance(layer, Pool) and layer.kind not in get_args(Pooling):
                raise UnknownNameError.of("pooling", layer.kind, get_args(Pooling))

    def scaled(self, factor: float) -> ConvSpec:
        """The same network with `factor` times as many channels everywhere, at least one."""
        return replace(self, layers=_scaled(self.layers, factor))


def _flat(layers: tuple[Layer, ...]) -> list[Layer]:
    found: list[Layer] = []
    for layer in layers:
        if isinstance(layer, Residual):
            found += _flat(layer.layers)
        elif isinstance(layer, Concat):
            found += [inner for branch in layer.branches for inner in _flat(branch)]
        else:
            found.append(layer)
    return found


def _scaled(layers: tuple[Layer, ...], factor: float) -> tuple[Layer, ...]:
    scaled: list[Layer] = []
    for layer in layers:
        if isinstance(layer, Conv):
            scaled.append(replace(layer, channels=max(1, round(layer.channels * factor))))
        elif isinstance(layer, Residual):
            scaled.append(Residual(_scaled(layer.layers, factor)))
        elif isinstance(layer, Concat):
            scaled.append(Concat(tuple(_scaled(branch, factor) for branch in layer.branches)))
        else:
            scaled.append(layer)
    return tuple(scaled)


TINY_DARKNET = ConvSpec(
    layers=(
        Conv(16),
        Pool(),
        Conv(32),
        Pool(),
        *(Conv(16, 1), Conv(128)) * 2,
        Pool(),
        *(Conv(32, 1), Conv(256)) * 2,
        Pool(),
        *(Conv(64, 1), Conv(512)) * 2,
        Conv(128, 1),
    ),
    activation="elu",
)
"""Tiny Darknet up to its last convolution, which is the linear output of `ConvNetwork`: averaging and a convolution of
1 × 1 commute.

Source: Redmon, "Tiny Darknet", pjreddie.com/darknet/tiny-darknet, 2016. Differs: ELU in place of leaky ReLU, no batch
norm, so that it can grow without a second activation and be trained with any batch.
"""
