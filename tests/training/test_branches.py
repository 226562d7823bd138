from __future__ import annotations

import numpy as np
import pytest
import torch

from mmgraph.metric import Distance
from mmgraph.training.branches import MOST_ANCHORS, MOST_ITEMS, Branches

LABELS = torch.tensor([0, 1, 0, 2, 1, -1, 0, 1, 2, 0])


@pytest.fixture
def vectors():
    return torch.randn(len(LABELS), 4, generator=torch.Generator().manual_seed(0))


def recorded(branches, *given):
    return {snapshot.layer: snapshot for snapshot in branches.snapshots(*given)}


@pytest.mark.parametrize("kind", ["l2", "l1", "cosine", "squared"])
def test_distances_are_those_of_the_items_named(vectors, kind):
    distance = Distance(kind)
    for snapshot in recorded(Branches(LABELS, seed=3), vectors, distance, 0.5).values():
        rows = torch.from_numpy(snapshot.extras["branches"])
        assert rows.shape == (9, 3)
        for branch in (1, 2):
            expected = distance(vectors[rows[:, 0]], vectors[rows[:, branch]])
            np.testing.assert_allclose(snapshot.array[:, branch - 1], expected, rtol=1e-4, atol=1e-5)
        same = LABELS[rows[:, :1]] == LABELS[rows[:, 1:]]
        np.testing.assert_array_equal(snapshot.extras["similar"], same)
        assert same.tolist() == [[True, False]] * 9
        assert (rows[:, 0] != rows[:, 1]).all()
        assert 5 not in rows
        assert snapshot.notes == {
            "branches": ["anchor", "positive", "negative"],
            "distance": kind,
            "embedding": "vectors",
            "threshold": 0.5,
        }


def test_the_hardest_are_the_farthest_of_a_class_and_the_nearest_of_another(vectors):
    hardest = recorded(Branches(LABELS), vectors, Distance())["pairs/hardest"]
    between = torch.cdist(vectors, vectors)
    for (anchor, positive, negative), (far, near) in zip(
        hardest.extras["branches"], hardest.array, strict=True
    ):
        others = (LABELS >= 0) & (torch.arange(10) != anchor)
        similar = others & (LABELS[anchor] == LABELS)
        assert between[anchor][similar].max() == pytest.approx(float(far), rel=1e-4)
        assert between[anchor][others & ~similar].min() == pytest.approx(float(near), rel=1e-4)
        assert between[anchor, positive] == pytest.approx(float(far), rel=1e-4)
        assert between[anchor, negative] == pytest.approx(float(near), rel=1e-4)


def test_the_drawn_ones_stay_the_same_from_step_to_step(vectors):
    branches = Branches(LABELS, seed=1)
    first = recorded(branches, vectors, Distance())["pairs/drawn"]
    later = recorded(branches, -3 * vectors, Distance())["pairs/drawn"]
    np.testing.assert_array_equal(first.extras["branches"], later.extras["branches"])
    np.testing.assert_allclose(later.array, 3 * first.array, rtol=1e-4)
    assert "threshold" not in later.notes
    other = recorded(Branches(LABELS, seed=2), vectors, Distance())["pairs/drawn"]
    assert (first.extras["branches"] != other.extras["branches"]).any()


def test_two_branches_are_a_similar_and_a_dissimilar_pair_of_each_anchor(vectors):
    three = recorded(Branches(LABELS), vectors, Distance())["pairs/drawn"]
    two = recorded(Branches(LABELS, 2), vectors, Distance())["pairs/drawn"]
    assert two.extras["similar"][:, 0].tolist() == [True, False] * 9
    np.testing.assert_array_equal(two.extras["branches"][::2], three.extras["branches"][:, [0, 1]])
    np.testing.assert_array_equal(two.extras["branches"][1::2], three.extras["branches"][:, [0, 2]])
    np.testing.assert_array_equal(two.array.reshape(-1, 2), three.array)
    assert two.notes["branches"] == ["first", "second"]


def test_of_many_items_some_are_watched_of_every_part_of_the_set():
    labels = torch.arange(2 * MOST_ITEMS + 1) % 10
    vectors = torch.randn(len(labels), 3, generator=torch.Generator().manual_seed(0))
    rows = recorded(Branches(labels), vectors, Distance())["pairs/drawn"].extras["branches"]
    assert rows.shape == (MOST_ANCHORS, 3)
    assert rows[0, 0] == 0
    assert rows[-1, 0] > 2 * MOST_ITEMS - 10
    assert len(np.unique(labels[rows[:, 0]])) > 1


@pytest.mark.parametrize("labels", [[], [0], [0, 0, 0], [0, 1, 2], [-1, -1, -1, -1]])
def test_without_a_similar_and_a_dissimilar_pair_nothing_is_recorded(labels):
    labels = torch.tensor(labels, dtype=torch.long)
    assert Branches(labels).snapshots(torch.randn(len(labels), 2), Distance()) == []
