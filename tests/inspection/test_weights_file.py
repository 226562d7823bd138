from __future__ import annotations

import os
import pickle
import warnings

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from mmgraph.errors import InputError
from mmgraph.inspection.weights_file import read_weights, weight_snapshots, weight_structure
from mmgraph.recipes.opening import open_model
from mmgraph.runs import RunReader, read_structure


def net():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Flatten(), nn.Linear(8, 2))


class Bomb:
    def __reduce__(self):
        return (print, ("boom",))


def test_what_safetensors_and_torch_hold_is_read(tmp_path):
    weights = net().state_dict()
    save_file(weights, tmp_path / "a.safetensors")
    torch.save(
        {"state_dict": {f"module.{name}": value for name, value in weights.items()}, "epoch": 3},
        tmp_path / "a.pt",
    )
    for name in ("a.safetensors", "a.pt"):
        found = read_weights(tmp_path / name)
        assert set(found) == set(weights)
        assert all(torch.equal(found[key], weights[key]) for key in weights)


def test_layers_of_safetensors_are_in_the_order_of_their_numbers(tmp_path):
    names = ["0.bias", "0.weight", "2.weight", "10.weight", "head.weight"]
    save_file({name: torch.ones(2) for name in reversed(names)}, tmp_path / "a.safetensors")
    assert list(read_weights(tmp_path / "a.safetensors")) == names


@pytest.mark.parametrize("content", [b"", b"no model", pickle.dumps({"a": Bomb()}), pickle.dumps([1, 2])])
@pytest.mark.parametrize("ending", [".pt", ".safetensors"])
def test_a_bomb_and_rubbish_are_sentences_and_nothing_is_run(tmp_path, capsys, content, ending):
    path = tmp_path / f"bad{ending}"
    path.write_bytes(content)
    with pytest.raises(InputError, match="bad"):
        read_weights(path)
    torch.save({"a": Bomb()}, tmp_path / "bomb.pt")
    (tmp_path / "plain.pt").write_bytes(pickle.dumps({"a": Bomb()}))
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        with pytest.raises(InputError):
            read_weights(tmp_path / "plain.pt")
    assert not told  # one sentence is enough
    with pytest.raises(InputError, match="more than weights"):
        read_weights(tmp_path / "bomb.pt")
    assert "boom" not in capsys.readouterr().out


@pytest.mark.parametrize(
    "content", [b"", b"root:x:0:0\n", b"\x89PNG\r\n\x1a\n" + bytes(40), b"PK\x03\x04 cut"]
)
def test_what_is_no_file_of_weights_is_called_so_in_words_of_ours(tmp_path, content):
    path = tmp_path / "picture.pt"
    path.write_bytes(content)
    with pytest.raises(
        InputError, match=r"neither safetensors nor what torch\.save writes, or cut short"
    ) as told:
        read_weights(path)
    assert "operand" not in str(told.value)
    path = path.rename(tmp_path / "picture.safetensors")
    with pytest.raises(InputError, match="of another kind, or was cut short"):
        read_weights(path)


@pytest.mark.parametrize(
    ("content", "kinds"),
    [
        ({"none.weight": torch.zeros(2, 0, 3, 3), "also.weight": torch.zeros(0, 4, 3, 3)}, {"matrix"}),
        ({"a.weight": torch.full((3, 3), torch.nan), "b": torch.tensor(5), "c": torch.ones(2, 2).bool()}, {"matrix"}),
        ({"half.weight": torch.ones(2, 2, 3, 3).half(), "שלום🙂": torch.ones(3)}, {"filters", "matrix"}),
        ({"whole": torch.ones(3, 3, dtype=torch.int64)}, set()),
        ({1: torch.ones(2, 2), None: {("x", 2): torch.ones(2, 2)}}, {"matrix"}),
        ({"far": torch.empty(3, 3, device="meta"), "near": torch.ones(2, 2)}, {"matrix"}),
    ],
)  # fmt: skip
def test_odd_weights_are_shown_as_far_as_they_go(tmp_path, content, kinds):
    torch.save(content, tmp_path / "odd.pt")
    folder = open_model(tmp_path / "odd.pt", runs=tmp_path / "opened")
    with RunReader(folder) as run:
        assert {info.kind for info in run.snapshots()} == kinds
        assert run.status().state == "finished"


@pytest.mark.parametrize("share", [0.0, 0.05, 0.5, 0.99])
@pytest.mark.parametrize("ending", [".pt", ".safetensors"])
def test_a_part_of_a_file_is_a_sentence(tmp_path, ending, share):
    whole, part = tmp_path / f"whole{ending}", tmp_path / f"part{ending}"
    (save_file if ending == ".safetensors" else torch.save)(net().state_dict(), whole)
    content = whole.read_bytes()
    part.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(InputError, match=rf"'part\{ending}' is not a"):
        read_weights(part)


def test_what_is_no_file_or_holds_no_numbers_is_told(tmp_path):
    os.mkfifo(tmp_path / "pipe.pt")
    for path in (tmp_path, tmp_path / "pipe.pt"):
        with pytest.raises(InputError, match="is not a file"):
            read_weights(path)
    (tmp_path / "loop.pt").symlink_to(tmp_path / "loop.pt")
    with pytest.raises(InputError, match="cannot be read"):
        read_weights(tmp_path / "loop.pt")
    torch.save({"far": torch.empty(3, 3, device="meta")}, tmp_path / "far.pt")
    with pytest.raises(InputError, match="holds no tensors"):
        read_weights(tmp_path / "far.pt")


def test_weights_become_filters_spread_and_a_table():
    weights = dict(net().state_dict())
    filters, spread = weight_snapshots(weights)
    np.testing.assert_array_equal(filters.array, weights["0.weight"].numpy())
    assert spread.notes["rows"] == ["0", "3"]
    types = {layer.name: layer.type for layer in weight_structure(weights, "").layers}
    assert types == {"model": "weights", "0": "Conv2d", "1": "BatchNorm", "3": "Linear or Embedding"}


def test_a_file_becomes_a_run(tmp_path):
    save_file(net().state_dict(), tmp_path / "a.safetensors")
    folder = open_model(tmp_path / "a.safetensors", runs=tmp_path / "opened")
    with RunReader(folder) as run:
        assert {info.kind for info in run.snapshots()} == {"filters", "matrix"}
        assert run.status().state == "finished"
    assert "does not say" in read_structure(folder).remark


@pytest.mark.data
def test_a_published_network_is_opened(real_data):
    weights = read_weights(real_data / "resnet20_cifar10" / "resnet20-12fca82f.th")
    assert weights["conv1.weight"].shape == (16, 3, 3, 3)
    assert len([some for some in weight_snapshots(weights) if some.kind == "filters"]) == 19
