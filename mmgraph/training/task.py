"""What can be trained: a model, its data and its objective."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from mmgraph.errors import InputError
from mmgraph.runs import ItemSet, Snapshot

if TYPE_CHECKING:
    from mmgraph.inspection.examined import Answer, Examined, Report
    from mmgraph.questions import Question
    from mmgraph.runs.structure import Structure
    from mmgraph.training.growth import Growth


class Task(ABC):
    """A model, its data and its objective; `training.fit` does the rest.

    Batches are a pure function of (epoch, position), so that a run resumed in the middle of an epoch
    sees the very batches the uninterrupted run would have seen.
    """

    model: nn.Module
    monitor: str | tuple[str, ...] = "validation/accuracy"
    """Which of the numbers of `evaluate` decides what is best; those that end in "loss" are minimised. Of several all
    have to be at least as good as ever before, and patience ends when none of them has been for so long."""

    batches_per_epoch: int = 1

    times_cpu: bool = False
    """Whether evaluations are recorded together with the CPU seconds that the run has taken so far, "cpu-seconds"."""

    is_shared: bool = False
    """Whether the processes of a job train it together, each with a part of its own."""

    growth: Growth | None = None
    """How the model grows while it is trained; None where it stays as it is."""

    @abstractmethod
    def batches(self, epoch: int, start: int = 0) -> Iterator[Any]:
        """Batches of an epoch from position `start` on."""

    @abstractmethod
    def loss(self, batch: Any) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Loss of a batch (a scalar to go downhill on) and numbers worth recording, such as accuracy."""

    def own_step(self, batch: Any, learning_rate: float) -> Mapping[str, float] | None:
        """A step that the task takes by itself, changing its model in place; returns numbers worth recording.

        None, the default, has the loop go down the gradient of `loss` instead. For what trains without gradients,
        such as embeddings that a compiled kernel updates row by row. What it changes has to be in the state of the
        model, and its random numbers a function of the batch, so that checkpoints hold all there is. Where the
        number "loss" is not finite, the model stays as it was.

        Args:
            batch: one of `batches`.
            learning_rate: of this step, as schedule and commands have it.
        """
        return None

    @abstractmethod
    def evaluate(self, split: str = "validation") -> dict[str, float]:
        """Numbers on a part of the data, such as {"validation/loss": …, "validation/accuracy": …}."""

    def to(self, device: torch.device) -> None:
        """Move model and data to a device."""
        self.model.to(device)

    def parameter_groups(self, weight_decay: float) -> list[dict[str, Any]]:
        """Groups of parameters for the optimiser, with their weight decay and, where it is not all of it, their
        `rate_share` of the learning rate."""
        return [{"params": list(self.model.parameters()), "weight_decay": weight_decay}]

    def items(self) -> ItemSet | None:
        """What the rows of the embedding are."""
        return None

    def probe(self) -> list[Snapshot]:
        """Look inside the model as it is now. Must not change it, nor draw random numbers."""
        return []

    def remark(self) -> str:
        """What is worth a line in the log after an evaluation, such as a text of the model's own; nothing by default.

        Must not change the model, nor draw from torch's own generator.
        """
        return ""

    def explain(self, item: int) -> list[Snapshot]:
        """What the answer about one item hangs on; nothing where the task cannot say. Must not change the model.

        Raises:
            InputError: there is no such item.
        """
        return []

    def explain_pair(self, first: int, second: int) -> list[Snapshot]:
        """What the answer about two items hangs on, such as whether they are linked; nothing where there is none.

        Raises:
            InputError: there is no such item.
        """
        return []

    def answer(self, question: Question, report: Report) -> Answer:
        """Answer what a person asks of the model; a task that knows more kinds of question answers those itself.

        Must not change the model. Raises what `report` raises, where nobody waits for the answer any more.

        Raises:
            InputError: the task cannot answer that, or not about this item.
            UnknownNameError: there is no such layer.
        """
        from mmgraph.inspection.answering import answer

        return answer(question, self.examined, report)

    @cached_property
    def examined(self) -> Examined:
        """What questions about the model are asked of.

        Raises:
            InputError: the task has nothing to be asked about.
        """
        raise InputError("This recipe cannot answer that.")

    def adopt(self, model: nn.Module) -> None:
        """Try somebody's own model on the data, in place of the task's; recipes say by `own_model` what it is given.

        Raises:
            InputError: the task needs more of its model than one answer to each input.
        """
        raise InputError("The data of this task cannot be given to a model of your own.")

    @property
    def shown(self) -> nn.Module:
        """The module whose layers snapshots are named after: the model, or the part of it that is looked at."""
        try:
            return self.examined.model
        except InputError:
            return self.model

    def spread(self) -> list[Snapshot]:
        """How weights, gradients and, after `probe`, activations of each layer are spread."""
        from mmgraph.inspection.histograms import histograms

        return histograms(self.shown) + self.activations()

    def activations(self) -> list[Snapshot]:
        """How the activations of each layer were spread in the last `probe`; nothing where it ran no layers."""
        try:
            return self.examined.capture.spread()
        except InputError:
            return []

    def structure(self) -> Structure:
        """The layers of the model and, where it can be run on its probe, how they are wired. Must not change it."""
        from mmgraph.inspection.structure import ITEMS, structure

        try:
            inputs = self.examined.few_inputs(ITEMS)
        except InputError:
            inputs = None
        return structure(self.shown, inputs)

    def constants(self) -> list[Snapshot]:
        """Snapshots that never change, such as the graph; recorded once."""
        return []
