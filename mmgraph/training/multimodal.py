"""The task of classifying items by several modalities, some of which may be missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional as F

from mmgraph.errors import InputError
from mmgraph.fusion import Fusion
from mmgraph.inspection import Capture
from mmgraph.runs import ItemSet, Snapshot
from mmgraph.training.classification import Classification, scores

Inputs = Mapping[str, Tensor]
FORWARD_ITEMS = 1000


class MultimodalClassification(Classification):
    """Classify items in shuffled mini-batches; tested with all modalities, and with each of them alone.

    Args:
        model: encoders and how they are joined.
        inputs: by part ("train", "validation", "test") and modality; ready for the encoders.
        labels: classes of each part.
        class_names: a name per class.
        items: what the first rows of the test part are; as many of them are probed.
        alone: how much the answers of each modality alone count in the loss.
        batch_size: items in a batch; the last batch of an epoch may be smaller.
        seed: of the shuffling.

    Shapes:
        inputs (n, …) float32, labels (n,) int64.

    Raises:
        InputError: a part is empty, or modalities and labels of different lengths.
    """

    def __init__(
        self,
        model: Fusion,
        inputs: Mapping[str, Inputs],
        labels: Mapping[str, Tensor],
        *,
        class_names: Sequence[str],
        items: ItemSet,
        alone: float = 1.0,
        batch_size: int = 64,
        seed: int = 0,
    ) -> None:
        super().__init__(model, class_names, items, Capture(model, kinds=()))
        for part, modalities in inputs.items():
            lengths = {name: len(values) for name, values in modalities.items()} | {
                "labels": len(labels[part])
            }
            if len(set(lengths.values())) > 1 or not len(labels[part]):
                raise InputError(
                    f"The {part} part needs as many of each, and at least one; it has {lengths}."
                )
        self.fusion = model
        self._inputs = {part: dict(modalities) for part, modalities in inputs.items()}
        self._labels = dict(labels)
        self._batch_size, self._seed, self._alone = batch_size, seed, alone
        self.batches_per_epoch = -(-len(labels["train"]) // batch_size)

    def to(self, device: torch.device) -> None:
        """Move model and all items to a device."""
        self.model.to(device)
        self._inputs = {
            part: {name: values.to(device) for name, values in modalities.items()}
            for part, modalities in self._inputs.items()
        }
        self._labels = {part: values.to(device) for part, values in self._labels.items()}

    def batches(self, epoch: int, start: int = 0) -> Iterator[Tensor]:
        """Rows of shuffled batches; the order depends on the seed and the epoch alone."""
        labels = self._labels["train"]
        generator = torch.Generator().manual_seed((self._seed * 1_000_003 + epoch) % 2**63)
        order = torch.randperm(len(labels), generator=generator).to(labels.device)
        for position in range(start, self.batches_per_epoch):
            yield order[position * self._batch_size : (position + 1) * self._batch_size]

    def loss(self, batch: Tensor) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Cross-entropy and accuracy of a batch, and the cross-entropy of each modality alone."""
        some = {name: values[batch] for name, values in self._inputs["train"].items()}
        labels = self._labels["train"][batch]
        if self._alone == 0 or len(self.fusion.names) == 1:
            return scores(self.fusion(some), labels)
        together, alone = self.fusion.together_and_alone(some)
        loss, metrics = scores(together, labels)
        for logits in alone.values():
            loss = loss + self._alone * F.cross_entropy(logits, labels)
        return loss, metrics

    def evaluate(self, split: str = "validation") -> dict[str, float]:
        """Loss and accuracy with all modalities, and accuracy with each of them alone."""
        found = super().evaluate(split)
        if len(self.fusion.names) > 1 and self.fusion.missing != "refuse":
            with torch.no_grad():
                for name in self.fusion.names:
                    logits = self._logits(split, (name,))
                    right = logits.argmax(1) == self._labels[split]
                    found[f"{split}/accuracy_{name}_alone"] = float(right.float().mean())
        return found

    def outputs(self, split: str) -> tuple[Tensor, Tensor]:
        """Logits and labels of a part of the data, computed in batches."""
        return self._logits(split, self.fusion.names), self._labels[split]

    def probe_inputs(self) -> tuple[dict[str, Tensor]]:
        """The first items of the test part."""
        count = len(self._items)
        return ({name: values[:count] for name, values in self._inputs["test"].items()},)

    def probe(self) -> list[Snapshot]:
        """What the modalities give together, what each has to do with it, and what the encoders see."""
        (inputs,) = self.probe_inputs()
        labels = self._labels["test"][: len(self._items)]
        training, name = self.fusion.training, self._items.name
        self.fusion.eval()
        with torch.no_grad():
            fused, answers = self.fusion.fused(inputs), self.fusion(inputs).softmax(1)
        self.fusion.train(training)
        snapshots = [
            Snapshot("embedding", "fused", fused.float().cpu().numpy(), items=name),
            Snapshot("prediction", "output", answers.float().cpu().numpy(), items=name),
            *self.fusion.contributions(inputs).snapshots(labels, self.class_names),
        ]
        for modality in self.fusion.names:
            capture = Capture(self.fusion.encoder(modality), kinds=("filters", "feature_maps"), items=name)
            snapshots += [
                replace(snapshot, layer=f"{modality}.{snapshot.layer}")
                for snapshot in capture.capture(inputs[modality])
            ]
        notes = {"classes": list(self.class_names)}
        for split, counts in self._confusions.items():
            snapshots.append(Snapshot("matrix", f"confusion/{split}", counts.cpu().numpy(), notes=notes))
        return snapshots

    def _logits(self, split: str, names: Sequence[str]) -> Tensor:
        inputs, count = self._inputs[split], len(self._labels[split])
        return torch.cat(
            [
                self.fusion({name: inputs[name][first : first + FORWARD_ITEMS] for name in names})
                for first in range(0, count, FORWARD_ITEMS)
            ]
        )
