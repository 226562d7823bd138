"""Spectral convolution by Cayley polynomials (CayleyNet)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mmgraph.graph.adjacency import Adjacency
from mmgraph.graph.arguments import check_channels, check_count
from mmgraph.graph.propagation import propagate
from mmgraph.graph.sparse_features import Features, check_features, linear


class CayleyConv(nn.Module):
    """A rational filter that can single out narrow bands of frequencies, where on the spectrum it learns.

    Y = X W_0ᵀ + 2 Re Σ_{j=1..r} Cʲ X W_jᵀ + b,  C = (hL + iI)⁻¹ (hL − iI),  L = I − D^(-1/2) A D^(-1/2)

    with complex W_j and the learned zoom h. C is applied by Jacobi iterations with the diagonal h + i:
    C z ≈ zᴷ,  zᵏ⁺¹ = (h N zᵏ + (hL − iI) z) / (h + i),  z⁰ = (hL − iI) z / (h + i),  N = I − L.
    For undirected graphs the error falls at least by |h| / √(h² + 1) in each.

    Self-loops of the graph are left out; dᵢ is the weighted number of incoming edges.

    Args:
        in_channels: features per node.
        out_channels: features per node after it.
        order: r, the highest power of C.
        iterations: Jacobi iterations for each power.
        zoom: h at the start.
        bias: whether to add b.

    Shapes:
        x (num_nodes, in_channels) dense or SparseFeatures, graph with num_nodes nodes: (num_nodes, out_channels).

    Raises:
        InputError: the features do not fit the layer or the graph, or a weight is negative.

    Source: Levie, Monti, Bresson and Bronstein, CayleyNets: Graph Convolutional Neural Networks with Complex
    Rational Spectral Filters, IEEE Transactions on Signal Processing 2019.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        order: int = 3,
        iterations: int = 10,
        zoom: float = 1.0,
        bias: bool = True,
    ) -> None:
        super().__init__()
        check_channels(in_channels, out_channels)
        check_count("power (order)", order)
        check_count("iterations", iterations, 0)
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.order = order
        self.iterations = iterations
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels))
        self.weight_real = nn.Parameter(torch.empty(order, out_channels, in_channels))
        self.weight_imaginary = nn.Parameter(torch.empty(order, out_channels, in_channels))
        self.zoom = nn.Parameter(torch.tensor(float(zoom)))
        self.bias = nn.Parameter(torch.empty(out_channels)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Glorot-uniform weights for each power on its own, zero bias."""
        nn.init.xavier_uniform_(self.weight)
        for weight in (*self.weight_real, *self.weight_imaginary):
            nn.init.xavier_uniform_(weight)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, x: Features, graph: Adjacency | Tensor) -> Tensor:
        check_features(x, self.in_channels)
        dtype = self.weight.dtype
        adjacency = Adjacency.of(graph, len(x)).without_self_loops()
        adjacency = adjacency.normalized("sym", self_loops=False, dtype=dtype)
        # Products commute with C: one for all powers, then Horner's rule from the highest.
        parts = torch.cat([self.weight, self.weight_real.flatten(0, 1), self.weight_imaginary.flatten(0, 1)])
        # There are no complex numbers of half precision to compute with.
        constant, *terms = linear(x, parts).to(dtype).split(self.out_channels, dim=1)
        powers = [torch.complex(real, terms[self.order + j]) for j, real in enumerate(terms[: self.order])]
        z = self._cayley(adjacency, powers[-1])
        for term in reversed(powers[:-1]):
            z = self._cayley(adjacency, z + term)
        y: Tensor = constant + 2 * z.real
        return y if self.bias is None else y + self.bias

    def _cayley(self, adjacency: Adjacency, z: Tensor) -> Tensor:
        """C z by Jacobi iterations."""
        h = self.zoom
        inverse: Tensor = torch.complex(h, torch.ones_like(h)).reciprocal()
        start: Tensor = inverse * (torch.complex(h, -torch.ones_like(h)) * z - h * _propagate(adjacency, z))
        result: Tensor = start
        for _ in range(self.iterations):
            result = inverse * h * _propagate(adjacency, result) + start
        return result

    def extra_repr(self) -> str:
        return (
            f"{self.in_channels}, {self.out_channels}, order={self.order}, iterations={self.iterations}, "
            f"bias={self.bias is not None}"
        )


def _propagate(adjacency: Adjacency, z: Tensor) -> Tensor:
    """N z, with real and imaginary parts side by side."""
    return torch.view_as_complex(propagate(adjacency, torch.view_as_real(z).contiguous()))
