from __future__ import annotations

import pytest
import torch
from torch import nn

from mmgraph.errors import CheckpointError
from mmgraph.training.checkpoints import load_checkpoint, save_checkpoint, saved_progress


def trained(optimizer_type, steps=3, **options):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 2))
    optimizer = optimizer_type(model.parameters(), lr=0.1, **options)
    for _ in range(steps):
        optimizer.zero_grad()
        model(torch.randn(6, 4)).square().sum().backward()
        optimizer.step()
    return model, optimizer


def equal(a, b):
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(equal(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(equal, a, b))
    return a == b


@pytest.mark.parametrize(
    ("optimizer_type", "options"),
    [
        (torch.optim.SGD, {"momentum": 0.9}),
        (torch.optim.SGD, {}),
        (torch.optim.Adam, {"amsgrad": True}),
        (torch.optim.AdamW, {}),
    ],
)
def test_round_trip(tmp_path, optimizer_type, options):
    model, optimizer = trained(optimizer_type, **options)
    path = tmp_path / "checkpoints" / "last.safetensors"
    state = torch.get_rng_state()
    save_checkpoint(path, model, optimizer, progress={"step": 3, "best": 0.1 + 0.2})
    expected = torch.rand(3)

    other, other_optimizer = trained(optimizer_type, steps=1, **options)
    notes = load_checkpoint(path, other, other_optimizer, random_state=True)
    assert notes == {"step": 3, "best": 0.1 + 0.2} == saved_progress(path)
    assert equal(dict(model.state_dict()), dict(other.state_dict()))
    assert equal(optimizer.state_dict(), other_optimizer.state_dict())
    assert torch.equal(torch.rand(3), expected)
    torch.set_rng_state(state)


def test_tied_weights_are_kept(tmp_path):
    model = nn.ModuleList([nn.Linear(3, 3), nn.Linear(3, 3)])
    model[1].weight = model[0].weight
    save_checkpoint(tmp_path / "c.safetensors", model)
    other = nn.ModuleList([nn.Linear(3, 3), nn.Linear(3, 3)])
    other[1].weight = other[0].weight
    load_checkpoint(tmp_path / "c.safetensors", other)
    assert torch.equal(other[1].weight, model[0].weight)


@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "foreign"])
def test_a_damaged_file_is_refused(tmp_path, damage):
    model, optimizer = trained(torch.optim.Adam)
    path = tmp_path / "last.safetensors"
    if damage != "missing":
        save_checkpoint(path, model, optimizer)
        whole = path.read_bytes()
        path.write_bytes(
            {"empty": b"", "cut": whole[: len(whole) // 2], "foreign": b"\x80\x04pickle" * 9}[damage]
        )
    with pytest.raises(CheckpointError, match="checkpoint"):
        load_checkpoint(path, model, optimizer)


def test_weights_alone_cannot_be_resumed(tmp_path):
    model, optimizer = trained(torch.optim.Adam)
    save_checkpoint(tmp_path / "w.safetensors", model)
    with pytest.raises(CheckpointError, match="weights only"):
        load_checkpoint(tmp_path / "w.safetensors", model, optimizer)


def test_a_failed_write_leaves_the_old_checkpoint(tmp_path, monkeypatch):
    model, _ = trained(torch.optim.Adam)
    path = tmp_path / "last.safetensors"
    save_checkpoint(path, model, progress={"step": 1})
    from mmgraph.errors import RunError
    from mmgraph.training import checkpoints

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoints.Path, "write_bytes", full)
    with pytest.raises(RunError, match="full"):
        save_checkpoint(path, model, progress={"step": 2})
    assert saved_progress(path) == {"step": 1}
    assert [entry.name for entry in tmp_path.iterdir()] == ["last.safetensors"]
