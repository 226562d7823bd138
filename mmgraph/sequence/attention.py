"""How much each step of a decoder looks at each step of what was read."""

from __future__ import annotations

import math
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from mmgraph.errors import UnknownNameError

AttentionKind = Literal["additive", "general", "dot"]


class SequenceAttention(nn.Module):
    """Attention of queries on the steps of a sequence.

    α = softmax_s f(q, h_s) over the sequence's own steps, c = Σ_s α_s h_s

        additive  f = v · tanh(W q + U h)
        general   f = q · W h
        dot       f = (W q) · (U h) / √size

    Args:
        queries: numbers in a query.
        keys: numbers in a step of the sequence.
        kind: which f.
        size: numbers in W q and U h.

    Shapes:
        queries (batch, queries, ·), sequence (batch, time, ·), mask (batch, time) bool, where it is a step:
        weights (batch, queries, time).

    Source: Bahdanau, Cho & Bengio 2015 (additive); Luong, Pham & Manning 2015 (general); Vaswani et al. 2017 (dot).
    """

    def __init__(
        self, queries: int, keys: int, kind: AttentionKind = "additive", size: int | None = None
    ) -> None:
        super().__init__()
        if kind not in get_args(AttentionKind):
            raise UnknownNameError.of("kind of attention", kind, get_args(AttentionKind))
        self.kind = kind
        size = queries if kind == "general" or size is None else size
        self.of_keys = nn.Linear(keys, size, bias=False)
        self.of_queries = (
            nn.Identity() if kind == "general" else nn.Linear(queries, size, bias=kind == "additive")
        )
        self.score = nn.Linear(size, 1, bias=False) if kind == "additive" else None

    def forward(self, queries: Tensor, sequence: Tensor, mask: Tensor) -> Tensor:
        """The contexts c.

        Shapes:
            (batch, queries, keys).
        """
        return self.attention(queries, sequence, mask) @ sequence

    def attention(self, queries: Tensor, sequence: Tensor, mask: Tensor) -> Tensor:
        """The weights α."""
        q, k = self.of_queries(queries), self.of_keys(sequence)
        if self.score is not None:
            scores = self.score(torch.tanh(q[:, :, None] + k[:, None])).squeeze(-1)
        else:
            scores = q @ k.transpose(1, 2)
            if self.kind == "dot":
                scores = scores / math.sqrt(q.size(-1))
        weights: Tensor = scores.masked_fill(~mask[:, None], -torch.inf).softmax(dim=-1)
        return weights
