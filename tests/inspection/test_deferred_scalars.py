from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from mmgraph.errors import InputError
from mmgraph.inspection.deferred_scalars import DeferredScalars, first_not_finite


def test_numbers_and_tensors_come_out_in_order_and_exactly() -> None:
    scalars = DeferredScalars()
    scalars.add(1, None, {"a": 1, "b": torch.tensor(0.1, dtype=torch.float64)})
    scalars.add(2, 0.5, {"a": np.float32(0.25), "c": torch.tensor([[3]]), "d": True})
    assert scalars.settle() == [
        (1, None, {"a": 1.0, "b": 0.1}),
        (2, 0.5, {"a": 0.25, "c": 3.0, "d": 1.0}),
    ]
    assert scalars.settle() == []


def test_later_changes_of_a_tensor_do_not_show() -> None:
    scalars, loss = DeferredScalars(), torch.tensor(1.0, requires_grad=True)
    scalars.add(1, None, {"loss": loss})
    with torch.no_grad():
        loss.zero_()
    assert scalars.settle() == [(1, None, {"loss": 1.0})]


@pytest.mark.parametrize("bad", [torch.ones(2), torch.zeros(0), torch.tensor(1j), "many", None, [1.0]])
def test_what_is_not_one_number_is_refused(bad: Any) -> None:
    with pytest.raises(InputError, match="'loss' is one"):
        DeferredScalars().add(1, None, {"loss": bad})


def test_first_not_finite() -> None:
    rows = [
        (1, None, {"loss": 1.0}),
        (2, None, {}),
        (3, None, {"loss": math.inf}),
        (4, None, {"loss": math.nan}),
    ]
    assert first_not_finite(rows, "loss") == (3, math.inf)
    assert first_not_finite(rows[:2], "loss") is None
