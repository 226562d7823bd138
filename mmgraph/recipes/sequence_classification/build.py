"""The task of the recipe `sequence-classification`."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor
from torch.nn import functional as F

from mmgraph import datasets
from mmgraph.datasets.sequences import SequenceDataset, draw_curves
from mmgraph.errors import ConfigError
from mmgraph.recipes.sequence_classification import SequenceClassificationConfig
from mmgraph.runs import ItemSet
from mmgraph.sequence import RecurrentModel
from mmgraph.training.sequence_classification import SequenceClassification

if TYPE_CHECKING:
    from mmgraph.sequence.cell import CellKind

BLOCK = 100
GAP = 16
"""Rows of a recording that share points: a window of 16 points moves on by one from row to row."""

SHARES = (0.65, 0.15, 0.2)


def build(config: SequenceClassificationConfig) -> SequenceClassification:
    """Sequences in three parts, and a recurrent network over them."""
    if config.kind != "lstm" and (config.peephole or config.coupled):
        raise ConfigError(f"peephole and coupled belong to kind = lstm, not to {config.kind}.")
    generator = torch.Generator().manual_seed(config.seed)
    if config.dataset == "curves":
        data = draw_curves(config.curves, seed=config.seed)
    else:
        data = cast(SequenceDataset, datasets.load(config.dataset))
    if config.dataset == "curves" or config.split == "random":
        rows = _random_parts(len(data), generator)
    else:
        rows = _block_parts(data.labels, generator)
    parts = dict(zip(("train", "validation", "test"), rows, strict=True))
    model = RecurrentModel(
        data.sequences.size(2),
        config.hidden,
        len(data.class_names),
        kind=cast("CellKind", config.kind),
        layers=config.layers,
        bidirectional=config.bidirectional,
        dropout=config.dropout,
        peephole=config.peephole,
        coupled=config.coupled,
    )
    shown = parts["test"][: config.probe_sequences]
    items = ItemSet(
        ids=shown.numpy(),
        labels=data.labels[shown].numpy(),
        class_names=data.class_names,
        thumbnails=pictures(data.sequences[shown], data.lengths[shown]).numpy(),
        columns={"steps": data.lengths[shown].numpy()},
        noun="curve" if config.dataset == "curves" else "gesture",
    )
    return SequenceClassification(
        model,
        {part: data.sequences[some] for part, some in parts.items()},
        {part: data.lengths[some] for part, some in parts.items()},
        {part: data.labels[some] for part, some in parts.items()},
        class_names=data.class_names,
        items=items,
        batch_size=config.batch_size,
        seed=config.seed,
    )


def pictures(sequences: Tensor, lengths: Tensor, side: int = 32) -> Tensor:
    """Curves as they are drawn, white on black, brighter towards their end.

    Shapes:
        sequences (n, time, 2), lengths (n,): (n, side, side) uint8.
    """
    drawn = torch.zeros(len(sequences), side, side, dtype=torch.uint8)
    for picture, points, length in zip(drawn, sequences, lengths.tolist(), strict=True):
        dense = F.interpolate(points[:length].t()[None], size=8 * side, mode="linear", align_corners=True)[
            0
        ].t()
        middle = (dense.amax(dim=0) + dense.amin(dim=0)) / 2
        extent = float((dense.amax(dim=0) - dense.amin(dim=0)).max().clamp(min=1e-6))
        x, y = (
            (((dense - middle) / extent * 0.85 + 0.5) * (side - 1))
            .round()
            .long()
            .clamp(0, side - 1)
            .unbind(1)
        )
        picture[y, x] = torch.linspace(110, 255, len(dense)).to(torch.uint8)
    return drawn


def _random_parts(count: int, generator: torch.Generator) -> list[Tensor]:
    order = torch.randperm(count, generator=generator)
    train, validation = (round(count * share) for share in SHARES[:2])
    return list(order.split([train, validation, count - train - validation]))


def _block_parts(labels: Tensor, generator: torch.Generator) -> list[Tensor]:
    """Whole stretches of each class for one part; rows that share points with another stretch are left out."""
    parts: list[list[Tensor]] = [[], [], []]
    for label in labels.unique():
        blocks = torch.nonzero(labels == label).flatten().split(BLOCK)
        order = torch.randperm(len(blocks), generator=generator).tolist()
        ends = [round(len(blocks) * SHARES[0]), round(len(blocks) * (SHARES[0] + SHARES[1]))]
        for place, number in enumerate(order):
            parts[(place >= ends[0]) + (place >= ends[1])].append(blocks[number][: BLOCK - GAP])
    shuffled = [torch.cat(part) for part in parts]
    return [rows[torch.randperm(len(rows), generator=generator)] for rows in shuffled]
