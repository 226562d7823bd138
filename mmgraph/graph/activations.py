"""The non-linearities that networks and layers take by name."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from mmgraph.graph.arguments import check_name

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "elu": nn.ELU,
    "leaky_relu": nn.LeakyReLU,
    "gelu": nn.GELU,
    "tanh": nn.Tanh,
}


def activation_named(name: str | None) -> nn.Module:
    """The activation of that name; for None the identity.

    Raises:
        UnknownNameError: there is none of that name.
    """
    if name is None:
        return nn.Identity()
    check_name("activation", name, ACTIVATIONS)
    return ACTIVATIONS[name]()
