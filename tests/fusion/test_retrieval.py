from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics import average_precision_score

from mmgraph.errors import EmptyPairsError, InputError, UnknownNameError
from mmgraph.fusion import retrieve, search_both_ways, similarity_matrix


def made_up(n=40, m=60, seed=0):
    generator = torch.Generator().manual_seed(seed)
    similarity = torch.randn(n, m, generator=generator)
    return (
        similarity,
        torch.randint(4, (n,), generator=generator),
        torch.randint(4, (m,), generator=generator),
    )


def test_average_precision_like_scikit_learn():
    similarity, asked, gallery = made_up()
    found = retrieve(similarity, asked, gallery)
    expected = [average_precision_score(gallery == asked[i], similarity[i]) for i in range(len(asked))]
    np.testing.assert_allclose(found.average_precision.numpy(), expected)
    assert found.mean_average_precision == pytest.approx(np.mean(expected))


def test_recall_and_the_curve_by_a_loop():
    similarity, asked, gallery = made_up(seed=1)
    found = retrieve(similarity, asked, gallery, ks=(1, 3))
    curve, recall = np.zeros(11), {1: 0.0, 3: 0.0}
    for i in range(len(asked)):
        right = (gallery[similarity[i].argsort(descending=True)] == asked[i]).tolist()
        for k in recall:
            recall[k] += any(right[:k]) / len(asked)
        total = sum(right)
        points = [(sum(right[: r + 1]) / total, sum(right[: r + 1]) / (r + 1)) for r in range(len(right))]
        for place in range(11):
            level = place / 10
            curve[place] += max(p for r, p in points if r >= level - 1e-9) / len(asked)
    assert found.recall == pytest.approx(recall)
    np.testing.assert_allclose(found.precision.numpy(), curve)


def test_large_sets_are_searched_in_chunks(monkeypatch):
    similarity, asked, gallery = made_up()
    whole = retrieve(similarity, asked, gallery)
    monkeypatch.setattr("mmgraph.fusion.retrieval._CHUNK_VALUES", 130)
    parts = retrieve(similarity, asked, gallery)
    assert torch.equal(parts.average_precision, whole.average_precision)
    assert parts.recall == pytest.approx(whole.recall)
    torch.testing.assert_close(parts.precision, whole.precision)


def test_queries_with_nothing_to_find_do_not_count():
    similarity, asked, gallery = made_up()
    asked[0] = 99
    found = retrieve(similarity, asked, gallery)
    rest = retrieve(similarity[1:], asked[1:], gallery)
    assert found.average_precision[0].isnan()
    assert found.mean_average_precision == pytest.approx(rest.mean_average_precision)
    assert found.recall == pytest.approx(rest.recall)
    torch.testing.assert_close(found.precision, rest.precision)


def test_perfect_and_both_ways():
    labels = torch.arange(5)
    forth, back = search_both_ways(torch.eye(5), labels, ks=(1,))
    assert forth.mean_average_precision == back.mean_average_precision == 1
    assert forth.precision.tolist() == [1.0] * 11
    similarity = torch.tensor([[0.1, 0.9], [0.2, 0.8]])
    forth, back = search_both_ways(similarity, torch.tensor([0, 1]), ks=(1,))
    assert (forth.mean_average_precision, back.mean_average_precision) == (0.75, 0.5)


def test_what_cannot_be_searched():
    similarity, asked, gallery = made_up()
    with pytest.raises(InputError, match=r"\(40, 59\)"):
        retrieve(similarity, asked, gallery[1:])
    with pytest.raises(InputError, match="k from 1 to 60"):
        retrieve(similarity, asked, gallery, ks=(61,))
    with pytest.raises(InputError, match="NaN"):
        retrieve(similarity.fill_(torch.nan), asked, gallery)
    for rows in (0, 3):
        with pytest.raises(EmptyPairsError):
            retrieve(torch.rand(rows, 2), torch.full((rows,), 7), torch.tensor([1, 2]), ks=(1,))


def test_similarities_by_a_loop():
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(3, 4, generator=generator), torch.randn(5, 4, generator=generator)
    by_name = {
        "dot": lambda a, b: a @ b,
        "cosine": lambda a, b: a @ b / a.norm() / b.norm(),
        "correlation": lambda a, b: torch.corrcoef(torch.stack([a, b]))[0, 1],
        "l2": lambda a, b: -(a - b).norm(),
    }
    for kind, measure in by_name.items():
        expected = torch.stack([torch.stack([measure(a, b) for b in y]) for a in x])
        torch.testing.assert_close(similarity_matrix(x, y, kind), expected, atol=1e-5, rtol=1e-5)
    with pytest.raises(UnknownNameError, match="cosine"):
        similarity_matrix(x, y, "cosin")
    with pytest.raises(InputError, match="as many features"):
        similarity_matrix(x, y[:, 1:])
