from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mmgraph.errors import InputError
from mmgraph.graph.embeddings import DeepWalk, Node2Vec

OPTIONS = {"dimensions": 5, "walk_length": 8, "walks_per_node": 2}


def test_npz_keeps_vectors_ids_and_parameters(tmp_path: Path, communities):
    model = Node2Vec(0.5, 2, **OPTIONS).fit(communities[0])
    model.save(tmp_path / "a.npz")
    loaded = Node2Vec.load(tmp_path / "a.npz")
    assert loaded.get_params() == model.get_params()
    assert np.array_equal(loaded.transform(["n3"]), model.transform(["n3"]))
    with pytest.raises(InputError, match=r"holds a Node2Vec: use Node2Vec\.load"):
        DeepWalk.load(tmp_path / "a.npz")
    with pytest.raises(InputError, match="it was loaded"):
        loaded.partial_fit(communities[0])


def test_whole_numbers_stay_whole_numbers_in_npz(tmp_path: Path):
    model = DeepWalk(**OPTIONS).fit(np.array([[0, 1], [1, 2]]))
    model.save(tmp_path / "a.npz")
    assert DeepWalk.load(tmp_path / "a.npz").node_ids_ == [0, 1, 2]


def test_text_gives_every_bit_back(tmp_path: Path, communities):
    model = DeepWalk(**OPTIONS).fit(communities[0])
    model.save(tmp_path / "vectors.txt")
    assert (tmp_path / "vectors.txt").read_text().startswith("60 5\nn0 ")
    loaded = DeepWalk.load(tmp_path / "vectors.txt")
    assert loaded.node_ids_ == model.node_ids_
    assert np.array_equal(loaded.embedding_, model.embedding_)


def test_text_of_other_programs_is_read(tmp_path: Path):
    (tmp_path / "v.txt").write_text("2 3 \n7 1 -2.5 3e-2 \nq 0 0 1\n")
    loaded = DeepWalk.load(tmp_path / "v.txt")
    assert loaded.node_ids_ == ["7", "q"]
    np.testing.assert_array_equal(loaded.embedding_, np.float32([[1, -2.5, 0.03], [0, 0, 1]]))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1"),
        ("two 3\n", "line 1"),
        ("1 2\na 1 x\n", "2 numbers in line 2"),
        ("2 2\na 1 2\nb 1\n\n", "2 numbers in line 3"),
        ("900000 900000\n", "too short"),
        ("-1 2\n", "too short"),
    ],
)
def test_broken_text_is_named_by_its_line(tmp_path: Path, text: str, message: str):
    (tmp_path / "v.txt").write_text(text)
    with pytest.raises(InputError, match=message):
        DeepWalk.load(tmp_path / "v.txt")


def test_broken_npz_is_refused(tmp_path: Path):
    (tmp_path / "v.npz").write_bytes(b"PK but no archive")
    with pytest.raises(InputError, match="cannot be read"):
        DeepWalk.load(tmp_path / "v.npz")
    np.savez(tmp_path / "pickled.npz", vectors=np.array([object()]), names="[]", about="{}")
    with pytest.raises(InputError, match="cannot be read"):
        DeepWalk.load(tmp_path / "pickled.npz")
    np.savez(tmp_path / "short.npz", vectors=np.ones((2, 2)), names='["a"]', about="{}")
    with pytest.raises(InputError, match="one vector per name"):
        DeepWalk.load(tmp_path / "short.npz")


@pytest.mark.parametrize(("name", "bad"), [("v.txt", "two words"), ("v.npz", (1, 2))])
def test_nothing_is_left_behind_where_an_id_does_not_fit(tmp_path: Path, name: str, bad: object):
    import networkx as nx

    model = DeepWalk(**OPTIONS).fit(nx.Graph([("a", bad)]))
    with pytest.raises(InputError, match="Expected node ids"):
        model.save(tmp_path / name)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(InputError, match="fitted"):
        DeepWalk().save(tmp_path / name)
