from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.stats import chisquare
from torch import Tensor

from mmgraph.errors import EmptyPairsError, InputError, UnknownNameError
from mmgraph.metric import Distance, Triplets, mine_embeddings, mine_triplets, pairs_of, row_mining

LABELS = torch.tensor([0, 1, 2, 0, 1, 1, 3, 0, 2, 2, 2])


def distances(seed: int = 0, n: int = len(LABELS), dim: int = 6) -> Tensor:
    x = torch.randn(n, dim, generator=torch.Generator().manual_seed(seed))
    return Distance("l2", normalize=True).matrix(x)


def rows(triplets: Triplets) -> list[tuple[int, int, int]]:
    return list(
        zip(triplets.anchor.tolist(), triplets.positive.tolist(), triplets.negative.tolist(), strict=True)
    )


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def similar_pairs() -> list[tuple[int, int]]:
    n = len(LABELS)
    return [(a, p) for a in range(n) for p in range(n) if a != p and LABELS[a] == LABELS[p]]


@pytest.mark.parametrize("kind", ["all", "random", "semi-hard", "hardest", "distance-weighted"])
def test_every_triplet_is_one(kind: str) -> None:
    for a, p, n in rows(mine_triplets(distances(), LABELS, kind, dim=6, generator=generator())):
        assert a != p
        assert LABELS[a] == LABELS[p]
        assert LABELS[a] != LABELS[n]


def test_hardest_by_a_loop() -> None:
    d = distances()
    expected = []
    for a in range(len(LABELS)):
        same = [p for p in range(len(LABELS)) if p != a and LABELS[p] == LABELS[a]]
        other = [n for n in range(len(LABELS)) if LABELS[n] != LABELS[a]]
        if same:
            expected.append((a, max(same, key=lambda p: d[a, p]), min(other, key=lambda n: d[a, n])))
    assert rows(mine_triplets(d, LABELS, "hardest")) == expected


def test_semi_hard_by_a_loop() -> None:
    d = distances()
    expected = []
    for a, p in similar_pairs():
        other = [n for n in range(len(LABELS)) if LABELS[n] != LABELS[a]]
        farther = [n for n in other if d[a, n] > d[a, p]]
        chosen = min(farther, key=lambda n: d[a, n]) if farther else max(other, key=lambda n: d[a, n])
        expected.append((a, p, chosen))
    assert rows(mine_triplets(d, LABELS, "semi-hard")) == expected


def test_random_is_even_and_repeatable() -> None:
    d, count = distances(), np.zeros(len(LABELS))
    for seed in range(4000):
        found = mine_triplets(d, LABELS, "random", generator=generator(seed))
        count[found.negative[found.anchor == 0]] += 1
    assert chisquare(count[LABELS.numpy() != 0]).pvalue > 1e-3
    again = (mine_triplets(d, LABELS, "random", generator=generator(5)) for _ in range(2))
    assert rows(next(again)) == rows(next(again))


def test_distance_weighted_draws_by_the_rarity_of_distances() -> None:
    dim, d = 6, distances()
    near = np.maximum(d[0].double().numpy(), 0.5)
    density = near ** (dim - 2) * (1 - near**2 / 4) ** ((dim - 3) / 2)
    weight = np.where((LABELS.numpy() != 0) & (near < 1.4), 1 / density, 0)
    count = np.zeros(len(LABELS))
    for seed in range(4000):
        found = mine_triplets(d, LABELS, "distance-weighted", dim=dim, generator=generator(seed))
        np.add.at(count, found.negative[found.anchor == 0].numpy(), 1)
    assert (count[weight == 0] == 0).all()
    kept = weight > 0
    assert chisquare(count[kept], weight[kept] / weight.sum() * count.sum()).pvalue > 1e-3


def test_where_all_are_far_any_of_them_is_drawn() -> None:
    d = torch.full((4, 4), 1.9).fill_diagonal_(0)
    labels = torch.tensor([0, 0, 1, 2])
    drawn = {
        int(n)
        for seed in range(40)
        for n in mine_triplets(d, labels, "distance-weighted", dim=128, generator=generator(seed)).negative
    }
    assert drawn == {2, 3}


def test_pairs_of_triplets() -> None:
    triplets = mine_triplets(distances(), LABELS, "hardest")
    pairs = pairs_of(triplets)
    assert len(pairs) == 2 * len(triplets)
    assert torch.equal(LABELS[pairs.first] == LABELS[pairs.second], pairs.similar)


@pytest.mark.parametrize("kind", ["all", "random", "semi-hard", "hardest", "distance-weighted"])
@pytest.mark.parametrize("labels", [torch.zeros(4, dtype=torch.int64), torch.arange(4), torch.arange(0)])
def test_nothing_to_mine(kind: str, labels: Tensor) -> None:
    with pytest.raises(EmptyPairsError, match="several classes"):
        mine_triplets(distances(n=len(labels)), labels, kind, dim=6, generator=generator())


def test_bad_arguments() -> None:
    with pytest.raises(UnknownNameError, match="miner"):
        mine_triplets(distances(), LABELS, "hard")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="distances of all pairs"):
        mine_triplets(distances()[:5], LABELS)
    with pytest.raises(InputError, match="NaN"):
        mine_triplets(distances() * math.nan, LABELS)
    with pytest.raises(InputError, match="generator"):
        mine_triplets(distances(), LABELS, "random")
    with pytest.raises(InputError, match="dim"):
        mine_triplets(distances(), LABELS, "distance-weighted", generator=generator())


def embeddings(n: int, dim: int = 6, seed: int = 3) -> Tensor:
    return torch.randn(n, dim, generator=generator(seed), dtype=torch.float64)


@pytest.fixture(params=[1 << 18, 40], ids=["one block", "many blocks"])
def _blocks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_mining, "_BLOCK_VALUES", {"cpu": request.param})


@pytest.mark.usefixtures("_blocks")
@pytest.mark.parametrize("kind", ["all", "random", "semi-hard", "hardest", "distance-weighted"])
@pytest.mark.parametrize("labels", [LABELS, torch.tensor([5, 5, -1] * 20), torch.arange(60) // 30])
def test_embeddings_are_mined_as_their_distances_are(kind: str, labels: Tensor) -> None:
    x, distance = embeddings(len(labels)), Distance("l2", normalize=True)
    found = mine_embeddings(x, labels, kind, distance=distance, generator=generator())
    expected = mine_triplets(distance.matrix(x), labels, kind, dim=6, generator=generator())
    assert rows(found) == rows(expected)


@pytest.mark.usefixtures("_blocks")
@pytest.mark.parametrize("classes", [2, 7])
def test_semi_hard_with_few_and_with_many_of_a_class(classes: int) -> None:
    labels = torch.arange(70) % classes
    d = Distance("l1").matrix(embeddings(70))
    for a, p, n in rows(mine_triplets(d, labels, "semi-hard")):
        other = torch.nonzero(labels != labels[a]).flatten()
        beyond = other[d[a, other] > d[a, p]]
        assert n == (beyond[d[a, beyond].argmin()] if len(beyond) else other[d[a, other].argmax()])


def test_all_triplets_by_a_loop_in_order() -> None:
    n = range(len(LABELS))
    expected = [(a, p, o) for a, p in similar_pairs() for o in n if LABELS[o] != LABELS[a]]
    assert rows(mine_triplets(None, LABELS, "all")) == expected


def test_who_looks_at_distances_needs_them() -> None:
    assert len(mine_triplets(None, LABELS, "random", generator=generator())) == len(LABELS) - 1
    with pytest.raises(InputError, match="miner hardest"):
        mine_triplets(None, LABELS, "hardest")


@pytest.mark.parametrize("kind", ["semi-hard", "hardest", "distance-weighted"])
def test_one_distance_that_is_no_number(kind: str) -> None:
    for other in (1, 3):
        d = distances()
        d[0, other] = math.nan
        with pytest.raises(InputError, match="NaN"):
            mine_triplets(d, LABELS, kind, dim=6, generator=generator())
    with pytest.raises(InputError, match="finite"):
        mine_embeddings(distances() * math.nan, LABELS, kind, generator=generator())
