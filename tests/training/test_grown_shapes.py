"""Growth that is read off the shapes of weights."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from mmgraph.training import Deepen, Growth, Widen
from mmgraph.training.grown_shapes import MOST_TIMES, grow_like, misfit

EXAMPLE = torch.randn(4, 3, 8, 8, generator=torch.Generator().manual_seed(0))


def net():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(),
        nn.Conv2d(4, 5, 3, padding=1), nn.ELU(),
        nn.Flatten(), nn.Linear(5 * 64, 6), nn.ReLU(), nn.Linear(6, 2),
    )  # fmt: skip


@pytest.mark.parametrize(
    "changes",
    [
        (),
        (Widen("0", 7),),
        (Widen("3", 9), Widen("6", 13), Widen("0", 5)),
        (Deepen("2"),),
        (Deepen("1", batch_norm=True), Deepen("4"), Deepen("7")),
        (Widen("3", 8), Deepen("3"), Widen("3.1", 12), Widen("6", 7), Deepen("6")),
        (Deepen("2"), Deepen("2.1")),
    ],
)
def test_the_network_computes_what_the_grown_one_did(changes):
    ungrown, grown = net(), net()
    growth = Growth((), EXAMPLE, seed=1)
    for change in changes:
        growth.apply(change, grown)
    grown.eval()
    weights, again, found = grown.state_dict(), copy.deepcopy(ungrown), Growth((), EXAMPLE)
    assert grow_like(found, again, weights) == ""
    again.load_state_dict(weights)
    assert torch.equal(again.eval()(EXAMPLE), grown(EXAMPLE))
    assert len(found.state["changes"]) <= len(changes)
    other = copy.deepcopy(ungrown)
    Growth((), EXAMPLE).restore(other, found.state)  # as a run that is opened again does
    assert not misfit(other, weights)


@pytest.mark.parametrize(
    ("name", "shape", "told"),
    [
        ("0.weight", (9, 3, 5, 5), ""),  # other kernels: nothing can grow
        ("0.weight", (3, 3, 3, 3), ""),  # narrower
        ("0.weight", (4 * MOST_TIMES + 1, 3, 3, 3), ""),  # nothing of such a size is made
        ("0.weight", (9, 3, 3, 3), "Grown in 1 places it does not fit either: '0.bias'"),
        ("8.weight", (3, 6), "It could not be grown .* cannot become more"),  # the output of the network
        ("2.1.weight", (4, 4, 3, 3), "does not fit either: there is no '2.1.bias'"),
    ],
)
def test_what_growing_does_not_lead_to_is_told_and_the_network_stays(name, shape, told):
    model, growth = net(), Growth((), EXAMPLE)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    said = grow_like(growth, model, {**before, name: torch.zeros(shape)})
    if told:
        import re

        assert re.search(told, said)
    else:
        assert said == ""
    assert growth.state["changes"] == []
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
