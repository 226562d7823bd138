"""Late semantic fusion: classifiers that were trained apart decide together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

import torch
from torch import Tensor

from mmgraph.errors import InputError, UnknownNameError

LateRule = Literal["product", "mean", "max"]


def late_semantic_fusion(
    posteriors: Mapping[str, Tensor],
    *,
    rule: LateRule = "product",
    weights: Mapping[str, float] | None = None,
    prior: Tensor | None = None,
    present: Mapping[str, Tensor] | None = None,
) -> Tensor:
    """One posterior from those that each modality of a document gives by itself.

    product: p(c) ∝ π(c) ∏_m (p_m(c) / π(c))^{w_m},  exact for modalities independent given the class
    mean:    p(c) = Σ_m w_m p_m(c) / Σ_m w_m
    max:     p(c) ∝ max_m p_m(c)^{w_m}

    m runs over the modalities that a document has.

    Args:
        posteriors: class probabilities by modality.
        rule: how they are joined.
        weights: w, 1 by default: how much a modality is trusted.
        prior: π, shares of the classes where the classifiers learned; uniform by default. Used by "product".
        present: which documents have which modality; all by default. Rows of a missing one may hold anything.

    Shapes:
        posteriors (n, classes), prior (classes,), present (n,) bool: (n, classes).

    Raises:
        UnknownNameError: there is no such rule or modality.
        InputError: lists of different lengths, rows that are no probabilities, or a document without modality.

    Source: Kittler et al., "On combining classifiers", IEEE PAMI 20(3), 1998.
    """
    if rule not in get_args(LateRule):
        raise UnknownNameError.of("rule", rule, get_args(LateRule))
    for given in (weights or {}, present or {}):
        for name in given:
            if name not in posteriors:
                raise UnknownNameError.of("modality", name, posteriors)
    shapes = {name: tuple(value.shape) for name, value in posteriors.items()}
    if not shapes or len(set(shapes.values())) > 1 or len(next(iter(shapes.values()))) != 2:
        raise InputError(
            f"Expected class probabilities (n, classes) of as many documents for each modality, but got {shapes}."
        )
    stacked = torch.stack(list(posteriors.values()), 1)
    there = torch.ones(stacked.shape[:2], dtype=torch.bool, device=stacked.device)
    for column, name in enumerate(posteriors):
        if present is not None and name in present:
            there[:, column] = present[name]
    if not bool(there.any(1).all()):
        raise InputError(
            f"Expected a modality for each document, but document {int((~there.any(1)).nonzero()[0])} has none."
        )
    probable = stacked[there]
    if not bool(((probable >= 0).all(1) & ((probable.sum(1) - 1).abs() < 1e-3)).all()):
        raise InputError("Expected class probabilities that sum to 1 in every row that is there.")
    trust = stacked.new_tensor([(weights or {}).get(name, 1.0) for name in posteriors])
    if bool((trust < 0).any()) or float(trust.sum()) == 0:
        raise InputError(f"Expected weights of at least 0, and one above it, but got {dict(weights or {})}.")
    said = trust.unsqueeze(1) * there.unsqueeze(2)
    stacked = stacked.masked_fill(~there.unsqueeze(2), 1.0)
    if rule == "mean":
        total = said.sum(1)
        return (said * stacked).sum(1) / total.where(total > 0, 1.0)
    logs = stacked.clamp_min(torch.finfo(stacked.dtype).tiny).log()
    if rule == "max":
        return (trust[:, None] * logs).masked_fill(~there.unsqueeze(2), -torch.inf).amax(1).softmax(1)
    base = torch.zeros_like(logs[0, 0]) if prior is None else prior.to(logs).log()
    return (base + (said * (logs - base)).sum(1)).softmax(1)
