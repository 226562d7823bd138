"""The fixed inputs on which a watched model is looked at, again and again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from mmgraph.errors import InputError
from mmgraph.inspection.capture import Capture
from mmgraph.inspection.device_memory import device_memory
from mmgraph.inspection.draft import evenly
from mmgraph.inspection.first_batch import FirstBatch
from mmgraph.inspection.histograms import histograms
from mmgraph.inspection.inputs import Inputs
from mmgraph.inspection.probe_items import probe_items
from mmgraph.inspection.structure import structure
from mmgraph.runs import ItemSet, Snapshot
from mmgraph.runs.structure import Structure


class Probe:
    """Inputs, given or taken from the first batch the model sees, and what they are.

    Args:
        model: the model as the loop calls it.
        capture: what to take from it.
        inputs: inputs of one forward; None to wait for the first batch.
        limit: most items taken from a first batch.
        labels, class_names, thumbnails: what the items are, see `probe_items`.

    Raises:
        InputError: labels or thumbnails do not fit the inputs.
    """

    def __init__(
        self,
        model: nn.Module,
        capture: Capture,
        inputs: Any = None,
        *,
        limit: int = 256,
        labels: Any = None,
        class_names: Sequence[str] = (),
        thumbnails: npt.NDArray[np.uint8] | Literal["auto"] | None = "auto",
    ) -> None:
        self._capture = capture
        self._description: dict[str, Any] = {
            "labels": labels,
            "class_names": class_names,
            "thumbnails": thumbnails,
        }
        self._first_batch = FirstBatch(model, limit) if inputs is None else None
        self._inputs = None if inputs is None else Inputs.of(inputs).cloned()
        self._items = None if self._inputs is None else self._describe(self._inputs)

    @property
    def is_ready(self) -> bool:
        """Whether there are inputs to look at the model with."""
        return self._inputs is not None or (
            self._first_batch is not None and self._first_batch.inputs is not None
        )

    @property
    def remarks(self) -> tuple[str, ...]:
        """What the last look could not take, one sentence each."""
        return self._capture.remarks

    def look_again(self) -> None:
        """Look for the first batch of a model that was compiled after it was watched.

        Raises:
            Whatever made it impossible to copy the batch.
        """
        if self._first_batch is not None:
            if self._first_batch.failure is not None:
                raise self._first_batch.failure
            self._first_batch.look_again()

    def items(self) -> ItemSet | None:
        """What the rows of the snapshots are; None where nothing is known of them.

        Raises:
            InputError: labels or thumbnails do not fit the first batch.
        """
        batch = self._first_batch
        if self._items is None and batch is not None and batch.inputs is not None:
            self._items = self._describe(batch.inputs)
        return self._items

    def take(self) -> list[Snapshot]:
        """Look at the model now.

        Raises:
            Whatever the model raises on these inputs.
        """
        inputs = self._on_device()
        with self._as_in_first_batch():
            snapshots = self._capture.capture(*inputs.args, **inputs.kwargs)
        if "filters" in self._capture.kinds:
            snapshots += [*histograms(self._capture.model), *self._capture.spread()]
        return snapshots

    def structure(self) -> Structure:
        """The layers of the model and how they are wired."""
        with self._as_in_first_batch():
            return structure(self._capture.model, self._on_device())

    @contextmanager
    def _as_in_first_batch(self) -> Iterator[None]:
        """In the number formats in which the loop ran its first batch."""
        with ExitStack() as stack:
            if self._first_batch is not None:
                for kind, dtype in self._first_batch.autocast.items():
                    stack.enter_context(torch.autocast(kind, dtype=dtype))
            yield

    def graph(self) -> Snapshot | None:
        """The graph that is learned on, where the inputs hold one."""
        edges = None if self._inputs is None else self._inputs.edge_index
        if edges is None:
            return None
        kept = evenly(edges.shape[1], self._capture.limits.values)
        notes = {} if len(kept) == edges.shape[1] else {"edges_shown": len(kept), "edges_of": edges.shape[1]}
        array = edges.detach().cpu()[:, kept].to(torch.int32).numpy()
        return Snapshot("graph", "graph", array, ("ends", "edges"), self._capture.items, notes=notes)

    def wait_for_device(self) -> None:
        """Wait until the GPU has done what the loop gave it, so that a look is not charged for it."""
        for device in {parameter.device for parameter in self._capture.model.parameters()}:
            if device.type == "cuda":
                torch.cuda.synchronize(device)

    def device_memory(self) -> int | None:
        """Bytes that tensors take on the GPUs of the model; None where it is on the CPU."""
        devices = {parameter.device for parameter in self._capture.model.parameters()}
        taken = [memory for device in devices if (memory := device_memory(device)) is not None]
        return sum(taken) if taken else None

    def close(self) -> None:
        """Take the hook off that waits for a first batch."""
        if self._first_batch is not None:
            self._first_batch.close()

    def _on_device(self) -> Inputs:
        inputs = self._inputs
        if inputs is None:
            if self._first_batch is None or self._first_batch.inputs is None:
                raise InputError("There is nothing to look at the model with: it has not seen a batch yet.")
            inputs = self._first_batch.inputs
        devices = {parameter.device for parameter in self._capture.model.parameters()}
        if len(devices) == 1:
            inputs = inputs.to(devices.pop())
        self._inputs = inputs
        return inputs

    def _describe(self, inputs: Inputs) -> ItemSet | None:
        labels = self._description["labels"]
        total = None if self._first_batch is None else self._first_batch.total
        if labels is not None and total is not None and inputs.count != total == len(labels):
            self._description["labels"] = labels[: inputs.count]
        return probe_items(inputs, **self._description)
