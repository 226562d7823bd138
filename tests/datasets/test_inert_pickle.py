from __future__ import annotations

import collections
import os
import pickle
import tracemalloc
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from mmgraph.datasets.inert_pickle import read_pickle
from mmgraph.errors import DatasetCorruptError, DatasetMissingError


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pickles") / "content"


@pytest.mark.parametrize(
    "array",
    [
        np.arange(12, dtype=np.int32).reshape(3, 4),
        np.asfortranarray(np.arange(12, dtype=np.float64).reshape(3, 4)),
        np.arange(3, dtype=">f4"),
        np.array([True, False]),
    ],
)
def test_arrays(path: Path, array: np.ndarray) -> None:
    path.write_bytes(pickle.dumps(array, protocol=2))
    found = read_pickle(path)
    assert isinstance(found, np.ndarray)
    assert found.dtype == array.dtype
    np.testing.assert_array_equal(found, array)


def test_sparse_matrix(path: Path) -> None:
    matrix = sparse.random(20, 30, density=0.1, format="csr", dtype=np.float32, random_state=0)
    path.write_bytes(pickle.dumps(sparse.csr_matrix(matrix), protocol=2))
    found = read_pickle(path)
    assert isinstance(found, sparse.csr_matrix)
    np.testing.assert_array_equal(found.toarray(), matrix.toarray())


def test_graph(path: Path) -> None:
    graph = collections.defaultdict(list, {0: [1, 2], 1: [], 2: [0]})
    path.write_bytes(pickle.dumps(graph, protocol=2))
    assert read_pickle(path) == dict(graph)


@pytest.mark.parametrize("values", [[], [1.5], [1.5, -2.0, 1e30]])
def test_bytes_as_python_2_wrote_them(path: Path, values: list[float]) -> None:
    array = np.array(values, dtype="<f4")
    path.write_bytes(
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
        b"(K\x01K"
        + bytes([len(array)])
        + b"\x85cnumpy\ndtype\nU\x02f4K\x00K\x01\x87R(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
        b"\x89U" + bytes([array.nbytes]) + array.tobytes() + b"tb."
    )
    found = read_pickle(path)
    assert isinstance(found, np.ndarray)
    np.testing.assert_array_equal(found, array)


class Hostile:
    def __init__(self, function: Any, *arguments: object) -> None:
        self.call = function, arguments

    def __reduce__(self) -> Any:
        return self.call


@pytest.mark.parametrize("protocol", [0, 2, 5])
@pytest.mark.parametrize("wrapped", [False, True])
def test_a_hostile_file_runs_nothing(path: Path, tmp_path: Path, protocol: int, wrapped: bool) -> None:
    proof = tmp_path / "was here"
    attack = Hostile(os.mkdir, str(proof))
    path.write_bytes(pickle.dumps({0: [attack]} if wrapped else attack, protocol=protocol))
    with pytest.raises(DatasetCorruptError, match=r"asks for .*mkdir"):
        read_pickle(path)
    assert not proof.exists()


@pytest.mark.parametrize(
    "attack",
    [
        Hostile(eval, "1"),
        Hostile(np.load, "x"),
        Hostile(getattr, "x", "y"),
        b"\x80\x02cnumpy\nndarray.tofile\n.",
        b"\x80\x04\x8c\x05numpy\x8c\x0endarray.tofile\x93.",
        b"Pelsewhere\n.",
    ],
)
def test_names_off_the_list_are_refused(path: Path, attack: object) -> None:
    path.write_bytes(attack if isinstance(attack, bytes) else pickle.dumps(attack, protocol=2))
    with pytest.raises(DatasetCorruptError, match=r"asks for|refers to"):
        read_pickle(path)


def test_arrays_of_objects_are_refused(path: Path) -> None:
    path.write_bytes(pickle.dumps(np.array([{}, []], dtype=object), protocol=2))
    with pytest.raises(DatasetCorruptError, match="an array of objects"):
        read_pickle(path)


def test_the_one_object_of_an_array_without_dimensions(path: Path) -> None:
    matrix = sparse.csr_matrix(np.eye(2, 3, dtype=np.float32))
    wrapped = np.empty((), dtype=object)
    wrapped[()] = matrix
    path.write_bytes(pickle.dumps(wrapped, protocol=3))
    np.testing.assert_array_equal(read_pickle(path).toarray(), matrix.toarray())


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("indices", np.array([0, 7], dtype=np.int32)),
        ("indices", np.array([0, -1], dtype=np.int32)),
        ("indptr", np.array([0, 5, 2], dtype=np.int32)),
        ("data", np.ones(9, dtype=np.float32)),
        ("_shape", (2**40, 2**40)),
        ("_shape", (-1, 3)),
        ("_shape", "xy"),
        ("indptr", None),
    ],
)
def test_a_sparse_matrix_that_points_outside_itself(path: Path, key: str, value: object) -> None:
    matrix = sparse.csr_matrix(np.eye(2, 3, dtype=np.float32))
    matrix.__dict__[key] = value
    path.write_bytes(pickle.dumps(matrix, protocol=2))
    with pytest.raises(DatasetCorruptError):
        read_pickle(path)


@pytest.mark.parametrize(
    "content",
    [
        b"\x80\x02Nr\xff\xff\xff\x00.",
        b"\x80\x02T\xff\xff\xff\x00abc.",
        b"\x80\x04\x8e" + (2**40).to_bytes(8, "little") + b"abc.",
    ],
    ids=["memo", "string", "bytes"],
)
def test_a_small_file_cannot_ask_for_much_memory(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    tracemalloc.start()
    try:
        with suppress(DatasetCorruptError):
            read_pickle(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000


@given(data=st.data())
def test_a_truncated_file_is_noticed(path: Path, data: st.DataObject) -> None:
    content = pickle.dumps(sparse.csr_matrix(np.eye(3)), protocol=2)
    path.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
    with pytest.raises(DatasetCorruptError):
        read_pickle(path)


@given(content=st.binary(max_size=40))
def test_noise_never_raises_anything_else(path: Path, content: bytes) -> None:
    path.write_bytes(b"\x80\x02" + content)
    with suppress(DatasetCorruptError):
        read_pickle(path)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DatasetMissingError, match="cannot be read"):
        read_pickle(tmp_path / "absent")
