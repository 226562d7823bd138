"""The moving average of the weights of a model while it trains."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn

from mmgraph.errors import CheckpointError


class WeightAverage:
    """Exponential moving average of weights and buffers; integers, such as counts of batches, are as they are.

    θ̄ ← β θ̄ + (1 − β) θ   after each step

    Args:
        model: its weights stay where they are in memory until `restart`.
        keep: β, from 0 (as they are) to less than 1; about 1 / (1 − β) steps count.

    Source:
        Polyak, Juditsky, Acceleration of stochastic approximation by averaging, 1992; with β as in Tarvainen, Valpola,
        Mean teachers are better role models, 2017.
    """

    def __init__(self, model: nn.Module, keep: float) -> None:
        self._model, self._keep = model, keep
        self.restart()

    def restart(self) -> None:
        """Begin again from the weights as they are: the model has other ones, or other shapes."""
        live = self._model.state_dict()
        self.values = {name: value.detach().clone() for name, value in live.items()}
        self._whole = [(self.values[name], live[name]) for name in live if not live[name].is_floating_point()]
        names = [name for name in live if live[name].is_floating_point()]
        self._means, self._live = [self.values[name] for name in names], [live[name] for name in names]

    @torch.no_grad()
    def update(self) -> None:
        """Take in the weights after a step."""
        if self._means:
            torch._foreach_lerp_(self._means, self._live, 1 - self._keep)
        for mean, value in self._whole:
            mean.copy_(value)

    @contextlib.contextmanager
    def applied(self) -> Iterator[None]:
        """The model has the average as its weights; afterwards its own again, bit for bit."""
        own = [value.clone() for value in self._live]
        self._put(self._means)
        try:
            yield
        finally:
            self._put(own)

    @torch.no_grad()
    def _put(self, values: list[Tensor]) -> None:
        for live, value in zip(self._live, values, strict=True):
            live.copy_(value)

    def load(self, values: Mapping[str, Tensor]) -> None:
        """Go on from an average that was saved; from the weights as they are where there is none.

        Raises:
            CheckpointError: it is of another model.
        """
        self.restart()
        if not values:
            return
        shapes = {name: value.shape for name, value in self.values.items()}
        if {name: value.shape for name, value in values.items()} != shapes:
            raise CheckpointError("The averaged weights in the checkpoint do not fit the model.")
        for name, value in values.items():
            self.values[name].copy_(value)
