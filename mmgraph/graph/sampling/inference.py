"""Outputs of a network on every node of a graph that is too large to go through it at once."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from mmgraph.errors import InputError
from mmgraph.graph.adjacency import Adjacency
from mmgraph.graph.convolutions.reach import reach
from mmgraph.graph.networks.gnn import GNN
from mmgraph.graph.sampling.features import FeatureStore, check_store, rows_of
from mmgraph.graph.sampling.neighbours import NeighborSampler


def hops_of(model: GNN) -> int | None:
    """How many hops away a network looks, and so needs to be sampled; None where that is the whole graph."""
    hops = [reach(conv) for conv in model.convs]
    if None in hops:
        return None
    return sum(hop or 0 for hop in hops) + (0 if model.propagation is None else model.propagation.K)


def infer(
    model: GNN,
    features: FeatureStore,
    graph: Adjacency,
    *,
    batch_size: int = 4096,
    device: torch.device | str = "cpu",
    edge_attr: Tensor | None = None,
) -> Tensor:
    """What a network gives on the whole graph, layer by layer and batch by batch with all neighbours.

    hˡ of all nodes is computed before any of hˡ⁺¹, so that no hˡᵢ is computed twice; dropout is off. Equal to
    `model(features, graph)` up to rounding. Memory: two layers of all nodes, on the CPU, and one batch with its
    neighbours on the device.

    Args:
        model: on `device`, without pooling.
        features: of all nodes.
        graph: the whole graph, on the CPU.
        batch_size: nodes at a time.
        device: where to compute.
        edge_attr: one row per edge, in the order given.

    Shapes:
        → (num_nodes, out_channels), on the CPU.

    Raises:
        InputError: the network pools, a convolution needs the whole graph, or features and graph do not fit.

    Source: Hamilton, Ying and Leskovec, Inductive Representation Learning on Large Graphs, NeurIPS 2017.
    """
    check_store(features, graph.num_nodes)
    device = torch.device(device)
    if model.pooling is not None:
        raise InputError("Expected a network that answers for nodes, but this one pools them.")
    hops = [reach(conv) for conv in model.convs]
    for conv, hop in zip(model.convs, hops, strict=True):
        if hop is None:
            raise InputError(
                f"Expected convolutions that look a few hops away, but {type(conv).__name__} needs the whole graph: "
                f"call model(x, graph)."
            )
    attributes = None if edge_attr is None else edge_attr[graph.order]
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            layers: list[Tensor] = []
            h = features
            for layer, hop in enumerate(hops):
                sampler = NeighborSampler(graph, [-1] * (hop or 0))
                h = _one_layer(model, layer, h, sampler, batch_size, device, attributes)
                layers.append(h)
            if model.head is None:
                return _propagated(model, layers[-1], graph, device)
            joined = _in_batches(
                len(h),
                batch_size,
                lambda rows: model.join(
                    rows_of(features, rows).to(device), [layer[rows].to(device) for layer in layers]
                ),
            )
            joined, head = _propagated(model, joined, graph, device), model.head
            return _in_batches(len(h), batch_size, lambda rows: head(joined[rows].to(device)))
    finally:
        model.train(was_training)


def _one_layer(
    model: GNN,
    layer: int,
    h: FeatureStore,
    sampler: NeighborSampler,
    batch_size: int,
    device: torch.device,
    attributes: Tensor | None,
) -> Tensor:
    def compute(rows: Tensor) -> Tensor:
        found = sampler.sample(rows)
        edge_attr = None if attributes is None else attributes[found.edges].to(device)
        x = rows_of(h, found.nodes).to(device)
        return model.layer(layer, x, found.adjacency.to(device), edge_attr)[: len(rows)]

    return _in_batches(sampler.graph.num_nodes, batch_size, compute)


def _propagated(model: GNN, h: Tensor, graph: Adjacency, device: torch.device) -> Tensor:
    if model.propagation is None:
        return h
    y: Tensor = model.propagation(h.to(device), graph.to(device))
    return y.cpu()


def _in_batches(num_nodes: int, batch_size: int, compute: Callable[[Tensor], Tensor]) -> Tensor:
    """compute(rows) for all rows, into one tensor on the CPU."""
    first, *others = torch.arange(num_nodes).split(batch_size)
    y = compute(first)
    out = torch.empty(num_nodes, *y.shape[1:], dtype=y.dtype)
    out[first] = y.cpu()
    for rows in others:
        out[rows] = compute(rows).cpu()
    return out
