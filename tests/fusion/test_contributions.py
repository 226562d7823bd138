from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from mmgraph.errors import InputError, UnknownNameError
from mmgraph.fusion import Contributions, Fusion


def make(strategy: str, **options):
    torch.manual_seed(0)
    names = ("image", "sound", "text")
    fusion = Fusion(
        {name: nn.Identity() for name in names},
        dict.fromkeys(names, 4),
        5,
        strategy=strategy,
        dim=6,
        **options,
    )
    inputs = {name: torch.randn(8, 4) for name in names}
    there = torch.ones(8, 3, dtype=torch.bool)
    there[0] = torch.tensor([False, True, False])
    there[1, 2] = False
    return fusion, inputs, {name: there[:, place] for place, name in enumerate(names)}, there


@pytest.mark.parametrize("strategy", ["gated", "attention"])
def test_weights_sum_to_one_over_what_is_there(strategy):
    fusion, inputs, present, there = make(strategy)
    found = fusion.contributions(inputs, present)
    assert found.method == "weights"
    assert torch.equal(found.values.isnan(), ~there)
    torch.testing.assert_close(found.values.nansum(1), torch.ones(8))
    assert found.values[0, 1] == 1
    if strategy == "gated":
        vectors, mask = fusion.encode(inputs, present)
        torch.testing.assert_close(found.values[2], fusion.join.gates(vectors, mask)[2].mean(1))


@pytest.mark.parametrize("strategy", ["early", "late", "gated", "attention", "low_rank"])
def test_leaving_one_out_by_a_loop(strategy):
    fusion, inputs, present, there = make(strategy)
    fusion.eval()
    found = fusion.contributions(inputs, present, method="leave-one-out")
    assert found.method == "leave-one-out"
    with torch.no_grad():
        full = fusion(inputs, present).softmax(1)
        for row in range(8):
            answer = int(full[row].argmax())
            for place, name in enumerate(fusion.names):
                if not there[row, place]:
                    assert found.values[row, place].isnan()
                    continue
                rest = {n: v[row : row + 1] for n, v in inputs.items() if present[n][row] and n != name}
                less = fusion(rest).softmax(1)[0, answer] if rest else torch.tensor(1 / 5)
                expected = math.log(float(full[row, answer])) - math.log(float(less))
                assert float(found.values[row, place]) == pytest.approx(expected, abs=1e-5)


def test_of_an_answer_asked_about():
    fusion, inputs, _, _ = make("late")
    target = torch.full((8,), 3)
    found = fusion.contributions(inputs, target=target).values
    fusion.eval()
    full, less = fusion(inputs), fusion({**inputs, "text": None})
    expected = full.log_softmax(1)[:, 3] - less.log_softmax(1)[:, 3]
    torch.testing.assert_close(found[:, 2], expected.detach())


def test_asking_changes_nothing():
    fusion, inputs, present, _ = make("early", dropout=0.5, modality_dropout=0.5)
    first, state = fusion.contributions(inputs, present), torch.get_rng_state()
    again = fusion.contributions(inputs, present)
    torch.testing.assert_close(first.values, again.values, equal_nan=True)
    assert fusion.training
    assert torch.equal(torch.get_rng_state(), state)
    assert all(p.grad is None for p in fusion.parameters())


def test_a_modality_that_decides_contributes_most():
    fusion, inputs, _, _ = make("late")
    with torch.no_grad():
        fusion.answer.weight[:, :6] *= 20
        fusion.answer.weight[:, 12:] = 0
    values = fusion.contributions(inputs).values
    assert values[:, 2].abs().max() < 1e-6
    assert values[:, 0].mean() > values[:, 1].mean() + 0.5


def test_what_cannot_be_said():
    fusion, inputs, _, _ = make("early")
    with pytest.raises(InputError, match="no weights"):
        fusion.contributions(inputs, method="weights")
    with pytest.raises(UnknownNameError, match="leave-one-out"):
        fusion.contributions(inputs, method="leave-one")


def test_matrices_that_a_run_keeps():
    values = torch.tensor([[1.0, 2.0], [3.0, torch.nan], [5.0, torch.nan]])
    found = Contributions(("image", "sound"), values, "leave-one-out")
    classes, items = found.snapshots(torch.tensor([1, 1, 0]), ["a", "b", "c"])
    np.testing.assert_allclose(classes.array, [[5, np.nan], [2, 2], [np.nan, np.nan]], equal_nan=True)
    assert (classes.kind, classes.layer) == ("matrix", "contributions/classes")
    assert classes.notes["columns"] == ["image", "sound"]
    np.testing.assert_allclose(items.array, values.numpy(), equal_nan=True)
    with pytest.raises(InputError, match="each of 3 items"):
        found.by_class(torch.tensor([0]), 1)
