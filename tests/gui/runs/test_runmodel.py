from __future__ import annotations

from pathlib import Path

import pytest

from mmgraph.runs import RunSummary
from mmgraph_gui.runs.runentry import RunEntry
from mmgraph_gui.runs.runmodel import COLUMNS, PLACES


@pytest.mark.parametrize(
    "names",
    [
        ["seed-1", "seed-2", "seed-10", "seed-100"],
        ["Adam 3", "adam 20", "b"],
        ["2026-11-28", "2026-12-01"],
        ["run 9", "run 12345678901234567890123"],
        ["a", "b"],
    ],
)
def test_numbers_in_names_are_sorted_as_numbers(names: list[str]) -> None:
    column = COLUMNS[PLACES["name"]]
    keys = [column.key(RunEntry(RunSummary(Path("runs") / name, "finished"))) for name in names]
    assert keys == sorted(keys)
    assert len(set(keys)) == len(keys)
