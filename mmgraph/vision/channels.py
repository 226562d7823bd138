"""Which layers of a network write and read the same channels, found by watching an example run through it.

A space is a set of channels that must change together. Convolutions and linear layers write into a space of their own
and read from those they are given; activations, pooling and batch norms leave channels where they are; what is added
must lie in one space, so the two become one; what is concatenated keeps its spaces side by side; flattening repeats
each channel once per pixel.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

WRITERS = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Linear)
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)

CHANNELWISE = frozenset(
    {
        "relu", "elu", "leaky_relu", "selu", "celu", "gelu", "silu", "tanh", "sigmoid", "softplus",
        "hardtanh", "relu6", "clamp", "clamp_min", "dropout", "dropout1d", "dropout2d", "dropout3d",
        "max_pool1d", "max_pool2d", "max_pool3d", "avg_pool1d", "avg_pool2d", "avg_pool3d",
        "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d", "adaptive_max_pool1d",
        "adaptive_max_pool2d", "interpolate", "contiguous", "clone", "float", "double",
    }
)  # fmt: skip
"""Functions whose channel i of the result depends on channel i of the argument alone, and on all of them alike."""
ADDITIONS = frozenset(["add", "__add__", "__radd__", "__iadd__"])
FLATTENINGS = frozenset(["flatten", "view", "reshape"])
QUESTIONS = frozenset(["dim", "size", "__get__", "is_floating_point", "numel", "__len__", "__hash__"])
"""What asks about a value and makes none."""


@dataclass(eq=False)
class Space:
    """Channels that change together.

    Args:
        size: how many there are.
        fixed: why they cannot change; empty where they can.
        writers: layers whose outputs they are.
    """

    size: int
    fixed: str = ""
    writers: list[str] = field(default_factory=list)
    _into: Space | None = None

    def found(self) -> Space:
        """The space that this one has become part of."""
        return self if self._into is None else self._into.found()

    def join(self, other: Space) -> None:
        """Become one space with another of the same size."""
        mine, theirs = self.found(), other.found()
        if mine is not theirs:
            mine.writers += theirs.writers
            mine.fixed = mine.fixed or theirs.fixed
            theirs._into = mine


@dataclass(frozen=True)
class Segment:
    """Part of the channel axis of a value: the channels of a space, `repeat` entries side by side for each."""

    space: Space
    repeat: int = 1


Layout = tuple[Segment, ...]


@dataclass(frozen=True)
class Wiring:
    """Who writes and reads which channels.

    Args:
        writes: the space of each convolution and linear layer.
        reads: the layout of the channel axis that a layer or batch norm is given.
        shared: layers that were called more than once.
    """

    writes: Mapping[str, Space]
    reads: Mapping[str, Layout]
    shared: frozenset[str]

    def readers(self, space: Space) -> Iterator[tuple[str, Layout]]:
        """Layers and batch norms that are given channels of a space."""
        for name, layout in self.reads.items():
            if any(segment.space.found() is space for segment in layout):
                yield name, layout


def follow(model: nn.Module, example: Tensor) -> Wiring:
    """Find the spaces of a network by running an example through it, in eval mode; nothing in it changes.

    Args:
        model: of one input; its layers are called with a batch on the first axis and channels on the second.
        example: an input.
    """
    watch = _Watch(model)
    training = [module for module in model.modules() if module.training]
    try:
        for module in training:
            module.training = False
        with torch.no_grad():
            watch.lay_out(example, (Segment(Space(example.size(1), "they are the input of the network")),))
            with watch:
                output = model(example)
    finally:
        for module in training:
            module.training = True
    for value in output if isinstance(output, (tuple, list)) else [output]:
        watch.fix(value, "they are the output of the network")
    shared = frozenset(name for name, count in watch.calls.items() if count > 1)
    return Wiring(watch.writes, watch.reads, shared)


class _Watch(TorchFunctionMode):
    """Keeps the layout of every value while a network runs."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.layers: dict[int, tuple[str, nn.Module]] = {}
        for name, module in model.named_modules():
            if isinstance(module, WRITERS):
                self.layers[id(module.weight)] = name, module
            elif isinstance(module, NORMS):
                for own in (module.weight, module.running_mean):
                    if own is not None:
                        self.layers[id(own)] = name, module
        self.writes: dict[str, Space] = {}
        self.reads: dict[str, Layout] = {}
        self.calls: dict[str, int] = {}
        # Values are kept, so that the id of one never becomes that of another.
        self._layouts: dict[int, tuple[Tensor, Layout]] = {}

    def lay_out(self, value: Tensor, layout: Layout) -> None:
        self._layouts[id(value)] = value, layout

    def fix(self, value: Any, why: str) -> None:
        """Its channels cannot change."""
        for segment in self._layouts[id(value)][1] if id(value) in self._layouts else ():
            space = segment.space.found()
            space.fixed = space.fixed or why

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        given = dict(kwargs or {})
        result = func(*args, **given)
        tensors = list(_tensors((args, given)))
        known = [value for value in tensors if id(value) in self._layouts]
        if known:
            layer = next((self.layers[id(value)] for value in tensors if id(value) in self.layers), None)
            name = getattr(func, "__name__", str(func))
            if layer is not None:
                self._layer(*layer, known[0], result)
            elif isinstance(result, Tensor):
                self._function(
                    name.rstrip("_") if not name.startswith("__") else name, known, args, given, result
                )
            elif name not in QUESTIONS:
                for value in known:
                    self.fix(value, f"{name} reads them")
        return result

    def _layer(self, name: str, module: nn.Module, value: Tensor, result: Tensor) -> None:
        self.calls[name] = self.calls.get(name, 0) + 1
        layout = self._layouts[id(value)][1]
        self.reads[name] = layout
        if isinstance(module, NORMS):
            self.lay_out(result, layout)
            return
        if name not in self.writes:
            self.writes[name] = Space(module.weight.size(0), writers=[name])  # type: ignore[operator]
        if getattr(module, "groups", 1) != 1:
            self.fix(value, f"'{name}' reads them in groups")
            self.writes[name].fixed = f"'{name}' writes them in groups"
        self.lay_out(result, (Segment(self.writes[name]),))

    def _function(
        self, name: str, known: list[Tensor], args: tuple[Any, ...], given: dict[str, Any], result: Tensor
    ) -> None:
        layouts = [self._layouts[id(value)][1] for value in known]
        first, shape = layouts[0], known[0].shape
        if name in ADDITIONS and len(known) == 2 and _alike(*layouts):
            for one, other in zip(*layouts, strict=True):
                one.space.join(other.space)
            self.lay_out(result, first)
        elif name in ("cat", "concat", "concatenate") and _axis(args, given, len(shape)) == 1:
            self.lay_out(result, tuple(segment for layout in layouts for segment in layout))
        elif name in FLATTENINGS and result.shape == (shape[0], math.prod(shape[1:])):
            pixels = math.prod(shape[2:])
            self.lay_out(result, tuple(Segment(part.space, part.repeat * pixels) for part in first))
        elif len(known) == 1 and (name in CHANNELWISE or (name == "mean" and result.shape[:2] == shape[:2])):
            self.lay_out(result, first)
        else:
            for value in known:
                self.fix(value, f"{name} mixes them")
            if result.dim() > 1:
                self.lay_out(result, (Segment(Space(result.size(1), f"{name} makes them")),))


def _alike(first: Layout, second: Layout) -> bool:
    """Whether two layouts have segments of the same sizes."""
    return [(s.space.found().size, s.repeat) for s in first] == [
        (s.space.found().size, s.repeat) for s in second
    ]


def _axis(args: tuple[Any, ...], given: Mapping[str, Any], rank: int) -> int:
    axis = args[1] if len(args) > 1 else given.get("dim", 0)
    return int(axis) % rank


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _tensors(part)
    elif isinstance(value, (tuple, list)):
        for part in value:
            yield from _tensors(part)
