from __future__ import annotations

import pytest
import torch

from mmgraph.training.optimizers import decayed_groups, schedule_factor


def test_what_shall_not_decay_is_a_group_of_its_own():
    model = torch.nn.Linear(3, 2)
    decayed, kept = decayed_groups(model, 0.1, lambda name: name == "bias")
    assert decayed["weight_decay"] == 0.1
    assert decayed["params"] == [model.weight]
    assert kept["weight_decay"] == 0
    assert kept["params"] == [model.bias]


def test_a_group_without_parameters_is_left_out():
    model = torch.nn.Linear(3, 2)
    (everything,) = decayed_groups(model, 0.1)
    assert everything["params"] == [model.weight, model.bias]
    (nothing,) = decayed_groups(model, 0.1, lambda name: True)
    assert nothing["weight_decay"] == 0
    assert decayed_groups(torch.nn.Module(), 0.1) == []


def test_cosine_is_torchs():
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], lr=1.0)
    theirs = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=20)
    for step in range(20):
        assert schedule_factor("cosine", step, 20) == pytest.approx(theirs.get_last_lr()[0], abs=1e-12)
        optimizer.step()
        theirs.step()


def test_warm_up_rises_and_then_the_schedule_begins():
    factors = [schedule_factor("linear", step, 12, warmup_steps=2) for step in range(12)]
    assert factors[:3] == pytest.approx([1 / 3, 2 / 3, 1.0])
    assert factors[2:] == sorted(factors[2:], reverse=True)


@pytest.mark.parametrize(
    ("step", "factor"), [(0, 1.0), (49, 1.0), (50, 0.1), (74, 0.1), (75, 0.01), (100, 0.01)]
)
def test_steps(step, factor):
    assert schedule_factor("step", step, 100) == factor


def test_halving_is_torchs_step_schedule():
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], lr=1.0)
    theirs = torch.optim.lr_scheduler.StepLR(optimizer, step_size=7, gamma=0.5)
    for step in range(30):
        assert schedule_factor("halving", step, 30, half_life=7) == theirs.get_last_lr()[0]
        optimizer.step()
        theirs.step()
    assert schedule_factor("halving", 9, 30, warmup_steps=3, half_life=7) == 1
    assert schedule_factor("halving", 10, 30, warmup_steps=3, half_life=7) == 0.5
    assert schedule_factor("halving", 10**7, 30, half_life=7) == 0


@pytest.mark.parametrize("schedule", ["constant", "linear", "cosine", "step", "halving"])
def test_one_step_and_too_many_steps_are_fine(schedule):
    for step in range(5):
        assert 0 <= schedule_factor(schedule, step, 1) <= 1
