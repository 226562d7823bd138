from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmgraph.inspection import watching


class LeNet(nn.Module):
    """Convolutions, batch norm, dropout and an operation in place."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.conv2 = nn.Conv2d(4, 8, 3)
        self.fc1 = nn.Linear(8 * 3 * 3, 12)
        self.dropout = nn.Dropout(0.5)
        self.fc2 = nn.Linear(12, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(F.relu(self.norm(self.conv1(x)), inplace=True), 2)
        x = F.relu(self.conv2(x)[:, :, :3, :3])
        return self.fc2(self.dropout(F.relu(self.fc1(x.flatten(1)))))


class SelfAttention(nn.Module):
    """scaled_dot_product_attention inside a module of one's own."""

    def __init__(self, dim: int = 16, heads: int = 4, causal: bool = False) -> None:
        super().__init__()
        self.heads = heads
        self.causal = causal
        self.qkv = nn.Linear(dim, 3 * dim)
        self.out = nn.Linear(dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.qkv(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(
            q, k, v, is_causal=self.causal, dropout_p=0.2 if self.training else 0.0
        )
        return self.out(y.transpose(1, 2).flatten(2))


class Transformer(nn.Module):
    """One layer of torch's own and one with scaled_dot_product_attention, with dropout."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.TransformerEncoderLayer(16, 4, 32, dropout=0.1, batch_first=True)
        self.attention = SelfAttention()
        self.head = nn.Linear(16, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.layer(x)
        return self.head((x + self.attention(x)).mean(1))


@pytest.fixture
def lenet() -> Callable[[], nn.Module]:
    return LeNet


@pytest.fixture
def transformer() -> Callable[[], nn.Module]:
    return Transformer


@pytest.fixture
def self_attention() -> Callable[..., nn.Module]:
    return SelfAttention


@pytest.fixture
def images() -> Tensor:
    return torch.randn(20, 1, 10, 10, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def tokens() -> Tensor:
    return torch.randn(6, 7, 16, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def graph() -> tuple[Tensor, Tensor]:
    """Features (30, 5) and edges (2, 90)."""
    generator = torch.Generator().manual_seed(0)
    edges = torch.randint(0, 30, (2, 90), generator=generator)
    return torch.randn(30, 5, generator=generator), edges


@pytest.fixture(autouse=True)
def _no_watch_stays_open() -> Iterator[None]:
    yield
    left = [live for live in watching._open.values() if live.is_open]
    for live in left:
        live.detach()
    watching._open.clear()
    assert not left, "a test left a watch open"
