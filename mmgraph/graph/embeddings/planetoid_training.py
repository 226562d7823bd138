"""The steps of Planetoid: contexts alone first, then rounds of contexts and one step on the labels."""

from __future__ import annotations

import copy
import math
import threading
import time
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from mmgraph.errors import NonFiniteLossError
from mmgraph.graph.embeddings.context_pairs import ContextSampler
from mmgraph.graph.embeddings.planetoid_input import Labelled
from mmgraph.graph.embeddings.planetoid_network import PlanetoidNetwork
from mmgraph.graph.embeddings.progress import OnProgress, Progress

PIECES = 20
"""Steps on contexts alone."""
EMBEDDING_SHARE = 0.1
"""The labels move vectors at this share of the learning rate, or vectors of the few labelled nodes lose their place."""


class PlanetoidTraining:
    """A network, and what each step takes: contexts are a function of the seed and the number of the step.

    Args:
        network: changed in place.
        sampler: of contexts.
        told: features and labels.
        pairs_before: contexts before the first label is looked at, in `PIECES` steps.
        pairs_per_round: contexts in each step after that.
        label_share: of these contexts that are nodes with the same label.
        context_learning_rate, round_learning_rate: of the steps on contexts, before the rounds and in them.

    Source: Yang, Cohen & Salakhutdinov, ICML 2016, Algorithm 2.
    """

    def __init__(
        self,
        network: PlanetoidNetwork,
        sampler: ContextSampler,
        told: Labelled,
        *,
        pairs_before: int,
        pairs_per_round: int,
        label_share: float,
        context_learning_rate: float,
        round_learning_rate: float,
    ) -> None:
        self.network, self.told = network, told
        self._sampler = sampler
        self._before, self._each, self._label_share = pairs_before, pairs_per_round, label_share
        self.context_learning_rate, self._round_learning_rate = context_learning_rate, round_learning_rate
        self._features, self._label = told.training()
        self._nodes = torch.from_numpy(told.train)

    def contexts_before(self, step: int) -> int:
        """How many contexts the steps before this one take."""
        return self._before * min(step, PIECES) // PIECES + self._each * max(0, step - PIECES)

    def learn_contexts(self, step: int) -> float:
        """Descend on the contexts of a step, in place; their mean loss."""
        first = self.contexts_before(step)
        count = self.contexts_before(step + 1) - first
        share, rate = 0.0, self.context_learning_rate
        if step >= PIECES:
            share, rate = self._label_share, self._round_learning_rate
        return self.network.descend(self._sampler.sample(first, count, share), rate)

    def label_loss(self) -> Tensor:
        """Cross-entropy of the training nodes, with dropout."""
        self.network.train()
        return F.cross_entropy(self.network(self._features, self._nodes), self._label)

    def parameter_groups(self, weight_decay: float) -> list[dict[str, Any]]:
        """What the step on labels moves: vectors, and what makes them, slowly and without decay."""
        groups = self.network.parameter_groups(weight_decay)
        groups[0]["rate_share"] = EMBEDDING_SHARE
        return groups


def train_rounds(
    training: PlanetoidTraining,
    rounds: int,
    learning_rate: float,
    weight_decay: float,
    tell: OnProgress | None = None,
    every: float = 1.0,
) -> bool:
    """All steps, with Adam on the labels, then the weights of the best round; False if it was cancelled.

    Raises:
        NonFiniteLossError: a learning rate is far too large.
    """
    network, told = training.network, training.told
    groups = training.parameter_groups(weight_decay)
    for group in groups:
        group["lr"] = learning_rate * group.get("rate_share", 1.0)
    optimizer = torch.optim.Adam(groups)
    steps, cancelled = PIECES + rounds, threading.Event()
    began = reported = time.perf_counter()
    best, chosen = -1.0, None
    metrics: dict[str, float] = {}

    def read(nodes: NDArray[np.int64] | slice) -> NDArray[np.float32]:
        return network.vectors()[nodes]

    def report(done: int) -> None:
        if tell is not None:
            tokens, seconds = training.contexts_before(done), time.perf_counter() - began
            tell(Progress(done, steps, tokens, seconds, read, cancelled, metrics))

    done = 0
    try:
        while done < steps and not cancelled.is_set():
            metrics = {"train/context_loss": training.learn_contexts(done)}
            if done >= PIECES:
                metrics["train/loss"] = _descend(training, optimizer)
                if told.validation.size:
                    metrics["validation/accuracy"] = score = told.accuracy(network)
                    if score > best:
                        best, chosen = score, copy.deepcopy(network.state_dict())
            done += 1
            if time.perf_counter() - reported >= every:
                reported = time.perf_counter()
                report(done)
    finally:
        if chosen is not None:
            network.load_state_dict(chosen)
    report(done)
    return done == steps


def _descend(training: PlanetoidTraining, optimizer: torch.optim.Optimizer) -> float:
    """One step on the labels; their loss."""
    loss = training.label_loss()
    value = float(loss.detach())
    if not math.isfinite(value):
        raise NonFiniteLossError(
            f"The loss became infinite or NaN at learning rates of {optimizer.param_groups[-1]['lr']} on labels and "
            f"{training.context_learning_rate} on contexts: use smaller ones, 0.01 and 0.05 are usual."
        )
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    training.network.eval()
    return value
