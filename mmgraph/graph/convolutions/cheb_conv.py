"""Spectral convolution by Chebyshev polynomials (ChebNet)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias, get_args

import torch
from torch import Tensor, nn

from mmgraph.graph.adjacency import Adjacency
from mmgraph.graph.arguments import check_channels, check_count, check_name
from mmgraph.graph.propagation import propagate
from mmgraph.graph.sparse_features import Features, SparseFeatures, check_features, linear

LargestEigenvalue = Literal["2", "true"]
_Operator: TypeAlias = Callable[[Tensor], Tensor]


class ChebConv(nn.Module):
    """A filter that is a polynomial of the Laplacian, and so reaches K − 1 edges far.

    Y = Σ_{k<K} T_k(L̃) X W_kᵀ + b,  L̃ = 2 L / λmax − I,  L = I − D^(-1/2) A D^(-1/2),
    T_0 = 1, T_1(L̃) = L̃, T_k(L̃) = 2 L̃ T_{k−1}(L̃) − T_{k−2}(L̃)

    Self-loops of the graph are left out; dᵢ is the weighted number of incoming edges.

    Args:
        in_channels: features per node.
        out_channels: features per node after it.
        K: number of polynomials.
        lambda_max: "2" is an upper bound of λmax that needs no work; "true" takes it from the graph, once, which
            has to be undirected.
        bias: whether to add b.

    Shapes:
        x (num_nodes, in_channels) dense or SparseFeatures, graph with num_nodes nodes: (num_nodes, out_channels).

    Raises:
        InputError: the features do not fit the layer or the graph, a weight is negative, or the graph is directed
            where `lambda_max` is "true".
        UnknownNameError: there is no such `lambda_max`.

    Source: Defferrard, Bresson and Vandergheynst, Convolutional Neural Networks on Graphs with Fast Localized
    Spectral Filtering, NeurIPS 2016.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        K: int = 3,
        lambda_max: LargestEigenvalue = "2",
        bias: bool = True,
    ) -> None:
        super().__init__()
        check_channels(in_channels, out_channels)
        check_count("polynomial (K)", K)
        check_name("lambda_max", lambda_max, get_args(LargestEigenvalue))
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.K = K
        self.lambda_max = lambda_max
        self.weight = nn.Parameter(torch.empty(K, out_channels, in_channels))
        self.bias = nn.Parameter(torch.empty(out_channels)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Glorot-uniform weights for each polynomial on its own, zero bias."""
        for weight in self.weight:
            nn.init.xavier_uniform_(weight)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, x: Features, graph: Adjacency | Tensor) -> Tensor:
        check_features(x, self.in_channels)
        given = Adjacency.of(graph, len(x))
        scale = 2 / (given.largest_eigenvalue() if self.lambda_max == "true" else 2.0)
        adjacency = given.without_self_loops().normalized("sym", self_loops=False, dtype=self.weight.dtype)

        def shifted(h: Tensor) -> Tensor:
            """L̃ H = (2 / λmax − 1) H − 2 / λmax · D^(-1/2) A D^(-1/2) H"""
            result = -scale * propagate(adjacency, h)
            return result if scale == 1 else result + (scale - 1) * h

        # Products commute with L̃: propagate on whichever side has fewer channels; L̃ X would not stay sparse.
        if isinstance(x, SparseFeatures) or self.out_channels <= self.in_channels:
            y = self._clenshaw(linear(x, self.weight.flatten(0, 1)).chunk(self.K, dim=1), shifted)
        else:
            y = self._ascending(x, shifted)
        return y if self.bias is None else y + self.bias

    def _clenshaw(self, terms: tuple[Tensor, ...], shifted: _Operator) -> Tensor:
        """Σ_k T_k(L̃) H_k by Clenshaw's recurrence: B_k = H_k + 2 L̃ B_{k+1} − B_{k+2}."""
        if self.K == 1:
            return terms[0]
        later, latest = None, terms[-1]
        for term in reversed(terms[1:-1]):
            following = term + 2 * shifted(latest)
            later, latest = latest, following if later is None else following - later
        result = terms[0] + shifted(latest)
        return result if later is None else result - later

    def _ascending(self, x: Tensor, shifted: _Operator) -> Tensor:
        terms = [x]
        if self.K > 1:
            terms.append(shifted(x))
        while len(terms) < self.K:
            terms.append(2 * shifted(terms[-1]) - terms[-2])
        return linear(torch.cat(terms, dim=1), self.weight.transpose(0, 1).flatten(1))

    def extra_repr(self) -> str:
        return (
            f"{self.in_channels}, {self.out_channels}, K={self.K}, lambda_max={self.lambda_max!r}, "
            f"bias={self.bias is not None}"
        )
