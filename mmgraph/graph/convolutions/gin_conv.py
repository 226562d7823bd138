"""Graph isomorphism convolution (GIN)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mmgraph.errors import InputError
from mmgraph.graph.adjacency import Adjacency
from mmgraph.graph.arguments import check_channels
from mmgraph.graph.propagation import propagate
from mmgraph.graph.sparse_features import Features, SparseFeatures, check_features, linear


class GINConv(nn.Module):
    """Sum of the neighbours and of the node itself, then a multi-layer perceptron: as strong as Weisfeiler-Lehman.

    yᵢ = MLP((1 + ε) xᵢ + Σ_{j→i} aᵢⱼ xⱼ)

    Args:
        in_channels: features per node.
        out_channels: features per node after it.
        mlp: takes (num_nodes, in_channels) to (num_nodes, out_channels); without it
            Linear → BatchNorm → ReLU → Linear with `mlp_channels` between.
        mlp_channels: of the perceptron that is built; `out_channels` by default.
        batch_norm: whether the perceptron that is built has BatchNorm.
        eps: ε at the start.
        train_eps: whether ε is learned.

    Shapes:
        x (num_nodes, in_channels) dense, or SparseFeatures where the perceptron starts with a linear map; graph
        with num_nodes nodes: (num_nodes, out_channels).

    Raises:
        InputError: the features do not fit the layer or the graph.

    Source: Xu, Hu, Leskovec and Jegelka, How Powerful are Graph Neural Networks?, ICLR 2019.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        mlp: nn.Module | None = None,
        mlp_channels: int | None = None,
        batch_norm: bool = True,
        eps: float = 0.0,
        train_eps: bool = True,
    ) -> None:
        super().__init__()
        mlp_channels = out_channels if mlp_channels is None else mlp_channels
        check_channels(in_channels, out_channels)
        check_channels(in_channels, mlp_channels)
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.mlp = mlp or nn.Sequential(
            nn.Linear(in_channels, mlp_channels),
            nn.BatchNorm1d(mlp_channels) if batch_norm else nn.Identity(),
            nn.ReLU(),
            nn.Linear(mlp_channels, out_channels),
        )
        self.eps: Tensor
        if train_eps:
            self.eps = nn.Parameter(torch.tensor(float(eps)))
        else:
            self.register_buffer("eps", torch.tensor(float(eps)))

    def forward(self, x: Features, graph: Adjacency | Tensor) -> Tensor:
        check_features(x, self.in_channels)
        adjacency = Adjacency.of(graph, len(x)).normalized("none", self_loops=False, dtype=x.dtype)
        y: Tensor
        if isinstance(x, SparseFeatures):
            first, rest = self._linear_and_rest()
            h = linear(x, first.weight)
            y = (1 + self.eps) * h + propagate(adjacency, h)
            y = rest(y if first.bias is None else y + first.bias)
        else:
            y = self.mlp((1 + self.eps) * x + propagate(adjacency, x))
        return y

    def _linear_and_rest(self) -> tuple[nn.Linear, nn.Module]:
        """The perceptron split after its first product, which commutes with the sum over neighbours."""
        if isinstance(self.mlp, nn.Linear):
            return self.mlp, nn.Identity()
        if isinstance(self.mlp, nn.Sequential) and len(self.mlp) and isinstance(self.mlp[0], nn.Linear):
            return self.mlp[0], self.mlp[1:]
        raise InputError(
            "Expected a perceptron that starts with nn.Linear, as only a product takes SparseFeatures, but got "
            f"{type(self.mlp).__name__}: use x.to_dense(), or nn.Sequential(nn.Linear(…), …)."
        )

    def extra_repr(self) -> str:
        return f"{self.in_channels}, {self.out_channels}, train_eps={isinstance(self.eps, nn.Parameter)}"
