from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mmgraph.errors import InputError, UnknownNameError
from mmgraph.vision import ConvEncoder, LeNet, deepen, widen

IMAGES = torch.randn(6, 3, 8, 8, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


class Plain(nn.Module):
    def __init__(self, activation: type[nn.Module] = nn.ReLU, norm: bool = False) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 4, 3, padding=1, bias=not norm),
            nn.BatchNorm2d(4) if norm else nn.Identity(),
            activation(),
            nn.MaxPool2d(2),
            nn.Conv2d(4, 5, 3, padding=1),
            activation(),
        )
        self.hidden = nn.Linear(5 * 16, 7)
        self.act = activation()
        self.head = nn.Linear(7, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.act(self.hidden(self.features(x).flatten(1))))


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, padding=1)
        self.bn = nn.BatchNorm2d(4)
        self.inner = nn.Conv2d(4, 6, 3, padding=1)
        self.back = nn.Conv2d(6, 4, 3, padding=1)
        self.head = nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = F.elu(self.bn(self.stem(x)))
        x = x + self.back(F.elu(self.inner(x)))
        x += torch.relu(x)
        return self.head(x.mean((2, 3)))


class Dense(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3, padding=1)
        self.second = nn.Conv2d(4, 3, 3, padding=1)
        self.norm = nn.BatchNorm2d(7)
        self.third = nn.Conv2d(7, 2, 1)
        self.head = nn.Linear(9 * 64, 3)

    def forward(self, x: Tensor) -> Tensor:
        a = F.relu(self.first(x))
        ab = torch.cat([a, self.second(a)], dim=1)
        return self.head(torch.cat([ab, self.third(F.relu(self.norm(ab)))], 1).flatten(1))


def made(model: nn.Module) -> nn.Module:
    """In double precision, with statistics of its own."""
    torch.manual_seed(0)
    model = model.double()
    model.train()
    for _ in range(3):
        model(torch.randn(8, 3, 8, 8, dtype=torch.float64) * 2 + 1)
    return model.eval()


WIDE = [
    (lambda: Plain(), "features.0", ["features.0"]),
    (lambda: Plain(nn.ELU), "features.4", ["features.4"]),
    (lambda: Plain(nn.ELU, norm=True), "features.0", ["features.0"]),
    (lambda: Plain(nn.ReLU, norm=True), "hidden", ["hidden"]),
    (Residual, "inner", ["inner"]),
    (Residual, "back", ["back", "stem"]),
    (Residual, "stem", ["back", "stem"]),
    (Dense, "first", ["first"]),
    (Dense, "second", ["second"]),
    (Dense, "third", ["third"]),
]


@pytest.mark.parametrize(("make", "layer", "grown"), WIDE)
@pytest.mark.parametrize("mode", ["eval", "train"])
def test_a_wider_network_computes_the_same(make: object, layer: str, grown: list[str], mode: str) -> None:
    model = made(make())  # type: ignore[operator]
    before, size = copy.deepcopy(model), model.get_submodule(layer).weight.size(0)
    assert sorted(widen(model, layer, size + 5, IMAGES)) == grown
    assert model.get_submodule(layer).weight.size(0) == size + 5
    model.train(mode == "train")
    before.train(mode == "train")
    assert (model(IMAGES) - before(IMAGES)).abs().max() < 1e-12


@pytest.mark.parametrize(("make", "layer", "grown"), WIDE)
def test_gradients_and_state_of_the_optimizer_agree(make: object, layer: str, grown: list[str]) -> None:
    """Momentum carried over is the momentum that the wider network's own gradients would have given."""
    model = made(make())  # type: ignore[operator]
    optimizer = torch.optim.Adam(model.parameters(), lr=0.0, betas=(0.5, 0.5))
    for factor in (1.0, 2.0):
        optimizer.zero_grad()
        (factor * model(IMAGES).square().sum()).backward()
        optimizer.step()
    size = model.get_submodule(layer).weight.size(0)
    widen(model, layer, size + 3, IMAGES, optimizer=optimizer)
    again = torch.optim.Adam(model.parameters(), lr=0.0, betas=(0.5, 0.5))
    for factor in (1.0, 2.0):
        again.zero_grad()
        (factor * model(IMAGES).square().sum()).backward()
        again.step()
    assert {id(p) for g in optimizer.param_groups for p in g["params"]} == {id(p) for p in model.parameters()}
    for name, parameter in model.named_parameters():
        for key in ("exp_avg", "exp_avg_sq"):
            torch.testing.assert_close(
                optimizer.state[parameter][key], again.state[parameter][key], msg=f"{name} {key}"
            )


DEEP = [
    (lambda: Plain(nn.ReLU), "features.2", 2),
    (lambda: Plain(nn.ELU), "features.2", 1),
    (lambda: Plain(nn.ELU), "features.0", 1),
    (lambda: Plain(nn.ELU), "act", 1),
    (lambda: Plain(nn.ReLU), "act", 2),
    (Residual, "bn", 1),
    (Dense, "second", 1),
]


@pytest.mark.parametrize(("make", "after", "added"), DEEP)
@pytest.mark.parametrize("batch_norm", [False, True])
def test_a_deeper_network_computes_the_same(make: object, after: str, added: int, batch_norm: bool) -> None:
    model = made(make())  # type: ignore[operator]
    before = model(IMAGES)
    name = deepen(model, after, IMAGES, batch_norm=batch_norm)
    assert name == f"{after}.1"
    assert len(model.get_submodule(after)) == 1 + added + batch_norm
    assert (model(IMAGES) - before).abs().max() < 1e-12


def test_with_a_batch_norm_it_computes_the_same_while_training_too() -> None:
    model = made(Plain(nn.ELU))
    before = model(IMAGES)
    deepen(model, "features.2", IMAGES, batch_norm=True)
    assert (model.train()(IMAGES) - before).abs().max() < 1e-9


@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_noise_breaks_the_symmetry(noise: float) -> None:
    model = made(Plain())
    before = model(IMAGES)
    widen(model, "hidden", 14, IMAGES, noise=noise)
    model(IMAGES).square().sum().backward()
    rows = model.hidden.weight.grad
    twins = sum(
        bool(torch.allclose(rows[i], rows[j], rtol=1e-6, atol=1e-12)) and bool(rows[i].any())
        for i in range(14)
        for j in range(i)
    )
    assert (twins > 0) == (noise == 0)
    assert torch.allclose(model(IMAGES), before, atol=1e-12) == (noise == 0)


def test_a_layer_of_one_weight_grows_with_noise() -> None:
    model = nn.Sequential(nn.Linear(2, 1), nn.ReLU(), nn.Linear(1, 1))
    widen(model, "0", 2, torch.ones(1, 2), noise=0.1)
    weight = model[2].weight.detach()
    assert bool(torch.isfinite(weight).all())
    assert float((weight[0, 0] - weight[0, 1]).abs()) > 0


def test_it_goes_on_learning_after_growth() -> None:
    torch.manual_seed(0)
    model = Plain(nn.ELU).double()
    target = torch.arange(6) % 2
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    losses = []
    for step in range(60):
        if step == 20:
            widen(model, "features.0", 8, IMAGES, noise=0.01, optimizer=optimizer)
            deepen(model, "features.2", IMAGES, optimizer=optimizer)
        optimizer.zero_grad()
        loss = F.cross_entropy(model(IMAGES), target)
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[59] < losses[19] / 2
    grown = model.features[2][1].weight
    assert optimizer.state[grown]["step"] == 40


@pytest.mark.parametrize(
    ("model", "layer"),
    [(LeNet(), None), (ConvEncoder(1, (4, 6), 5, 28, activation="elu", batch_norm=True), None)],
)
def test_networks_of_the_house(model: nn.Module, layer: None) -> None:
    images = torch.randn(4, 1, 28, 28, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    model = model.double().eval()
    before = model(images)
    names = [name for name, part in model.named_modules() if isinstance(part, (nn.Conv2d, nn.Linear))]
    for name in names[:-1]:
        widen(model, name, model.get_submodule(name).weight.size(0) + 2, images)
    assert (model(images) - before).abs().max() < 1e-12


class Twice(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)
        self.act = nn.ReLU()
        self.head = nn.Linear(3, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.act(self.conv(self.act(self.conv(x)))).mean((2, 3)))


class Mixing(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.grouped = nn.Conv2d(4, 4, 3, padding=1, groups=4)
        self.last = nn.Conv2d(4, 5, 1)
        self.head = nn.Linear(5, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.last(self.grouped(self.conv(x))).mean((2, 3)).softmax(1))


def test_what_cannot_grow_says_why() -> None:
    model = made(Plain())
    with pytest.raises(UnknownNameError, match=r"features\.0"):
        widen(model, "features.O", 9, IMAGES)
    with pytest.raises(InputError, match="at least the 4 outputs"):
        widen(model, "features.0", 3, IMAGES)
    with pytest.raises(InputError, match="output of the network"):
        widen(model, "head", 9, IMAGES)
    with pytest.raises(InputError, match="called more than once"):
        widen(Twice().double(), "conv", 9, IMAGES)
    with pytest.raises(InputError, match="called 2 times"):
        deepen(Twice().double(), "act", IMAGES)
    with pytest.raises(InputError, match="in groups"):
        widen(Mixing().double(), "conv", 9, IMAGES)
    with pytest.raises(InputError, match="softmax mixes them"):
        widen(Mixing().double(), "last", 9, IMAGES)
    with pytest.raises(UnknownNameError):
        deepen(model, "nowhere", IMAGES)
    with pytest.raises(InputError, match="noise"):
        widen(model, "hidden", 9, IMAGES, noise=-1)


def test_growing_by_nothing_changes_nothing() -> None:
    model = made(Plain())
    before = copy.deepcopy(model.state_dict())
    widen(model, "hidden", 7, IMAGES, noise=0.5)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
