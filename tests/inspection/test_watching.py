from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch_geometric.nn import GATConv as TorchGATConv

import mmgraph
from mmgraph.errors import ConfigError, InputError, RunReadOnlyError, UnknownNameError
from mmgraph.graph import GNN
from mmgraph.runs import RunReader, find_runs, read_structure

OFTEN: dict[str, Any] = {"every_seconds": 0, "share": 1, "quiet": True}


class TorchGAT(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = TorchGATConv(5, 4, heads=2, dropout=0.3)
        self.norm = nn.BatchNorm1d(8)
        self.conv2 = TorchGATConv(8, 3)

    def forward(self, x: Tensor, edge_index: Tensor) -> Tensor:
        x = self.norm(self.conv1(F.dropout(x, 0.3, self.training), edge_index)).relu()
        return self.conv2(x, edge_index)


def learn(
    make: Callable[[], nn.Module],
    inputs: tuple[Tensor, ...],
    prepare: Callable[[nn.Module], nn.Module] = lambda model: model,
    **watching: Any,
) -> tuple[list[float], dict[str, Tensor], Path | None]:
    """Losses, weights and run folder of a few steps, watched if told how."""
    torch.manual_seed(0)
    model = make()
    called = prepare(model)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    live = mmgraph.watch(called, **watching) if watching else None
    losses = []
    for step in range(6):
        output = called(*inputs)
        loss = F.cross_entropy(output, torch.arange(len(output)) % 3)
        optimizer.zero_grad()
        loss.backward()
        if live is not None and step == 3:
            live.snapshot()  # between backward and the update
        optimizer.step()
        losses.append(loss.item())
        if live is not None:
            live.step(loss=loss)
    if live is not None:
        live.close()
    return losses, model.state_dict(), None if live is None else live.folder


@pytest.mark.parametrize("kind", ["cnn", "transformer", "our gnn", "torch_geometric gnn"])
def test_losses_are_bit_identical_with_and_without(
    kind: str,
    tmp_path: Path,
    lenet: Callable[[], nn.Module],
    transformer: Callable[[], nn.Module],
    images: Tensor,
    tokens: Tensor,
    graph: tuple[Tensor, Tensor],
) -> None:
    make, inputs, kinds = {
        "cnn": (lenet, (images,), {"filters", "feature_maps", "embedding", "prediction"}),
        "transformer": (transformer, (tokens,), {"attention", "embedding", "prediction"}),
        "our gnn": (
            lambda: GNN(5, 4, 3, conv="gat", attention_dropout=0.3),
            graph,
            {"attention", "embedding", "prediction", "graph"},
        ),
        "torch_geometric gnn": (TorchGAT, graph, {"attention", "embedding", "prediction", "graph"}),
    }[kind]
    plain, weights, _ = learn(make, inputs)
    watched, watched_weights, folder = learn(make, inputs, root=tmp_path, **OFTEN)
    assert watched == plain
    assert all(torch.equal(weights[name], watched_weights[name]) for name in weights)
    assert folder is not None
    with RunReader(folder) as run:
        assert {info.kind for info in run.snapshots()} == kinds | {"matrix"}
        assert {info.layer for info in run.snapshots(kind="matrix")} <= {
            "histograms/weights",
            "histograms/gradients",
            "histograms/activations",
        }
        assert read_structure(folder).remark == ""
        assert read_structure(folder).connections
        assert {info.step for info in run.snapshots(kind="embedding")} == set(range(1, 7)) | {3}
        np.testing.assert_array_equal(run.series("train/loss").value, np.float32(plain))
        assert [event.message for event in run.poll().events if event.level != "info"] == []


@pytest.mark.parametrize("how", ["wrapped", "in place"])
def test_losses_of_a_compiled_model_are_bit_identical(
    how: str, tmp_path: Path, lenet: Callable[[], nn.Module], images: Tensor
) -> None:
    def compiled(model: nn.Module) -> nn.Module:
        if how == "wrapped":
            return torch.compile(model, backend="aot_eager")
        model.compile(backend="aot_eager")
        return model

    torch._dynamo.reset()
    plain, _, _ = learn(lenet, (images,), compiled)
    torch._dynamo.reset()
    watched, _, folder = learn(lenet, (images,), compiled, root=tmp_path, **OFTEN)
    assert watched == plain
    assert folder is not None
    with RunReader(folder) as run:
        assert {info.layer for info in run.snapshots(kind="filters")} == {"conv1", "conv2"}
        assert run.config["run"]["title"] == "LeNet"


def test_what_is_in_the_run_folder(tmp_path: Path, lenet: Callable[[], nn.Module], images: Tensor) -> None:
    model = lenet()
    labels = np.arange(20) % 3
    live = mmgraph.watch(
        model, run="mine", root=tmp_path, probe=images, labels=labels, class_names=["x", "y", "z"], quiet=True
    )
    live.step(loss=1.5, epoch=0.25, **{"validation/accuracy": 0.9, "gradient": torch.tensor(2.0)})
    live.log("hello")
    live.close()
    assert live.folder == tmp_path / "mine"
    with RunReader(tmp_path / "mine") as run:
        assert run.config["run"]["recipe"] == "watch"
        assert run.config["environment"]["device"] == "cpu"
        assert run.config["options"]["kinds"] == [
            "filters", "feature_maps", "embedding", "prediction", "attention",
        ]  # fmt: skip
        status = run.status()
        assert (status.state, status.step, status.epoch) == ("finished", 1, 0.25)
        assert status.metrics == {"train/loss": 1.5, "train/gradient": 2.0, "validation/accuracy": 0.9}
        assert run.series("validation/accuracy").value.tolist() == [0.9]
        assert run.series("train/loss").epoch.tolist() == [0.25]
        items = run.items()
        assert items.labels is not None
        assert items.labels.tolist() == labels.tolist()
        assert items.thumbnails is not None
        assert items.thumbnails.shape == (20, 10, 10)
        (prediction,) = run.snapshots(kind="prediction")
        model.eval()
        np.testing.assert_allclose(run.load(prediction).array, model(images).softmax(1).detach(), atol=1e-6)
        assert [event.message for event in run.poll().events] == ["hello"]


def test_the_first_batch_is_cut_and_its_labels_with_it(
    tmp_path: Path, lenet: Callable[[], nn.Module], images: Tensor
) -> None:
    model = lenet()
    with mmgraph.watch(model, root=tmp_path, probe_items=7, labels=list(range(20)), quiet=True) as live:
        model(images)
        live.step()
    assert live.folder is not None
    with RunReader(live.folder) as run:
        labels = run.items().labels
        assert labels is not None
        assert labels.tolist() == list(range(7))
        assert run.snapshots(kind="embedding")[0].shape == (7, 12)


def test_watching_again_gives_the_same_watch(tmp_path: Path) -> None:
    model, other = nn.Linear(2, 2), nn.Linear(2, 2)
    live = mmgraph.watch(model, root=tmp_path, quiet=True)
    assert mmgraph.watch(model, root=tmp_path, quiet=True) is live
    assert mmgraph.watch(torch.compile(model, backend="eager"), quiet=True) is live
    different = mmgraph.watch(model, root=tmp_path, run="second", quiet=True)
    assert different is not live
    assert mmgraph.watch(other, root=tmp_path, quiet=True, run="third") is not live
    assert len(find_runs(tmp_path)) == 3
    live.close()
    again = mmgraph.watch(model, root=tmp_path, quiet=True)
    assert again is not live
    for watch in (again, different, mmgraph.watch(other, root=tmp_path, run="third")):
        watch.detach()


def test_says_once_where_the_run_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with mmgraph.watch(nn.Linear(2, 2), root=tmp_path, run="a b") as live:
        pass
    said = capsys.readouterr()
    assert said.out == ""
    assert (
        said.err == f"mmgraph: recording Linear in {live.folder}; open it with: mmgraph gui {live.folder}\n"
    )
    with mmgraph.watch(nn.Linear(2, 2), root=tmp_path, quiet=True):
        pass
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"layers": ["nowhere"]}, UnknownNameError),
        ({"kinds": ["nothing"]}, UnknownNameError),
        ({"probe": torch.zeros(3, 2), "labels": [1]}, InputError),
        ({"every_seconds": -1}, ConfigError),
        ({"share": 2}, ConfigError),
        ({"run": ".."}, ConfigError),
    ],
)
def test_a_mistake_leaves_no_run_and_no_hook(
    options: dict[str, Any], error: type[Exception], tmp_path: Path
) -> None:
    model = nn.Linear(2, 2)
    with pytest.raises(error):
        mmgraph.watch(model, root=tmp_path, **options)
    assert find_runs(tmp_path) == []
    assert not model._forward_pre_hooks


def test_only_modules_can_be_watched(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"takes a torch.nn.Module, not function"):
        mmgraph.watch(lambda x: x, root=tmp_path)  # type: ignore[arg-type]


def test_a_folder_that_cannot_be_written_to_is_said_before_the_loop(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    model = nn.Linear(2, 2)
    with pytest.raises(Exception, match="file") as caught:
        mmgraph.watch(model, root=tmp_path / "file")
    assert isinstance(caught.value, RunReadOnlyError | mmgraph.errors.RunError)
    assert not model._forward_pre_hooks


def test_other_processes_of_a_distributed_job_record_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.distributed, "get_rank", lambda: 1)
    live = mmgraph.watch(nn.Linear(2, 2), root=tmp_path)
    live.step(loss=1.0)
    live.log("nothing")
    assert not live.snapshot()
    live.close()
    assert find_runs(tmp_path) == []


SCRIPT = """
import sys, torch, mmgraph
model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2))
live = mmgraph.watch(model, run=sys.argv[1])
for step in range(100):
    loss = model(torch.ones(5, 3)).sum()
    live.step(loss=loss)
    if step == 41:
        {end}
"""


def test_a_program_that_ends_without_closing_leaves_a_whole_run(tmp_path: Path) -> None:
    endings = {
        "break": ("finished", ""),
        "raise ValueError('oops')": ("failed", "ValueError: oops"),
        "raise KeyboardInterrupt": ("stopped", "interrupted"),
    }
    programs = []
    for number, end in enumerate(endings):
        script = tmp_path / f"script{number}.py"
        script.write_text(SCRIPT.format(end=end))
        command = [sys.executable, str(script), str(tmp_path / f"run{number}")]
        programs.append(subprocess.Popen(command, stderr=subprocess.PIPE, text=True))
    for number, (state, message) in enumerate(endings.values()):
        _, said = programs[number].communicate()
        assert "mmgraph gui" in said
        with RunReader(tmp_path / f"run{number}") as run:
            status = run.status()
            assert (status.state, status.message, status.step) == (state, message, 42)
            assert len(run.series("train/loss")) == 42
            assert run.snapshots(kind="prediction")[-1].step == 42


def test_importing_mmgraph_imports_neither_torch_nor_numpy() -> None:
    code = "import sys, mmgraph; print(mmgraph.__version__, {'torch', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"{mmgraph.__version__} set()"
