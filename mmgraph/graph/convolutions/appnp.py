"""Personalised PageRank as propagation (APPNP)."""

from __future__ import annotations

from torch import Tensor, nn

from mmgraph.errors import InputError
from mmgraph.graph.adjacency import Adjacency
from mmgraph.graph.arguments import check_count, check_share
from mmgraph.graph.kernels.random_zeros import drop
from mmgraph.graph.propagation import propagate


class APPNP(nn.Module):
    """Propagation that goes far and comes back: K steps of power iteration towards personalised PageRank.

    Z⁰ = H,  Zᵏ⁺¹ = (1 − α) S Zᵏ + α H,  S = D̂^(-1/2) Â D̂^(-1/2), Â = A + I

    It has no weights: H is what a network without a graph predicts for each node on its own.

    Args:
        K: number of steps.
        alpha: α, the probability to return to the start.
        edge_dropout: probability with which an entry of S is dropped in training, anew in each step.
        self_loops: whether to add I.

    Shapes:
        h (num_nodes, channels), graph with num_nodes nodes: as h.

    Raises:
        InputError: an argument is out of range, the features do not fit the graph, or a weight is negative.

    Source: Klicpera, Bojchevski and Günnemann, Predict then Propagate: Graph Neural Networks meet Personalized
    PageRank, ICLR 2019.
    """

    def __init__(
        self, *, K: int = 10, alpha: float = 0.1, edge_dropout: float = 0.0, self_loops: bool = True
    ) -> None:
        super().__init__()
        check_count("step (K)", K)
        check_share("a return probability alpha", alpha)
        check_share("an edge dropout", edge_dropout)
        self.K = K
        self.alpha = alpha
        self.edge_dropout = edge_dropout
        self.self_loops = self_loops

    def forward(self, h: Tensor, graph: Adjacency | Tensor) -> Tensor:
        if not isinstance(h, Tensor) or h.dim() != 2:
            got = tuple(h.shape) if isinstance(h, Tensor) else type(h).__name__
            raise InputError(f"Expected dense features (num_nodes, channels), but got {got}.")
        adjacency = Adjacency.of(graph, len(h)).normalized("sym", self.self_loops, dtype=h.dtype)
        drops = self.training and self.edge_dropout > 0
        z = h
        for _ in range(self.K):
            weight = drop(adjacency.weight(h.dtype), self.edge_dropout) if drops else None
            z = (1 - self.alpha) * propagate(adjacency, z, weight) + self.alpha * h
        return z

    def extra_repr(self) -> str:
        return (
            f"K={self.K}, alpha={self.alpha}, edge_dropout={self.edge_dropout}, self_loops={self.self_loops}"
        )
