from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

from mmgraph.errors import CheckpointError, InputError
from mmgraph.vision.cifar_resnet import CIFARResNet


def test_depth_20_has_the_published_number_of_weights() -> None:
    with_last = sum(weight.numel() for weight in CIFARResNet(20).parameters()) + 64 * 10 + 10
    assert with_last == 269_722
    convolutions = [name for name, _ in CIFARResNet(32).named_parameters() if ".conv" in f".{name}"]
    assert len(convolutions) == 31


def test_a_block_that_begins_a_stage_by_hand() -> None:
    torch.manual_seed(0)
    network = CIFARResNet(8).eval()
    block, h = network.layer2[0], torch.randn(2, 16, 7, 6)
    kept = torch.zeros(2, 32, 4, 3)
    kept[:, 8:24] = h[:, :, ::2, ::2]
    inner = F.relu(block.bn1(F.conv2d(h, block.conv1.weight, stride=2, padding=1)))
    expected = F.relu(kept + block.bn2(F.conv2d(inner, block.conv2.weight, padding=1)))
    torch.testing.assert_close(block(h), expected)
    assert network(torch.zeros(1, 3, 33, 40)).shape == (1, 64, 9, 10)
    assert network(torch.zeros(0, 3, 8, 8)).shape == (0, 64, 2, 2)


def test_weights_of_others_are_read_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "weights.th"
    given = CIFARResNet(20).state_dict()
    torch.save({"state_dict": {f"module.{name}": value + 1 for name, value in given.items()}}, path)
    read = CIFARResNet(20).read(path).state_dict()
    for name, value in given.items():
        torch.testing.assert_close(read[name], value + 1)
    with pytest.raises(CheckpointError, match="of another network"):
        CIFARResNet(32).read(path)
    path.write_bytes(b"no weights")
    with pytest.raises(CheckpointError, match="no weights that can be read"):
        CIFARResNet(20).read(path)
    with pytest.raises(CheckpointError, match="no weights"):
        CIFARResNet(20).read(tmp_path / "nowhere.th")
    with pytest.raises(InputError, match="6n \\+ 2"):
        CIFARResNet(18)
