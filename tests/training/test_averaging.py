"""The moving average of weights: against torch's own, and in runs."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from mmgraph.errors import CheckpointError
from mmgraph.runs import RunReader
from mmgraph.training import TrainingOptions, fit
from mmgraph.training.averaging import WeightAverage
from mmgraph.training.checkpoints import BEST, LAST, load_checkpoint, save_checkpoint
from mmgraph.training.interruption import StopRequest
from mmgraph.training.loop import TrainingLoop

OPTIONS = TrainingOptions(epochs=3, learning_rate=0.01, device="cpu", threads=1, average_weights=0.8)


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 2))


def train(model: nn.Module, steps: int, after) -> None:
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for step in range(steps):
        x = torch.randn(8, 4, generator=torch.Generator().manual_seed(step))
        optimizer.zero_grad()
        model(x).square().mean().backward()
        optimizer.step()
        after()


@pytest.mark.parametrize("steps", [0, 1, 20])
@pytest.mark.parametrize("keep", [0.0, 0.5, 0.99])
def test_it_is_the_average_of_torch(steps, keep):
    model = network()
    ours = WeightAverage(model, keep)
    theirs = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(keep), use_buffers=True)
    theirs.update_parameters(model)  # its first update copies
    train(model, steps, lambda: (ours.update(), theirs.update_parameters(model)))
    expected = theirs.module.state_dict()
    assert ours.values.keys() == expected.keys()
    for name, value in ours.values.items():
        if value.is_floating_point():
            torch.testing.assert_close(value, expected[name])
    assert int(ours.values["1.num_batches_tracked"]) == steps


def test_the_model_has_it_for_a_while_and_then_its_own_weights_bit_for_bit():
    model = network()
    average = WeightAverage(model, 0.9)
    train(model, 5, average.update)
    own = {name: value.clone() for name, value in model.state_dict().items()}
    x = torch.randn(3, 4)
    model.eval()
    before = model(x)
    with average.applied():
        for name, value in model.state_dict().items():
            assert torch.equal(value, average.values[name])
        assert not torch.equal(model(x), before)
    assert torch.equal(model(x), before)
    with pytest.raises(RuntimeError), average.applied():
        raise RuntimeError
    for name, value in model.state_dict().items():
        assert torch.equal(value, own[name])


def test_a_model_without_weights_has_an_empty_average():
    average = WeightAverage(nn.ReLU(), 0.9)
    average.update()
    with average.applied():
        assert average.values == {}


def test_a_checkpoint_keeps_both_and_gives_the_average_to_whoever_does_not_train(tmp_path):
    model = network()
    average = WeightAverage(model, 0.9)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    train(model, 5, average.update)
    path = tmp_path / "a.safetensors"
    save_checkpoint(path, model, optimizer, average=average)

    asked = network()
    load_checkpoint(path, asked)
    assert all(torch.equal(value, average.values[name]) for name, value in asked.state_dict().items())

    trained = network()
    other = WeightAverage(trained, 0.9)
    load_checkpoint(path, trained, torch.optim.SGD(trained.parameters(), lr=0.1), average=other)
    assert all(torch.equal(value, model.state_dict()[name]) for name, value in trained.state_dict().items())
    assert all(torch.equal(value, average.values[name]) for name, value in other.values.items())

    save_checkpoint(path, model, optimizer)  # of a run that did not average
    load_checkpoint(path, trained, torch.optim.SGD(trained.parameters(), lr=0.1), average=other)
    assert all(torch.equal(value, model.state_dict()[name]) for name, value in other.values.items())


def test_an_average_of_another_model_is_refused():
    with pytest.raises(CheckpointError, match="do not fit"):
        WeightAverage(network(), 0.9).load(WeightAverage(nn.Linear(4, 6), 0.9).values)


def test_training_takes_the_same_steps_and_tests_shows_and_keeps_the_average(make_task, new_run):
    plain, averaged = make_task(), make_task()
    plain_run, run = new_run("plain"), new_run("averaged")
    fit(plain, plain_run, replace(OPTIONS, average_weights=0.0))
    result = fit(averaged, run, OPTIONS)
    plain_run.flush()
    run.flush()
    folder = run.folder / "checkpoints"
    with RunReader(plain_run.folder) as theirs, RunReader(run.folder) as ours:
        assert ours.series("train/loss").value.tolist() == theirs.series("train/loss").value.tolist()
        assert (
            ours.series("validation/loss").value.tolist() != theirs.series("validation/loss").value.tolist()
        )
        shown = ours.load(ours.snapshots(kind="matrix", layer="first")[-1])
    last = make_task()
    load_checkpoint(folder / LAST, last.model)  # the average after the last step
    assert torch.equal(last.model[0].weight, torch.from_numpy(shown.array))
    best = make_task()
    load_checkpoint(folder / BEST, best.model)
    assert best.evaluate("test")["test/loss"] == result.metrics["test/loss"]


def test_an_item_is_explained_with_the_average(make_task, new_run):
    task, run, seen = make_task(), new_run(), []

    def explain(item):
        seen.append(task.model[0].weight.detach().clone())
        return []

    task.explain = explain
    with run:
        loop = TrainingLoop(task, run, OPTIONS, torch.device("cpu"), StopRequest(), None)
        loop.begin()
        for _ in loop.steps():
            pass
        loop.explain(0)
    assert torch.equal(seen[0], loop.average.values["0.weight"])
    assert not torch.equal(seen[0], task.model[0].weight)
