"""A graph whose parts lie with the processes of a job, and what these send each other."""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from mmgraph.errors import InputError
from mmgraph.graph.convolutions.edge_conv import EdgeConv
from mmgraph.graph.convolutions.reach import reach
from mmgraph.graph.convolutions.relational_gcn_conv import RelationalGCNConv
from mmgraph.graph.partitioning.shard import GraphShard


class DistributedGraph:
    """This process's part of a graph; a `GNN` takes it in place of the graph, with the features of own nodes.

    Before every convolution each process sends the others the features of the nodes in their halos, by one
    all-to-all; gradients go back the same way. Outputs and gradients are those of the whole graph, for every
    convolution that looks one hop far. All processes must call the network the same number of times.

    Args:
        shard: the part that this process owns; part r belongs to rank r.
        group: the processes; None for all.

    Raises:
        InputError: there is not one part per process.
    """

    def __init__(self, shard: GraphShard, group: dist.ProcessGroup | None = None) -> None:
        if len(shard.sent) != dist.get_world_size(group):
            raise InputError(
                f"Expected one part of the graph for each of {dist.get_world_size(group)} processes, but it was cut "
                f"into {len(shard.sent)}."
            )
        self.shard, self.group = shard, group
        self._sent = torch.cat(shard.sent)
        self._sent_counts = [len(nodes) for nodes in shard.sent]

    @property
    def num_nodes(self) -> int:
        """How many nodes this process owns."""
        return self.shard.num_own

    def to(self, device: torch.device) -> DistributedGraph:
        """The part on another device."""
        return DistributedGraph(self.shard.to(device), self.group)

    def convolve(self, conv: nn.Module, h: Tensor) -> Tensor:
        """A convolution over the whole graph, at the nodes that this process owns.

        Shapes:
            h (num_own, channels): (num_own, out_channels).

        Raises:
            InputError: the convolution looks further than one hop, or at what edges carry.
        """
        if reach(conv) not in (0, 1) or isinstance(conv, (EdgeConv, RelationalGCNConv)):
            raise InputError(
                f"Expected a convolution that looks one hop far and at nodes alone for a graph on several processes, "
                f"but got {type(conv).__name__}: use GCN, SAGE, GAT, GATv2 or GIN, or a single process."
            )
        y: Tensor = conv(self.extend(h), self.shard.adjacency)
        return y[: self.shard.num_own]

    def extend(self, h: Tensor) -> Tensor:
        """The features of own nodes and of the halo.

        Shapes:
            h (num_own, …): (num_own + halo, …).
        """
        y: Tensor = _Exchange.apply(self, h)  # type: ignore[no-untyped-call]
        return y


class _Exchange(torch.autograd.Function):
    """h → [h, halo]; backwards what the halo got goes home and is added there."""

    @staticmethod
    def forward(ctx: Any, graph: DistributedGraph, h: Tensor) -> Tensor:
        ctx.graph = graph
        halo = h.new_empty(sum(graph.shard.received), *h.shape[1:])
        _all_to_all(halo, h[graph._sent], graph.shard.received, graph._sent_counts, graph.group)
        return torch.cat([h, halo])

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[None, Tensor]:
        graph, (grad,) = ctx.graph, grads
        own, halo = grad[: graph.num_nodes], grad[graph.num_nodes :]
        home = grad.new_empty(len(graph._sent), *grad.shape[1:])
        _all_to_all(home, halo, graph._sent_counts, graph.shard.received, graph.group)
        return None, own.index_add(0, graph._sent, home)


def _all_to_all(
    into: Tensor, out_of: Tensor, received: Any, sent: Any, group: dist.ProcessGroup | None
) -> None:
    dist.all_to_all_single(into, out_of.contiguous(), list(received), list(sent), group=group)
