from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
import pytest

from mmgraph.analysis import force_layout, spectral_layout
from mmgraph.errors import UsageError
from mmgraph_gui.processes.long_process import Processes
from mmgraph_gui.processes.messages import Message, receive, send


@pytest.fixture
def processes() -> Iterator[Processes]:
    made = Processes()
    yield made
    made.close()


def test_messages_arrive_as_they_were_sent() -> None:
    stream = io.BytesIO()
    arrays = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "none": np.zeros((0, 4), np.int64)}
    send(stream, Message({"task": "ä", "n": 3}, arrays))
    send(stream, Message({}, {}))
    stream.seek(0)
    first, second = receive(stream), receive(stream)
    assert first is not None
    assert first.facts == {"task": "ä", "n": 3}
    for name, array in arrays.items():
        np.testing.assert_array_equal(first.arrays[name], array)
        assert first.arrays[name].dtype == array.dtype
    assert second == Message({}, {})
    assert receive(stream) is None


def test_a_message_cut_short_is_none() -> None:
    stream = io.BytesIO()
    send(stream, Message({}, {"a": np.arange(100)}))
    assert receive(io.BytesIO(stream.getvalue()[:-1])) is None


def test_clusters_and_communities_and_complaints_from_one_process(processes: Processes) -> None:
    rng = np.random.default_rng(0)
    vectors = np.concatenate([rng.normal(size=(30, 3)), rng.normal(size=(30, 3)) + 50]).astype(np.float32)
    vectors[7] = np.nan
    asked = {"method": "k-means", "count": 2}
    (last,) = processes.run("clusters", asked, {"vectors": vectors}, lambda: False)
    codes = last.arrays["codes"]
    assert codes[7] == -1
    assert len(set(codes[:30]) - {-1}) == len(set(codes[30:])) == 1
    assert codes[0] != codes[30]
    with pytest.raises(UsageError, match="t-SNE or UMAP"):
        list(processes.run("layout", {"method": "x", "dimensions": 2}, {"vectors": vectors}, lambda: False))
    edges = np.array([[0, 1, 2, 3, 4, 5, 0], [1, 2, 0, 4, 5, 3, 3]])
    (last,) = processes.run("communities", {"nodes": 7}, {"edges": edges}, lambda: False)
    assert last.arrays["codes"].tolist() == [0, 0, 0, 1, 1, 1, 2]
    assert len(processes._all) == 1


def test_a_graph_is_laid_out_as_in_this_process(processes: Processes) -> None:
    edges = np.array([[0, 1, 2, 3], [1, 2, 3, 0]])
    asked = {"nodes": 4, "iterations": 30, "seed": 5}
    *_, last = processes.run("graph", asked, {"edges": edges}, lambda: False)
    assert last.facts == {"iteration": 30, "done": True}
    *_, here = force_layout(edges, 4, iterations=30, seed=5)
    np.testing.assert_array_equal(last.arrays["places"], here)
    (spectral,) = processes.run("graph", {**asked, "iterations": 0}, {"edges": edges}, lambda: False)
    np.testing.assert_array_equal(
        spectral.arrays["places"], spectral_layout(edges, 4, seed=5).astype(np.float32)
    )
    with pytest.raises(UsageError, match="name 0 to 3"):
        list(processes.run("graph", {**asked, "nodes": 3}, {"edges": edges}, lambda: False))


def test_a_layout_reports_and_can_be_cancelled(processes: Processes) -> None:
    vectors = np.random.default_rng(0).normal(size=(600, 8))
    seen: list[Message] = []
    asked = {"method": "t-SNE", "dimensions": 3}
    seen.extend(processes.run("layout", asked, {"vectors": vectors}, lambda: len(seen) == 2))
    assert [message.arrays["places"].shape for message in seen] == [(600, 3)] * 2
    assert not seen[-1].facts.get("done")
    assert not processes._all
