"""Layers over time, against torch.nn.LSTM and torch.nn.RNN, and the variants against their own cells step by step."""

from __future__ import annotations

import pytest
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from mmgraph.errors import InputError
from mmgraph.sequence import Recurrent, detached

VARIANTS = [
    ("rnn", {}),
    ("lstm", {}),
    ("lstm", {"peephole": True}),
    ("lstm", {"coupled": True}),
    ("lstm", {"peephole": True, "coupled": True}),
    ("gru", {}),
]
TOLERANCE = {torch.float32: 1e-6, torch.float64: 1e-10}


def drawn(*shape, dtype=torch.float64, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def peer_of(layer: Recurrent, kind: str) -> torch.nn.Module:
    """torch's layer with the same weights; its second bias is zero."""
    module = torch.nn.LSTM if kind == "lstm" else torch.nn.RNN
    peer = module(
        layer.inputs,
        layer.hidden,
        layer.layers,
        batch_first=True,
        bidirectional=layer.directions == 2,
        dropout=layer.dropout,
    ).to(layer.cells[0].bias.dtype)
    with torch.no_grad():
        for cell, (w, u, b, second) in zip(layer.cells, peer.all_weights, strict=True):
            w.copy_(cell.weight_x)
            u.copy_(cell.weight_h)
            b.copy_(cell.bias)
            second.zero_()
    return peer


def assert_same_gradients(layer, peer, tolerance):
    for cell, (w, u, b, _) in zip(layer.cells, peer.all_weights, strict=True):
        for mine, theirs in ((cell.weight_x, w), (cell.weight_h, u), (cell.bias, b)):
            scale = float(theirs.grad.abs().max())
            torch.testing.assert_close(mine.grad / scale, theirs.grad / scale, atol=tolerance, rtol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("kind", ["rnn", "lstm"])
@pytest.mark.parametrize(("layers", "bidirectional"), [(1, False), (2, True)])
@pytest.mark.parametrize("lengths", [None, [5, 1, 7, 3]])
def test_plain_layers_are_those_of_torch(dtype, kind, layers, bidirectional, lengths):
    torch.manual_seed(0)
    layer = Recurrent(3, 6, kind, layers=layers, bidirectional=bidirectional).to(dtype)
    peer, tolerance = peer_of(layer, kind), TOLERANCE[dtype]
    x = drawn(4, 7, 3, dtype=dtype).requires_grad_()
    twin = x.detach().clone().requires_grad_()
    state = tuple(drawn(*part.shape, dtype=dtype, seed=n + 1) for n, part in enumerate(layer.initial(4)))
    begin = state if kind == "lstm" else state[0]
    if lengths is None:
        (mine, last), (theirs, expected) = layer(x, state), peer(twin, begin)
    else:
        steps = torch.tensor(lengths)
        mine, last = layer(x, state, steps)
        packed, expected = peer(
            pack_padded_sequence(twin, steps, batch_first=True, enforce_sorted=False), begin
        )
        theirs = pad_packed_sequence(packed, batch_first=True, total_length=7)[0]
    expected = expected if kind == "lstm" else (expected,)
    for a, b in zip((mine, *last), (theirs, *expected), strict=True):
        torch.testing.assert_close(a, b, atol=tolerance, rtol=0)
    for output, ends in ((mine, last), (theirs, expected)):
        (output.square().sum() + sum(part.sin().sum() for part in ends)).backward()
    torch.testing.assert_close(x.grad, twin.grad, atol=tolerance, rtol=1e-5)
    assert_same_gradients(layer, peer, 3 * tolerance)


def test_dropout_between_layers_is_that_of_torch():
    layer = Recurrent(3, 6, layers=2, dropout=0.5)
    peer, x = peer_of(layer, "lstm"), drawn(4, 7, 3, dtype=torch.float32)
    torch.manual_seed(1)
    mine, _ = layer(x)
    torch.manual_seed(1)
    theirs, _ = peer(x)
    torch.testing.assert_close(mine, theirs, atol=1e-6, rtol=0)
    layer.eval()
    assert torch.equal(layer(x)[0], layer(x)[0])
    assert not torch.allclose(layer(x)[0], mine)


@pytest.mark.parametrize(("kind", "variant"), VARIANTS)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_layer_is_its_cells_step_by_step(kind, variant, bidirectional):
    layer = Recurrent(3, 5, kind, layers=2, bidirectional=bidirectional, **variant).double()
    x = drawn(4, 6, 3)
    state = tuple(drawn(*part.shape, seed=n + 1) for n, part in enumerate(layer.initial(4)))
    output, last = layer(x, state)
    below = x
    for level in range(2):
        gates = [layer.gates(x, state, layer=level, reverse=bool(way)) for way in range(layer.directions)]
        below = torch.cat([found["hidden"] for found in gates], dim=2)
        for way, found in enumerate(gates):
            end = 0 if way else -1
            torch.testing.assert_close(
                last[0][2 * level + way if bidirectional else level], found["hidden"][:, end]
            )
            if kind == "lstm":
                torch.testing.assert_close(last[1][level * layer.directions + way], found["cell"][:, end])
    torch.testing.assert_close(output, below, atol=1e-12, rtol=0)


@pytest.mark.parametrize(("kind", "variant"), VARIANTS[2:])
def test_gradients_are_those_of_finite_differences(kind, variant):
    layer = Recurrent(2, 2, kind, bidirectional=True, **variant).double()
    names = [name for name, _ in layer.named_parameters()]
    states = len(layer.initial(2))

    def run(x, *rest):
        weights = dict(zip(names, rest[states:], strict=True))
        output, last = torch.func.functional_call(layer, weights, (x, rest[:states], torch.tensor([2, 3])))
        return (output, *last)

    state = tuple(drawn(2, 2, 2, seed=n + 1).requires_grad_() for n in range(states))
    weights = tuple(p.detach().clone().requires_grad_() for p in layer.parameters())
    assert torch.autograd.gradcheck(run, (drawn(2, 3, 2).requires_grad_(), *state, *weights), fast_mode=True)


@pytest.mark.parametrize(("kind", "variant"), VARIANTS)
def test_padding_changes_nothing_and_each_state_is_that_after_the_own_last_step(kind, variant):
    layer = Recurrent(2, 3, kind, bidirectional=True, layers=2, **variant).double()
    x, lengths = drawn(3, 5, 2), torch.tensor([3, 5, 1])
    output, last = layer(x, lengths=lengths)
    for row, length in enumerate(lengths.tolist()):
        alone, end = layer(x[row : row + 1, :length])
        torch.testing.assert_close(output[row, :length], alone[0])
        assert not output[row, length:].any()
        for mine, own in zip(last, end, strict=True):
            torch.testing.assert_close(mine[:, row], own[:, 0])
    beyond = torch.arange(5) >= lengths[:, None]
    assert torch.equal(output, layer(x.masked_fill(beyond[:, :, None], 9.0), lengths=lengths)[0])


@pytest.mark.parametrize(("kind", "variant"), VARIANTS)
def test_two_halves_with_the_state_carried_over_are_the_whole(kind, variant):
    layer = Recurrent(2, 3, kind, layers=2, **variant).double()
    x = drawn(3, 8, 2)
    whole, last = layer(x)
    first, state = layer(x[:, :5])
    second, end = layer(x[:, 5:], detached(state))
    torch.testing.assert_close(torch.cat([first, second], dim=1), whole)
    torch.testing.assert_close(end, last)
    assert not any(part.requires_grad for part in detached(state))


@pytest.mark.parametrize(("kind", "variant"), VARIANTS)
def test_inside_autocast_it_computes_in_the_format_of_its_weights(kind, variant):
    layer = Recurrent(2, 3, kind, **variant)
    x = drawn(3, 4, 2, dtype=torch.float32)
    with torch.autocast("cpu", dtype=torch.float16):
        output, _ = layer(x)
    assert torch.equal(output, layer(x)[0])


def test_one_sequence_of_one_step():
    for kind, variant in VARIANTS:
        output, state = Recurrent(2, 3, kind, **variant)(torch.ones(1, 1, 2))
        assert output.shape == (1, 1, 3)
        assert torch.equal(output[:, 0], state[0][0])


def test_what_the_gates_show():
    layer = Recurrent(2, 3, coupled=True, layers=2, bidirectional=True)
    found = layer.gates(torch.ones(2, 4, 2), reverse=True)
    assert set(found) == {"input", "forget", "candidate", "output", "cell", "hidden"}
    assert all(value.shape == (2, 4, 3) for value in found.values())
    torch.testing.assert_close(found["input"], 1 - found["forget"])


def test_bad_input_is_refused():
    layer = Recurrent(2, 3)
    for shape in ((4, 2), (2, 4, 5), (0, 4, 2), (2, 0, 2)):
        with pytest.raises(InputError, match="at least one sequence and one step"):
            layer(torch.zeros(*shape))
    for lengths in ([0, 2], [1, 5]):
        with pytest.raises(InputError, match="lengths from 1 to 4"):
            layer(torch.zeros(2, 4, 2), lengths=torch.tensor(lengths))
    for bad in (torch.tensor([1]), torch.tensor([1.0, 2.0])):
        with pytest.raises(InputError, match="for each of 2 sequences"):
            layer(torch.zeros(2, 4, 2), lengths=bad)
    with pytest.raises(InputError, match="Expected a state"):
        layer(torch.zeros(2, 4, 2), (torch.zeros(1, 2, 3),))
    with pytest.raises(InputError, match="layer 1"):
        layer.gates(torch.zeros(2, 4, 2), layer=1)
    with pytest.raises(InputError, match="in reverse"):
        layer.gates(torch.zeros(2, 4, 2), reverse=True)
    with pytest.raises(InputError, match="dropout"):
        Recurrent(2, 3, dropout=1.0)
    with pytest.raises(InputError, match="layer"):
        Recurrent(2, 3, layers=0)
