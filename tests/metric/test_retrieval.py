from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score, roc_curve
from torch import Tensor

from mmgraph.errors import EmptyPairsError, InputError
from mmgraph.metric import (
    Distance,
    EpisodeSampler,
    clustering_score,
    episode_accuracy,
    mean_and_interval,
    retrieval_scores,
    verify,
)


def clusters(n: int = 60, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(7, (n,), generator=generator)
    return torch.randn(7, 4, generator=generator)[labels] + torch.randn(n, 4, generator=generator), labels


def by_a_loop(
    x: Tensor, y: Tensor, q: Tensor, z: Tensor, itself: bool, ks: tuple[int, ...]
) -> dict[str, float]:
    found: dict[str, list[float]] = {}
    for i in range(len(q)):
        order = [j for j in torch.cdist(q[i : i + 1], x)[0].argsort().tolist() if not (itself and j == i)]
        right = [bool(y[j] == z[i]) for j in order]
        total = sum(right)
        if total == 0:
            continue
        for k in ks:
            found.setdefault(f"recall@{k}", []).append(float(any(right[:k])))
        found.setdefault("r-precision", []).append(sum(right[:total]) / total)
        average = sum(sum(right[: r + 1]) / (r + 1) for r in range(total) if right[r]) / total
        found.setdefault("map@r", []).append(average)
    return {name: float(np.mean(values)) for name, values in found.items()}


@pytest.mark.parametrize("n", [12, 60, 300])
def test_every_item_against_the_others_by_a_loop(n: int) -> None:
    x, y = clusters(n)
    found = retrieval_scores(x, y, ks=(1, 3))
    assert found == pytest.approx(by_a_loop(x, y, x, y, True, (1, 3)))


def test_queries_of_their_own_by_a_loop() -> None:
    (x, y), (q, z) = clusters(), clusters(20, 1)
    z[0] = 99
    found = retrieval_scores(x, y, queries=q, query_labels=z, ks=(2,))
    assert found == pytest.approx(by_a_loop(x, y, q, z, False, (2,)))


def test_perfect_and_hopeless() -> None:
    y = torch.tensor([0, 0, 1, 1])
    assert set(retrieval_scores(y[:, None].float(), y, ks=(1,)).values()) == {1.0}
    x = torch.tensor([[0.0], [10.0], [1.0], [11.0]])
    assert set(retrieval_scores(x, y, ks=(1,)).values()) == {0.0}


def test_nothing_to_find() -> None:
    with pytest.raises(EmptyPairsError):
        retrieval_scores(torch.rand(4, 2), torch.arange(4), ks=(1,))
    with pytest.raises(InputError, match="k from 1 to 3"):
        retrieval_scores(torch.rand(4, 2), torch.zeros(4, dtype=torch.int64), ks=(4,))
    with pytest.raises(InputError, match="together"):
        retrieval_scores(
            torch.rand(4, 2), torch.zeros(4, dtype=torch.int64), queries=torch.rand(1, 2), ks=(1,)
        )


def test_clusters_of_separate_classes_agree_with_them() -> None:
    y = torch.arange(60) % 3
    x = 10 * torch.eye(3)[y] + 0.1 * torch.randn(60, 3, generator=torch.Generator().manual_seed(0))
    assert clustering_score(x, y) == pytest.approx(1)
    assert clustering_score(torch.rand(60, 3, generator=torch.Generator().manual_seed(0)), y) < 0.3


@pytest.mark.parametrize("ties", [False, True])
def test_verification_like_scikit_learn(ties: bool) -> None:
    generator = torch.Generator().manual_seed(0)
    similar = torch.rand(300, generator=generator) < 0.4
    distance = torch.rand(300, generator=generator) + 0.3 * ~similar
    distance = (distance * 8).round() / 8 if ties else distance
    found = verify(distance, similar)
    assert found.auc == pytest.approx(roc_auc_score(similar, -distance))
    false, true, _ = roc_curve(similar, -distance, drop_intermediate=False)
    np.testing.assert_allclose(found.false_positive_rate, false)
    np.testing.assert_allclose(found.true_positive_rate, true)
    best = max(float(((distance <= t) == similar).double().mean()) for t in distance)
    assert found.accuracy == pytest.approx(best)
    assert ((distance <= found.threshold) == similar).double().mean() == pytest.approx(best)
    crossing = np.interp(0, false - (1 - true), false)
    assert found.equal_error_rate == pytest.approx(crossing)
    gaps = [
        abs(float((distance[~similar] <= t).double().mean() - (distance[similar] > t).double().mean()))
        for t in distance
    ]
    assert found.equal_error_threshold == pytest.approx(float(distance[int(np.argmin(gaps))]))


def test_verification_without_errors_and_with_nothing_else() -> None:
    similar = torch.tensor([True, True, False, False])
    assert verify(torch.tensor([0.1, 0.2, 0.8, 0.9]), similar).equal_error_rate == 0
    assert verify(torch.tensor([0.8, 0.9, 0.1, 0.2]), similar).auc == 0
    with pytest.raises(EmptyPairsError):
        verify(torch.rand(3), torch.ones(3, dtype=torch.bool))
    with pytest.raises(InputError, match="NaN"):
        verify(torch.tensor([0.1, torch.nan]), similar[1:3])


def test_episodes_hold_what_they_promise() -> None:
    labels = torch.cat([torch.full((count,), label) for label, count in enumerate([5, 9, 3, 2, 12, 6])])
    sampler = EpisodeSampler(labels, ways=4, shots=2, queries=1, seed=3)
    seen = set()
    for episode in sampler.episodes(30):
        assert episode.support_labels.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
        assert episode.query_labels.tolist() == [0, 1, 2, 3]
        assert len(set(episode.support.tolist()) | set(episode.query.tolist())) == 12
        classes = labels[episode.support].view(4, 2)
        assert (classes == labels[episode.query][:, None]).all()
        assert len(set(classes[:, 0].tolist())) == 4
        seen |= set(classes.flatten().tolist())
    assert seen == {0, 1, 2, 4, 5}
    assert torch.equal(sampler.episode(7).query, sampler.episode(7).query)


def test_too_few_classes() -> None:
    with pytest.raises(InputError, match="only 1 of 2"):
        EpisodeSampler(torch.tensor([0, 0, 0, 1]), ways=2, shots=1, queries=1)


def test_nearest_mean() -> None:
    support = torch.tensor([[0.0, 0], [2, 0], [10, 0], [10, 2]])
    queries = torch.tensor([[1.0, 1], [9, 1], [2, 0], [9, 9]])
    labels, asked = torch.tensor([0, 0, 1, 1]), torch.tensor([0, 1, 1, 1])
    assert episode_accuracy(support, labels, queries, asked) == 0.75
    assert episode_accuracy(support, labels, queries, asked, distance=Distance("l1")) == 0.75


def test_interval_like_a_table_of_students_t() -> None:
    mean, half = mean_and_interval([1.0, 2.0, 3.0, 4.0])
    assert mean == 2.5
    assert half == pytest.approx(3.182446 * np.std([1, 2, 3, 4], ddof=1) / 2)
    with pytest.raises(InputError):
        mean_and_interval([])
