"""The loss of a few-shot episode in which every item is in turn example and question."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from mmgraph.errors import EmptyPairsError, InputError
from mmgraph.metric.arguments import check_positive
from mmgraph.metric.distances import Distance
from mmgraph.metric.reduction import Reduction, reduce


def episode_loss(
    embeddings: Tensor,
    *,
    shots: int = 1,
    distance: Distance | None = None,
    temperature: float = 1.0,
    every_role: bool = True,
    reduction: Reduction = "mean",
) -> tuple[Tensor, Tensor]:
    """The prototypical loss of an episode, and the share of questions answered rightly.

    −log softmax_k(−d(q, c_k) / τ)[y],  c_k the mean of `shots` items of class k, q one of the others

    With `every_role` the items change roles, as many times as a class has items: the r-th time its items r, r + 1, …,
    r + shots − 1 (in a circle) are the examples. That is the mean over so many episodes for one forward pass. Without
    it the first items are the examples, as in the paper.

    Args:
        embeddings: of the items, class by class.
        shots: examples of each class.
        distance: squared by default.
        temperature: τ.
        every_role: whether items change roles.
        reduction: over questions: "mean", "mean-nonzero", "sum" or "none".

    Shapes:
        embeddings (ways, items, features): scalar, or (questions,); and scalar.

    Raises:
        EmptyPairsError: fewer than two classes, or no item left to ask about.
        InputError: embeddings of another shape or not finite, or a number out of range.

    Source: Snell, Swersky & Zemel, "Prototypical networks for few-shot learning", NeurIPS 2017. Differs: roles change.
    """
    check_positive("a temperature", temperature)
    if embeddings.dim() != 3 or shots < 1:
        raise InputError(
            f"Expected embeddings (ways, items, features) and at least one shot, but got {tuple(embeddings.shape)} "
            f"and {shots}."
        )
    ways, items, features = embeddings.shape
    if ways < 2 or items <= shots:
        raise EmptyPairsError(
            f"Expected at least two classes with more items than the {shots} shown, but got {ways} classes of {items}."
        )
    distance = Distance("squared") if distance is None else distance
    roles = items if every_role else 1
    place = torch.arange(items, device=embeddings.device)
    shown = (place - place[:roles, None]) % items < shots
    prototypes = (shown.to(embeddings.dtype) @ embeddings.transpose(0, 1).reshape(items, -1) / shots).reshape(
        roles * ways, features
    )
    away = distance.matrix(embeddings.reshape(ways * items, features), prototypes)
    logits = (-away / temperature).reshape(ways, items, roles, ways)
    asked = ~shown.T.expand(ways, items, roles)
    answers = torch.arange(ways, device=embeddings.device).reshape(ways, 1, 1).expand(asked.shape)[asked]
    logits = logits[asked]
    right = (logits.detach().argmax(1) == answers).to(embeddings.dtype).mean()
    return reduce(F.cross_entropy(logits, answers, reduction="none"), reduction), right
