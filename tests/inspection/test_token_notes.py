from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from mmgraph.inspection import Capture, Limits
from mmgraph.inspection.token_notes import patch_grid


class Patches(nn.Module):
    """A transformer layer over square patches of grey pictures, behind a class token."""

    def __init__(self, side: int, *, class_token: bool) -> None:
        super().__init__()
        self.cut = nn.Conv2d(1, 8, side, side)
        self.start = nn.Parameter(torch.zeros(1, 1, 8)) if class_token else None
        self.layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)

    def forward(self, images: Tensor) -> Tensor:
        tokens = self.cut(images).flatten(2).transpose(1, 2)
        if self.start is not None:
            tokens = torch.cat([self.start.expand(len(tokens), -1, -1), tokens], dim=1)
        return self.layer(tokens)[:, 0]


@pytest.mark.parametrize("class_token", [False, True])
def test_patches_of_a_picture_are_found(class_token: bool) -> None:
    capture = Capture(Patches(4, class_token=class_token), kinds=("attention",))
    (found,) = capture.capture(torch.rand(3, 1, 8, 16))
    assert found.notes["grid"] == [2, 4]
    assert found.notes["before"] == int(class_token)
    assert found.array.shape[-1] == 8 + class_token


def test_words_name_what_attends() -> None:
    words = [["the", "cat", "sat"], ["a", "dog"]]
    model = nn.MultiheadAttention(8, 2, batch_first=True)
    capture = Capture(model, kinds=("attention",), tokens=words)
    x = torch.rand(2, 3, 8)
    (found,) = capture.capture(x, x, x, need_weights=False)
    assert found.notes["queries"] == found.notes["keys"] == words
    (found,) = capture.capture(torch.rand(2, 5, 8), x, x, need_weights=False)
    assert "queries" not in found.notes
    assert found.notes["keys"] == words


def test_only_items_that_are_kept_have_words() -> None:
    words = [["a", "b"]] * 6
    model = nn.MultiheadAttention(8, 2, batch_first=True)
    limits = Limits(attention_items=2)
    x = torch.rand(6, 2, 8)
    (found,) = Capture(model, kinds=("attention",), tokens=words, limits=limits).capture(x, x, x)
    assert found.array.shape[0] == len(found.notes["keys"]) == 2


@pytest.mark.parametrize(
    ("height", "width", "keys", "grid"),
    [
        (28, 28, 49, [7, 7]), (28, 28, 50, [7, 7]), (224, 224, 197, [14, 14]),
        (8, 16, 2, {}), (7, 5, 3, {}), (28, 28, 48, {}),
    ],
)  # fmt: skip
def test_grids_of_patches(height: int, width: int, keys: int, grid: list[int] | dict[str, object]) -> None:
    assert patch_grid(height, width, keys).get("grid", {}) == grid
