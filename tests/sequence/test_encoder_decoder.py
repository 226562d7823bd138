"""From one sequence to another."""

from __future__ import annotations

import pytest
import torch

from mmgraph.errors import InputError, UnknownNameError
from mmgraph.sequence import EncoderDecoder, SequenceAttention

SOURCE, LENGTHS = torch.tensor([[1, 2, 3], [4, 0, 0]]), torch.tensor([3, 1])
WRITTEN = torch.tensor([[2, 3], [4, 5]])


def network(attention="additive", **options) -> EncoderDecoder:
    torch.manual_seed(0)
    return EncoderDecoder(5, 7, 8, begin=0, end=1, embedding=4, attention=attention, **options).eval()


def drawn(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("kind", ["additive", "general", "dot"])
def test_attention_is_a_mean_over_what_is_there(kind):
    attends = SequenceAttention(4, 6, kind, size=5)
    queries, sequence = drawn(2, 3, 4), drawn(2, 5, 6)
    mask = torch.tensor([[True] * 5, [True, True, False, False, False]])
    weights = attends.attention(queries, sequence, mask)
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 3))
    assert not weights[1, :, 2:].any()
    torch.testing.assert_close(attends(queries, sequence, mask)[1], weights[1, :, :2] @ sequence[1, :2])
    alone = attends.attention(queries[1:, 1:2], sequence[1:, :2], mask[1:, :2])
    torch.testing.assert_close(weights[1:, 1:2, :2], alone)


def test_the_formulas_of_attention():
    q, s, mask = drawn(1, 1, 4), drawn(1, 3, 6), torch.ones(1, 3, dtype=torch.bool)
    additive = SequenceAttention(4, 6, "additive", 5)
    W, U, v = additive.of_queries, additive.of_keys.weight, additive.score.weight[0]
    scores = torch.stack([v @ torch.tanh(W.weight @ q[0, 0] + W.bias + U @ h) for h in s[0]])
    torch.testing.assert_close(additive.attention(q, s, mask)[0, 0], scores.softmax(0))
    general = SequenceAttention(4, 6, "general")
    scores = torch.stack([q[0, 0] @ general.of_keys.weight @ h for h in s[0]])
    torch.testing.assert_close(general.attention(q, s, mask)[0, 0], scores.softmax(0))
    dot = SequenceAttention(4, 6, "dot", 5)
    scores = (
        torch.stack([(dot.of_queries.weight @ q[0, 0]) @ (dot.of_keys.weight @ h) for h in s[0]]) / 5**0.5
    )
    torch.testing.assert_close(dot.attention(q, s, mask)[0, 0], scores.softmax(0))


@pytest.mark.parametrize("attention", ["additive", "general", "dot", None])
@pytest.mark.parametrize(("kind", "layers"), [("lstm", 1), ("gru", 2)])
def test_padding_changes_nothing(attention, kind, layers):
    model = network(attention, kind=kind, layers=layers)
    logits = model(SOURCE, LENGTHS, WRITTEN)
    assert logits.shape == (2, 3, 7)
    torch.testing.assert_close(logits[1:], model(SOURCE[1:, :1], LENGTHS[1:], WRITTEN[1:]))
    changed = SOURCE.clone()
    changed[1, 1:] = 3
    torch.testing.assert_close(logits, model(changed, LENGTHS, WRITTEN))


def test_it_does_not_see_what_it_has_not_written_yet():
    model = network()
    changed = model(SOURCE, LENGTHS, torch.tensor([[2, 6], [4, 6]]))
    logits = model(SOURCE, LENGTHS, WRITTEN)
    torch.testing.assert_close(logits[:, :2], changed[:, :2])
    assert not torch.allclose(logits[:, 2], changed[:, 2])


def test_without_the_teacher_it_reads_its_own_tokens():
    model = network()
    generator = torch.Generator().manual_seed(0)
    alone = model(SOURCE, LENGTHS, WRITTEN, teacher_forcing=0.0, generator=generator)
    own = alone.argmax(dim=2)[:, :2]
    torch.testing.assert_close(alone, model(SOURCE, LENGTHS, own))
    torch.testing.assert_close(alone, model(SOURCE, LENGTHS, torch.zeros_like(WRITTEN), teacher_forcing=0.0))
    nearly = model(SOURCE, LENGTHS, WRITTEN, teacher_forcing=1 - 1e-9, generator=generator)
    torch.testing.assert_close(nearly, model(SOURCE, LENGTHS, WRITTEN))
    some = [
        model(SOURCE, LENGTHS, WRITTEN, teacher_forcing=0.5, generator=torch.Generator().manual_seed(s))
        for s in (0, 0)
    ]
    torch.testing.assert_close(some[0], some[1])


@pytest.mark.parametrize("attention", ["dot", None])
def test_what_it_writes_is_what_it_finds_likeliest(attention):
    model = network(attention)
    tokens, counts = model.generate(SOURCE, LENGTHS, 6)
    for row, count in enumerate(counts.tolist()):
        assert (tokens[row, count:] == 1).all()
        assert not (tokens[row, :count] == 1).any()
        again = model(SOURCE, LENGTHS, tokens)[row].argmax(dim=1)
        assert torch.equal(again[: min(count + 1, 6)], tokens[row, : count + 1])
    with torch.no_grad():
        model.head.bias[1] = 100
    tokens, counts = model.generate(SOURCE, LENGTHS, 6)
    assert (tokens == 1).all()
    assert counts.tolist() == [0, 0]


def test_where_it_looks():
    model = network()
    weights = model.attention(SOURCE, LENGTHS, WRITTEN)
    assert weights.shape == (2, 3, 3)
    assert not weights[1, :, 1:].any()
    assert model.encode(SOURCE, LENGTHS).shape == (2, 8)
    ran = []
    model.head.register_forward_hook(lambda _module, _args, logits: ran.append(logits))
    vectors, same = model.vectors_and_attention(SOURCE, LENGTHS, WRITTEN)
    assert torch.equal(vectors, model.encode(SOURCE, LENGTHS))
    assert torch.equal(same, weights)
    assert torch.allclose(ran[0], model(SOURCE, LENGTHS, WRITTEN))
    assert network(None).vectors_and_attention(SOURCE, LENGTHS, WRITTEN)[1] is None
    with pytest.raises(InputError, match="with attention"):
        network(None).attention(SOURCE, LENGTHS, WRITTEN)


def test_bad_input_is_refused():
    with pytest.raises(InputError, match="even number"):
        EncoderDecoder(5, 7, 7, begin=0, end=1)
    with pytest.raises(InputError, match="below 7"):
        EncoderDecoder(5, 7, 8, begin=0, end=7)
    with pytest.raises(UnknownNameError, match="additive"):
        network("adative")
    with pytest.raises(InputError, match="from 0 to 1"):
        network()(SOURCE, LENGTHS, WRITTEN, teacher_forcing=1.1)
    with pytest.raises(InputError, match="lengths from 1"):
        network()(SOURCE, torch.tensor([0, 1]), WRITTEN)
