"""A graph, features and one label per node in an npz file of SciPy matrices, as DBLP is handed on."""

from __future__ import annotations

import io
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from mmgraph.datasets.inert_pickle import unpickled
from mmgraph.datasets.labelled_graph import labelled_graph
from mmgraph.errors import DatasetCorruptError, DatasetMissingError

if TYPE_CHECKING:
    from torch_geometric.data import Data

MAX_FEATURES = 1 << 28
"""Nodes times features that are unpacked at most: 1 GiB."""
MAX_BYTES = 1 << 30
"""Of one array in the file, unpacked."""


def read_attributed_graph(path: Path, *, normalize_features: bool = False) -> Data:
    """The graph of `adj_matrix`, undirected, with the features of `node_attr` and the classes of `node_label`.

    The matrices lie in the file as pickles, which are read without running anything that they name.

    Args:
        path: the npz file.
        normalize_features: divide each row by its sum, x_i ← x_i / Σ_j x_ij; rows of zeros stay.

    Shapes:
        adj_matrix: (N, N) sparse; every stored number other than 0 is an edge.
        node_attr: (N, F) sparse.
        node_label: (N,) whole numbers from 0.
        edge_index: (2, E) int64, both directions of each edge.
        x: (N, F) float32; y: (N,) int64.

    Raises:
        DatasetMissingError: the file cannot be read.
        DatasetCorruptError: it is damaged or hostile, lacks an array, or they do not fit together.
    """
    import torch

    content = _content(path)
    adjacency, features, labels = (content.get(name) for name in ("adj_matrix", "node_attr", "node_label"))
    if (
        not isinstance(adjacency, sparse.csr_matrix)
        or not isinstance(features, sparse.csr_matrix)
        or not isinstance(labels, np.ndarray)
        or labels.dtype.kind not in "iu"
        or adjacency.shape != (len(labels), len(labels))
        or features.shape[0] != len(labels)
        or features.shape[0] * features.shape[1] > MAX_FEATURES
        or not np.isfinite(features.data).all()
        or labels.min(initial=0) < 0
    ):
        raise DatasetCorruptError(
            f"{path} must hold a square sparse adj_matrix, a sparse node_attr of finite numbers with as many rows, at "
            f"most {MAX_FEATURES:,} entries, and a whole number ≥ 0 for each node in node_label. Fetch it again."
        )
    links = adjacency.tocoo()
    kept = links.data != 0
    data = labelled_graph(
        links.row[kept].astype(np.int64), links.col[kept].astype(np.int64), labels.astype(np.int64)
    )
    x = torch.from_numpy(features.toarray().astype(np.float32))
    if normalize_features:
        sums = x.sum(dim=1, keepdim=True)
        x /= torch.where(sums == 0, 1, sums)
    data.x = x
    return data


def _content(path: Path) -> dict[str, Any]:
    """Every array of an npz file by its name."""
    try:
        with zipfile.ZipFile(path) as archive:
            found = {}
            for entry in archive.infolist():
                if entry.file_size > MAX_BYTES:
                    raise DatasetCorruptError(
                        f"{entry.filename} in {path} has more than {MAX_BYTES:,} bytes."
                    )
                with archive.open(entry) as stream:
                    found[entry.filename.removesuffix(".npy")] = _array(stream.read(MAX_BYTES), path)
            return found
    except OSError as error:
        raise DatasetMissingError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (zipfile.BadZipFile, zlib.error, ValueError, NotImplementedError, EOFError) as error:
        raise DatasetCorruptError(f"{path} is no npz file: {error}. Fetch it again.") from error


def _array(content: bytes, path: Path) -> Any:
    stream = io.BytesIO(content)
    version = np.lib.format.read_magic(stream)
    read_header = np.lib.format.read_array_header_1_0
    if version != (1, 0):
        read_header = np.lib.format.read_array_header_2_0
    _, _, kind = read_header(stream)
    if kind.hasobject:
        return unpickled(content[stream.tell() :], path)
    array: NDArray[Any] = np.lib.format.read_array(io.BytesIO(content), allow_pickle=False)
    return array
