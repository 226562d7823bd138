"""Node features that are mostly zero, such as bags of words: only what is not zero is stored and dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import torch
from torch import Tensor, nn

from mmgraph.errors import InputError
from mmgraph.graph.edge_list import checked_num_nodes
from mmgraph.graph.kernels.pattern import SparsityPattern
from mmgraph.graph.kernels.random_zeros import drop
from mmgraph.graph.kernels.sparse_products import sparse_product

if TYPE_CHECKING:
    import scipy.sparse


class SparseFeatures:
    """Features X of nodes in compressed rows; the network takes them wherever it takes a dense tensor.

    Every entry is stored once. Immutable: the transpose that gradients need is computed once and kept.

    Made by `from_dense`, `from_scipy` or `from_torch`.

    Args:
        pattern: where the stored entries are.
        value: what they are; gradients flow through it.

    Shapes:
        value (E,).

    Raises:
        InputError: not one floating-point value per entry.
    """

    def __init__(self, pattern: SparsityPattern, value: Tensor) -> None:
        if value.shape != (pattern.num_entries,):
            raise InputError(
                f"Expected one value per entry, ({pattern.num_entries},), but got {tuple(value.shape)}."
            )
        if not value.is_floating_point():
            raise InputError(f"Expected floating-point features, but got {value.dtype}: use x.float().")
        self.pattern = pattern
        self.value = value

    @classmethod
    def from_dense(cls, x: Tensor) -> SparseFeatures:
        """Keep what is not zero; a gradient to x is zero elsewhere. Waits for the GPU.

        Shapes:
            x (num_nodes, channels), floating-point.

        Raises:
            InputError: another layout, shape or type.
        """
        if not isinstance(x, Tensor) or x.layout != torch.strided:
            raise InputError(f"Expected a dense tensor, but got {_kind(x)}: use from_torch or from_scipy.")
        _check_matrix(x)
        row, col = x.nonzero(as_tuple=True)
        return cls(SparsityPattern.from_entries(row, col, (x.size(0), x.size(1))), x[row, col])

    @classmethod
    def from_scipy(
        cls, matrix: scipy.sparse.spmatrix[Any] | scipy.sparse.sparray[Any, Any]
    ) -> SparseFeatures:
        """Features from a SciPy sparse matrix; equal entries add up, integers become torch's default type.

        Raises:
            InputError: it is not sparse, not of two dimensions, or not of real numbers.
        """
        import scipy.sparse

        given: Any = matrix
        is_sparse: bool = scipy.sparse.issparse(given)
        if not is_sparse:
            raise InputError(f"Expected a SciPy sparse matrix, but got {type(matrix).__name__}.")
        if given.ndim != 2 or given.dtype.kind not in "biuf":
            raise InputError(
                f"Expected a matrix (num_nodes, channels) of real numbers, but got {given.dtype} of shape "
                f"{given.shape}."
            )
        entries = given.tocsr(copy=True)
        entries.sum_duplicates()
        entries = entries.tocoo()
        dtype = None if entries.dtype.kind == "f" else torch.get_default_dtype()
        row, col = (torch.from_numpy(indices).long() for indices in (entries.row, entries.col))
        pattern = SparsityPattern.from_entries(row, col, entries.shape)
        return cls(pattern, torch.as_tensor(entries.data, dtype=dtype))

    @classmethod
    def from_torch(cls, x: Tensor) -> SparseFeatures:
        """Features from a sparse tensor of torch (COO, CSR or CSC); equal entries add up.

        Shapes:
            x (num_nodes, channels), floating-point.

        Raises:
            InputError: another layout, shape or type.
        """
        layouts = (torch.sparse_coo, torch.sparse_csr, torch.sparse_csc)
        if not isinstance(x, Tensor) or x.layout not in layouts:
            raise InputError(
                f"Expected a sparse tensor in COO, CSR or CSC, but got {_kind(x)}: use from_dense or from_scipy."
            )
        entries = x.to_sparse_coo().coalesce()
        if entries.values().dim() != 1:
            raise InputError(
                "Expected a sparse tensor of numbers, but got one of dense blocks: use x.to_dense()."
            )
        _check_matrix(x)
        row, col = entries.indices()
        return cls(SparsityPattern.from_entries(row, col, (x.size(0), x.size(1))), entries.values())

    @property
    def shape(self) -> torch.Size:
        return torch.Size((self.pattern.num_rows, self.pattern.num_cols))

    @property
    def dtype(self) -> torch.dtype:
        return self.value.dtype

    @property
    def device(self) -> torch.device:
        return self.value.device

    @property
    def density(self) -> float:
        """Share of the entries that are stored; 0 where there are none."""
        return self.pattern.num_entries / max(self.shape.numel(), 1)

    def __len__(self) -> int:
        return self.pattern.num_rows

    def dim(self) -> int:
        return 2

    def size(self, dim: int) -> int:
        return self.shape[dim]

    def with_value(self, value: Tensor) -> SparseFeatures:
        """The same entries, row by row, with other values."""
        return SparseFeatures(self.pattern, value)

    def rows(self, nodes: Tensor) -> SparseFeatures:
        """The features of some nodes, in their order; a node may be there several times. Waits for the GPU.

        Shapes:
            nodes (n,) integers.

        Raises:
            InputError: these are no numbers of nodes.
        """
        if nodes.dim() != 1 or nodes.is_floating_point() or nodes.dtype == torch.bool:
            raise InputError(
                f"Expected node numbers (n,) as integers, but got {nodes.dtype} of shape {tuple(nodes.shape)}."
            )
        checked_num_nodes(torch.stack([nodes, nodes]), len(self))
        starts, lengths = self.pattern.rowptr[nodes], self.pattern.rowptr.diff()[nodes]
        rowptr = torch.zeros(len(nodes) + 1, dtype=torch.int64, device=self.device)
        torch.cumsum(lengths, 0, out=rowptr[1:])
        entries = torch.repeat_interleave(starts - rowptr[:-1], lengths)
        entries += torch.arange(len(entries), device=self.device)
        order = torch.arange(len(entries), device=self.device)
        pattern = SparsityPattern(rowptr, self.pattern.col[entries], order, self.pattern.num_cols)
        return SparseFeatures(pattern, self.value[entries])

    def to(self, target: torch.device | str | torch.dtype) -> SparseFeatures:
        """The features on another device, or of another type."""
        value = self.value.to(target)
        if value is self.value:
            return self
        pattern = self.pattern if value.device == self.device else self.pattern.to(value.device)
        return SparseFeatures(pattern, value)

    def to_dense(self) -> Tensor:
        """The features as a dense tensor, (num_nodes, channels)."""
        return self.value.new_zeros(self.shape).index_put((self.pattern.row, self.pattern.col), self.value)

    def to_torch(self) -> Tensor:
        """The features as a sparse CSR tensor of torch, which shares their memory."""
        return torch.sparse_csr_tensor(
            self.pattern.rowptr, self.pattern.col, self.value, self.shape, check_invariants=False
        )

    def __repr__(self) -> str:
        rows, channels = self.shape
        return (
            f"SparseFeatures({rows} nodes, {channels} channels, {self.density:.2%} stored, {self.dtype}, "
            f"{self.device})"
        )


Features: TypeAlias = Tensor | SparseFeatures


def check_features(x: Features, channels: int) -> None:
    """One row of that many features per node.

    Raises:
        InputError: another kind, layout, type or shape.
    """
    if not isinstance(x, (Tensor, SparseFeatures)):
        raise InputError(
            f"Expected features as a tensor or SparseFeatures, but got {type(x).__name__}: convert them with "
            f"torch.as_tensor or SparseFeatures.from_scipy."
        )
    if isinstance(x, Tensor) and x.layout != torch.strided:
        raise InputError(
            f"Expected features as a dense tensor or SparseFeatures, but got a tensor in {x.layout}: convert it "
            f"with SparseFeatures.from_torch."
        )
    if x.dim() != 2 or x.size(1) != channels:
        raise InputError(f"Expected features (num_nodes, {channels}), but got {tuple(x.shape)}.")
    if not x.dtype.is_floating_point:
        raise InputError(f"Expected features as floating-point numbers, but got {x.dtype}: use x.float().")


def dropout(x: Features, p: float, training: bool = True) -> Features:
    """Set entries to zero with probability p, and divide the others by 1 − p.

    Zeros stay zero, so only stored entries are drawn for: the distribution is that of dense dropout, the
    numbers drawn under one seed are not.

    Source: Srivastava et al., Dropout: A Simple Way to Prevent Neural Networks from Overfitting, JMLR 2014.
    """
    if not training or p == 0:
        return x
    return x.with_value(drop(x.value, p)) if isinstance(x, SparseFeatures) else drop(x, p)


def linear(x: Features, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Multiply features with a weight, and add a bias where there is one.

    Y = X Wᵀ + b

    Gradients of sparse features: ∂L/∂W = Gᵀ X, and ⟨gᵢ, wⱼ⟩ on the stored entries only. float16 and bfloat16
    are then computed in float32 and cast back; autocast leaves the sparse product alone.

    Args:
        x: dense or sparse.
        weight: W.
        bias: b.

    Shapes:
        x (num_nodes, in_channels), weight (out_channels, in_channels), bias (out_channels,):
        (num_nodes, out_channels).

    Raises:
        InputError: sparse features of another type, width or device than the weight.
    """
    if not isinstance(x, SparseFeatures):
        return nn.functional.linear(x, weight, bias)
    if weight.dim() != 2 or weight.size(1) != x.size(1):
        raise InputError(f"Expected a weight (out_channels, {x.size(1)}), but got {tuple(weight.shape)}.")
    if x.dtype != weight.dtype or x.device != weight.device:
        raise InputError(
            f"Expected sparse features and weight of one type on one device, but got {x.dtype} on {x.device} and "
            f"{weight.dtype} on {weight.device}: use features.to(weight.dtype) or features.to(weight.device)."
        )
    dtype = torch.float32 if x.dtype in (torch.float16, torch.bfloat16) else x.dtype
    y = sparse_product(x.pattern, x.value.to(dtype), weight.t().to(dtype)).to(x.dtype)
    return y if bias is None else y + bias


def _check_matrix(x: Tensor) -> None:
    if x.dim() != 2 or not x.is_floating_point():
        raise InputError(
            f"Expected floating-point features (num_nodes, channels), but got {x.dtype} of shape {tuple(x.shape)}."
        )


def _kind(x: object) -> str:
    return str(x.layout) if isinstance(x, Tensor) else type(x).__name__
