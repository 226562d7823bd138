from __future__ import annotations

from mmgraph.runs import Status
from mmgraph_gui.bars.statusline import device_text, state_text


def test_memory_of_a_gpu_stands_beside_its_name():
    assert device_text("cpu", Status("running")) == "cpu"
    assert device_text("cuda:0", Status("running", device_memory=1_250_000_000)) == "cuda:0, 1.25 GB"


def test_a_state_is_said_once():
    assert state_text(Status("running")) == "running"
    assert state_text(Status("failed", "the loss became NaN")) == "failed: the loss became NaN"
    assert state_text(Status("stopped", "stopped: asked to stop")) == "stopped: asked to stop"
