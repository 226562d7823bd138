"""A trained model as it is asked questions: what it was trained on, and how something new becomes its input."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from mmgraph.datasets.one_file import read_like
from mmgraph.errors import InputError, UnknownNameError
from mmgraph.inspection.capture import Capture
from mmgraph.inspection.inputs import Inputs
from mmgraph.inspection.probe_items import pictures
from mmgraph.inspection.recorder import first_tensor
from mmgraph.inspection.undisturbed import undisturbed
from mmgraph.questions import AboutItem
from mmgraph.runs import ItemSet, Recordings, Snapshot

Look = Callable[[Inputs], list[Snapshot]]


@dataclass(frozen=True)
class Answer:
    """What was found.

    Args:
        facts: small things that JSON can hold.
        snapshots: arrays, of the kinds that a run records.
    """

    facts: dict[str, Any] = field(default_factory=dict)
    snapshots: tuple[Snapshot, ...] = ()


Report = Callable[[float, str, Answer | None], None]
"""report(share, text, partial): how far the answer is, and what there is of it. Raises where nobody waits any more."""


@dataclass(frozen=True, eq=False)
class Brought:
    """An item as the model is given it.

    Args:
        inputs: with this one item.
        shown: what is to be seen and heard of it, see `picture_of` and `sound_of`.
    """

    inputs: Inputs
    shown: tuple[Snapshot, ...] = ()


@dataclass(frozen=True, eq=False)
class Examined:
    """A model and the items it is looked at with.

    Args:
        capture: what is looked at; its model is the one that is asked.
        look: embeddings, prediction and attention of some inputs, as the run records them.
        inputs: of the recorded items; None where they are made of their pixels, or cannot be given to the model apart
            from all else.
        items: what they are.
        pixels: uint8 pictures or clips of the recorded items; None where items are none.
        normalise: pixels to input.
        bring: makes an input of something new; None where that can only be a picture or a clip. Raises InputError.
    """

    capture: Capture
    look: Look
    inputs: Inputs | None
    items: ItemSet | None
    pixels: Tensor | None = None
    normalise: Callable[[Tensor], Tensor] | None = None
    bring: Callable[[AboutItem], Brought] | None = None
    _kept: dict[str, Any] = field(default_factory=dict, init=False, repr=False)

    @property
    def model(self) -> nn.Module:
        """What is asked."""
        return self.capture.model

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes it tells apart; none where it does not."""
        items = self.items
        return items.class_names if items is not None and "prediction" in self.capture.kinds else ()

    @property
    def count(self) -> int:
        """How many items are recorded."""
        if self.pixels is not None:
            return len(self.pixels)
        return 0 if self.inputs is None else self.inputs.count or 0

    def recorded_inputs(self) -> Inputs:
        """Inputs of all recorded items.

        Raises:
            InputError: the recipe does not say what they are.
        """
        if self.inputs is not None:
            return self.inputs
        if self.pixels is None or self.normalise is None:
            raise InputError(
                "This recipe cannot answer that: its items cannot be given to the model one by one."
            )
        return Inputs((self.normalise(self.pixels),))

    def few_inputs(self, count: int) -> Inputs:
        """Inputs of the first recorded items; a graph stays whole.

        Raises:
            InputError: the recipe does not say what they are.
        """
        if self.inputs is None and self.pixels is not None and self.normalise is not None:
            return Inputs((self.normalise(self.pixels[:count]),))
        return self.recorded_inputs().first(count)

    @property
    def recorded(self) -> list[Snapshot]:
        """What is seen in the recorded items with the weights there are now."""
        weights = tuple(
            (id(weight), weight._version) for weight in self.model.state_dict(keep_vars=True).values()
        )
        if self._kept.get("weights") != weights:
            self._kept["recorded"], self._kept["weights"] = self.look(self.recorded_inputs()), weights
        found: list[Snapshot] = self._kept["recorded"]
        return found

    def pixels_of(self, question: AboutItem) -> Tensor:
        """Pixels of the item that is asked about, (1, …) uint8.

        Raises:
            InputError: no such item, or nothing that can be made into a picture as the model knows them.
        """
        if self.pixels is None:
            raise InputError("This recipe cannot answer that: its items are no pictures.")
        if question.file is not None:
            return torch.from_numpy(read_like(question.file, tuple(self.pixels.shape[1:])))[None].to(
                self.pixels.device
            )
        return self.pixels[self.row_of(question)][None]

    def brought(self, question: AboutItem) -> Brought:
        """The one item that is asked about.

        Raises:
            As `pixels_of`, or what `bring` raises.
        """
        if question.row is None and self.bring is not None:
            return self.bring(question)
        if self.pixels is None:
            if question.row is None:
                raise InputError("This recipe cannot answer that: it knows no way to bring in something new.")
            return Brought(self.recorded_inputs().only(self.row_of(question)))
        pixels = self.pixels_of(question)
        if self.normalise is None or self.inputs is not None:
            return Brought(self.recorded_inputs().only(self.row_of(question)), (picture_of(pixels),))
        return Brought(Inputs((self.normalise(pixels),)), (picture_of(pixels),))

    def inputs_of(self, question: AboutItem) -> Inputs:
        """Inputs with the one item that is asked about.

        Raises:
            As `brought`.
        """
        return self.brought(question).inputs

    @property
    def is_graph(self) -> bool:
        """Whether the items are given to the model all at once, as the nodes of one graph."""
        return self.pixels is None and self.inputs is not None and self.inputs.is_graph

    def placed(self, question: AboutItem) -> tuple[Inputs, int]:
        """Inputs with the item that is asked about, and its row among what comes out: a graph stays whole.

        Raises:
            As `brought`.
        """
        if self.is_graph:
            return self.recorded_inputs(), self.row_of(question)
        return self.inputs_of(question), 0

    def row_of(self, question: AboutItem) -> int:
        """The row that is asked about.

        Raises:
            InputError: no row, or none of the recorded ones.
        """
        if question.row is None:
            what = "texts" if question.text is not None else "files"
            raise InputError(f"This recipe cannot answer that: it knows nothing of {what}.")
        if question.row >= self.count:
            raise InputError(f"There are items 0 to {self.count - 1}, no item {question.row}.")
        return question.row

    def layer(self, name: str) -> nn.Module:
        """The layer of that name.

        Raises:
            UnknownNameError: there is none.
        """
        names = {name: module for module, name in self.capture.names().items()}
        if name not in names:
            raise UnknownNameError.of("layer", name, names)
        return names[name]

    def outputs(self, layers: list[str], inputs: Inputs) -> dict[str, Tensor]:
        """What layers give the first time they run. Must be called inside `undisturbed`.

        Raises:
            UnknownNameError: there is no such layer.
        """
        found: dict[str, Tensor] = {}
        handles = []
        try:
            for name in layers:

                def keep(_module: nn.Module, _args: Any, output: Any, name: str = name) -> None:
                    tensor = first_tensor(output)
                    if tensor is not None:
                        # In memory of its own: the next layer may work in place.
                        found.setdefault(name, tensor.clone())

                handles.append(self.layer(name).register_forward_hook(keep, prepend=True))
            self.model(*inputs.args, **inputs.kwargs)
        finally:
            for handle in handles:
                handle.remove()
        return found

    def output_of(self, layer: str, inputs: Inputs) -> Tensor:
        """What one layer gives, without gradients.

        Raises:
            UnknownNameError: there is no such layer.
            InputError: it does not run on these inputs, or gives no numbers.
        """
        with undisturbed(self.model):
            found = self.outputs([layer], inputs)
        if layer not in found:
            raise InputError(f"The layer '{layer}' gives no numbers on these items.")
        return found[layer]

    @cached_property
    def units(self) -> dict[str, int]:
        """How many channels or features each layer gives, in order of running; without those that give none."""
        few = self.few_inputs(2)
        names = list(self.capture.names().values())
        with undisturbed(self.model):
            found = self.outputs([name for name in names if name != "model"], few)
        return {
            name: tensor.shape[unit_axis(self.layer(name), tensor)]
            for name, tensor in found.items()
            if tensor.dim() >= 2
        }


def picture_of(pixels: Tensor) -> Snapshot:
    """An item as the model sees it, as large as it is; each frame of a clip.

    Shapes:
        (1, height, width), (1, channels, height, width) or (1, frames, channels, height, width) uint8.
    """
    frames = pixels.reshape(-1, *(pixels.shape[-3:] if pixels.dim() > 3 else (1, *pixels.shape[-2:])))
    shown = pictures(frames, side=max(frames.shape[-2:]))
    return Snapshot("image", "item", shown if shown.ndim == 4 else shown[..., None])


def sound_of(samples: Tensor, rate: int) -> Snapshot:
    """An item as the model hears it.

    Shapes:
        samples (n,), −1 … 1.

    Units: rate in 1/s.
    """
    kept = Recordings.of_sounds([samples.cpu().numpy()], rate).values
    return Snapshot("matrix", "sound", kept[None], notes={"sample_rate": rate})


def unit_axis(layer: nn.Module, output: Tensor) -> int:
    """Which axis of an output counts units: channels of convolutions and pictures, else features."""
    from torch.nn.modules.conv import _ConvNd

    return 1 if isinstance(layer, _ConvNd) or output.dim() in (4, 5) else output.dim() - 1
