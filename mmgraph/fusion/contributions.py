"""How much each modality has to do with the answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mmgraph.errors import InputError
from mmgraph.runs import Snapshot


@dataclass(frozen=True, eq=False)
class Contributions:
    """What each modality contributes to each item.

    Args:
        names: of the modalities.
        values: of items (rows) and modalities; NaN where a modality is missing.
        method: "weights" are the gates or the attention and sum to 1; "leave-one-out" is how much more probable, in
            nats, the modality makes the answer given.

    Shapes:
        values (n, modalities).
    """

    names: tuple[str, ...]
    values: Tensor
    method: str

    def by_class(self, labels: Tensor, classes: int) -> Tensor:
        """Mean over the items of each class that have the modality, NaN where there are none; (classes, modalities)."""
        if labels.shape != self.values.shape[:1]:
            raise InputError(
                f"Expected a label for each of {len(self.values)} items, but got {tuple(labels.shape)}."
            )
        rows = [self.values[labels == label].nanmean(0) for label in range(classes)]
        return torch.stack(rows) if rows else self.values.new_zeros(0, len(self.names))

    def snapshots(
        self, labels: Tensor, class_names: Sequence[str], layer: str = "contributions"
    ) -> list[Snapshot]:
        """Matrices that a run keeps: of classes and modalities, and of single items and modalities."""
        notes = {"columns": list(self.names), "method": self.method}
        of_classes = self.by_class(labels, len(class_names)).float().cpu().numpy()
        of_items = self.values.detach().float().cpu().numpy()
        return [
            Snapshot("matrix", f"{layer}/classes", of_classes, notes={**notes, "rows": list(class_names)}),
            Snapshot("matrix", f"{layer}/items", of_items, notes={**notes, "rows": "item"}),
        ]


def gained(full: Tensor, without: Sequence[Tensor | None], present: Tensor, target: Tensor | None) -> Tensor:
    """log p(answer | all) − log p(answer | all but m) for each modality m; of one that is alone, beyond chance.

    Args:
        full: logits given all that is there.
        without: logits without modality m; None where that was not computed.
        present: which modalities are there.
        target: the answers asked about; by default the most probable ones.

    Shapes:
        full and each of without (n, classes), present (n, M) bool, target (n,): (n, M).
    """
    answer = full.argmax(1) if target is None else target
    known = full.log_softmax(1).gather(1, answer.unsqueeze(1)).squeeze(1)
    chance = -torch.log(torch.tensor(float(full.size(1)), device=full.device))
    alone = present.sum(1) == 1
    values = []
    for logits in without:
        less = known if logits is None else logits.log_softmax(1).gather(1, answer.unsqueeze(1)).squeeze(1)
        values.append(known - torch.where(alone, chance, less))
    return torch.stack(values, 1).masked_fill(~present, torch.nan)
