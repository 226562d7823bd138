"""The examples of the README run as they stand."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from mmgraph.runs import RunReader, find_runs

README = Path(__file__).parents[1] / "README.md"
EXAMPLES = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), flags=re.DOTALL)


def run(code: str, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_watch_example_records_a_run(tmp_path):
    run(EXAMPLES[0], tmp_path)
    (folder,) = find_runs()
    with RunReader(folder) as reader:
        losses = reader.series("train/loss").value
        assert len(losses) == 5 * 29
        assert losses[-10:].mean() < losses[:10].mean() / 3
        assert {"filters", "feature_maps", "embedding", "prediction"} <= {i.kind for i in reader.snapshots()}


@pytest.mark.data
@pytest.mark.usefixtures("real_data")
def test_the_library_example_learns_cora(tmp_path):
    accuracy = float(run(EXAMPLES[1], tmp_path).split()[-1])
    assert accuracy > 0.75


def test_every_page_it_links_to_is_there():
    for target in re.findall(r"\]\(([^)#]+)\)", README.read_text(encoding="utf-8")):
        assert (README.parent / target).exists(), target
