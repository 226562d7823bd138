"""`mmgraph.watch`: begin to record somebody's model."""

from __future__ import annotations

import socket
import sys
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.optim import Optimizer

from mmgraph.errors import ConfigError, InputError
from mmgraph.inspection.capture import KINDS, Capture
from mmgraph.inspection.draft import Limits
from mmgraph.inspection.live import Watch
from mmgraph.inspection.probe import Probe
from mmgraph.inspection.undisturbed import unwrapped
from mmgraph.runs import RunWriter, Throttle, describe, new_run_name, runs_root

_open: dict[tuple[int, str | None], Watch] = {}
"""Open watches by model and run. A watch keeps its model alive, so its id cannot become another's."""


def watch(
    model: nn.Module,
    *,
    run: str | Path | None = None,
    root: str | Path | None = None,
    probe: Any = None,
    probe_items: int = 256,
    labels: Any = None,
    class_names: Sequence[str] = (),
    thumbnails: npt.NDArray[np.uint8] | Literal["auto"] | None = "auto",
    tokens: Sequence[Sequence[str]] = (),
    kinds: Collection[str] = KINDS,
    layers: Sequence[str] | None = None,
    embedding: str | Sequence[str] = (),
    limits: Limits = Limits(),  # noqa: B008  frozen
    every_seconds: float = 0.5,
    share: float = 0.01,
    optimizer: Optimizer | None = None,
    quiet: bool = False,
) -> Watch:
    """Record a model while somebody's own loop trains it, and look inside it now and then.

        live = mmgraph.watch(model)
        for images, targets in loader:
            loss = cross_entropy(model(images), targets)
            ...
            live.step(loss=loss)

    What the model computes does not change: losses are bit-identical with and without. Watching a model again
    with the same `run` gives the same watch back. In a distributed job only the first process records.

    Args:
        model: any module, also inside `torch.compile` or a data-parallel wrapper.
        run: name of the run, or a path; by default the name of the model's class and the time. A number is
            added where it is taken.
        root: folder that holds runs; by default `$MMGRAPH_RUNS`, else `runs` in the working folder.
        probe: inputs to look at the model with: a tuple is `model(*probe)`, a dict is `model(**probe)`, anything
            else is `model(probe)`. By default the first batch the model sees.
        probe_items: how many items of the first batch are taken.
        labels: class of each item of the probe, or of the first batch.
        class_names: name of each class.
        thumbnails: uint8 pictures of the items; "auto" makes them where the inputs are images.
        tokens: the words of each item of the probe, which name the queries and keys of attention.
        kinds, layers, embedding, limits: what is taken from the model, see `Capture`.
        every_seconds: shortest time from one look to the next.
        share: largest share of the wall time that looks may take.
        optimizer: makes the learning rate visible, and lets the app change it.
        quiet: do not say on stderr where the run is recorded.

    Raises:
        UnknownNameError: there is no layer or kind of that name.
        InputError: labels or thumbnails do not fit the probe, or the model is not a module.
        ConfigError: a number is out of range.
        RunReadOnlyError: the folder cannot be written to.
    """
    if not isinstance(model, nn.Module):
        raise InputError(f"watch takes a torch.nn.Module, not {type(model).__name__}.")
    if not every_seconds >= 0:
        raise ConfigError(f"every_seconds is a number of at least 0, not {every_seconds}.")
    for closed in [key for key, live in _open.items() if not live.is_open]:
        del _open[closed]
    inner = unwrapped(model)
    key = (id(inner), None if run is None else str(run))
    if key in _open:
        return _open[key]
    throttle = Throttle(1 / every_seconds if every_seconds else float("inf"), share)
    capture = Capture(inner, kinds=kinds, layers=layers, embedding=embedding, tokens=tokens, limits=limits)
    if not _is_first_process():
        live = Watch(None, None, throttle)
    else:
        # The probe is checked before the folder is made, so that a mistake leaves no empty run behind.
        ready = Probe(
            model,
            capture,
            probe,
            limit=probe_items,
            labels=labels,
            class_names=class_names,
            thumbnails=thumbnails,
        )
        options = {
            "probe": "the first batch" if probe is None else "given",
            "kinds": [kind for kind in KINDS if kind in kinds],
            "layers": capture.layers,
            "embedding": capture.embedding,
            "every_seconds": float(every_seconds),
            "share": float(share),
        }
        folder = runs_root(root) / (run or new_run_name(type(inner).__name__))
        try:
            writer = RunWriter.create(folder.parent, folder.name, _describe(inner, options))
        except BaseException:
            ready.close()
            raise
        live = Watch(writer, ready, throttle, optimizer=optimizer)
        if not quiet:
            sys.stderr.write(
                f"mmgraph: recording {type(inner).__name__} in {writer.folder}; "
                f"open it with: mmgraph gui {writer.folder}\n"
            )
    _open[key] = live
    return live


def _is_first_process() -> bool:
    distributed = torch.distributed
    return not (distributed.is_available() and distributed.is_initialized() and distributed.get_rank() > 0)


def _describe(model: nn.Module, options: dict[str, Any]) -> dict[str, Any]:
    devices = sorted({str(parameter.device) for parameter in model.parameters()})
    return describe(
        "watch",
        type(model).__name__,
        options,
        torch=str(torch.__version__),
        device=", ".join(devices) or "cpu",
        host=socket.gethostname(),
    )
