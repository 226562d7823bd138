"""`mmgraph doctor`: what is installed and what works, in words a bug report can use."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated

import typer

from mmgraph import __version__
from mmgraph.cli import output
from mmgraph.datasets import catalogue
from mmgraph.errors import MMGraphError

_PACKAGES = (
    "torch", "torch-geometric", "numpy", "scipy", "scikit-learn", "networkx", "safetensors",
    "PySide6-Essentials", "pyqtgraph", "tensorboardX", "lightning",
)  # fmt: skip


def doctor(json: Annotated[bool, output.JSON] = False) -> None:
    """Say what is installed, which device is used, and where data and runs lie."""
    findings = {
        "mmgraph": f"{__version__} in {Path(__file__).parents[1]}",
        "python": f"{platform.python_version()} in {sys.prefix}",
        "system": f"{platform.platform()}, {os.cpu_count()} processors",
        **{name: _installed(name) for name in _PACKAGES},
        "device": _device(),
        "display": _display(),
        "data folders": ", ".join(
            f"{root}{'' if root.is_dir() else ' (missing)'}" for root in catalogue.roots()
        ),
        **{f"data set {name}": _dataset(name) for name in catalogue.names()},
        "runs": _runs(),
        "plugins": _plugins(),
    }
    if json:
        output.print_json(findings)
    else:
        for name, finding in findings.items():
            typer.echo(f"{name + ':':<24} {finding}")


def _installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _device() -> str:
    try:
        import torch
    except (ImportError, OSError) as error:
        return f"torch cannot be imported ({error})"
    if torch.cuda.is_available():
        memory = torch.cuda.get_device_properties(0).total_memory / 2**30
        return f"cuda: {torch.cuda.get_device_name(0)}, {memory:.0f} GiB, CUDA {torch.version.cuda}"
    if torch.backends.mps.is_available():
        return "mps: Apple silicon"
    reason = "built without CUDA" if torch.version.cuda is None else "no CUDA device found"
    return f"cpu with {torch.get_num_threads()} threads ({reason})"


def _display() -> str:
    if sys.platform != "linux":
        return f"that of {platform.system()}"
    for name in ("WAYLAND_DISPLAY", "DISPLAY"):
        if os.environ.get(name):
            return f"{name}={os.environ[name]}"
    return "none (neither DISPLAY nor WAYLAND_DISPLAY is set); 'mmgraph demo' trains in the terminal"


def _dataset(name: str) -> str:
    try:
        return catalogue.status(name)
    except MMGraphError as error:
        return str(error)


def _plugins() -> str:
    """Recipes and views of other packages, and those that are left out."""
    from mmgraph import plugins
    from mmgraph.recipes import registry

    found = [
        f"{what} {plugin.name} ({plugin.package})"
        for what, group in (("recipe", plugins.RECIPES), ("view", plugins.VIEWS))
        for plugin in plugins.plugins(group)
    ]
    return "; ".join([*found, *registry.failures()]) or "none"


def _runs() -> str:
    from mmgraph.runs import find_runs, runs_root

    root = runs_root().absolute()
    if not root.is_dir():
        existing = next(folder for folder in root.parents if folder.is_dir())
        return f"{root} (made with the first run); {shutil.disk_usage(existing).free / 2**30:.0f} GiB free"
    writable = "writable" if os.access(root, os.W_OK) else "not writable"
    free = shutil.disk_usage(root).free / 2**30
    return f"{len(find_runs(root))} in {root}, {writable}, {free:.0f} GiB free"
