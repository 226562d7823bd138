from __future__ import annotations

import gc
import random
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from mmgraph.errors import InputError
from mmgraph.inspection.undisturbed import uncollected, undisturbed, unwrapped


class Untidy(nn.Module):
    """Draws numbers everywhere, and changes its buffers in eval mode too."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(3, 3)
        self.register_buffer("count", torch.zeros(()))
        self.register_buffer("last", None)
        self.register_buffer("alias", self.count)

    def forward(self, x: Tensor) -> Tensor:
        self.count += 1
        self.last = x.clone()
        random.random()
        np.random.rand()
        return self.linear(x) + torch.rand(3)


def random_states() -> tuple[object, bytes, bytes]:
    return random.getstate(), np.random.get_state()[1].tobytes(), torch.get_rng_state().numpy().tobytes()


def test_nothing_stays_changed() -> None:
    model = Untidy()
    count, before = model.count, random_states()
    with undisturbed(model):
        model(torch.ones(3))
        assert model.count.item() == 1
        assert model.alias is model.count
    assert model.count is count
    assert count.item() == 0
    assert model.last is None
    assert random_states() == before


def test_nothing_stays_changed_after_an_error() -> None:
    model, before = Untidy(), random_states()
    fast_path = torch.backends.mha.get_fastpath_enabled()
    with pytest.raises(RuntimeError), undisturbed(model):
        model(torch.ones(7))
    assert model.count.item() == 0
    assert model.training
    assert model.linear.training
    assert torch.is_grad_enabled()
    assert torch.backends.mha.get_fastpath_enabled() == fast_path
    assert random_states() == before


def test_every_training_flag_comes_back(lenet: Callable[[], nn.Module]) -> None:
    model = lenet()
    model.norm.eval()  # somebody keeps the statistics frozen
    before = {name: module.training for name, module in model.named_modules()}
    with undisturbed(model):
        assert not any(module.training for module in model.modules())
    assert {name: module.training for name, module in model.named_modules()} == before
    assert before["norm"] is False
    assert before[""] is True


def test_does_not_call_an_overridden_train() -> None:
    class Frozen(nn.Linear):
        def train(self, mode: bool = True) -> Frozen:
            raise AssertionError("train was called")

    with undisturbed(Frozen(2, 2)):
        pass


def test_no_gradients_inside_and_none_touched() -> None:
    model = nn.Linear(2, 2)
    model(torch.ones(2)).sum().backward()
    before = model.weight.grad.clone()
    with undisturbed(model):
        assert not model(torch.ones(2)).requires_grad
    assert torch.equal(model.weight.grad, before)


def test_a_backward_that_is_still_to_come_works(lenet: Callable[[], nn.Module], images: Tensor) -> None:
    model = lenet()
    loss = model(images).sum()
    with undisturbed(model):
        model(images)
    loss.backward()
    assert model.conv1.weight.grad is not None


def test_autocast_leaves_no_weights_without_gradient_in_its_cache() -> None:
    model = nn.Linear(4, 4)
    with torch.autocast("cpu", dtype=torch.float16):
        with undisturbed(model):
            assert model(torch.ones(4)).dtype == torch.float16
        model(torch.ones(4)).float().sum().backward()
    assert model.weight.grad is not None


def test_spectral_norm_does_not_iterate() -> None:
    model = nn.utils.parametrizations.spectral_norm(nn.Linear(4, 4))
    before = {name: buffer.clone() for name, buffer in model.named_buffers()}
    with undisturbed(model):
        model(torch.ones(4))
    assert before
    for name, buffer in model.named_buffers():
        assert torch.equal(buffer, before[name])


def test_lazy_model_is_refused_before_its_first_forward() -> None:
    model = nn.LazyLinear(3)
    with pytest.raises(InputError, match="run it once"), undisturbed(model):
        pass
    model(torch.ones(1, 2))
    with undisturbed(model):
        pass


def test_unwrapped_finds_the_model_inside() -> None:
    model = nn.Linear(2, 2)
    assert unwrapped(model) is model
    assert unwrapped(torch.compile(model, backend="eager")) is model
    assert unwrapped(nn.DataParallel(model)) is model
    assert unwrapped(torch.compile(nn.DataParallel(model), backend="eager")) is model


# Dynamo looks at the gradient of what one compiled part hands to the next.
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")
def test_compiled_parts_run_eagerly_and_are_not_compiled_again() -> None:
    graphs: list[int] = []

    def backend(module: torch.fx.GraphModule, example: object) -> Callable[..., object]:
        graphs.append(len(graphs))
        return module.forward

    model = nn.Sequential(nn.Linear(2, 2), torch.compile(nn.Linear(2, 2), backend=backend), nn.Linear(2, 2))
    model[2].compile(backend=backend)
    model(torch.ones(1, 2))
    compiled = len(graphs)
    seen: list[bool] = []
    with undisturbed(model):
        handles = [
            module.register_forward_hook(lambda *_: seen.append(torch.compiler.is_compiling()))
            for module in (model[1]._orig_mod, model[2])
        ]
        model(torch.ones(5, 2))
        for handle in handles:
            handle.remove()
    assert seen == [False, False]
    model(torch.ones(1, 2))
    assert len(graphs) == compiled > 0


@pytest.mark.parametrize("was_on", [True, False])
def test_garbage_is_collected_again_after_an_error_where_it_was_before(was_on: bool) -> None:
    def fail() -> None:
        with uncollected():
            assert not gc.isenabled()
            raise InputError

    on = gc.isenabled()
    (gc.enable if was_on else gc.disable)()
    try:
        with pytest.raises(InputError):
            fail()
        assert gc.isenabled() == was_on
    finally:
        (gc.enable if on else gc.disable)()
