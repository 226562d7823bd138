from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from mmgraph.errors import EmptyPairsError, InputError
from mmgraph.metric import Distance, episode_accuracy, episode_loss, prototypical_loss


def vectors(ways: int = 4, items: int = 5, seed: int = 0) -> Tensor:
    return torch.randn(ways, items, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def one_role(
    z: Tensor, shots: int, role: int, distance: Distance, temperature: float
) -> tuple[Tensor, float]:
    """An episode the plain way: its support and its queries apart."""
    ways, items = z.shape[:2]
    order = [(role + i) % items for i in range(items)]
    classes = torch.arange(ways)
    support, queries = z[:, order[:shots]].flatten(0, 1), z[:, order[shots:]].flatten(0, 1)
    labels = classes.repeat_interleave(shots), classes.repeat_interleave(items - shots)
    scaled = prototypical_loss(
        support / math.sqrt(temperature), labels[0], queries / math.sqrt(temperature), labels[1], distance=distance
    )  # fmt: skip
    return scaled, episode_accuracy(support, labels[0], queries, labels[1], distance=distance)


@pytest.mark.parametrize("shots", [1, 2, 4])
@pytest.mark.parametrize("temperature", [1.0, 0.3])
def test_the_first_role_is_the_prototypical_loss(shots: int, temperature: float) -> None:
    z, distance = vectors(), Distance("squared")
    loss, right = episode_loss(z, shots=shots, temperature=temperature, every_role=False)
    expected, accuracy = one_role(z, shots, 0, distance, temperature)
    torch.testing.assert_close(loss, expected)
    assert float(right) == pytest.approx(accuracy)


@pytest.mark.parametrize("shots", [1, 3])
def test_every_role_is_the_mean_over_the_roles_with_its_gradient(shots: int) -> None:
    z = vectors().requires_grad_()
    loss, right = episode_loss(z, shots=shots)
    (slope,) = torch.autograd.grad(loss, z)
    each = [one_role(z, shots, role, Distance("squared"), 1.0) for role in range(5)]
    expected = torch.stack([value for value, _ in each]).mean()
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(slope, torch.autograd.grad(expected, z)[0])
    assert float(right) == pytest.approx(sum(accuracy for _, accuracy in each) / 5)


def test_one_loss_per_question() -> None:
    losses, _ = episode_loss(vectors(3, 4), shots=1, reduction="none")
    assert losses.shape == (3 * 4 * 3,)
    torch.testing.assert_close(losses.mean(), episode_loss(vectors(3, 4))[0])


def test_finite_for_vectors_far_apart() -> None:
    loss, right = episode_loss(vectors() * 1e4, distance=Distance("l2"), temperature=1e-3)
    assert torch.isfinite(loss)
    assert 0 <= float(right) <= 1


@pytest.mark.parametrize(("ways", "items", "shots"), [(1, 5, 1), (4, 2, 2), (4, 1, 1), (0, 3, 1)])
def test_nothing_to_ask(ways: int, items: int, shots: int) -> None:
    with pytest.raises(EmptyPairsError, match="more items than"):
        episode_loss(vectors(ways, items), shots=shots)


def test_bad_arguments() -> None:
    with pytest.raises(InputError, match="ways, items, features"):
        episode_loss(vectors().flatten(0, 1))
    with pytest.raises(InputError, match="one shot"):
        episode_loss(vectors(), shots=0)
    with pytest.raises(InputError, match="temperature"):
        episode_loss(vectors(), temperature=0.0)
    with pytest.raises(InputError, match="finite"):
        episode_loss(vectors() * math.nan)
