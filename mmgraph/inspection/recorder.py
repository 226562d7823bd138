"""Hooks that write down, during one forward, what a `Capture` wants to keep."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd

from mmgraph.inspection.attention import (
    SeeAttention,
    asks_for_edges,
    dot_product_weights,
    edge_weights,
    multihead_weights,
    sees_graph,
)
from mmgraph.inspection.draft import Draft, Limits
from mmgraph.inspection.histograms import MOST_LAYERS, sampled
from mmgraph.inspection.hooked import hooked
from mmgraph.inspection.inputs import is_sparse_features

_WEIGHT_LAYERS = (nn.Linear, nn.Bilinear, _ConvNd)
_PASS_ON = (nn.Identity, nn.Flatten, nn.Unflatten, nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d)
"""Layers that give, while nothing is trained, the values that they got."""


@dataclass
class _Call:
    """A module that is running."""

    name: str
    input: Tensor | None
    version: int
    sees_graph: bool
    contains_graph_layer: bool = False
    contains_layer: bool = False


class Recorder:
    """Records maps, embeddings and attention of the forward that runs inside `with`; removes its hooks after.

    Args:
        names: what each module is called.
        count: how many items the inputs hold.
        is_graph: whether the inputs are one graph.
        maps: modules whose outputs are kept as feature maps.
        embeddings: modules whose outputs are kept as embeddings.
        last_input: whether the input of the last layer with weights is kept as an embedding.
        attends: whether the attention of the module of that name is wanted; None for no attention at all.
    """

    def __init__(
        self,
        names: Mapping[nn.Module, str],
        limits: Limits,
        *,
        count: int | None = None,
        is_graph: bool = False,
        maps: Collection[str] = (),
        embeddings: Collection[str] = (),
        last_input: bool = False,
        attends: Callable[[str], bool] | None = None,
    ) -> None:
        self.drafts: dict[tuple[str, str], Draft] = {}
        self.activations: dict[str, Tensor] = {}
        """Some of the values that each layer gave when it ran first."""
        self.remarks: list[str] = []
        self._names = names
        self._limits = limits
        self._count = count
        self._is_graph = is_graph
        self._maps = maps
        self._embeddings = embeddings
        self._last_input = last_input
        self._attends = attends
        self._running: list[_Call] = []
        self._last: list[_Call] = []
        self._asking = False
        self._attention_calls: dict[str, int] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Recorder:
        try:
            self._stack.enter_context(hooked(self._names, self._enter, self._leave))
            if self._attends is not None:
                self._stack.enter_context(SeeAttention(self._dot_product_seen))
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)
        self._running.clear()

    def last_input(self) -> Draft | None:
        """What the last layer with weights worked on.

        In a graph network that is the last layer that got the graph, not the linear map inside it; but never the whole
        network, which gets the graph as well.
        """
        for call in self._last:
            if call is not self._last[-1] and (call.contains_graph_layer or call.name == "model"):
                continue
            if call.input is not None and call.input._version != call.version:
                self._remark(
                    f"What '{call.name}' worked on was changed in place; name another layer as embedding."
                )
            elif call.input is not None:
                return embedding_draft(f"{call.name}.input", call.input, self._count, self._limits)
            return None
        return None

    # -- hooks -----------------------------------------------------------------------------------------

    def _enter(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if self._asking:
            return
        tensor = first_tensor((args, kwargs))
        version = 0 if tensor is None else tensor._version
        call = _Call(self._names[module], tensor, version, self._is_graph and sees_graph(args, kwargs))
        if call.sees_graph:
            for outer in self._running:
                outer.contains_graph_layer = True
        if self._running:
            self._running[-1].contains_layer = True
        self._running.append(call)
        if self._last_input and (call.sees_graph or isinstance(module, _WEIGHT_LAYERS)):
            self._last = [outer for outer in self._running[:-1] if outer.sees_graph] + [call]

    def _leave(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        if self._asking:
            return
        call = self._running.pop()
        is_group = call.contains_layer and not isinstance(module, nn.MultiheadAttention)
        computes = not is_group and not isinstance(module, _PASS_ON)
        if computes or (call.sees_graph and not call.contains_graph_layer):
            self._sample(call.name, output)
        if call.name in self._maps:
            self._keep(feature_map_draft(call.name, module, output, self._count, self._limits))
        if call.name in self._embeddings and (tensor := first_tensor(output)) is not None:
            self._keep(embedding_draft(call.name, tensor, self._count, self._limits))
        if isinstance(module, nn.MultiheadAttention):
            self._attention(
                call.name, lambda name: multihead_weights(name, module, args, kwargs, self._limits)
            )
        elif call.sees_graph and not call.contains_graph_layer and asks_for_edges(module, args, kwargs):
            self._attention(call.name, lambda name: edge_weights(name, module, args, kwargs, self._limits))

    def _dot_product_seen(self, *args: Any, **kwargs: Any) -> None:
        if self._asking or not self._running:
            return
        name = self._running[-1].name
        self._attention(
            name, lambda key: dot_product_weights(key, self._count, self._limits, *args, **kwargs)
        )

    def _attention(self, name: str, ask: Callable[[str], Draft]) -> None:
        if self._attends is None or not self._attends(name):
            return
        calls = self._attention_calls[name] = self._attention_calls.get(name, 0) + 1
        if sum(self._attention_calls.values()) > self._limits.attention_layers:
            self._remark(
                f"Attention is taken from the first {self._limits.attention_layers} maps; "
                "name the layers you want with layers=."
            )
            return
        self._asking = True
        try:
            self._keep(ask(name if calls == 1 else f"{name}#{calls}"))
        except Exception as error:  # in somebody else's layer; the rest of the model is still worth seeing
            self._remark(f"The attention of '{name}' could not be read ({type(error).__name__}: {error}).")
        finally:
            self._asking = False

    def _sample(self, name: str, output: Any) -> None:
        if name in self.activations or len(self.activations) >= MOST_LAYERS:
            return
        tensor = first_tensor(output)
        if tensor is not None and tensor.is_floating_point() and tensor.layout == torch.strided:
            # Copied, for the next layer may work in place.
            self.activations[name] = sampled(tensor.detach()).to(torch.float32, copy=True)

    def _keep(self, draft: Draft | None) -> None:
        # A layer that runs several times is shown as it was the first time.
        if draft is not None:
            self.drafts.setdefault((draft.kind, draft.layer), draft)

    def _remark(self, text: str) -> None:
        if text not in self.remarks:
            self.remarks.append(text)


def first_tensor(value: Any) -> Tensor | None:
    """The first floating-point tensor in what a layer got or gave; `logits` first where it has a name."""
    if isinstance(value, Tensor):
        return value if value.is_floating_point() or value.is_complex() else None
    if isinstance(value, Mapping):
        entries = [value["logits"]] if "logits" in value else list(value.values())
    elif isinstance(value, (tuple, list)):
        entries = list(value)
    elif is_sparse_features(value):
        return value.to_torch()
    else:
        entries = [getattr(value, name, None) for name in ("logits", "x")]
    for entry in entries:
        if entry is not None and (tensor := first_tensor(entry)) is not None:
            return tensor
    return None


def embedding_draft(layer: str, tensor: Tensor, count: int | None, limits: Limits) -> Draft | None:
    """One row per item, whatever the shape: (items, features)."""
    if tensor.dim() == 0:
        return None
    if tensor.layout != torch.strided:
        tensor = tensor.to_dense()
    if tensor.dim() > 1 and len(tensor) != count and tensor.shape[1] == count:
        tensor = tensor.transpose(0, 1)  # (time, items, features)
    rows = tensor.reshape(len(tensor), math.prod(tensor.shape[1:]))
    draft = Draft("embedding", layer, rows, ("items", "features")).thin({"features": limits.features})
    return draft.thin({"items": max(1, limits.values // max(1, draft.tensor.shape[1]))}).copied()


def feature_map_draft(
    layer: str, module: nn.Module, output: Any, count: int | None, limits: Limits
) -> Draft | None:
    """The first items and some channels of what a layer gives: (items, channels, height, width).

    One-dimensional signals have height 1; of a volume the middle slice is taken.
    """
    tensor = first_tensor(output)
    dimensions = 4
    if isinstance(module, _ConvNd):
        dimensions = 2 + len(module.kernel_size)
    if tensor is None or tensor.dim() != dimensions or dimensions not in (3, 4, 5):
        return None
    notes = {}
    if dimensions == 3:
        tensor = tensor.unsqueeze(2)
    elif dimensions == 5:
        notes = {"slice": tensor.shape[2] // 2, "slices": tensor.shape[2]}
        tensor = tensor[:, :, tensor.shape[2] // 2]
    draft = Draft("feature_maps", layer, tensor, ("items", "channels", "height", "width"), notes=notes)
    draft.head("items", limits.map_items).thin({"channels": limits.channels})
    items, channels, height, width = draft.tensor.shape
    stride = 1
    while items * channels * -(-height // stride) * -(-width // stride) > limits.values and stride < max(
        height, width
    ):
        stride += 1
    if stride > 1:
        draft.tensor = draft.tensor[:, :, ::stride, ::stride]
        draft.notes["stride"] = stride
    return draft.copied()
