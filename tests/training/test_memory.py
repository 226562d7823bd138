from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

from mmgraph.training.memory import keep_freed_memory

FAULTS = """
import resource, torch
from mmgraph.training.memory import keep_freed_memory
assert keep_freed_memory()
def fill():
    tensors = [torch.ones(500_000) for _ in range(4)]
    del tensors
for _ in range(5): fill()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(50): fill()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(
    sys.platform != "linux" or not hasattr(ctypes.CDLL(None), "mallopt"), reason="needs glibc"
)
def test_memory_of_one_step_serves_the_next() -> None:
    done = subprocess.run([sys.executable, "-c", FAULTS], check=True, capture_output=True, text=True)
    # 50 times 4 tensors of 488 pages each would be 97,600 faults.
    assert int(done.stdout) < 5000


def test_elsewhere_nothing_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not keep_freed_memory()
