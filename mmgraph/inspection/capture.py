"""Look inside any model: filters, feature maps, embeddings, predictions and attention on a fixed probe."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Collection, Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd

from mmgraph.errors import UnknownNameError
from mmgraph.inspection.draft import Draft, Limits
from mmgraph.inspection.histograms import histograms_of
from mmgraph.inspection.inputs import Inputs
from mmgraph.inspection.recorder import Recorder, first_tensor
from mmgraph.inspection.token_notes import token_notes
from mmgraph.inspection.undisturbed import uncollected, undisturbed, unwrapped
from mmgraph.runs import Snapshot

KINDS = ("filters", "feature_maps", "embedding", "prediction", "attention")


class Capture:
    """Takes snapshots of a model, and leaves it exactly as it was.

        capture = Capture(model)
        snapshots = capture.capture(images)        # one forward of the uncompiled model in eval mode

    A batch has one item per row; of a graph the nodes are the items (see `Inputs`).

    filters: weights of convolutions, named after them.
    feature_maps: outputs of convolutions (or of the layers named) for the first items.
    embedding: outputs of the layers named in `embedding`; by default what the last layer with weights works on,
        named "fc.input" where that layer is "fc".
    prediction: the output (items, classes) as probabilities, named "output".
    attention: of nn.MultiheadAttention, of scaled_dot_product_attention wherever it is called, of layers with
        `attention(x, graph)`, and of torch_geometric layers with `return_attention_weights`; named after the
        layer that is running, with "#2" for its second map.

    Args:
        model: any module; inside `torch.compile` and data-parallel wrappers the model itself is looked at.
        kinds: which of `KINDS` to take.
        layers: names of layers, or patterns such as "blocks.*", whose filters, feature maps and attention are
            taken; by default the first convolutions and all attention.
        embedding: names of layers whose outputs are taken as embeddings.
        items: name of the item set that the rows of the inputs belong to; None if they belong to none.
        tokens: the tokens of each item, in words: what the queries and keys of attention are. Where the inputs are
            pictures and there is a key for each patch, where they lie is found without it.
        limits: how much is taken at most.
        prefix: what the names of layers begin with where the model is part of another, such as "encoder.".

    Raises:
        UnknownNameError: there is no such kind, or no layer of that name.
    """

    def __init__(
        self,
        model: nn.Module,
        *,
        kinds: Collection[str] = KINDS,
        layers: Sequence[str] | None = None,
        embedding: Sequence[str] = (),
        items: str | None = "items",
        tokens: Sequence[Sequence[str]] = (),
        limits: Limits = Limits(),  # noqa: B008  frozen
        prefix: str = "",
    ) -> None:
        self.model = unwrapped(model)
        self.prefix = prefix
        self.kinds = frozenset(kinds)
        self.layers = None if layers is None else tuple(layers)
        self.embedding = (embedding,) if isinstance(embedding, str) else tuple(embedding)
        self.items = items
        self.tokens = tuple(tuple(map(str, some)) for some in tokens)
        self.limits = limits
        self.remarks: tuple[str, ...] = ()
        """What the last capture could not take, one sentence each."""
        self._activations: dict[str, Tensor] = {}
        for kind in self.kinds:
            if kind not in KINDS:
                raise UnknownNameError.of("kind of capture", kind, KINDS)
        names = self.names().values()
        for pattern in (*(self.layers or ()), *self.embedding):
            if not any(fnmatchcase(name, pattern) for name in names):
                raise UnknownNameError.of("layer", pattern, names)

    @uncollected()
    def capture(self, *args: Any, **kwargs: Any) -> list[Snapshot]:
        """Run the model once on the inputs and take the snapshots. Waits for the GPU.

        Raises:
            InputError: the model has lazy parameters that no forward has shaped yet.
            Whatever the model raises on these inputs.
        """
        inputs = Inputs(args, kwargs)
        names = self.names()
        convolutions = self._convolutions(names)
        with undisturbed(self.model):
            drafts = []
            if "filters" in self.kinds:
                drafts += [filter_draft(names[module], module, self.limits) for module in convolutions]
            if self.kinds - {"filters"}:
                drafts += self._forward(inputs, names, [names[module] for module in convolutions])
            return [draft.snapshot() for draft in drafts]

    def spread(self) -> list[Snapshot]:
        """How the activations of each layer were spread in the last capture or `sampling`: "histograms/activations".

        Nothing where that was asked before, or where the capture took filters only. Waits for the GPU.
        """
        activations, self._activations = self._activations, {}
        return histograms_of("activations", list(activations.items()))

    @contextlib.contextmanager
    def sampling(self) -> Iterator[None]:
        """Sample the activations of what is run inside, for `spread`; for tasks that run the model themselves."""
        recorder = Recorder(self.names(), self.limits)
        with recorder:
            yield
        self._activations = recorder.activations

    def _forward(self, inputs: Inputs, names: dict[nn.Module, str], convolutions: list[str]) -> list[Draft]:
        count, limits = inputs.count, self.limits
        maps = (
            convolutions if self.layers is None else [name for name in names.values() if self._chosen(name)]
        )
        recorder = Recorder(
            names,
            limits,
            count=count,
            is_graph=inputs.is_graph,
            maps=maps if "feature_maps" in self.kinds else (),
            embeddings=self._embedding_names(names) if "embedding" in self.kinds else (),
            last_input="embedding" in self.kinds and not self.embedding,
            attends=self._chosen if "attention" in self.kinds else None,
        )
        with recorder:
            output = self.model(*inputs.args, **inputs.kwargs)
        self._activations = recorder.activations
        drafts = list(recorder.drafts.values())
        if "embedding" in self.kinds and (last := recorder.last_input()) is not None:
            drafts.append(last)
        if "prediction" in self.kinds and (prediction := prediction_draft(output, self.limits)) is not None:
            drafts.append(prediction)
        self.remarks = tuple(recorder.remarks)
        for draft in drafts:
            self._name_items(draft, count)
            if draft.kind == "attention" and "queries" in draft.axes:
                draft.notes |= token_notes(draft, self.tokens, inputs.image)
        return drafts

    def _name_items(self, draft: Draft, count: int | None) -> None:
        """Say which item set the rows belong to."""
        if "edges" in draft.axes:
            draft.items = self.items
        elif (
            "items" in draft.axes and count is not None and draft.notes.get("of", len(draft.tensor)) == count
        ):
            draft.items = self.items
            if draft.kind in ("feature_maps", "attention"):
                draft.extras["rows"] = torch.arange(len(draft.tensor))

    def names(self) -> dict[nn.Module, str]:
        """What each module is called; the model itself is "model" where it is not part of another."""
        return {
            module: ".".join(
                part for part in (self.prefix + name).split(".") if part not in ("", "_orig_mod")
            )
            or "model"
            for name, module in self.model.named_modules()
        }

    def _chosen(self, name: str) -> bool:
        return self.layers is None or any(fnmatchcase(name, pattern) for pattern in self.layers)

    def _embedding_names(self, names: dict[nn.Module, str]) -> list[str]:
        return [
            name for name in names.values() if any(fnmatchcase(name, pattern) for pattern in self.embedding)
        ]

    def _convolutions(self, names: dict[nn.Module, str]) -> list[_ConvNd]:
        """The convolutions that were named, else the first ones that look at more than one place at a time."""
        found = [module for module in names if isinstance(module, _ConvNd)]
        if self.layers is not None:
            return [module for module in found if self._chosen(names[module])]
        wide = [module for module in found if math.prod(module.kernel_size) > 1]
        return (wide or found)[: self.limits.layers]


def filter_draft(layer: str, convolution: _ConvNd, limits: Limits) -> Draft:
    """The weights of a convolution: (out, in, height, width), in time as well for three dimensions.

    One-dimensional filters have height 1. In a transposed convolution `out` is what it gives.
    """
    weight: Tensor = convolution.weight
    if isinstance(convolution, _ConvTransposeNd):
        grouped = weight.unflatten(0, (convolution.groups, -1))
        weight = grouped.transpose(1, 2).flatten(0, 1)
    if weight.dim() == 3:
        weight = weight.unsqueeze(2)
    axes = ("out", "in", "height", "width") if weight.dim() == 4 else ("out", "in", "time", "height", "width")
    return (
        Draft("filters", layer, weight, axes).thin({"out": limits.channels, "in": limits.channels}).copied()
    )


def prediction_draft(output: Any, limits: Limits) -> Draft | None:
    """The output of a model that gives one row of class scores per item, as probabilities.

    Rows that are no probabilities yet go through softmax, as logits and log-probabilities do; a single column
    is taken as it is. None where the output has no such shape.
    """
    tensor = first_tensor(output)
    if tensor is None or tensor.dim() != 2 or tensor.is_complex():
        return None
    scores = tensor.float()
    notes = {"softmax": False}
    if scores.shape[1] > 1 and not _are_probabilities(scores):
        scores, notes = scores.softmax(1), {"softmax": True}
    draft = Draft("prediction", "output", scores, ("items", "classes"), notes=notes)
    return draft.thin({"items": max(1, limits.values // max(1, scores.shape[1]))}).copied()


def _are_probabilities(scores: Tensor) -> bool:
    return bool((scores >= 0).all() & ((scores.sum(1) - 1).abs() < 1e-3).all())  # waits for the GPU
