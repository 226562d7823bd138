"""What a valid list of edges is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence

import torch
from torch import Tensor

from mmgraph.errors import InputError

MOST_NODES = 3_037_000_499
"""So that row · nodes + column fits into 64 bits."""


def checked_num_nodes(edge_index: Tensor, num_nodes: int | None) -> int:
    """The number of nodes, one more than the largest index where it is not given.

    Raises:
        InputError: edge_index is not a dense integer tensor (2, E), or an index is out of range.
    """
    if not isinstance(edge_index, Tensor) or edge_index.layout != torch.strided:
        kind = edge_index.layout if isinstance(edge_index, Tensor) else type(edge_index).__name__
        raise InputError(f"Expected edge_index as a dense tensor (2, E), but got {kind}.")
    if edge_index.dim() != 2 or edge_index.size(0) != 2:
        raise InputError(f"Expected edge_index of shape (2, E), but got {tuple(edge_index.shape)}.")
    if edge_index.is_floating_point() or edge_index.is_complex() or edge_index.dtype == torch.bool:
        raise InputError(f"Expected edge_index of integers, but got {edge_index.dtype}.")
    if num_nodes is not None and (not isinstance(num_nodes, int) or not 0 <= num_nodes <= MOST_NODES):
        raise InputError(f"Expected a number of nodes ≥ 0 and ≤ {MOST_NODES:,}, but got {num_nodes}.")
    if edge_index.numel() == 0:
        return num_nodes or 0
    # GPU synchronisation, once per graph.
    smallest, largest = (int(bound) for bound in torch.aminmax(edge_index))
    if num_nodes is None:
        if largest >= MOST_NODES:
            raise InputError(
                f"Expected node indices < {MOST_NODES:,}, but the largest is {largest}: number the nodes from 0."
            )
        num_nodes = largest + 1
    if smallest < 0 or largest >= num_nodes:
        raise InputError(
            f"Expected node indices ≥ 0 and < num_nodes = {num_nodes}, "
            f"but edge_index goes from {smallest} to {largest}."
        )
    return num_nodes


def check_edge_weight(edge_weight: Tensor | None, edge_index: Tensor) -> None:
    """One finite floating-point weight per edge, or none at all.

    Raises:
        InputError: wrong shape, type or device, or a weight that is not finite.
    """
    if edge_weight is None:
        return
    if edge_weight.shape != (edge_index.size(1),):
        raise InputError(
            f"Expected one weight per edge, ({edge_index.size(1)},), but got {tuple(edge_weight.shape)}."
        )
    if not edge_weight.is_floating_point():
        raise InputError(f"Expected floating-point weights, but got {edge_weight.dtype}: use weight.float().")
    if edge_weight.device != edge_index.device:
        raise InputError(
            f"Expected edges and weights on one device, but they are on {edge_index.device} and "
            f"{edge_weight.device}."
        )
    # GPU synchronisation, once per graph.
    finite = torch.isfinite(edge_weight.detach())
    if not bool(finite.all()):
        where = int(torch.nonzero(~finite)[0])
        raise InputError(f"Expected finite weights, but edge {where} has {edge_weight[where].item()}.")


def check_node_ids(node_ids: Sequence[Hashable] | None, num_nodes: int) -> None:
    """One name per node, all different, or none at all.

    Raises:
        InputError: another number of names, or a name that is there twice.
    """
    if node_ids is None:
        return
    if len(node_ids) != num_nodes:
        raise InputError(f"Expected one id per node, {num_nodes}, but got {len(node_ids)}.")
    if len(set(node_ids)) < num_nodes:
        [(name, times)] = Counter(node_ids).most_common(1)
        raise InputError(f"Expected different node ids, but {name!r} is there {times} times.")
