from __future__ import annotations

import pytest
import torch
from torch import nn

from mmgraph.inspection.hooked import hooked


class Scaled(nn.Module):
    def forward(self, x, by=1.0):
        return x * by


def hooks_of(module):
    return len(module._forward_pre_hooks) + len(module._forward_hooks)


def test_each_forward_is_told_of_with_what_went_in_and_came_out():
    told, module = [], Scaled()
    # What a hook of somebody else makes of the output comes later.
    module.register_forward_hook(lambda module, args, output: output + 1)
    with hooked([module], lambda *given: told.append(given), lambda *given: told.append(given)):
        assert module(torch.ones(1), by=3.0).item() == 4
    x = torch.ones(1)
    assert told == [(module, (x,), {"by": 3.0}), (module, (x,), {"by": 3.0}, 3 * x)]


def test_nothing_stays_after_an_error():
    modules = [nn.ReLU(), nn.Linear(1, 1)]

    def fail(*_):
        raise ValueError

    with pytest.raises(ValueError), hooked(modules, fail, lambda *_: None):  # noqa: PT011
        nn.Sequential(*modules)(torch.ones(1, 1))
    assert [hooks_of(module) for module in modules] == [0, 0]


def test_no_modules_and_scripted_ones_are_left_alone():
    told, scripted = [], torch.jit.script(nn.ReLU())
    with hooked([scripted], lambda *_: told.append(1), lambda *_: told.append(2)), hooked([], print, print):
        scripted(torch.ones(1))
    assert told == []
