from __future__ import annotations

import pytest
import torch
from torch import Tensor


@pytest.fixture
def pairs() -> tuple[Tensor, Tensor, Tensor]:
    """120 images and texts of 3 classes that share some of their variation."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(120) % 3
    shared = torch.randn(3, 4, generator=generator)[labels] + torch.randn(120, 4, generator=generator)
    images = shared @ torch.randn(4, 9, generator=generator) + 0.5 * torch.randn(120, 9, generator=generator)
    texts = shared @ torch.randn(4, 5, generator=generator) + 0.5 * torch.randn(120, 5, generator=generator)
    return images, texts + 3, labels
