"""Runs to read and write in tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mmgraph.runs import RunWriter

CONFIG = {
    "run": {
        "recipe": "digits-graph",
        "title": "Digits",
        "dataset": "digits",
        "created": "2026-01-01T12:00:00",
    },
    "options": {"epochs": 10, "gradient_clip": None, "learning_rate": 0.01},
}


@pytest.fixture
def new_run(tmp_path: Path) -> Iterator[Callable[..., RunWriter]]:
    """`new_run(name="run")`: an open writer, closed after the test."""
    opened = []

    def make(name: str = "run", **options: int) -> RunWriter:
        opened.append(RunWriter.create(tmp_path, name, CONFIG, **options))
        return opened[-1]

    yield make
    for run in opened:
        run.close(None)
