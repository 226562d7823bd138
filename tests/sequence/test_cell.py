"""One step of each kind of cell, against the published equations in NumPy and against torch's cells."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mmgraph.errors import InputError, UnknownNameError
from mmgraph.sequence import RecurrentCell


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def drawn(generator, *shape):
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def parts(cell: RecurrentCell) -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """W, U and b of each gate."""
    arrays = [p.detach().numpy() for p in (cell.weight_x, cell.weight_h, cell.bias)]
    split = [np.split(array, len(cell.gate_names)) for array in arrays]
    return dict(zip(cell.gate_names, zip(*split, strict=True), strict=True))


@pytest.mark.parametrize("peephole", [False, True])
@pytest.mark.parametrize("coupled", [False, True])
def test_an_lstm_follows_the_published_equations(generator, peephole, coupled):
    cell = RecurrentCell(3, 4, "lstm", peephole=peephole, coupled=coupled).double()
    x, h, c = drawn(generator, 2, 3), drawn(generator, 2, 4), drawn(generator, 2, 4)
    found = cell.gates(x, (h, c))

    W = parts(cell)
    peeping = [name for name in cell.gate_names if name != "candidate"]
    P = (
        dict(zip(peeping, np.split(cell.weight_c.detach().numpy(), len(peeping)), strict=True))
        if cell.weight_c is not None
        else {}
    )
    x, h, c = x.numpy(), h.numpy(), c.numpy()

    def pre(name, cell_state):
        matrix = np.concatenate([P.get(name, np.zeros((4, 4))), W[name][1], W[name][0]], axis=1)
        return np.concatenate([cell_state, h, x], axis=1) @ matrix.T + W[name][2]

    forget = sigmoid(pre("forget", c))
    write = 1 - forget if coupled else sigmoid(pre("input", c))
    new_c = forget * c + write * np.tanh(pre("candidate", c))
    output = sigmoid(pre("output", new_c))
    expected = {
        "forget": forget,
        "input": write,
        "cell": new_c,
        "output": output,
        "hidden": output * np.tanh(new_c),
    }
    for name, value in expected.items():
        np.testing.assert_allclose(found[name].detach().numpy(), value, atol=1e-12, err_msg=name)
    assert all(
        torch.equal(a, b)
        for a, b in zip(
            cell(*map(torch.from_numpy, (x,)), tuple(map(torch.from_numpy, (h, c)))),
            (found["hidden"], found["cell"]),
            strict=True,
        )
    )


def test_a_gru_resets_before_the_matrix_product(generator):
    cell = RecurrentCell(3, 4, "gru").double()
    x, h = drawn(generator, 2, 3), drawn(generator, 2, 4)
    (found,) = cell(x, (h,))
    W = parts(cell)
    x, h = x.numpy(), h.numpy()
    gate = {n: sigmoid(x @ W[n][0].T + h @ W[n][1].T + W[n][2]) for n in ("reset", "update")}
    candidate = np.tanh(
        x @ W["candidate"][0].T + (gate["reset"] * h) @ W["candidate"][1].T + W["candidate"][2]
    )
    expected = (1 - gate["update"]) * h + gate["update"] * candidate
    np.testing.assert_allclose(found.detach().numpy(), expected, atol=1e-12)


def torch_gru(cell: RecurrentCell) -> torch.nn.GRUCell:
    """torch's cell with the same weights; its update gate is one less ours."""
    other = torch.nn.GRUCell(cell.inputs, cell.hidden).double()
    sign = torch.tensor([1.0, -1.0, 1.0]).repeat_interleave(cell.hidden).double()
    with torch.no_grad():
        other.weight_ih.copy_(cell.weight_x * sign[:, None])
        other.weight_hh.copy_(cell.weight_h * sign[:, None])
        other.bias_ih.copy_(cell.bias * sign)
        other.bias_hh.zero_()
    return other


def test_a_gru_is_that_of_torch_where_the_reset_commutes_with_the_matrix_and_only_there(generator):
    cell = RecurrentCell(3, 4, "gru").double()
    x, h = drawn(generator, 5, 3), drawn(generator, 5, 4)
    assert not torch.allclose(cell(x, (h,))[0], torch_gru(cell)(x, h), atol=1e-3)
    with torch.no_grad():
        cell.weight_h[8:] = torch.diag(drawn(generator, 4))
    torch.testing.assert_close(cell(x, (h,))[0], torch_gru(cell)(x, h), atol=1e-12, rtol=0)


@pytest.mark.parametrize("kind", ["rnn", "lstm"])
def test_plain_cells_are_those_of_torch(generator, kind):
    cell = RecurrentCell(3, 4, kind).double()
    other = (torch.nn.LSTMCell if kind == "lstm" else torch.nn.RNNCell)(3, 4).double()
    with torch.no_grad():
        other.weight_ih.copy_(cell.weight_x)
        other.weight_hh.copy_(cell.weight_h)
        other.bias_ih.copy_(cell.bias)
        other.bias_hh.zero_()
    x, state = drawn(generator, 2, 3), tuple(drawn(generator, 2, 4) for _ in cell.initial(2))
    expected = other(x, state if kind == "lstm" else state[0])
    for mine, theirs in zip(cell(x, state), expected if kind == "lstm" else (expected,), strict=True):
        torch.testing.assert_close(mine, theirs, atol=1e-12, rtol=0)


def test_it_starts_from_zeros():
    cell = RecurrentCell(2, 3)
    x = torch.ones(4, 2)
    assert [part.shape for part in cell.initial(4)] == [(4, 3), (4, 3)]
    torch.testing.assert_close(cell(x), cell(x, cell.initial(4)))


def test_bad_input_is_refused():
    with pytest.raises(UnknownNameError, match="lstm"):
        RecurrentCell(2, 3, "lsmt")
    with pytest.raises(InputError, match="at least 1"):
        RecurrentCell(0, 3)
    for variant in ({"peephole": True}, {"coupled": True}):
        with pytest.raises(InputError, match="kind = lstm"):
            RecurrentCell(2, 3, "gru", **variant)
    with pytest.raises(InputError, match=r"\(batch, 2\)"):
        RecurrentCell(2, 3)(torch.ones(4, 5))
    with pytest.raises(InputError, match="hidden, cell"):
        RecurrentCell(2, 3)(torch.ones(4, 2), (torch.zeros(4, 3),))


def test_it_says_what_it_is():
    assert repr(RecurrentCell(2, 3, coupled=True)) == "RecurrentCell(2, 3, kind=lstm, coupled)"
