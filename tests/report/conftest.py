"""A run with everything a report can show, small."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mmgraph.runs import ItemSet, RunWriter, Snapshot

TEXT = "</style><script>alert('x')</script>\"&<b>\x00\x1b é 大"


def write(root: Path, text: str = "", *, classes: int = 3, count: int = 30, steps: int = 40) -> Path:
    """Record a run; `text` is put wherever a run can hold a text."""
    generator = np.random.default_rng(0)
    toml_text = "".join(letter for letter in text if letter >= " ")
    config = {
        "run": {"recipe": "digits-graph", "title": "Digits" + toml_text, "dataset": "digits"},
        "options": {
            "epochs": 10,
            "note": toml_text,
            "layers": [1, 2],
            "deep": {"a": 1},
            toml_text + "k": True,
        },
        "version": 3,
    }
    labels = np.arange(count) % classes
    labels[0] = -1
    names = tuple(f"class {number}{text}" for number in range(classes))
    probabilities = np.full((count, classes), 0.1 / classes)
    probabilities[np.arange(count), (labels + (np.arange(count) % 4 == 0)) % classes] += 0.9
    edges = np.stack([generator.integers(0, count, 80), generator.integers(0, count, 80)]).astype(np.int32)
    weights = generator.random((2, 80)).astype(np.float32)
    run = RunWriter.create(root, "run", config)
    run.items(
        ItemSet(
            labels=labels,
            class_names=names,
            splits=labels * 0,
            split_names=("train" + text,),
            thumbnails=generator.integers(0, 256, (count, 8, 8), np.uint8),
            texts=tuple(f"item {number} {text}" for number in range(count)),
            noun="digit" + text,
        )
    )
    for step in range(steps):
        run.scalars(step, {"train/loss": 2 / (step + 1), "learning_rate": 0.01, "strange" + text: step})
        if step % 10 == 0:
            run.scalars(step, {"validation/loss": 1 + (step - 20) ** 2, "validation/accuracy": step / steps})
    run.scalars(steps, {"train/loss": float("nan"), "test/accuracy": 0.9})
    for step in (0, steps):
        run.snapshots(
            step,
            [
                Snapshot("embedding", "gnn" + text, generator.normal(size=(count, 5)), items="items"),
                Snapshot("prediction", "output", probabilities, items="items"),
                Snapshot("filters", "first" + text, generator.normal(size=(4, 1, 3, 3))),
                Snapshot("filters", "last", generator.normal(size=(20, 10, 3, 3))),
                Snapshot("attention", "convs.0" + text, weights, extras={"edge_index": edges}, items="items"),
                Snapshot(
                    "matrix",
                    "confusion/validation" + text,
                    np.arange(classes**2).reshape(classes, classes),
                    notes={"classes": list(names)},
                ),
            ],
            wait=True,
        )
    run.event("watch out " + text, level="warning", kind="nan", step=3)
    run.status(step=steps, seconds=61.4, metrics={"train/loss": 0.5, "test/accuracy": 0.9})
    run.close("stopped", "asked to " + text)
    return run.folder


@pytest.fixture
def write_run(tmp_path: Path) -> Callable[..., Path]:
    """`write_run(text="", classes=3, count=30, steps=40)`: the folder of a recorded run."""
    return lambda *arguments, **options: write(tmp_path, *arguments, **options)


@pytest.fixture
def hostile() -> str:
    """A text that would be markup, holds what no page may hold, and is in several scripts."""
    return TEXT
