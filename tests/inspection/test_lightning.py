from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from mmgraph.runs import RunReader, find_runs, send_command

try:
    import lightning.pytorch as pl
except (ImportError, OSError, RuntimeError) as error:  # a broken torchvision raises any of these
    pytest.skip(f"Lightning does not import here: {error}", allow_module_level=True)

from mmgraph.inspection import WatchCallback

pytestmark = pytest.mark.filterwarnings(
    "ignore::UserWarning", "ignore::DeprecationWarning", "ignore::FutureWarning"
)  # of Lightning itself


class Module(pl.LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(3, 8), nn.Dropout(0.3), nn.Linear(8, 2))
        self.losses: list[float] = []

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)

    def training_step(self, batch: list[Tensor], batch_idx: int) -> Tensor:
        loss = F.cross_entropy(self(batch[0]), batch[1])
        self.losses.append(loss.item())
        self.log("train_loss_again", loss)
        return loss

    def validation_step(self, batch: list[Tensor], batch_idx: int) -> None:
        self.log("val_accuracy", (self(batch[0]).argmax(1) == batch[1]).float().mean())

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


def fit(folder: Path, *callbacks: Any) -> Module:
    torch.manual_seed(0)
    data = TensorDataset(torch.randn(40, 3), torch.arange(40) % 2)
    module = Module()
    pl.Trainer(
        max_epochs=2, accelerator="cpu", logger=False, enable_checkpointing=False, callbacks=list(callbacks),
        enable_progress_bar=False, enable_model_summary=False, default_root_dir=folder, log_every_n_steps=2,
    ).fit(module, DataLoader(data, batch_size=8), DataLoader(data, batch_size=20))  # fmt: skip
    return module


def test_records_a_training_run_and_changes_nothing(tmp_path: Path) -> None:
    plain = fit(tmp_path)
    module = fit(tmp_path, WatchCallback(root=tmp_path, every_seconds=0, share=1, quiet=True))
    assert module.losses == plain.losses
    (folder,) = find_runs(tmp_path)
    with RunReader(folder) as run:
        assert run.config["run"]["title"] == "Module"
        assert run.series("train/loss").value.tolist() == pytest.approx(module.losses)
        assert run.series("validation/accuracy").step.tolist()[0] == 5
        assert run.series("learning_rate").value.tolist() == pytest.approx([0.1])
        assert run.status().state == "finished"
        assert run.status().epoch == 2.0
        assert {info.layer for info in run.snapshots(kind="embedding")} == {"net.2.input"}


def test_a_submodule_can_be_looked_at(tmp_path: Path) -> None:
    fit(tmp_path, WatchCallback("net", root=tmp_path, quiet=True))
    (folder,) = find_runs(tmp_path)
    with RunReader(folder) as run:
        assert {info.layer for info in run.snapshots(kind="embedding")} == {"2.input"}


def test_stop_stops_the_trainer(tmp_path: Path) -> None:
    class StopSoon(pl.Callback):
        def on_train_batch_start(self, trainer: Any, pl_module: Any, batch: Any, batch_idx: int) -> None:
            callback.live.clock = iter(range(batch_idx, 1000)).__next__
            if batch_idx == 2:
                send_command(callback.live.folder, "stop")

    callback: Any = WatchCallback(root=tmp_path, quiet=True)
    module = fit(tmp_path, StopSoon(), callback)
    assert len(module.losses) == 3
    (folder,) = find_runs(tmp_path)
    with RunReader(folder) as run:
        assert run.status().state == "stopped"


def test_an_exception_leaves_a_failed_run(tmp_path: Path) -> None:
    class Fail(pl.Callback):
        def on_train_batch_start(self, *_: Any) -> None:
            raise ValueError("oops")

    with pytest.raises(ValueError, match="oops"):
        fit(tmp_path, Fail(), WatchCallback(root=tmp_path, quiet=True))
    (folder,) = find_runs(tmp_path)
    with RunReader(folder) as run:
        assert (run.status().state, run.status().message) == ("failed", "ValueError: oops")
