from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from mmgraph.cli import main


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


@pytest.fixture
def mmgraph(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Run a command in this process, as typed."""

    def run(*words: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["mmgraph", *map(str, words)])
        with pytest.raises(SystemExit) as exit_:
            main()
        captured = capsys.readouterr()
        return Outcome(int(exit_.value.code or 0), captured.out, captured.err)

    return run
