"""`mmgraph.watch` as a callback of Lightning, which is optional."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

import torch

from mmgraph.errors import MissingDependencyError
from mmgraph.inspection.live import Watch
from mmgraph.inspection.watching import watch


def _callback_type() -> type:
    """The Callback of the Lightning that the program uses: it comes in two packages."""
    packages = ["lightning.pytorch", "pytorch_lightning"]
    packages.sort(key=lambda package: package not in sys.modules)
    problems = []
    for package in packages:
        try:
            found: type = importlib.import_module(package).Callback
        except (ImportError, OSError, RuntimeError) as error:  # a broken torchvision raises any of these
            problems.append(f"{package}: {error}")
        else:
            return found
    raise MissingDependencyError(
        "WatchCallback needs Lightning, which does not import here: 'pip install \"mmgraph[lightning]\"'. "
        f"({'; '.join(problems)})"
    )


if TYPE_CHECKING:
    _Callback = object
else:
    _Callback = _callback_type()

_PREFIXES = {"train": "train", "val": "validation", "validation": "validation", "test": "test"}


class WatchCallback(_Callback):
    """Records a Lightning training run as `mmgraph.watch` does, and stops it when the app asks for it.

        trainer = Trainer(callbacks=[WatchCallback()])

    What the module logs is recorded too: "val_loss" as "validation/loss", "train_acc" as "train/acc", other
    names below "train/".

    Args:
        module: name of the submodule to look at, where the LightningModule's own `forward` is never called.
        options: everything that `mmgraph.watch` takes.

    Raises:
        MissingDependencyError: Lightning is not installed or does not import.
    """

    def __init__(self, module: str = "", **options: Any) -> None:
        super().__init__()
        self.live: Watch | None = None
        self._module = module
        self._options = options
        self._logged: dict[str, float] = {}

    def on_fit_start(self, trainer: Any, pl_module: Any) -> None:
        if trainer.is_global_zero:
            options = {"optimizer": trainer.optimizers[0] if trainer.optimizers else None, **self._options}
            self.live = watch(pl_module.get_submodule(self._module), **options)
            self.live.steps = trainer.global_step

    def on_train_batch_end(
        self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if self.live is None:
            return
        loss = outputs.get("loss") if isinstance(outputs, dict) else outputs
        done = (batch_idx + 1) / trainer.num_training_batches if trainer.num_training_batches else 0.0
        # Reading what was logged waits for the GPU, so it is done as often as Lightning does it itself.
        logs_now = trainer.global_step % trainer.log_every_n_steps == 0
        self.live.step(
            loss if isinstance(loss, torch.Tensor) else None,
            epoch=trainer.current_epoch + done,
            **(self._newly_logged(trainer) if logs_now else {}),
        )
        if self.live.should_stop:
            trainer.should_stop = True

    def on_validation_end(self, trainer: Any, pl_module: Any) -> None:
        if self.live is not None and not trainer.sanity_checking:
            self.live.record(**self._newly_logged(trainer))

    def on_fit_end(self, trainer: Any, pl_module: Any) -> None:
        if self.live is not None:
            self.live.record(**self._newly_logged(trainer))
            self.live.close()

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        if self.live is not None:
            self.live.__exit__(type(exception), exception, None)

    def _newly_logged(self, trainer: Any) -> dict[str, float]:
        logged = {_tag(name): float(value) for name, value in trainer.callback_metrics.items()}
        new = {tag: value for tag, value in logged.items() if self._logged.get(tag) != value}
        self._logged |= new
        return new


def _tag(name: str) -> str:
    """ "val_loss" is "validation/loss"; a name with a slash stays as it is."""
    split, _, rest = name.partition("_")
    if "/" in name or not rest or split not in _PREFIXES:
        return name
    return f"{_PREFIXES[split]}/{rest}"
