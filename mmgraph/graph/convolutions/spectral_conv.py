"""Spectral convolution in the full eigenbasis."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from mmgraph.graph.adjacency import Adjacency
from mmgraph.graph.arguments import check_channels, check_count
from mmgraph.graph.sparse_features import Features, SparseFeatures, check_features, linear


class SpectralConv(nn.Module):
    """Every frequency of the graph multiplied with a learned, smooth function of it.

    Y = Σ_q U diag(β_q(λ)) Uᵀ X W_qᵀ + b,  L = I − D^(-1/2) A D^(-1/2) = U diag(λ) Uᵀ

    β_q is the natural cubic spline that is 1 at the q-th of equally spaced knots on [0, 2] and 0 at the others, so
    the response of output o to input i is the spline through the values W_qoi at the knots.

    The graph has to be undirected; its self-loops are left out. The eigenbasis takes O(n³) time and O(n²) memory
    once per `Adjacency`, each call O(n² · channels): for graphs of a few thousand nodes.

    Args:
        in_channels: features per node.
        out_channels: features per node after it.
        knots: number of knots of the splines; fewer are smoother, and smoother is more local on the graph.
        bias: whether to add b.

    Shapes:
        x (num_nodes, in_channels) dense or SparseFeatures, graph with num_nodes nodes: (num_nodes, out_channels).

    Raises:
        InputError: the features do not fit the layer or the graph, a weight is negative, or the graph is directed.

    Source: Bruna, Zaremba, Szlam and LeCun, Spectral Networks and Deep Locally Connected Networks on Graphs,
    ICLR 2014.
    Differs: multipliers are splines over the eigenvalue instead of over its rank, so that they do not depend on how
    the solver chose a basis for equal eigenvalues, and apply to another graph.
    """

    def __init__(self, in_channels: int, out_channels: int, *, knots: int = 6, bias: bool = True) -> None:
        super().__init__()
        check_channels(in_channels, out_channels)
        check_count("knots", knots, 2)
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.knots = knots
        self.weight = nn.Parameter(torch.empty(knots, out_channels, in_channels))
        self.bias = nn.Parameter(torch.empty(out_channels)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Glorot-uniform weights for each knot on its own, zero bias."""
        for weight in self.weight:
            nn.init.xavier_uniform_(weight)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, x: Features, graph: Adjacency | Tensor) -> Tensor:
        check_features(x, self.in_channels)
        eigenvalues, basis = Adjacency.of(graph, len(x)).eigenbasis(self.weight.dtype)
        # Uᵀ (X W) = (Uᵀ X) W: the basis is multiplied with whichever has fewer channels.
        if isinstance(x, SparseFeatures) or self.knots * self.out_channels <= self.in_channels:
            spectrum = basis.T @ linear(x, self.weight.flatten(0, 1))
        else:
            spectrum = linear(basis.T @ x, self.weight.flatten(0, 1))
        spectrum = spectrum.view(-1, self.knots, self.out_channels)
        y = basis @ (_splines(eigenvalues, self.knots).unsqueeze(-1) * spectrum).sum(1)
        return y if self.bias is None else y + self.bias

    def extra_repr(self) -> str:
        return f"{self.in_channels}, {self.out_channels}, knots={self.knots}, bias={self.bias is not None}"


def _splines(eigenvalues: Tensor, knots: int) -> Tensor:
    """β_q(λ) of every eigenvalue and knot, (num_nodes, knots)."""
    from scipy.interpolate import CubicSpline

    splines = CubicSpline(np.linspace(0, 2, knots), np.eye(knots), bc_type="natural")
    # Rounding may put an eigenvalue just outside.
    values = splines(eigenvalues.double().clamp(0, 2).cpu().numpy())
    return torch.as_tensor(values, dtype=eigenvalues.dtype, device=eigenvalues.device)
