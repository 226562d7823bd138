"""One part of a graph, as the process that owns it holds it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from mmgraph.errors import InputError
from mmgraph.graph.adjacency import Adjacency
from mmgraph.graph.kernels.pattern import SparsityPattern
from mmgraph.graph.sampling.excerpt import Degrees, Excerpt


@dataclass(frozen=True)
class GraphShard:
    """The nodes of a part, all edges into them, and the nodes of other parts that these come from (the halo).

    Args:
        adjacency: over own nodes, then the halo; rows of the halo are empty. Normalised as the whole graph.
        nodes: the number of each in the whole graph: own ones ascending, then the halo by owner, ascending.
        num_own: how many nodes this part owns.
        sent: for each other part, and for this one without any, which own nodes are in its halo, by number here.
        received: how many nodes of the halo each part owns.

    Shapes:
        nodes (num_own + halo,) int64, sent[part] (n,) int64.
    """

    adjacency: Excerpt
    nodes: Tensor
    num_own: int
    sent: tuple[Tensor, ...]
    received: tuple[int, ...]

    @classmethod
    def cut(cls, graph: Adjacency, part: Tensor, number: int) -> GraphShard:
        """The part of that number of a graph.

        Args:
            graph: the whole graph.
            part: of every node, as from `partition_graph`.
            number: which part.

        Shapes:
            part (num_nodes,) int64.

        Raises:
            InputError: not one part per node.
        """
        if part.shape != (graph.num_nodes,) or part.dtype != torch.int64 or bool((part < 0).any()):
            raise InputError(
                f"Expected the part of each of {graph.num_nodes} nodes as int64 ≥ 0, but got {part.dtype} of shape "
                f"{tuple(part.shape)}."
            )
        num_parts = max(int(part.max()) + 1 if len(part) else 1, number + 1)
        own = (part == number).nonzero().flatten()
        inside = part[graph.row] == number
        outside = inside & (part[graph.col] != number)
        halo = graph.col[outside].unique()
        halo = halo[part[halo].argsort(stable=True)]
        nodes = torch.cat([own, halo])
        number_of = torch.full((graph.num_nodes,), -1)
        number_of[nodes] = torch.arange(len(nodes))

        # Which own nodes the other parts ask for: the sources here of edges into them.
        leaving = (part[graph.col] == number) & ~inside
        wanted = torch.stack([part[graph.row[leaving]], graph.col[leaving]]).unique(dim=1)
        sent = tuple(number_of[wanted[1, wanted[0] == other]] for other in range(num_parts))

        pattern = SparsityPattern.from_entries(
            number_of[graph.row[inside]], number_of[graph.col[inside]], (len(nodes), len(nodes))
        )
        value = None if graph.value is None else graph.value[inside][pattern.order]
        degrees = Degrees.of(graph).of_nodes(nodes)
        adjacency = Excerpt(pattern, value, torch.arange(len(nodes)), degrees)
        received = part[halo].bincount(minlength=num_parts).tolist()
        return cls(adjacency, nodes, len(own), sent, tuple(received))

    @property
    def own(self) -> Tensor:
        """The nodes of this part, by their numbers in the whole graph, (num_own,)."""
        return self.nodes[: self.num_own]

    def to(self, device: torch.device) -> GraphShard:
        """The part on another device."""
        sent = tuple(nodes.to(device) for nodes in self.sent)
        return GraphShard(self.adjacency.to(device), self.nodes, self.num_own, sent, self.received)
