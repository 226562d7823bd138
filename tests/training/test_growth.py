from __future__ import annotations

import json
import os
import signal
from dataclasses import replace

import pytest
import torch
from torch import nn

from mmgraph.errors import ConfigError, InputError, UnknownNameError
from mmgraph.runs import RunReader, RunWriter
from mmgraph.training import (
    Deepen,
    GrowAtEpoch,
    Growth,
    GrowWhenStalled,
    ScaleRate,
    TrainingOptions,
    Widen,
    fit,
)
from mmgraph.training.checkpoints import BEST, LAST, saved_progress
from mmgraph.training.growth import load_weights
from mmgraph.training.interruption import StopRequest
from mmgraph.training.loop import TrainingLoop

OPTIONS = TrainingOptions(epochs=12, learning_rate=0.01, device="cpu", threads=1)
EXAMPLE = torch.ones(2, 5)
PLAN = ((Widen("0", factor=1.5), ScaleRate(0.5)), (Deepen("0"), Widen("0.1", 40)))


def growing(make_task, **changes):
    task = make_task()
    rule = replace(GrowWhenStalled(PLAN, patience=2, min_delta=0.3, cooldown=1), **changes)
    task.growth = Growth([rule], EXAMPLE, seed=3)
    task.probe = list
    return task


def state(task):
    return {name: value.clone() for name, value in task.model.state_dict().items()}


def events(folder):
    with RunReader(folder) as reader:
        return [(event.step, event.message) for event in reader.poll().events if event.kind == "growth"]


def plateau(rule, values):
    memory: dict[str, object] = {}
    grown = []
    for epoch, value in enumerate(values, 1):
        memory = json.loads(json.dumps(memory))
        if rule.due(memory, {rule.monitor: value}, epoch):
            grown.append(epoch)
    return grown


def test_it_waits_for_a_plateau():
    rule = GrowWhenStalled(PLAN, patience=2)
    assert plateau(rule, [5, 4, 3, 2, 1, 0.5]) == []
    assert plateau(rule, [5, 4, 4, 4, 3, 3, 3, 3, 3, 3]) == [4, 7]
    assert plateau(replace(rule, cooldown=2), [5, 4, 4, 4, 4, 4, 4, 4, 4]) == [4, 8]
    assert plateau(replace(rule, min_delta=1), [5, 4.5, 4.2, 3, 2.9, 2.8]) == [3, 6]
    assert plateau(replace(rule, max_growths=1), [4] * 9) == [3]
    assert plateau(replace(rule, patience=1), [4, float("nan"), 3, float("inf"), 3]) == [5]


def test_at_the_latest_it_grows_by_all_that_is_left():
    rule = GrowWhenStalled(PLAN, patience=2, latest=6)
    assert plateau(rule, [9, 8, 7, 6, 5, 4, 3, 2, 1]) == [6]
    memory: dict[str, object] = {}
    made = [rule.due(memory, {rule.monitor: 5.0}, epoch) for epoch in (1, 2, 3)]
    assert made == [(), (), PLAN[0]]
    assert rule.due(memory, {}, 6) == PLAN[1]
    assert rule.due(memory, {}, 6) == ()
    assert replace(rule, max_growths=1).due({}, {}, 6) == PLAN[0]


def test_what_is_not_a_loss_is_maximised():
    rule = GrowWhenStalled(PLAN, "validation/accuracy", patience=1)
    assert plateau(rule, [0.1, 0.2, 0.3, 0.2]) == [4]


def test_other_numbers_are_not_looked_at():
    memory: dict[str, object] = {}
    rule = GrowWhenStalled(PLAN, patience=1)
    for _ in range(5):
        assert rule.due(memory, {"train/loss": 1.0}, 1) == ()


def test_at_an_epoch_it_grows_once():
    rule = GrowAtEpoch(3, (Widen("0", 20),))
    memory: dict[str, object] = {}
    assert [len(rule.due(memory, {}, epoch)) for epoch in (1, 2, 3, 3, 4)] == [0, 0, 1, 0, 0]


def test_a_run_grows_and_says_so(make_task, new_run):
    task, run = growing(make_task), new_run()
    fit(task, run, OPTIONS)
    run.flush()
    assert [message for _, message in events(run.folder)] == [
        "widened 0 16 → 24; learning rate × 0.5",
        "inserted 0.1 after 0; widened 0.1 24 → 40",
    ]
    assert task.model.get_submodule("0.1").weight.shape == (40, 24)
    assert task.model.get_submodule("3").weight.shape == (1, 40)
    assert saved_progress(run.folder / "checkpoints" / LAST)["growth"] == task.growth.state


def test_growth_restarts_the_patience_of_the_run(make_task, new_run):
    task, run = growing(make_task, patience=3, min_delta=100.0, cooldown=0), new_run()
    task.evaluate = lambda split="validation": {f"{split}/loss": 1.0}
    result = fit(task, run, replace(OPTIONS, patience=4, epochs=30))
    run.flush()
    assert [step for step, _ in events(run.folder)] == [16, 28]
    assert result.epoch == 7 + 4


def test_the_learning_rate_goes_on_by_the_factor(make_task, new_run):
    task = growing(
        make_task, plan=((ScaleRate(0.5),), (ScaleRate(0.2),)), patience=1, min_delta=100.0, cooldown=0
    )
    task.parameter_groups = lambda weight_decay: [
        {"params": [task.model[0].weight], "rate_share": 3.0},
        {"params": [task.model[3].weight]},
    ]
    with new_run() as run:
        loop = TrainingLoop(task, run, OPTIONS, torch.device("cpu"), StopRequest(), None)
        loop.train(resume=False)
    shares = [group["rate_share"] for group in loop.optimizer.param_groups]
    assert shares == pytest.approx([0.3, 0.1])
    assert [group["lr"] for group in loop.optimizer.param_groups] == pytest.approx([0.003, 0.001])


@pytest.mark.parametrize(
    ("stop_after", "average"), [(3, 0.0), (17, 0.0), (20, 0.0), (29, 0.0), (44, 0.0), (3, 0.7), (29, 0.7)]
)
def test_a_killed_run_resumes_to_the_same_network(make_task, new_run, stop_after, average):
    options = replace(OPTIONS, average_weights=average)
    whole, whole_run = growing(make_task), new_run("whole")
    fit(whole, whole_run, options)
    whole_run.flush()

    first, run = growing(make_task), new_run("parts")
    first.after_step = lambda count: os.kill(os.getpid(), signal.SIGTERM) if count == stop_after else None
    assert fit(first, run, options).state == "stopped"
    run.close("stopped")
    second = growing(make_task)
    with RunWriter(run.folder, start_step=stop_after) as again:
        fit(second, again, options, resume=True)
    expected = state(whole)
    assert state(second).keys() == expected.keys()
    assert all(torch.equal(value, expected[name]) for name, value in state(second).items())
    assert second.growth.state == whole.growth.state
    assert events(run.folder) == events(whole_run.folder)
    for name in (LAST, BEST):
        ours, theirs = (
            saved_progress(folder / "checkpoints" / name) for folder in (run.folder, whole_run.folder)
        )
        assert ours["step"] == theirs["step"]
        assert ours["growth"] == theirs["growth"]


def test_the_best_weights_may_be_older_than_the_growth(make_task, new_run):
    task, run = growing(make_task, min_delta=100.0, cooldown=5), new_run()
    seen = []

    def evaluate(split="validation"):
        task.model.eval()
        with torch.no_grad():
            outputs = task.model(task.x)
        seen.append((split, outputs))
        rising = float(sum(part == "validation" for part, _ in seen))
        return {f"{split}/loss": rising}

    task.evaluate = evaluate
    fit(task, run, OPTIONS)
    assert len(task.growth.state["changes"]) == 4
    assert seen[-1][0] == "test"
    assert torch.allclose(seen[-1][1], seen[0][1], atol=1e-6)

    fresh = growing(make_task)
    load_weights(run.folder / "checkpoints" / LAST, fresh.model, fresh.growth)
    assert fresh.model.get_submodule("0.1").weight.shape == (40, 24)


def test_it_serves_a_loop_of_ones_own():
    model = nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 1))
    optimizer = torch.optim.Adam(model.parameters())
    model(EXAMPLE).sum().backward()
    optimizer.step()
    growth = Growth([GrowWhenStalled(((Widen("0", 6, noise=0.0),),), patience=1)], EXAMPLE)
    before = model(EXAMPLE)
    assert growth.after_step(model, {"validation/loss": 1.0}, 1, optimizer) == []
    assert growth.after_step(model, {"validation/loss": 1.0}, 2, optimizer) == ["widened 0 4 → 6"]
    assert torch.allclose(model(EXAMPLE), before, atol=1e-6)
    assert optimizer.state[model[0].weight]["exp_avg"].shape == (6, 5)
    again = nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 1))
    Growth(growth.rules, EXAMPLE).restore(again, json.loads(json.dumps(growth.state)))
    again.load_state_dict(model.state_dict())


@pytest.mark.parametrize(
    ("plan", "error", "words"),
    [
        (((Widen("0", 8),),), InputError, "at least the 16 outputs"),
        (((Widen("0", 20),), (Widen("0", 18),)), InputError, "at least the 20 outputs"),
        (((Widen("3", 4),),), InputError, "output of the network"),
        (((Widen("first", 20),),), UnknownNameError, "first"),
        (((Deepen("first"),),), UnknownNameError, "first"),
    ],
)
def test_a_plan_that_cannot_be_fails_before_training(make_task, new_run, plan, error, words):
    task = growing(make_task, plan=plan)
    with pytest.raises(error, match=words):
        fit(task, new_run(), OPTIONS)
    assert task.steps == 0


def test_a_shared_layer_cannot_grow():
    layer = nn.Linear(4, 4)
    model = nn.Sequential(nn.Linear(5, 4), layer, nn.ReLU(), layer, nn.Linear(4, 1))
    with pytest.raises(InputError, match="called more than once and shares its weights"):
        Growth([GrowAtEpoch(1, (Widen("1", 6),))], EXAMPLE).check(model)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Widen("0"), "either a width or a factor"),
        (lambda: Widen("0", 8, 2.0), "either a width or a factor"),
        (lambda: Widen("0", factor=0.5), "factor of at least 1"),
        (lambda: Widen("0", factor=float("nan")), "factor of at least 1"),
        (lambda: ScaleRate(0.0), "positive factor"),
        (lambda: ScaleRate(float("nan")), "positive factor"),
        (lambda: GrowWhenStalled(()), "at least one growth"),
        (lambda: GrowWhenStalled(((),)), "at least one change"),
        (lambda: GrowWhenStalled(PLAN, patience=0), "patience of at least 1"),
        (lambda: GrowWhenStalled(PLAN, min_delta=float("nan")), "min_delta of at least 0"),
        (lambda: GrowWhenStalled(PLAN, cooldown=-1), "cooldown"),
        (lambda: GrowWhenStalled(PLAN, max_growths=0), "max_growths 0"),
        (lambda: GrowWhenStalled(PLAN, latest=0), "latest 0"),
        (lambda: GrowAtEpoch(0, (Widen("0", 8),)), "epoch of at least 1"),
        (lambda: GrowAtEpoch(1, ()), "at least one change"),
    ],
)
def test_wrong_numbers_say_why(make, words):
    with pytest.raises(ConfigError, match=words):
        make()
