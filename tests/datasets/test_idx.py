from __future__ import annotations

import gzip
import math
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mmgraph.datasets.idx import read_idx
from mmgraph.errors import DatasetCorruptError, DatasetMissingError


def encode(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("idx") / "images.gz"


images = arrays.arrays(
    np.uint8,
    arrays.array_shapes(min_dims=3, max_dims=3, min_side=0, max_side=6),
    elements=st.integers(0, 255),
)


@given(array=images)
def test_round_trip(path: Path, array: np.ndarray) -> None:
    path.write_bytes(gzip.compress(encode(array)))
    found = read_idx(path, ndim=3)
    np.testing.assert_array_equal(found, array)
    assert found.dtype == np.uint8
    assert found.flags.writeable


@given(array=images, data=st.data())
def test_missing_bytes_are_noticed(path: Path, array: np.ndarray, data: st.DataObject) -> None:
    content = encode(array)
    kept = data.draw(st.integers(0, len(content) - 1))
    path.write_bytes(gzip.compress(content[:kept]))
    with pytest.raises(DatasetCorruptError):
        read_idx(path, ndim=3)


@given(array=images, data=st.data())
def test_a_truncated_gzip_file_is_noticed(path: Path, array: np.ndarray, data: st.DataObject) -> None:
    content = gzip.compress(encode(array))
    path.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
    with pytest.raises(DatasetCorruptError):
        read_idx(path, ndim=3)


@given(content=st.binary(max_size=64), packed=st.booleans())
def test_noise_is_refused(path: Path, content: bytes, packed: bool) -> None:
    path.write_bytes(gzip.compress(content) if packed else content)
    with pytest.raises(DatasetCorruptError, match=str(path)):
        read_idx(path, ndim=3)


def test_more_bytes_than_announced(path: Path) -> None:
    path.write_bytes(gzip.compress(encode(np.zeros(3, np.uint8)) + b"\0"))
    with pytest.raises(DatasetCorruptError, match=r"announces shape \(3,\), that is 3 bytes, but holds more"):
        read_idx(path, ndim=1)


def test_an_absurd_size_is_refused_before_it_is_allocated(path: Path) -> None:
    sizes = (2**32 - 1,) * 3
    path.write_bytes(gzip.compress(bytes([0, 0, 8, 3]) + struct.pack(">3I", *sizes)))
    with pytest.raises(DatasetCorruptError, match=f"announces {math.prod(sizes):,} bytes"):
        read_idx(path, ndim=3)


@pytest.mark.parametrize("header", [b"\0\0\x08\x01", b"\0\0\x0d\x03", b"\0\1\x08\x03"])
def test_another_kind_of_idx_file(path: Path, header: bytes) -> None:
    path.write_bytes(gzip.compress(header + bytes(16)))
    with pytest.raises(DatasetCorruptError, match="expected it to start with 00 00 08 03"):
        read_idx(path, ndim=3)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DatasetMissingError, match="cannot be read"):
        read_idx(tmp_path / "absent.gz", ndim=1)
