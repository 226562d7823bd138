"""A plain loop for maps that learn by gradients, in the manner of scikit-learn's `fit`."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from mmgraph.errors import InputError, NonFiniteLossError
from mmgraph.fusion.mapping import check_pairs

PairLoss = Callable[[Tensor, Tensor, Tensor], Tensor]


def descend(
    model: nn.Module,
    loss: PairLoss,
    images: Tensor,
    texts: Tensor,
    labels: Tensor,
    *,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    weight_decay: float,
    seed: int,
) -> None:
    """AdamW over shuffled batches of pairs; a last batch of one pair is left out, for it has nobody to differ from.

    Raises:
        InputError: lists of different lengths, fewer than two pairs, or batches of fewer than two.
        NonFiniteLossError: the loss became NaN or infinite.
    """
    check_pairs(images, texts, labels, 2)
    if batch_size < 2 or epochs < 0:
        raise InputError(
            f"Expected batches of at least 2 pairs and epochs ≥ 0, but got {batch_size} and {epochs}."
        )
    optimizer = torch.optim.AdamW(model.parameters(), learning_rate, weight_decay=weight_decay)
    generator = torch.Generator().manual_seed(seed)
    model.train()
    try:
        for _ in range(epochs):
            for rows in torch.randperm(len(labels), generator=generator).to(labels.device).split(batch_size):
                if len(rows) < 2:
                    continue
                value = loss(images[rows], texts[rows], labels[rows])
                if not bool(value.isfinite()):
                    raise NonFiniteLossError(f"The loss became {value.item()}: lower the learning rate.")
                optimizer.zero_grad()
                value.backward()
                optimizer.step()
    finally:
        model.eval()
