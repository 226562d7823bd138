from __future__ import annotations

import pytest
import torch

from mmgraph.graph.kernels import random_zeros
from mmgraph.graph.kernels.random_zeros import drop


@pytest.fixture(autouse=True, params=["by torch", "by the kernel"])
def way(request, monkeypatch):
    """Many entries go through a compiled kernel, few do not."""
    monkeypatch.setattr(random_zeros, "_WORTH_A_KERNEL", 1 if request.param == "by the kernel" else 1 << 60)


@pytest.mark.parametrize("p", [0.0, 1e-7, 0.1, 0.5, 0.6, 1.0])
def test_share_and_scale(p):
    torch.manual_seed(0)
    dropped = drop(torch.ones(300, 401), p)
    share = (dropped == 0).double().mean().item()
    assert share == pytest.approx(p, abs=5 * (p * (1 - p) / dropped.numel()) ** 0.5 + 1e-6)
    kept = dropped[dropped != 0]
    torch.testing.assert_close(kept, torch.full_like(kept, 1 / (1 - p) if p < 1 else 0.0), rtol=1e-4, atol=0)


def test_the_mean_is_kept_exactly():
    # 0.6 is not a multiple of 2⁻¹⁶: what is kept is scaled by the probability that was drawn with.
    dropped = drop(torch.ones(4, dtype=torch.float64).repeat(10), 0.6)
    kept = dropped[dropped != 0]
    assert torch.equal(kept, torch.full_like(kept, 65536 / (65536 - round(0.6 * 65536))))


def test_the_four_decisions_of_a_word_are_independent():
    torch.manual_seed(0)
    kept = (drop(torch.ones(200_000, 4, dtype=torch.float64), 0.5) != 0).double()
    correlation = torch.corrcoef(kept.T) - torch.eye(4, dtype=torch.float64)
    assert correlation.abs().max() < 5 / 200_000**0.5
    assert (kept.mean(0) - 0.5).abs().max() < 2.5 / 200_000**0.5


@pytest.mark.parametrize("shape", [(0,), (1,), (2, 3), (5, 0, 2), (7, 1, 3), ()])
def test_any_shape(shape):
    assert drop(torch.ones(shape), 0.5).shape == shape


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
def test_gradients_pass_where_entries_are_kept(dtype):
    x = torch.ones(30, 7, dtype=dtype).t().requires_grad_()
    torch.manual_seed(1)
    y = drop(x, 0.25)
    assert y.dtype == dtype
    y.sum().backward()
    torch.testing.assert_close(x.grad, y.detach())


def test_second_derivatives():
    x = torch.randn(6, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0), requires_grad=True)

    def dropped(x: torch.Tensor) -> torch.Tensor:
        torch.manual_seed(2)
        return drop(x, 0.5).square()

    assert torch.autograd.gradcheck(dropped, (x,))
    assert torch.autograd.gradgradcheck(dropped, (x,))


def test_one_seed_gives_one_result():
    torch.manual_seed(5)
    first, second = drop(torch.ones(99), 0.5), drop(torch.ones(99), 0.5)
    torch.manual_seed(5)
    assert torch.equal(drop(torch.ones(99), 0.5), first)
    assert not torch.equal(first, second)


def test_many_entries_go_through_the_kernel_and_no_pattern_repeats(monkeypatch):
    monkeypatch.undo()
    torch.manual_seed(0)
    kept = drop(torch.ones(1 << 20), 0.5) != 0
    assert len(kept.view(-1, 64).unique(dim=0)) == 1 << 14
    for lag in (1, 4, 1024, 4096):
        equal = (kept[lag:] == kept[:-lag]).double().mean().item()
        assert equal == pytest.approx(0.5, abs=5 * 0.5 / (len(kept) - lag) ** 0.5)


def test_the_number_of_threads_changes_nothing():
    x, threads = torch.rand(3000, 1001), torch.get_num_threads()
    found = []
    try:
        for number in (1, 3):
            torch.set_num_threads(number)
            torch.manual_seed(0)
            found.append(drop(x, 0.3))
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(*found)
