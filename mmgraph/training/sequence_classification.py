"""The task of sorting sequences into classes, in batches of about one length."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn

from mmgraph.errors import InputError
from mmgraph.inspection import Capture
from mmgraph.runs import ItemSet, Snapshot
from mmgraph.sequence import LengthBuckets, RecurrentModel
from mmgraph.training.classification import Classification, scores

SHOWN_UNITS = 64


class SequenceClassification(Classification):
    """Classify sequences of any lengths.

    Args:
        model: (sequences, lengths) → logits.
        sequences: of each part, "train", "validation" and "test", padded to one length.
        lengths: steps of each sequence.
        labels: class of each sequence.
        class_names: a name per class.
        items: the sequences the model is looked at with, the first of the test part; as many as there are items.
        batch_size: sequences in a batch.
        seed: of the order.

    Shapes:
        sequences (n, time, channels), lengths (n,) int64, labels (n,) int64.

    Raises:
        InputError: a part is empty, or sequences, lengths and labels do not fit.
    """

    def __init__(
        self,
        model: RecurrentModel,
        sequences: Mapping[str, Tensor],
        lengths: Mapping[str, Tensor],
        labels: Mapping[str, Tensor],
        *,
        class_names: Sequence[str],
        items: ItemSet,
        batch_size: int = 64,
        seed: int = 0,
    ) -> None:
        super().__init__(model, class_names, items, Capture(model))
        for part, some in sequences.items():
            if not len(some) == len(lengths[part]) == len(labels[part]) > 0:
                raise InputError(
                    f"The {part} part needs as many lengths and labels as sequences, and at least one; it has "
                    f"{len(some)} sequences, {len(lengths[part])} lengths and {len(labels[part])} labels."
                )
        self.model: nn.Module
        self._sequences, self._lengths, self._labels = dict(sequences), dict(lengths), dict(labels)
        flat = torch.cat(
            [track[:length] for track, length in zip(sequences["train"], lengths["train"], strict=True)]
        )
        self._mean, self._std = flat.mean(dim=0), flat.std(dim=0).clamp(min=1e-8)
        self._buckets = LengthBuckets(lengths["train"], batch_size, seed=seed)
        self.batches_per_epoch = len(self._buckets)

    def to(self, device: torch.device) -> None:
        """Move model and all sequences to a device."""
        self.model.to(device)
        self._sequences = {part: value.to(device) for part, value in self._sequences.items()}
        self._labels = {part: value.to(device) for part, value in self._labels.items()}
        self._mean, self._std = self._mean.to(device), self._std.to(device)

    def adopt(self, model: nn.Module) -> None:
        """Try somebody's own model: (normalised sequences (n, time, channels), lengths (n,)) → logits (n, classes)."""
        self._adopt(model)

    def batches(self, epoch: int, start: int = 0) -> Iterator[Tensor]:
        """Rows of each batch; they depend on the seed, the epoch and the position alone."""
        return self._buckets.epoch(epoch, start)

    def loss(self, batch: Tensor) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Cross-entropy and accuracy of a batch."""
        return scores(self.model(*self._inputs("train", batch)), self._labels["train"][batch])

    def outputs(self, split: str) -> tuple[Tensor, Tensor]:
        """Logits and labels of a part of the data, computed in batches."""
        rows = torch.arange(len(self._labels[split])).split(1000)
        return torch.cat([self.model(*self._inputs(split, some)) for some in rows]), self._labels[split]

    def probe_inputs(self) -> tuple[Tensor, Tensor]:
        """The probe sequences and their lengths."""
        return self._inputs("test", torch.arange(len(self._items)))

    def probe(self) -> list[Snapshot]:
        """What the model makes of the probe, and its gates while reading the first item of it."""
        snapshots = super().probe()
        if not isinstance(self.model, RecurrentModel):  # somebody's own, whose gates nobody knows
            return snapshots
        track, (steps, *_) = (part[:1] for part in self.probe_inputs())
        with torch.no_grad():
            gates = self.model.recurrent.gates(track[:, : int(steps)])
        for name, values in gates.items():
            units = values[0, :, :SHOWN_UNITS].t().float().cpu().contiguous().numpy()
            notes = {
                "rows": [f"unit {unit}" for unit in range(len(units))],
                "columns": [f"step {step + 1}" for step in range(units.shape[1])],
            }
            snapshots.append(Snapshot("matrix", f"gates/{name}", units, notes=notes))
        return snapshots

    def _inputs(self, part: str, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Sequences of mean 0 and standard deviation 1 over the steps of the training part, and their lengths."""
        lengths = self._lengths[part][rows]
        tracks = self._sequences[part][rows, : int(lengths.max())]
        return (tracks - self._mean) / self._std, lengths
