from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import mmgraph
from mmgraph.errors import InputError, RunError
from mmgraph.inspection import Watch
from mmgraph.runs import RunReader, send_command

OFTEN: dict[str, Any] = {"every_seconds": 0, "share": 1, "quiet": True}


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


@pytest.fixture
def model() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))


@pytest.fixture
def watched(model: nn.Module, tmp_path: Path) -> Callable[..., Watch]:
    """A watch whose clock goes on by a second with every step, so that it does its chores in each."""

    def make(**options: Any) -> Watch:
        live = mmgraph.watch(model, root=tmp_path, **{**OFTEN, "probe": torch.ones(5, 3), **options})
        live.clock = Clock()
        return live

    return make


def events(folder: Path | None, kind: str) -> list[str]:
    assert folder is not None
    with RunReader(folder) as run:
        return [event.message for event in run.poll().events if event.kind == kind]


def answers(folder: Path | None) -> list[str]:
    return events(folder, "command")


def test_steps_are_counted_and_names_become_tags(watched: Callable[..., Watch]) -> None:
    with watched() as live:
        live.step(torch.tensor(0.5))
        live.step(loss=0.25, accuracy=0.9, **{"validation/loss": 1, "learning_rate": 0.1})
        live.record(epoch=1.0, **{"test/loss": 2.0})
        assert live.steps == 2
    assert live.folder is not None
    with RunReader(live.folder) as run:
        assert set(run.tags()) == {
            "train/loss", "train/accuracy", "validation/loss", "learning_rate", "test/loss",
        }  # fmt: skip
        assert run.series("train/loss").value.tolist() == [0.5, 0.25]
        assert run.series("test/loss").step.tolist() == [2]
        assert run.status().learning_rate == 0.1
        assert run.status().epoch == 1.0


def test_snapshots_come_when_they_are_due_and_always_at_the_end(watched: Callable[..., Watch]) -> None:
    live = watched(every_seconds=4.0)
    for _ in range(10):
        live.step()
    live.close()
    assert live.folder is not None
    with RunReader(live.folder) as run:
        assert [info.step for info in run.snapshots(kind="embedding")] == [1, 5, 9, 10]


def test_a_loop_that_goes_on_from_a_checkpoint(watched: Callable[..., Watch]) -> None:
    with watched() as live:
        live.steps = 100
        live.step(loss=1.0)
    assert live.folder is not None
    with RunReader(live.folder) as run:
        assert run.series("train/loss").step.tolist() == [101]


def test_a_value_that_is_no_number_is_refused(watched: Callable[..., Watch]) -> None:
    with watched() as live, pytest.raises(InputError, match="'train/loss' is one real number"):
        live.step(loss=torch.ones(3))


def test_closed_and_detached_watches_do_nothing(model: nn.Module, watched: Callable[..., Watch]) -> None:
    live = watched(probe=None)
    assert len(model._forward_pre_hooks) == 1
    live.detach()
    assert not model._forward_pre_hooks
    assert not live.is_open
    live.step(loss=1.0)
    live.log("nothing")
    live.close()
    assert live.steps == 0
    assert live.folder is not None
    with RunReader(live.folder) as run:
        assert run.status().state == "finished"
        assert run.snapshots() == []
        assert run.tags() == []


def test_closing_twice_does_no_harm(watched: Callable[..., Watch]) -> None:
    live = watched()
    live.step()
    live.close()
    live.close()
    assert live.folder is not None
    with RunReader(live.folder) as run:
        assert len(run.snapshots(kind="embedding")) == 1


@pytest.mark.parametrize(
    ("error", "state", "message"),
    [
        (ValueError("bad luck"), "failed", "ValueError: bad luck"),
        (KeyboardInterrupt(), "stopped", "interrupted"),
    ],
)
def test_with_closes_whatever_happens(
    error: BaseException, state: str, message: str, watched: Callable[..., Watch]
) -> None:
    live = watched()

    def loop() -> None:
        with live:
            live.step()
            raise error

    with pytest.raises(type(error)):
        loop()
    assert live.folder is not None
    with RunReader(live.folder) as run:
        assert (run.status().state, run.status().message) == (state, message)


def test_a_loss_that_is_not_finite_is_noted_once(watched: Callable[..., Watch]) -> None:
    with watched() as live:
        for loss in (1.0, math.nan, math.inf, math.nan):
            live.step(loss=torch.tensor(loss))
    assert events(live.folder, "nan") == ["The loss is nan at step 2."]
    assert live.folder is not None
    with RunReader(live.folder) as run:
        np.testing.assert_array_equal(run.series("train/loss").value, [1, np.nan, np.inf, np.nan])


def test_stop_is_for_the_loop_to_see(watched: Callable[..., Watch]) -> None:
    live = watched()
    live.step()
    assert live.folder is not None
    send_command(live.folder, "stop")
    assert not live.should_stop
    live.step()
    assert live.should_stop
    live.close()
    assert answers(live.folder) == [
        "stop: the loop is asked to stop; it does so where it looks at `should_stop`"
    ]
    with RunReader(live.folder) as run:
        assert run.status().state == "stopped"


def test_snapshot_is_taken_at_once(watched: Callable[..., Watch]) -> None:
    live = watched(every_seconds=1000)
    live.step()
    assert live.folder is not None
    live.step()
    send_command(live.folder, "snapshot")
    live.step()
    live.step()
    live.detach()
    assert answers(live.folder) == ["snapshot: taken at step 3"]
    with RunReader(live.folder) as run:
        assert [info.step for info in run.snapshots(kind="embedding")] == [1, 3]


def test_pause_holds_the_loop_until_resume(watched: Callable[..., Watch]) -> None:
    live = watched()
    live.step()
    folder = live.folder
    assert folder is not None
    seen: list[str] = []

    def look_then_resume() -> None:
        with RunReader(folder) as run:
            while run.status().state != "paused":
                time.sleep(0.01)
            seen.append(run.status().state)
        send_command(folder, "resume")

    send_command(folder, "pause")
    other = threading.Thread(target=look_then_resume)
    other.start()
    live.step()
    other.join()
    assert seen == ["paused"]
    live.step()
    send_command(folder, "resume")
    live.step()
    live.close()
    assert answers(folder) == ["pause: paused after step 2", "resume: going on", "resume: was not paused"]


def test_stop_ends_a_pause(watched: Callable[..., Watch]) -> None:
    live = watched()
    live.step()
    assert live.folder is not None
    send_command(live.folder, "pause")
    send_command(live.folder, "stop")
    live.step()
    assert live.should_stop
    live.close()


def test_learning_rate_needs_the_optimizer(model: nn.Module, watched: Callable[..., Watch]) -> None:
    live = watched()
    live.step()
    assert live.folder is not None
    send_command(live.folder, "set-learning-rate", 0.5)
    send_command(live.folder, "checkpoint")
    live.step()
    live.close()
    first, second = answers(live.folder)
    assert first == "set-learning-rate: not done: watch was not given the optimizer (optimizer=)"
    assert second.startswith("checkpoint: not done")

    optimizer = torch.optim.SGD(
        [{"params": model[0].parameters()}, {"params": model[2].parameters(), "lr": torch.tensor(0.2)}],
        lr=0.1,
    )
    live = watched(optimizer=optimizer, run="second")
    live.step()
    assert live.folder is not None
    send_command(live.folder, "set-learning-rate", 0.5)
    live.step()
    live.step()
    live.close()
    assert [float(group["lr"]) for group in optimizer.param_groups] == [0.5, 0.5]
    assert answers(live.folder) == ["set-learning-rate: the learning rate is now 0.5"]
    with RunReader(live.folder) as run:
        assert run.series("learning_rate").value.tolist() == [0.1, 0.5]


def test_a_model_that_cannot_be_looked_at_is_said_once_and_the_rest_goes_on(tmp_path: Path) -> None:
    class TrainsOnly(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(3, 2)

        def forward(self, x: Tensor) -> Tensor:
            if not self.training:
                raise ValueError("only for training")
            return self.fc(x)

    model = TrainsOnly()
    live = mmgraph.watch(model, root=tmp_path, **OFTEN)
    model(torch.ones(5, 3))
    with pytest.warns(RuntimeWarning, match="only for training"):
        live.step(loss=1.0)
    for _ in range(3):
        live.step(loss=2.0)
    live.close()
    assert model.training
    assert events(live.folder, "log") == ["The model could not be looked at (ValueError: only for training)."]
    assert live.folder is not None
    with RunReader(live.folder) as run:
        assert len(run.series("train/loss")) == 4


def test_labels_that_do_not_fit_the_first_batch(model: nn.Module, watched: Callable[..., Watch]) -> None:
    live = watched(probe=None, labels=[1, 2, 3])
    model(torch.ones(5, 3))
    with pytest.warns(RuntimeWarning, match="5 whole numbers"):
        live.step()
    live.close()
    assert live.folder is not None
    with RunReader(live.folder) as run:
        assert run.item_names() == []
        assert len(run.snapshots(kind="embedding")) == 1


def test_a_model_that_never_sees_a_batch(watched: Callable[..., Watch]) -> None:
    live = watched(probe=None)
    for _ in range(10):
        live.step(loss=1.0)
    with pytest.warns(RuntimeWarning, match="has not seen a batch"):
        live.step(loss=1.0)
    for _ in range(9):
        live.step(loss=1.0)
    live.close()
    assert live.folder is not None
    with RunReader(live.folder) as run:
        assert len(run.series("train/loss")) == 20


def test_a_disk_that_fails_never_stops_the_loop(
    watched: Callable[..., Watch], monkeypatch: pytest.MonkeyPatch
) -> None:
    live = watched()
    live.step(loss=1.0)
    writer = live._writer
    assert writer is not None
    monkeypatch.setattr(
        writer, "scalars", lambda *_, **__: (_ for _ in ()).throw(RunError("The disk is full."))
    )
    with pytest.warns(RuntimeWarning, match=r"Nothing more is recorded: The disk is full\."):
        live.step(loss=1.0)
    for _ in range(5):
        live.step(loss=1.0)
    live.log("still here")
    live.close()
    assert not live.is_open


def test_remarks_on_what_could_not_be_taken_are_events(tmp_path: Path) -> None:
    class Residual(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(3, 3)

        def forward(self, x: Tensor) -> Tensor:
            x = x.clone()
            x += self.fc(x)
            return x

    with mmgraph.watch(Residual(), root=tmp_path, probe=torch.ones(2, 3), **OFTEN) as live:
        live.step()
        live.step()
    (remark,) = events(live.folder, "log")
    assert "changed in place" in remark


def test_autocast_of_the_first_batch_holds_for_the_probe(tmp_path: Path) -> None:
    kinds: list[torch.dtype] = []

    class Noting(nn.Linear):
        def forward(self, x: Tensor) -> Tensor:
            output = super().forward(x)
            kinds.append(output.dtype)
            return output

    model = Noting(3, 2)
    with mmgraph.watch(model, root=tmp_path, **OFTEN) as live:
        with torch.autocast("cpu", dtype=torch.float16):
            model(torch.ones(4, 3))
        live.step()
    assert len(kinds) > 2  # the batch, the structure of the model, and a look
    assert set(kinds) == {torch.float16}
