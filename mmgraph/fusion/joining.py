"""How vectors of several modalities become one; modalities that are missing have no say.

h (n, M, d) has a vector per modality, a (n, M) says which are there; every row has at least one.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Early(nn.Module):
    """f = relu(W [a₁h₁; …; a_M h_M; a] + b): what is missing is zero, and the network is told so.

    Shapes:
        vectors (n, M, d), present (n, M) bool: (n, d).
    """

    def __init__(self, modalities: int, dim: int) -> None:
        super().__init__()
        self.together = nn.Linear(modalities * (dim + 1), dim)

    def forward(self, vectors: Tensor, present: Tensor) -> Tensor:
        there = present.to(vectors.dtype)
        known = (vectors * there.unsqueeze(2)).flatten(1)
        joined: Tensor = self.together(torch.cat([known, there], dim=1)).relu()
        return joined


class Gated(nn.Module):
    """f = Σ_m z_m ∘ h_m,  z = softmax over the modalities there of W_m [a₁h₁; …; a_M h_M] + b_m.

    Every feature has gates of its own. With two modalities z₁ = σ(…) and z₂ = 1 − z₁, the gated multimodal unit.

    Shapes:
        vectors (n, M, d), present (n, M) bool: (n, d).

    Source: Arevalo et al., "Gated multimodal units for information fusion", ICLR workshop 2017. Differs: any number of
        modalities; h = relu(…), not tanh(…).
    """

    def __init__(self, modalities: int, dim: int) -> None:
        super().__init__()
        self.gate = nn.Linear(modalities * dim, modalities * dim)

    def forward(self, vectors: Tensor, present: Tensor) -> Tensor:
        return (self.gates(vectors, present) * vectors).sum(1)

    def gates(self, vectors: Tensor, present: Tensor) -> Tensor:
        """z, (n, M, d)."""
        known = vectors * present.to(vectors.dtype).unsqueeze(2)
        scores: Tensor = self.gate(known.flatten(1)).view_as(vectors)
        return scores.masked_fill(~present.unsqueeze(2), -torch.inf).softmax(1)

    def weights(self, vectors: Tensor, present: Tensor) -> Tensor:
        """Mean gate of each modality, (n, M), summing to 1."""
        return self.gates(vectors, present).mean(2)


class Attention(nn.Module):
    """f = Σ_m α_m h_m,  α = softmax over the modalities there of vᵀ tanh(U h_m + u_m).

    Shapes:
        vectors (n, M, d), present (n, M) bool: (n, d).

    Source: Bahdanau, Cho & Bengio, "Neural machine translation by jointly learning to align and translate", ICLR 2015.
        Differs: attends to modalities, each with an offset u_m of its own.
    """

    def __init__(self, modalities: int, dim: int) -> None:
        super().__init__()
        self.look = nn.Linear(dim, dim, bias=False)
        self.offset = nn.Parameter(torch.zeros(modalities, dim))
        self.score = nn.Linear(dim, 1, bias=False)

    def forward(self, vectors: Tensor, present: Tensor) -> Tensor:
        return (self.weights(vectors, present).unsqueeze(2) * vectors).sum(1)

    def weights(self, vectors: Tensor, present: Tensor) -> Tensor:
        """α, (n, M)."""
        scores: Tensor = self.score(torch.tanh(self.look(vectors) + self.offset)).squeeze(2)
        return scores.masked_fill(~present, -torch.inf).softmax(1)


class LowRank(nn.Module):
    """f = Σ_r w_r ∏_{m there} W_m^r [h_m; 1] + b: products of all modalities, by factors of rank R.

    It equals a linear map of the outer product of all [h_m; 1] whose weight tensor has rank R, never formed.

    Shapes:
        vectors (n, M, d), present (n, M) bool: (n, d).

    Source: Liu et al., "Efficient low-rank multimodal fusion with modality-specific factors", ACL 2018.
    """

    def __init__(self, modalities: int, dim: int, rank: int) -> None:
        super().__init__()
        # Factors are multiplied: near one they neither vanish nor grow with the number of modalities.
        self.factor = nn.Parameter(torch.randn(modalities, rank, dim, dim) / dim**0.5)
        self.constant = nn.Parameter(torch.ones(modalities, rank, dim))
        self.mix = nn.Parameter(torch.full((rank,), 1 / rank))
        self.bias = nn.Parameter(torch.zeros(dim))

    def forward(self, vectors: Tensor, present: Tensor) -> Tensor:
        factors = torch.einsum("nmd,mrde->nmre", vectors, self.factor) + self.constant
        product = factors.masked_fill(~present[:, :, None, None], 1.0).prod(1)
        joined: Tensor = torch.einsum("nre,r->ne", product, self.mix) + self.bias
        return joined
