"""The network of Planetoid: classes from features and from vectors that also predict context."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mmgraph.graph.embeddings.context_pairs import Contexts, descend_encoder, descend_vectors
from mmgraph.graph.kernels.random_zeros import drop
from mmgraph.graph.sparse_features import SparseFeatures, linear


class PlanetoidNetwork(nn.Module):
    """Logits from the features x and the vector e of a node.

        logits = [ReLU(x Wₓ + bₓ), ReLU(e W_e + b_e)] W_y + b_y

    e is a free vector per node (transductive) or ReLU(x W + b) (inductive).

    Args:
        features: as SparseFeatures, one row per node, all of one length.
        classes: C.
        dimensions: d of the vectors.
        hidden: units of each of the two hidden layers.
        inductive: whether vectors are a function of the features.
        dropped: share of features and hidden units set to zero in training.

    Shapes:
        features (N, F); nodes (n,) → logits (n, C).

    Source: Yang, Cohen & Salakhutdinov, ICML 2016, eq. 5 and 6.
    """

    def __init__(
        self,
        features: SparseFeatures,
        classes: int,
        *,
        dimensions: int = 50,
        hidden: int = 50,
        inductive: bool = False,
        dropped: float = 0.5,
    ) -> None:
        super().__init__()
        self.features, self.dropped = features, dropped
        nodes, channels = features.shape
        self.from_features = nn.Linear(channels, hidden)
        self.from_vector = nn.Linear(dimensions, hidden)
        self.output = nn.Linear(2 * hidden, classes)
        for layer in (self.from_features, self.from_vector, self.output):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
        self.context = nn.Parameter(torch.zeros(nodes, dimensions), requires_grad=False)
        self.inductive = inductive
        table = torch.empty(channels if inductive else nodes, dimensions)
        if inductive:
            nn.init.xavier_uniform_(table)
        else:
            nn.init.uniform_(table, -0.5 / dimensions, 0.5 / dimensions)
        self.table = nn.Parameter(table)
        self.bias = nn.Parameter(torch.zeros(dimensions), requires_grad=inductive)

    def embed(self, features: SparseFeatures, nodes: Tensor | None = None) -> Tensor:
        """The vectors of nodes with these features; `nodes` says which they are where vectors are free."""
        if self.inductive:
            return torch.relu(linear(features, self.table.t()) + self.bias)
        return self.table if nodes is None else self.table[nodes]

    def vectors(self) -> NDArray[np.float32]:
        """The vectors of all nodes, (N, d); a copy."""
        with torch.no_grad():
            return self.embed(self.features).numpy().copy()

    def forward(self, features: SparseFeatures, nodes: Tensor | None = None) -> Tensor:
        """Logits of nodes with these features."""
        seen = features.with_value(drop(features.value, self.dropped)) if self.training else features
        from_features = linear(seen, self.from_features.weight) + self.from_features.bias
        vector = self.embed(seen, nodes)
        if self.training:
            vector = drop(vector, self.dropped)
        hidden = torch.relu(torch.cat([from_features, self.from_vector(vector)], dim=1))
        logits: Tensor = self.output(drop(hidden, self.dropped) if self.training else hidden)
        return logits

    def descend(self, contexts: Contexts, learning_rate: float) -> float:
        """One step downhill per pair, in place; the mean loss."""
        w, rate = self.context.numpy(), np.float32(learning_rate)
        table, bias = self.table.detach().numpy(), self.bias.detach().numpy()
        if not self.inductive:
            return descend_vectors(*contexts, rate, table, w)
        pattern = self.features.pattern
        rowptr, col, value = pattern.rowptr.numpy(), pattern.col.numpy(), self.features.value.numpy()
        return descend_encoder(*contexts, rate, rowptr, col, value, table, bias, w)

    def parameter_groups(self, weight_decay: float) -> list[dict[str, Any]]:
        """What gradient descent on labels moves; vectors, and what makes them, are not decayed."""
        own = {"table", "bias"}
        moved = {name: value for name, value in self.named_parameters() if value.requires_grad}
        return [
            {"params": [moved[name] for name in moved if name in own], "weight_decay": 0.0},
            {"params": [moved[name] for name in moved if name not in own], "weight_decay": weight_decay},
        ]
