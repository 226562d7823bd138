"""The network that a spec describes."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mmgraph.errors import InputError
from mmgraph.vision.conv_spec import Concat, Conv, ConvSpec, Layer, Pool, Residual
from mmgraph.vision.convnet import ACTIVATIONS


class ConvNetwork(nn.Module):
    """Images of any size to feature vectors.

    h = layers(x);  y = W mean over pixels(h) + b

    Weights are drawn from a normal distribution of variance 1 / (fan-in · E[σ(z)²]) with z ~ N(0, 1), which keeps the
    size of what passes through many layers without batch norm.

    Args:
        spec: the layers.
        in_channels: colours of the image.
        out_features: features per image; None for the pooled channels themselves, without W.

    Shapes:
        images (n, in_channels, height, width): (n, out_features).

    Raises:
        InputError: layers that do not fit together, sizes below one, or images too small for the poolings.
    """

    def __init__(self, spec: ConvSpec, in_channels: int = 3, out_features: int | None = 64) -> None:
        super().__init__()
        if in_channels < 1 or (out_features is not None and out_features < 1):
            raise InputError(
                f"Expected at least 1 channel and 1 feature, but got {in_channels} and {out_features}."
            )
        self.in_channels = in_channels
        self.layers, channels = _sequence(spec.layers, in_channels, spec)
        self.output = nn.Identity() if out_features is None else nn.Linear(channels, out_features)
        self.out_features = channels if out_features is None else out_features
        self.shrink = _shrink(spec.layers)
        gain = 1 / _second_moment(ACTIVATIONS[spec.activation]())
        with torch.no_grad():
            for module in self.layers.modules():
                if isinstance(module, nn.Conv2d):
                    fan_in = module.weight[0].numel()
                    module.weight.normal_(0, math.sqrt(gain / fan_in))
                    if module.bias is not None:
                        module.bias.zero_()

    @property
    def convolutions(self) -> list[str]:
        """Names of the convolutions, in order: what `widen` takes."""
        return [name for name, module in self.named_modules() if isinstance(module, nn.Conv2d)]

    def forward(self, images: Tensor) -> Tensor:
        if images.dim() != 4 or images.size(1) != self.in_channels or min(images.shape[2:]) < self.shrink:
            raise InputError(
                f"Expected images (n, {self.in_channels}, height, width) of at least {self.shrink}×{self.shrink} "
                f"pixels, but got {tuple(images.shape)}."
            )
        features: Tensor = self.output(self.layers(images).mean((2, 3)))
        return features


class Branches(nn.Module):
    """What several branches make of one input: added to it, or side by side.

    Args:
        branches: each maps the same input.
        join: "add" adds the input and what all branches give; "concat" puts what they give side by side.
    """

    def __init__(self, branches: Sequence[nn.Module], join: str) -> None:
        super().__init__()
        self.branches = nn.ModuleList(branches)
        self.join = join

    def forward(self, value: Tensor) -> Tensor:
        made = [branch(value) for branch in self.branches]
        if self.join == "concat":
            return torch.cat(made, dim=1)
        for other in made:
            value = value + other
        return value


def _sequence(layers: tuple[Layer, ...], channels: int, spec: ConvSpec) -> tuple[nn.Sequential, int]:
    """Modules of layers, and the channels they end with."""
    modules = nn.Sequential()
    for layer in layers:
        before = channels
        if isinstance(layer, Conv):
            modules.append(_block(layer, before, spec))
            channels = layer.channels
        elif isinstance(layer, Pool):
            modules.append(nn.MaxPool2d(layer.size) if layer.kind == "max" else nn.AvgPool2d(layer.size))
        elif isinstance(layer, Residual):
            inner, channels = _sequence(layer.layers, before, spec)
            if channels != before or _shrink(layer.layers) != 1:
                raise InputError(
                    f"Expected residual layers that keep {before} channels, height and width, but they give {channels} "
                    f"channels and divide height and width by {_shrink(layer.layers)}."
                )
            modules.append(Branches([inner], "add"))
        else:
            shrinks = {_shrink(branch) for branch in layer.branches}
            if len(shrinks) != 1:
                raise InputError(
                    f"Expected branches that divide height and width alike, but they do by {sorted(shrinks)}."
                )
            made = [_sequence(branch, before, spec) for branch in layer.branches]
            modules.append(Branches([module for module, _ in made], "concat"))
            channels = sum(width for _, width in made)
    return modules, channels


def _block(layer: Conv, in_channels: int, spec: ConvSpec) -> nn.Sequential:
    block: OrderedDict[str, nn.Module] = OrderedDict()
    block["conv"] = nn.Conv2d(
        in_channels, layer.channels, layer.kernel, layer.stride, layer.kernel // 2, bias=not spec.batch_norm
    )
    if spec.batch_norm:
        block["norm"] = nn.BatchNorm2d(layer.channels)
    block["activation"] = ACTIVATIONS[spec.activation]()
    return nn.Sequential(block)


def _shrink(layers: tuple[Layer, ...]) -> int:
    """What height and width are divided by."""
    factor = 1
    for layer in layers:
        if isinstance(layer, Conv):
            factor *= layer.stride
        elif isinstance(layer, Pool):
            factor *= layer.size
        elif isinstance(layer, Concat) and layer.branches:
            factor *= _shrink(layer.branches[0])
    return factor


def _second_moment(activation: nn.Module) -> float:
    """E[σ(z)²] with z ~ N(0, 1)."""
    z = torch.linspace(-8, 8, 4001, dtype=torch.float64)
    density = torch.exp(-(z**2) / 2)
    return float((activation(z) ** 2 * density).sum() / density.sum())
