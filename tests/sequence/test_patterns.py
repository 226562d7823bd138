"""The patterns over time."""

from __future__ import annotations

import pytest
import torch

from mmgraph.errors import InputError, UnknownNameError
from mmgraph.sequence import RecurrentModel


def drawn(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def test_one_to_one_is_a_sequence_of_one_step():
    model, x = RecurrentModel(3, 4, 2, "one-to-one"), drawn(5, 3)
    (h, _) = model.recurrent.cells[0](x)
    torch.testing.assert_close(model(x), model.head(h))


def test_one_to_many_sees_the_vector_at_every_step():
    model, x = RecurrentModel(3, 4, 2, "one-to-many"), drawn(5, 3)
    answers = model(x, steps=6)
    output, _ = model.recurrent(x[:, None].repeat(1, 6, 1))
    torch.testing.assert_close(answers, model.head(output))
    torch.testing.assert_close(model(x, steps=2), answers[:, :2])


@pytest.mark.parametrize("bidirectional", [False, True])
def test_many_to_one_takes_what_each_direction_has_at_its_own_end(bidirectional):
    model, x = RecurrentModel(3, 4, 2, bidirectional=bidirectional, layers=2), drawn(3, 6, 3)
    lengths = torch.tensor([6, 1, 4])
    answers = model(x, lengths)
    for row, length in enumerate(lengths.tolist()):
        output, _ = model.recurrent(x[row : row + 1, :length])
        last = torch.cat([output[0, -1, :4], output[0, 0, 4:]])
        torch.testing.assert_close(answers[row], model.head(last))
    assert model.read(x, lengths).shape == (3, 8 if bidirectional else 4)


def test_many_to_many_answers_every_step():
    model, x = RecurrentModel(3, 4, 2, "many-to-many", kind="gru"), drawn(3, 6, 3)
    assert model(x).shape == (3, 6, 2)
    torch.testing.assert_close(model(x)[:, :2], model(x[:, :2]))


@pytest.mark.parametrize("pattern", ["one-to-one", "one-to-many", "many-to-one", "many-to-many"])
@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru"])
def test_every_pattern_learns(pattern, kind):
    torch.manual_seed(0)
    model = RecurrentModel(3, 4, 2, pattern, kind=kind, bidirectional=True, dropout=0.2)
    x, steps = (
        drawn(5, 3) if pattern.startswith("one") else drawn(5, 6, 3),
        6 if pattern == "one-to-many" else None,
    )
    model(x, steps=steps).square().sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


def test_bad_input_is_refused():
    with pytest.raises(UnknownNameError, match="many-to-one"):
        RecurrentModel(3, 4, 2, "many-to-on")
    with pytest.raises(InputError, match="steps with one-to-many"):
        RecurrentModel(3, 4, 2)(drawn(5, 6, 3), steps=3)
    with pytest.raises(InputError, match="steps with one-to-many"):
        RecurrentModel(3, 4, 2, "one-to-many")(drawn(5, 3))
    with pytest.raises(InputError, match="at least one step"):
        RecurrentModel(3, 4, 2, "one-to-many")(drawn(5, 3), steps=0)
    with pytest.raises(InputError, match="no lengths"):
        RecurrentModel(3, 4, 2, "one-to-one")(drawn(5, 3), torch.tensor([1] * 5))
    with pytest.raises(InputError, match="vectors of shape"):
        RecurrentModel(3, 4, 2, "one-to-one")(drawn(5, 6, 3))
