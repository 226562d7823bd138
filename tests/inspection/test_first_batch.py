from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from mmgraph.inspection.first_batch import FirstBatch


def hooks(model: nn.Module) -> int:
    return len(model._forward_pre_hooks)


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(3, 4), nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(self.fc1(x).relu())


def test_keeps_a_copy_of_the_first_batch_and_goes_away() -> None:
    model, x = nn.Linear(3, 2), torch.ones(5, 3)
    first = FirstBatch(model, limit=4)
    assert first.inputs is None
    model(x)
    x.zero_()
    model(torch.full((5, 3), 7.0))
    assert first.inputs is not None
    assert torch.equal(first.inputs.args[0], torch.ones(4, 3))
    assert first.total == 5
    assert hooks(model) == 0


def test_remembers_autocast() -> None:
    model = nn.Linear(3, 2)
    first = FirstBatch(model, limit=4)
    with torch.autocast("cpu", dtype=torch.float16):
        model(torch.ones(1, 3))
    assert first.autocast == {"cpu": torch.float16}


def test_close_takes_the_hook_off() -> None:
    model = nn.Linear(3, 2)
    model.compile(backend="eager")
    call = model._compiled_call_impl
    first = FirstBatch(model, limit=4)
    assert hooks(model) == 1
    assert model._compiled_call_impl is not call
    first.close()
    assert hooks(model) == 0
    assert model._compiled_call_impl is call
    model(torch.ones(1, 3))
    assert first.inputs is None


def test_a_batch_that_cannot_be_copied_is_no_trouble_for_the_model() -> None:
    class Awkward(Tensor):
        def clone(self, *args: object, **kwargs: object) -> Tensor:
            raise RuntimeError("no copies")

    model = nn.Linear(3, 2)
    first = FirstBatch(model, limit=4)
    assert model(torch.ones(1, 3).as_subclass(Awkward)).shape == (1, 2)
    assert isinstance(first.failure, RuntimeError)
    assert hooks(model) == 0


@pytest.mark.parametrize("how", ["wrapped", "in place"])
@pytest.mark.parametrize("watched", ["before", "after"])
def test_compiled_models_are_not_compiled_differently(how: str, watched: str) -> None:
    graphs: list[torch.fx.GraphModule] = []

    def backend(module: torch.fx.GraphModule, example: object) -> Callable[..., object]:
        graphs.append(module)
        return module.forward

    def compiled(model: nn.Module) -> nn.Module:
        if how == "wrapped":
            return torch.compile(model, backend=backend, fullgraph=True)
        model.compile(backend=backend, fullgraph=True)
        return model

    torch._dynamo.reset()
    model: nn.Module = Net()
    called = compiled(model) if watched == "after" else model
    first = FirstBatch(called, limit=8)
    called = compiled(model) if watched == "before" else called
    for value in (1.0, 2.0, 3.0):
        called(torch.full((5, 3), value))
        if first.inputs is None:
            first.look_again()
    assert first.inputs is not None
    assert first.inputs.args[0].unique().tolist() == [1.0 if watched == "after" else 2.0]
    assert len(graphs) == 1
    first.close()
    assert hooks(model) == hooks(called) == 0
