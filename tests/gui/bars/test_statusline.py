from __future__ import annotations

import pytest

from mmgraph.runs import Status
from mmgraph_gui.bars.statusline import device_text, duration, speed_text, state_text


def test_memory_of_a_gpu_stands_beside_its_name():
    assert device_text("cpu", Status("running")) == "cpu"
    assert device_text("cuda:0", Status("running", device_memory=1_250_000_000)) == "cuda:0, 1.25 GB"


def test_a_state_is_said_once():
    assert state_text(Status("running")) == "running"
    assert state_text(Status("failed", "the loss became NaN")) == "failed: the loss became NaN"
    assert state_text(Status("stopped", "stopped: asked to stop")) == "stopped: asked to stop"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (0.02, "0.1 s"), (0.44, "0.4 s"), (0.6, "1 s"), (59.4, "59 s"), (125, "2 min 5 s"),
     (3780, "1 h 3 min")],
)  # fmt: skip
def test_a_short_time_is_not_called_none(seconds, words):
    assert duration(seconds) == words
    assert speed_text(Status("finished", seconds=seconds)) == (f"took {words}" if seconds else "")
