"""What the window starts gives way to it."""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from mmgraph_gui.processes.politeness import NICENESS, step_back


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has niceness of threads")
def test_a_thread_steps_back_and_no_other_does():
    before = os.nice(0)
    with ThreadPoolExecutor(1, initializer=step_back) as pool:
        assert pool.submit(os.nice, 0).result() == min(max(before, NICENESS), 19)
    assert os.nice(0) == before
