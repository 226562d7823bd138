"""Files of weights without a run, and where the runs that are made of them lie."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from platformdirs import user_cache_dir

MODEL_FILES = (".safetensors", ".pt", ".pth", ".th", ".bin", ".ckpt")
"""Endings of files that may hold the weights of a model."""


OPENED = "opened-model"
"""What stands for the recipe where only weights are known."""


def is_model_file(path: Path) -> bool:
    """Whether a file may hold weights and is not part of a run."""
    return path.suffix.lower() in MODEL_FILES and path.is_file()


def is_weights_alone(config: Mapping[str, Any]) -> bool:
    """Whether a run was made of a file of weights without any data to try them on."""
    run, options = config.get("run", {}), config.get("options", {})
    return run.get("recipe") == OPENED and set(options) <= {"file", "model"}


def opened_root() -> Path:
    """Folder of the runs that are made of files of weights; may be deleted at any time."""
    return Path(user_cache_dir("mmgraph", appauthor=False), "opened")
