"""Files of weights without a run, and where the runs that are made of them lie."""

from __future__ import annotations

from pathlib import Path

from platformdirs import user_cache_dir

MODEL_FILES = (".safetensors", ".pt", ".pth", ".th", ".bin", ".ckpt")
"""Endings of files that may hold the weights of a model."""


def is_model_file(path: Path) -> bool:
    """Whether a file may hold weights and is not part of a run."""
    return path.suffix.lower() in MODEL_FILES and path.is_file()


def opened_root() -> Path:
    """Folder of the runs that are made of files of weights; may be deleted at any time."""
    return Path(user_cache_dir("mmgraph", appauthor=False), "opened")
