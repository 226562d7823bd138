"""The steps of Planetoid: contexts alone first, then rounds of contexts and one step on the labels."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from mmgraph.graph.embeddings.context_pairs import ContextSampler
from mmgraph.graph.embeddings.planetoid_input import Labelled
from mmgraph.graph.embeddings.planetoid_network import PlanetoidNetwork

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
        self._rates = (context_learning_rate, round_learning_rate)
        self._features, self._label = told.training()
        self._nodes = torch.from_numpy(told.train)

    def contexts_before(self, step: int) -> int:
        """How many contexts the steps before this one take."""
        return self._before * min(step, PIECES) // PIECES + self._each * max(0, step - PIECES)

    def learn_contexts(self, step: int) -> float:
        """Descend on the contexts of a step, in place; their mean loss."""
        first = self.contexts_before(step)
        share, rate = (self._label_share, self._rates[1]) if step >= PIECES else (0.0, self._rates[0])
        return self.network.descend(
            self._sampler.sample(first, self.contexts_before(step + 1) - first, share), rate
        )

    def label_loss(self) -> Tensor:
        """Cross-entropy of the training nodes, with dropout."""
        self.network.train()
        return F.cross_entropy(self.network(self._features, self._nodes), self._label)

    def parameter_groups(self, weight_decay: float) -> list[dict[str, Any]]:
        """What the step on labels moves: vectors, and what makes them, slowly and without decay."""
        groups = self.network.parameter_groups(weight_decay)
        groups[0]["rate_share"] = EMBEDDING_SHARE
        return groups
