"""Graphs out of SciPy and torch_geometric, and back."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mmgraph.errors import InputError
from mmgraph.graph.kernels.pattern import SparsityPattern

if TYPE_CHECKING:
    import scipy.sparse
    from torch_geometric.data import Data

    from mmgraph.graph.adjacency import Adjacency


class GraphParts(NamedTuple):
    """What an Adjacency is made of; the arguments of `Adjacency.from_edge_index`."""

    edge_index: Tensor
    num_nodes: int | None = None
    edge_weight: Tensor | None = None
    node_ids: Sequence[Hashable] | None = None
    node_attributes: Mapping[str, Any] | None = None
    edge_attributes: Mapping[str, Any] | None = None


def parts_of_data(data: Data) -> GraphParts:
    """edge_index, num_nodes and edge_weight of a torch_geometric Data."""
    edge_index = getattr(data, "edge_index", None)
    if not isinstance(edge_index, Tensor):
        raise InputError(
            f"Expected a torch_geometric Data with an edge_index, but this {type(data).__name__} has none."
        )
    return GraphParts(edge_index, data.num_nodes, getattr(data, "edge_weight", None))


def to_data(adjacency: Adjacency) -> Data:
    """A torch_geometric Data; attributes of edges get names that begin with `edge_`."""
    from torch_geometric.data import Data

    edge_index, weight = adjacency.to_edge_index()
    data = Data(edge_index=edge_index, num_nodes=adjacency.num_nodes)
    if weight is not None:
        data.edge_weight = weight
    if adjacency.node_ids is not None:
        data.node_ids = list(adjacency.node_ids)
    named = dict(adjacency.node_attributes)
    for name, values in adjacency.edge_attributes.items():
        named[name if name.startswith("edge_") else f"edge_{name}"] = values
    for name, values in named.items():
        data[name] = (
            values.tolist() if values.dtype == object else torch.tensor(values, device=adjacency.device)
        )
    return data


def parts_of_scipy(matrix: Any) -> GraphParts:
    """edge_index, num_nodes and edge_weight of a square sparse matrix whose entry [j, i] is the edge j → i."""
    _check_scipy(matrix)
    entries = matrix.tocoo()
    edge_index = torch.from_numpy(np.stack([entries.row, entries.col]).astype(np.int64))
    return GraphParts(edge_index, entries.shape[0], _weight_of(entries.data))


def pattern_of_csr(matrix: Any) -> tuple[SparsityPattern, Tensor | None]:
    """The transpose of a matrix in compressed rows, and its weights in that order.

    The same as sorting its edges, in a fraction of the memory.

    Raises:
        InputError: it is not square, or its indices are not valid.
    """
    import scipy.sparse

    _check_scipy(matrix)
    try:
        matrix.check_format(full_check=True)
    except ValueError as error:
        raise InputError(f"Expected a valid matrix in compressed rows, but {error}.") from error
    in_order = bool(matrix.has_sorted_indices)
    places = None if in_order else np.arange(matrix.nnz, dtype=matrix.indices.dtype)
    values = matrix.data if places is None else places
    turned = scipy.sparse.csr_array((values, matrix.indices, matrix.indptr), matrix.shape).tocsc()
    del values, places
    rowptr, source = (torch.from_numpy(part.astype(np.int64)) for part in (turned.indptr, turned.indices))
    if in_order:
        return SparsityPattern(rowptr, source, None), _weight_of(turned.data)
    order = torch.from_numpy(turned.data.astype(np.int64))
    return SparsityPattern(rowptr, source, order), _weight_of(matrix.data[order.numpy()])


def _check_scipy(matrix: Any) -> None:
    """A square sparse matrix.

    Raises:
        InputError: it is something else.
    """
    import scipy.sparse

    is_sparse: bool = scipy.sparse.issparse(matrix)
    if not is_sparse:
        raise InputError(f"Expected a SciPy sparse matrix, but got {type(matrix).__name__}.")
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise InputError(f"Expected a square matrix, but got {matrix.shape}.")


def _weight_of(values: NDArray[Any]) -> Tensor | None:
    if values.dtype == np.bool_:
        return None
    if np.issubdtype(values.dtype, np.floating):
        return torch.from_numpy(values.copy())
    if np.issubdtype(values.dtype, np.integer):
        return torch.as_tensor(values, dtype=torch.get_default_dtype())
    raise InputError(f"Expected a matrix of real numbers or booleans, but got {values.dtype}.")


def to_scipy(adjacency: Adjacency) -> scipy.sparse.csr_array[Any]:
    """The sparse matrix whose entry [j, i] is the weight of the edge j → i."""
    import scipy.sparse

    source, target = adjacency.edge_index.cpu().numpy()
    weight = weight_without_gradient(adjacency)
    values = np.ones(len(source), np.float32) if weight is None else weight.numpy()
    return scipy.sparse.csr_array((values, (source, target)), shape=(adjacency.num_nodes,) * 2)


def weight_without_gradient(adjacency: Adjacency) -> Tensor | None:
    """Weights in CSR order on the CPU.

    Raises:
        InputError: they need gradients.
    """
    if adjacency.value is None:
        return None
    if adjacency.value.requires_grad:
        raise InputError(
            "Expected weights without gradients, but these need them: use adjacency.with_value(value.detach())."
        )
    return adjacency.value.cpu()
