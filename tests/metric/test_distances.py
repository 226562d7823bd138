from __future__ import annotations

import pytest
import torch
from scipy.spatial.distance import cdist
from torch import Tensor

from mmgraph.errors import InputError, UnknownNameError
from mmgraph.metric import Distance

SCIPY = {"l2": "euclidean", "squared": "sqeuclidean", "l1": "cityblock", "cosine": "cosine"}


def vectors(n: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(n, 7, generator=torch.Generator().manual_seed(seed), dtype=dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("kind", SCIPY)
def test_like_scipy(kind: str, dtype: torch.dtype) -> None:
    x, y = vectors(9, 1, dtype), vectors(5, 2, dtype)
    distance = Distance(kind)
    expected = torch.tensor(cdist(x.double(), y.double(), SCIPY[kind]), dtype=dtype)
    torch.testing.assert_close(distance.matrix(x, y), expected)
    torch.testing.assert_close(distance(x[:5], y), expected[:5].diagonal())


def test_learned_is_l2_at_first_and_a_mahalanobis_distance_later() -> None:
    x, y = vectors(4, 1), vectors(6, 2)
    distance = Distance("learned", dim=7).double()
    torch.testing.assert_close(distance.matrix(x, y), Distance("l2").matrix(x, y))
    distance.weight.data = vectors(7, 3)
    inverse = (distance.weight.T @ distance.weight).detach().numpy()
    torch.testing.assert_close(
        distance.matrix(x, y).detach(), torch.tensor(cdist(x, y, "mahalanobis", VI=inverse))
    )
    assert Distance("learned", dim=7, rank=2).double()(x, y[:4]).shape == (4,)


@pytest.mark.parametrize("kind", [*SCIPY, "learned"])
def test_gradients(kind: str) -> None:
    distance = Distance(kind, dim=7).double()
    x, y = vectors(3, 1).requires_grad_(), vectors(4, 2).requires_grad_()
    assert torch.autograd.gradcheck(distance.matrix, (x, y))
    assert torch.autograd.gradcheck(distance, (x, y[:3].detach().requires_grad_()))


@pytest.mark.parametrize("kind", [*SCIPY, "learned"])
def test_equal_vectors_have_a_finite_gradient(kind: str) -> None:
    distance = Distance(kind, dim=7).double()
    x = vectors(3).requires_grad_()
    (distance.matrix(x).sum() + distance(x, x.detach().clone()).sum()).backward()
    assert torch.isfinite(x.grad).all()


@pytest.mark.parametrize("kind", ["l2", "l1", "cosine"])
@pytest.mark.parametrize("scale", [1e-18, 1e18])
def test_extreme_vectors(kind: str, scale: float) -> None:
    x = vectors(6, dtype=torch.float32) * scale
    assert torch.isfinite(Distance(kind, normalize=True).matrix(x)).all()


@pytest.mark.parametrize("kind", ["l2", "l1", "learned"])
def test_squares_may_leave_the_range_of_the_format(kind: str) -> None:
    x = vectors(6, dtype=torch.float32) * 1e25
    x, y = x[:3].requires_grad_(), x[3:]
    distance = Distance(kind, dim=7)
    expected = torch.tensor(cdist(x.detach().double(), y.double(), SCIPY.get(kind, "euclidean"))).float()
    torch.testing.assert_close(distance.matrix(x, y).detach(), expected)
    torch.testing.assert_close(distance(x, y).detach(), expected.diagonal())
    distance.matrix(x).sum().backward()
    assert torch.isfinite(x.grad).all()


def test_squared_distances_have_to_fit_the_format() -> None:
    x = vectors(6, dtype=torch.float32) * 1e25
    for call in (lambda d: d.matrix(x), lambda d: d(x[:3], x[3:])):
        with pytest.raises(InputError, match="fit float32"):
            call(Distance("squared"))


def test_tiny_vectors_have_a_direction() -> None:
    x = vectors(6, dtype=torch.float32)
    torch.testing.assert_close(Distance("cosine").matrix(x * 1e-30), Distance("cosine").matrix(x))


def test_normalized_ignores_length() -> None:
    x, y = vectors(3, 1), vectors(3, 2)
    distance = Distance("l2", normalize=True)
    torch.testing.assert_close(distance(x, y), distance(3 * x, 0.1 * y))


def test_no_vectors() -> None:
    assert Distance("l2").matrix(vectors(0), vectors(3)).shape == (0, 3)
    assert Distance("cosine")(vectors(0), vectors(0)).shape == (0,)


def test_zero_vectors_have_no_cosine() -> None:
    x = vectors(3)
    x[1] = 0
    with pytest.raises(InputError, match="row 1 is zero"):
        Distance("cosine").matrix(x)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_not_finite(bad: float) -> None:
    x = vectors(3)
    x[2, 4] = bad
    with pytest.raises(InputError, match="row 2"):
        Distance("l2").matrix(x)


@pytest.mark.parametrize(
    "call", [lambda d: d(vectors(3), vectors(4)), lambda d: d.matrix(vectors(3), vectors(3)[:, :5])]
)
def test_shapes_that_do_not_fit(call: object) -> None:
    with pytest.raises(InputError, match="on both sides"):
        call(Distance("l2"))  # type: ignore[operator]


def test_bad_arguments() -> None:
    with pytest.raises(UnknownNameError):
        Distance("manhatten")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="dim"):
        Distance("learned")
    with pytest.raises(InputError, match="7 features"):
        Distance("learned", dim=7).double().matrix(vectors(3)[:, :5])
    with pytest.raises(InputError, match="floating-point"):
        Distance("l2").matrix(torch.ones(3, 2, dtype=torch.int64))
