"""Networks that become wider or deeper without forgetting what they have learned (Net2Net)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from mmgraph.errors import InputError, UnknownNameError
from mmgraph.vision.channels import NORMS, WRITERS, Layout, Space, Wiring, follow

_Layer = nn.Conv1d | nn.Conv2d | nn.Conv3d | nn.Linear

IDEMPOTENT = (nn.ReLU, nn.Identity)
"""Activations that change nothing when they are applied again."""


def widen(
    model: nn.Module,
    layer: str,
    width: int,
    example: Tensor,
    *,
    noise: float = 0.0,
    generator: torch.Generator | None = None,
    optimizer: torch.optim.Optimizer | None = None,
) -> list[str]:
    """Give a layer more outputs, in place; with noise 0 the network computes what it did before.

    A new unit j copies a random old one g(j): its incoming weights as they are, and every outgoing weight of g(j) is
    shared out evenly among its copies. Channels that are added to those of the layer, as in residual blocks, grow with
    them, by the same copies; through batch norms, pooling, flattening and concatenation the copies are followed.

    Args:
        model: the network.
        layer: name of a convolution or linear layer.
        width: its outputs afterwards.
        example: an input of the network.
        noise: standard deviation of what is added to copied outgoing weights, as a share of the root mean square of
            the layer's, so that copies do not stay equal.
        generator: of the copies and the noise; of the CPU.
        optimizer: that trains the model; its state goes along, scaled as the gradients are.

    Returns:
        All layers that became wider.

    Raises:
        UnknownNameError: there is no such layer.
        InputError: fewer outputs than before, or the channels cannot change: a layer that is called twice, an input or
            output of the network, channels in groups, or a function that mixes them.

    Source: Chen, Goodfellow & Shlens, "Net2Net: accelerating learning via knowledge transfer", ICLR 2016.
    """
    wiring = follow(model, example)
    space = _space_of(model, wiring, layer)
    if width < space.size:
        raise InputError(f"Expected at least the {space.size} outputs that '{layer}' has, but got {width}.")
    if noise < 0:
        raise InputError(f"Expected noise ≥ 0, but got {noise}.")
    if generator is None:
        generator = torch.Generator().manual_seed(0)
    copied = torch.randint(space.size, (width - space.size,), generator=generator)
    source = torch.cat([torch.arange(space.size), copied])
    copies = torch.bincount(source, minlength=space.size)
    modules = dict(model.named_modules())
    swap = _Swap(optimizer)
    for name in space.writers:
        _widen_outputs(modules[name], source, copies, swap)
    for name, layout in wiring.readers(space):
        index, share = _entries(layout, space, source, copies)
        if isinstance(modules[name], NORMS):
            _widen_norm(modules[name], index, share, swap)
        else:
            _widen_inputs(modules[name], index, share, noise, generator, swap)
    return list(space.writers)


def deepen(
    model: nn.Module,
    after: str,
    example: Tensor,
    *,
    batch_norm: bool = False,
    noise: float = 0.0,
    generator: torch.Generator | None = None,
    optimizer: torch.optim.Optimizer | None = None,
) -> str:
    """Insert a layer that computes the identity, in place; with noise 0 the network computes what it did before.

    The layer is a convolution or linear map of the kind that wrote the channels. After a ReLU another ReLU follows it,
    for ReLU(I ReLU(x)) = ReLU(x); after any other activation, such as ELU, none does, for a second one would change
    what is computed. With a batch norm its scale and shift undo its normalisation over the example.

    Args:
        model: the network.
        after: name of the module whose output goes through the new layer: an activation, batch norm, convolution or
            linear layer.
        example: an input of the network; with a batch norm a whole batch.
        batch_norm: whether a batch norm follows the new layer.
        noise: standard deviation of what is added to the weights of the new layer.
        generator: of the noise; of the CPU.
        optimizer: that trains the model; the new weights join its first group.

    Returns:
        Name of the new layer.

    Raises:
        UnknownNameError: there is no such module.
        InputError: its output has no channels that a layer could go on with, or it is called twice.

    Source: Chen, Goodfellow & Shlens, ICLR 2016. Differs: no activation after one that is not idempotent.
    """
    modules = dict(model.named_modules())
    if after not in modules or after == "":
        raise UnknownNameError.of("module", after, (name for name in modules if name))
    if noise < 0:
        raise InputError(f"Expected noise ≥ 0, but got {noise}.")
    module = modules[after]
    value, calls = _output_of(model, module, example)
    if calls != 1:
        raise InputError(f"Expected a module that is called once, but '{after}' is called {calls} times.")
    if value.dim() not in (2, 3, 4, 5):
        raise InputError(f"Expected an output with channels after '{after}', but it is {tuple(value.shape)}.")
    identity = _identity(modules, module, value).to(value)
    if noise > 0:
        if generator is None:
            generator = torch.Generator().manual_seed(0)
        drawn = torch.randn(identity.weight.shape, generator=generator, dtype=torch.float64)
        identity.weight.data.add_((noise * drawn).to(value))
    added: list[nn.Module] = [identity]
    if batch_norm:
        added.append(_undone_norm(identity, value))
    if isinstance(module, IDEMPOTENT) and not isinstance(module, nn.Identity):
        added.append(type(module)())
    parent, _, name = after.rpartition(".")
    grown = nn.Sequential(module, *added)
    grown.train(module.training)
    setattr(model.get_submodule(parent), name, grown)
    if optimizer is not None:
        optimizer.param_groups[0]["params"] += [p for part in added for p in part.parameters()]
    return f"{after}.1"


def _space_of(model: nn.Module, wiring: Wiring, layer: str) -> Space:
    if layer not in wiring.writes:
        known = [name for name, module in model.named_modules() if isinstance(module, WRITERS)]
        if layer in known:
            raise InputError(f"'{layer}' is not called when the network runs, so it cannot grow.")
        raise UnknownNameError.of("convolution or linear layer", layer, known)
    space = wiring.writes[layer].found()
    touched = {*space.writers, *(name for name, _ in wiring.readers(space))}
    shared = sorted(touched & wiring.shared)
    if shared:
        raise InputError(
            f"'{layer}' cannot grow: '{shared[0]}' is called more than once and shares its weights."
        )
    if space.fixed:
        raise InputError(f"The {space.size} outputs of '{layer}' cannot become more: {space.fixed}.")
    return space


def _entries(layout: Layout, space: Space, source: Tensor, copies: Tensor) -> tuple[Tensor, Tensor]:
    """For each entry of the grown channel axis of a reader its entry now, and how many share it."""
    index, share, start = [], [], 0
    for segment in layout:
        own = segment.space.found()
        channels = source if own is space else torch.arange(own.size)
        count = copies[source] if own is space else torch.ones(own.size, dtype=torch.int64)
        places = start + channels.unsqueeze(1) * segment.repeat + torch.arange(segment.repeat)
        index.append(places.flatten())
        share.append(count.repeat_interleave(segment.repeat))
        start += own.size * segment.repeat
    return torch.cat(index), torch.cat(share)


class _Swap:
    """Replaces parameters, in the optimiser too."""

    def __init__(self, optimizer: torch.optim.Optimizer | None) -> None:
        self.optimizer = optimizer

    def __call__(
        self, module: nn.Module, name: str, value: Tensor, index: Tensor, axis: int, scale: Tensor
    ) -> None:
        """Put a parameter in the place of another.

        Args:
            value: the new one.
            index: which entry of the old one, along `axis`, each of its entries was.
            scale: what the gradient of each entry is multiplied with.
        """
        old: nn.Parameter = getattr(module, name)
        new = nn.Parameter(value, requires_grad=old.requires_grad)
        setattr(module, name, new)
        if self.optimizer is None:
            return
        for group in self.optimizer.param_groups:
            group["params"] = [new if p is old else p for p in group["params"]]
        if old not in self.optimizer.state:
            return
        shape = [1] * old.dim()
        shape[axis] = -1
        factor = scale.to(old).reshape(shape)
        state: dict[str, Any] = {}
        for key, entry in self.optimizer.state.pop(old).items():
            if isinstance(entry, Tensor) and entry.shape == old.shape:
                squared = key in ("exp_avg_sq", "max_exp_avg_sq", "square_avg", "sum")
                state[key] = entry.index_select(axis, index.to(entry.device)) * (
                    factor**2 if squared else factor
                )
            else:
                state[key] = entry
        self.optimizer.state[new] = state


def _widen_outputs(layer: nn.Module, source: Tensor, copies: Tensor, swap: _Swap) -> None:
    # Each copy carries an equal part of what leaves the unit, and so of its gradient.
    scale = 1 / copies[source]
    for name in ("weight", "bias"):
        old = getattr(layer, name)
        if old is not None:
            swap(layer, name, old.detach().index_select(0, source.to(old.device)), source, 0, scale)
    setattr(layer, "out_features" if isinstance(layer, nn.Linear) else "out_channels", len(source))


def _widen_inputs(
    layer: nn.Module, index: Tensor, share: Tensor, noise: float, generator: torch.Generator, swap: _Swap
) -> None:
    old: nn.Parameter = layer.weight  # type: ignore[assignment]
    shape = [1, -1] + [1] * (old.dim() - 2)
    weight = old.detach().index_select(1, index.to(old.device)) / share.to(old).reshape(shape)
    if noise > 0:
        drawn = torch.randn(weight.shape, generator=generator, dtype=torch.float64).to(old)
        weight = weight + noise * float(old.detach().square().mean().sqrt()) * drawn * (
            share.to(old) > 1
        ).reshape(shape)
    swap(layer, "weight", weight, index, 1, torch.ones(len(index)))
    setattr(layer, "in_features" if isinstance(layer, nn.Linear) else "in_channels", len(index))


def _widen_norm(norm: nn.Module, index: Tensor, share: Tensor, swap: _Swap) -> None:
    for name in ("weight", "bias"):
        old = getattr(norm, name)
        if old is not None:
            swap(norm, name, old.detach().index_select(0, index.to(old.device)), index, 0, 1 / share)
    for name in ("running_mean", "running_var"):
        statistic = getattr(norm, name)
        if statistic is not None:
            setattr(norm, name, statistic.index_select(0, index.to(statistic.device)))
    norm.num_features = len(index)  # type: ignore[assignment]


def _output_of(model: nn.Module, module: nn.Module, example: Tensor) -> tuple[Tensor, int]:
    """What a module gives when the network runs on the example, in eval mode, and how often it is called."""
    seen: list[Tensor] = []
    handle = module.register_forward_hook(lambda _module, _args, output: seen.append(output))
    training = [part for part in model.modules() if part.training]
    try:
        for part in training:
            part.training = False
        with torch.no_grad():
            model(example)
    finally:
        for part in training:
            part.training = True
        handle.remove()
    return (seen[0] if seen else torch.zeros(0)), len(seen)


def _identity(modules: dict[str, nn.Module], module: nn.Module, value: Tensor) -> _Layer:
    channels = value.size(1)
    layer: _Layer
    if value.dim() == 2:
        layer = nn.Linear(channels, channels)
        nn.init.eye_(layer.weight)
    else:
        kind, sizes = _convolution(modules, module, value.dim() - 2)
        layer = kind(channels, channels, sizes, padding=tuple(size // 2 for size in sizes))
        nn.init.dirac_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


def _convolution(modules: dict[str, nn.Module], module: nn.Module, rank: int) -> tuple[Any, Sequence[int]]:
    """The kind of convolution for so many dimensions, with the kernel of the last one before the module."""
    kind = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[rank - 1]
    sizes: Sequence[int] = (3,) * rank
    for part in modules.values():
        if isinstance(part, kind) and all(size % 2 for size in part.kernel_size):
            sizes = part.kernel_size
        if part is module:
            break
    return kind, sizes


def _undone_norm(identity: nn.Module, value: Tensor) -> nn.Module:
    """A batch norm whose scale and shift undo its normalisation."""
    kind = (nn.BatchNorm1d, nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)[value.dim() - 2]
    norm = kind(value.size(1)).to(value)
    with torch.no_grad():
        value = identity(value)
        axes = [axis for axis in range(value.dim()) if axis != 1]
        mean, variance = value.mean(axes), value.var(axes, unbiased=False)
        norm.running_mean, norm.running_var = mean.clone(), variance.clone()
        norm.weight.copy_((variance + norm.eps).sqrt())
        norm.bias.copy_(mean)
    return norm
