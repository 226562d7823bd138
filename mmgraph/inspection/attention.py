"""Read attention weights out of other people's layers, without changing what the layers compute."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from mmgraph.inspection.draft import Draft, Limits, evenly, float32_copy
from mmgraph.inspection.inputs import is_edge_shaped, is_graph

_MULTIHEAD = inspect.signature(nn.MultiheadAttention.forward)


class SeeAttention(TorchFunctionMode):
    """Tells `seen(query, key, …)` of every `scaled_dot_product_attention` that runs inside; changes nothing."""

    def __init__(self, seen: Callable[..., None]) -> None:
        super().__init__()
        self._seen = seen

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        if func is F.scaled_dot_product_attention:
            self._seen(*args, **(kwargs or {}))
        return func(*args, **(kwargs or {}))


def dot_product_weights(
    layer: str,
    count: int | None,
    limits: Limits,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Draft:
    """The weights that scaled_dot_product_attention uses, for the first items.

    A = softmax(Q Kᵀ · scale + mask),  scale = 1/√d by default

    A query that may see no key has weights of zero, as in PyTorch.

    Args:
        count: how many items the probe has; tells (items, queries, d) from (heads, queries, d).

    Shapes:
        query (items, …, heads, queries, d), key (items, …, key heads, keys, d), either also without items;
        array (items, heads, queries, keys) or (heads, queries, keys).
    """
    if query.is_nested or key.is_nested:
        raise TypeError("nested tensors have no attention map of one size")
    batched = query.dim() > 3 or (query.dim() == 3 and len(query) == count)
    heads = math.prod(query.shape[1:-2] if batched else query.shape[:-2])
    queries, keys = query.shape[-2], key.shape[-2]
    total = len(query) if batched else None
    kept, rows, columns = _affordable(total or 1, heads, queries, keys, limits)
    if batched:
        if attn_mask is not None and attn_mask.dim() == query.dim() and len(attn_mask) > 1:
            attn_mask = attn_mask[:kept]
        query, key = query[:kept], key[:kept]
    if enable_gqa and key.shape[-3] != query.shape[-3]:
        key = key.repeat_interleave(query.shape[-3] // key.shape[-3], dim=-3)
    rows, columns = rows.to(query.device), columns.to(query.device)
    with torch.autocast(query.device.type, enabled=False):
        factor = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
        scores = query.index_select(-2, rows).float() @ key.float().transpose(-2, -1) * factor
        if is_causal:
            future = torch.arange(keys, device=query.device) > rows[:, None]
            scores = scores.masked_fill(future, -torch.inf)
        if attn_mask is not None:
            mask = attn_mask if attn_mask.shape[-2] == 1 else attn_mask.index_select(-2, rows)
            scores = scores.masked_fill(~mask, -torch.inf) if mask.dtype == torch.bool else scores + mask
        blind = (scores == -torch.inf).all(-1, keepdim=True)
        weights = scores.softmax(-1).masked_fill(blind, 0.0).index_select(-1, columns)
    weights = weights.reshape(*([kept] if batched else []), heads, len(rows), len(columns))
    return _map_draft(layer, weights, queries, keys, rows, columns, total)


def multihead_weights(
    layer: str,
    module: nn.MultiheadAttention,
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    limits: Limits,
) -> Draft:
    """The weights of each head of an nn.MultiheadAttention for the first items, asked from the layer itself.

    Shapes:
        array (items, heads, queries, keys); (heads, queries, keys) where the layer got no batch.
    """
    given = _MULTIHEAD.bind(module, *args, **kwargs).arguments
    given.pop("self")
    if given["query"].is_nested:
        raise TypeError("nested tensors have no attention map of one size")
    given |= {"need_weights": True, "average_attn_weights": False}
    query, key = given["query"], given["key"]
    batched = query.dim() == 3
    item_axis, axis = (0, 1) if module.batch_first else (1, 0)
    axis = axis if batched else 0
    total = query.shape[item_axis] if batched else None
    queries, keys = query.shape[axis], key.shape[axis]
    kept, rows, columns = _affordable(total or 1, module.num_heads, queries, keys, limits)
    mask, padding = given.get("attn_mask"), given.get("key_padding_mask")
    if batched:
        for name in ("query", "key", "value"):
            given[name] = given[name].narrow(item_axis, 0, kept)
        if padding is not None:
            given["key_padding_mask"] = padding[:kept]
        if mask is not None and mask.dim() == 3:
            given["attn_mask"] = mask = mask[: kept * module.num_heads]
    rows, columns = rows.to(query.device), columns.to(query.device)
    if len(rows) < queries:
        given["query"] = given["query"].index_select(axis, rows)
        if mask is not None:
            given["attn_mask"] = mask.index_select(-2, rows)
            given["is_causal"] = False
    weights = nn.MultiheadAttention.forward(module, **given)[1]
    if weights is None:
        raise TypeError("the layer gave no weights")
    # bias_k and add_zero_attn append keys that are no token
    weights = weights[..., :keys].index_select(-1, columns)
    return _map_draft(layer, weights, queries, keys, rows, columns, total)


def asks_for_edges(module: nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
    """Whether a layer got a graph and can tell how much it attends to each edge."""
    return sees_graph(args, kwargs) and (
        inspect.isfunction(getattr(type(module), "attention", None)) or _returns_attention(module)
    )


def sees_graph(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
    """Whether the arguments of a layer hold a graph."""
    return any(is_graph(value) or is_edge_shaped(value) for value in (*args, *kwargs.values()))


def edge_weights(
    layer: str, module: nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any], limits: Limits
) -> Draft:
    """The weights of each edge and head, from `layer.attention(x, graph)` or torch_geometric's
    `return_attention_weights`.

    Shapes:
        array (heads, edges), extras edge_index (2, edges) int32.
    """
    if _returns_attention(module):
        given = inspect.signature(type(module).forward).bind(module, *args, **kwargs)
        given.arguments["return_attention_weights"] = True
        answer = type(module).forward(*given.args, **given.kwargs)[1]
    else:
        ask: Any = module.attention
        answer = ask(*args, **kwargs)
    if not (isinstance(answer, tuple) and len(answer) == 2 and is_edge_shaped(answer[0])):
        raise TypeError("the layer answered with something other than (edge_index, weights)")
    edge_index, alpha = answer
    alpha = alpha.reshape(edge_index.shape[1], -1).T
    draft = Draft("attention", layer, alpha, ("heads", "edges"))
    draft.thin({"edges": max(1, limits.values // max(1, len(alpha)))}).copied()
    kept = draft.extras.pop("edges", None)
    edges = edge_index if kept is None else edge_index.index_select(1, kept.to(edge_index.device))
    draft.extras["edge_index"] = edges.to(torch.int32, copy=True)
    return draft


def _returns_attention(module: nn.Module) -> bool:
    return "return_attention_weights" in inspect.signature(type(module).forward).parameters


def _affordable(
    items: int, heads: int, queries: int, keys: int, limits: Limits
) -> tuple[int, Tensor, Tensor]:
    """How many items, which queries and which keys fit into `limits.values`."""
    kept = min(items, limits.attention_items, max(1, limits.values // max(1, heads * queries * keys)))
    budget = max(1, limits.values // max(1, heads))
    rows = columns = 0
    if queries and keys:
        rows = min(queries, max(math.isqrt(budget), budget // keys))
        columns = min(keys, budget // rows)
    return kept, evenly(queries, rows), evenly(keys, columns)


def _map_draft(
    layer: str, weights: Tensor, queries: int, keys: int, rows: Tensor, columns: Tensor, items: int | None
) -> Draft:
    axes = ("heads", "queries", "keys") if items is None else ("items", "heads", "queries", "keys")
    draft = Draft("attention", layer, float32_copy(weights), axes)
    if items is not None and len(weights) < items:
        draft.notes |= {"shown": len(weights), "of": items}
    for axis, kept, total in (("queries", rows, queries), ("keys", columns, keys)):
        if len(kept) < total:
            draft.extras[axis] = kept
            draft.notes |= {f"{axis}_shown": len(kept), f"{axis}_of": total}
    return draft
