"""How far two embeddings are apart."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor, nn

from mmgraph.errors import InputError, UnknownNameError
from mmgraph.metric.arguments import check_embeddings

DistanceKind = Literal["l2", "squared", "l1", "cosine", "learned"]


class Distance(nn.Module):
    """The distance of two vectors, of pairs side by side or of all pairs.

    l2: ‖x − y‖;  squared: ‖x − y‖²;  l1: Σ|x − y|;  cosine: 1 − x·y / (‖x‖ ‖y‖);  learned: ‖L (x − y)‖

    Where two vectors are equal the gradient of l2 and learned is zero, not NaN. Vectors may be so large that their
    squares leave the range of their format; only squared distances have to fit it.

    Args:
        kind: which.
        normalize: divide vectors by their length first; cosine does so anyway.
        dim: features of the vectors, for "learned".
        rank: rows of L, for "learned"; as many as features by default. L starts as the identity.

    Shapes:
        x (n, d), y (n, d): (n,). `matrix`: x (n, d), y (m, d): (n, m).

    Raises:
        UnknownNameError: there is no such distance.
        InputError: "learned" without dim, vectors that do not fit, a zero vector that has no direction, or squared
            distances beyond the range of the format.

    Source: learned: Xing et al., "Distance metric learning", NeurIPS 2002.
    """

    def __init__(
        self,
        kind: DistanceKind = "l2",
        *,
        normalize: bool = False,
        dim: int | None = None,
        rank: int | None = None,
    ) -> None:
        super().__init__()
        if kind not in get_args(DistanceKind):
            raise UnknownNameError.of("distance", kind, get_args(DistanceKind))
        self.kind = kind
        self.normalize = normalize or kind == "cosine"
        self.weight: nn.Parameter | None = None
        if kind == "learned":
            if dim is None or dim < 1 or (rank is not None and rank < 1):
                raise InputError(
                    f"Expected dim ≥ 1 and rank ≥ 1 for a learned distance, but got {dim} and {rank}."
                )
            self.weight = nn.Parameter(torch.eye(dim if rank is None else rank, dim))

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """The distance of each row of x to the row of y beside it."""
        if x.shape != y.shape:
            raise InputError(
                f"Expected as many vectors of as many features on both sides, but got {tuple(x.shape)} and "
                f"{tuple(y.shape)}."
            )
        x, y = self.prepared(x), self.prepared(y)
        if self.kind == "l1":
            return (x - y).abs().sum(-1)
        if self.kind == "cosine":
            return 1 - (x * y).sum(-1)
        apart = x - y
        if self.kind == "squared":
            squares = apart.square().sum(-1)
            if not bool(torch.isfinite(squares).all()):
                raise _too_large(squares)
            return squares
        # Its gradient at zero is zero.
        length: Tensor = torch.linalg.vector_norm(apart, dim=-1)
        if not bool(torch.isfinite(length).all()):
            scale = apart.detach().abs().amax(-1, keepdim=True).clamp_min(1)
            length = torch.linalg.vector_norm(apart / scale, dim=-1) * scale.squeeze(-1)
        return length

    def matrix(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """The distances of all rows of x to all rows of y, by default to those of x."""
        if y is not None and y.shape[1:] != x.shape[1:]:
            raise InputError(
                f"Expected vectors of as many features on both sides, but got {tuple(x.shape)} and {tuple(y.shape)}."
            )
        x = self.prepared(x)
        return self.between(x, x if y is None else self.prepared(y))

    def between(self, x: Tensor, y: Tensor) -> Tensor:
        """The distances of all rows of x to all rows of y, both of them `prepared`; nothing is checked again."""
        if self.kind == "l1":
            return torch.cdist(x, y, p=1)
        if self.kind == "cosine":
            return 1 - x @ y.T
        own, other = x.square().sum(1), y.square().sum(1)
        if not bool(torch.isfinite(4 * own).all() & torch.isfinite(4 * other).all()):
            if self.kind == "squared":
                raise _too_large(own)
            scale = max(float(some.detach().abs().max()) for some in (x, y))
            return self.between(x / scale, y / scale) * scale
        squares = own.unsqueeze(1) + other
        if not squares.requires_grad:
            squares.addmm_(x, y.T, alpha=-2).clamp_min_(0)
            return squares if self.kind == "squared" else squares.sqrt_()
        squares = torch.addmm(squares, x, y.T, alpha=-2).clamp_min(0)
        if self.kind == "squared":
            return squares
        # The square root has no slope at zero; what is zero there, such as the diagonal, gets none.
        positive = squares > 0
        return torch.where(positive, torch.where(positive, squares, 1).sqrt(), 0)

    def prepared(self, x: Tensor) -> Tensor:
        """Vectors as distances compare them: checked, projected where the distance is learned, and of length 1 where
        they are to be."""
        check_embeddings(x)
        if self.weight is not None:
            if x.size(1) != self.weight.size(1):
                raise InputError(
                    f"Expected vectors of {self.weight.size(1)} features, but got {tuple(x.shape)}."
                )
            x = x @ self.weight.T
        return unit(x) if self.normalize else x

    def extra_repr(self) -> str:
        return f"{self.kind!r}, normalize={self.normalize}"


def unit(x: Tensor) -> Tensor:
    """Vectors of length 1 in the same directions. Waits for the GPU.

    Shapes:
        x (n, d): (n, d).

    Raises:
        InputError: a vector is zero and has no direction.
    """
    length: Tensor = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
    # Squares of very large or small numbers leave the range of the format; those of their shares of the largest do not.
    smallest = torch.finfo(x.dtype).tiny ** 0.5
    if not bool(((length > smallest) & torch.isfinite(length)).all()):
        largest = x.detach().abs().amax(-1, keepdim=True)
        if bool((largest == 0).any()):
            row = int(torch.nonzero(largest.flatten() == 0)[0])
            raise InputError(
                f"Expected vectors with a direction, but row {row} is zero: it has no cosine and no length 1."
            )
        x = x / largest
        length = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
    return x / length


def _too_large(squares: Tensor) -> InputError:
    """Why vectors have no squared distance."""
    return InputError(
        f"Expected vectors whose squared distances fit {str(squares.dtype).removeprefix('torch.')}, but some exceed "
        f"{torch.finfo(squares.dtype).max:.1e}: divide them, or take the distance l2 or float64."
    )
