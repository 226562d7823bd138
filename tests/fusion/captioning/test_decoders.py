from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mmgraph.errors import InputError, UnknownNameError
from mmgraph.fusion.captioning import CaptionDecoder, RecurrentDecoder, TransformerDecoder

WORDS, FEATURES = 11, 6


def decoder(kind: str) -> CaptionDecoder:
    torch.manual_seed(0)
    if kind == "transformer":
        return TransformerDecoder(WORDS, FEATURES, 8, heads=2, longest=9).eval()
    return RecurrentDecoder(WORDS, FEATURES, 7, 5, attention=kind).eval()  # type: ignore[arg-type]


def inputs(count: int = 3, length: int = 4) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(count, 5, FEATURES, generator=generator), torch.randint(
        WORDS, (count, length), generator=generator
    )


KINDS = ("soft", "hard", "none", "transformer")


@pytest.mark.parametrize("kind", KINDS)
def test_step_by_step_says_what_forward_says(kind: str) -> None:
    model = decoder(kind)
    annotations, words = inputs()
    decoded = model(annotations, words)
    state = model.start(annotations)
    for t in range(words.size(1)):
        logits, weights, state = model.step(annotations, words[:, t], state)
        torch.testing.assert_close(logits, decoded.logits[:, t])
        torch.testing.assert_close(weights, decoded.weights[:, t])
    assert torch.equal(model.attention(annotations, words), decoded.weights)


@pytest.mark.parametrize("kind", KINDS)
def test_later_words_change_nothing_before_them(kind: str) -> None:
    model = decoder(kind)
    annotations, words = inputs()
    other = words.clone()
    other[:, 2] = (other[:, 2] + 1) % WORDS
    one, two = model(annotations, words), model(annotations, other)
    torch.testing.assert_close(one.logits[:, :2], two.logits[:, :2])
    assert not torch.allclose(one.logits[:, 2], two.logits[:, 2])


@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_is_its_sentences_one_by_one_and_places_have_no_order(kind: str) -> None:
    model = decoder(kind)
    annotations, words = inputs()
    decoded = model(annotations, words)
    alone = torch.cat([model(annotations[i : i + 1], words[i : i + 1]).logits for i in range(3)])
    torch.testing.assert_close(decoded.logits, alone)
    order = torch.tensor([3, 1, 4, 0, 2])
    shuffled = model(annotations[:, order], words)
    torch.testing.assert_close(shuffled.logits, decoded.logits)
    torch.testing.assert_close(shuffled.weights, decoded.weights[:, :, order])
    torch.testing.assert_close(decoded.weights.sum(2), torch.ones(3, 4))


def test_the_recurrent_decoder_follows_its_formula() -> None:
    model = decoder("soft")
    assert isinstance(model, RecurrentDecoder)
    annotations, words = inputs(1, 2)
    a = annotations[0]
    h, c = (torch.tanh(layer(a.mean(0))) for layer in (model.first_hidden, model.first_cell))
    lstm = nn.LSTM(5 + FEATURES, 7)
    lstm.load_state_dict({f"{name}_l0": value for name, value in model.cell.state_dict().items()})
    for t in range(2):
        before = model.embed.weight[words[0, t]]
        asked = model.of_state(h) + model.of_word.weight @ before
        energies = torch.stack(
            [(model.score.weight[0] * torch.tanh(model.of_place.weight @ row + asked)).sum() for row in a]
        )
        alpha = energies.exp() / energies.exp().sum()
        z = sum((alpha[i] * a[i] for i in range(5)), torch.zeros(FEATURES))
        z = z * torch.sigmoid(model.gate(h))
        _, (hidden, cell) = lstm(torch.cat([before, z])[None, None], (h[None, None], c[None, None]))
        h, c = hidden[0, 0], cell[0, 0]
        logits = model.output(torch.tanh(before + model.from_hidden(h) + model.from_context(z)))
        decoded = model(annotations, words)
        torch.testing.assert_close(decoded.logits[0, t], logits)
        torch.testing.assert_close(decoded.weights[0, t], alpha)


def test_the_word_just_said_has_a_say_in_where_is_looked_next() -> None:
    model = decoder("soft")
    annotations, words = inputs(1, 3)
    other = words.clone()
    other[0, 1] = (words[0, 1] + 1) % model.num_words
    one, two = model(annotations, words).weights[0], model(annotations, other).weights[0]
    torch.testing.assert_close(one[0], two[0])
    assert not torch.allclose(one[1], two[1])


def test_attention_of_the_transformer_is_that_of_torch() -> None:
    model = decoder("transformer")
    assert isinstance(model, TransformerDecoder)
    layer = model.layers[0]
    x, annotations = torch.randn(2, 3, 8), torch.randn(2, 5, FEATURES)
    seen, weights = layer._look(x, annotations)
    query, key, value = (
        part.unflatten(2, (2, 4)).transpose(1, 2)
        for part in (layer.query(x), layer.key(annotations), layer.value(annotations))
    )
    fused = F.scaled_dot_product_attention(query, key, value)
    torch.testing.assert_close(seen, layer.mix(fused.transpose(1, 2).flatten(2)))
    torch.testing.assert_close(weights @ value, fused)


def test_hard_attention_draws_places_in_training_only() -> None:
    model = decoder("hard")
    annotations, words = inputs(40)
    assert model(annotations, words).chosen is None
    model.train()
    torch.manual_seed(5)
    chosen = model(annotations, words).chosen
    assert chosen is not None
    assert chosen.shape == (40, 4)
    drawn = chosen[chosen != 0]
    assert 0.3 < len(drawn) / chosen.numel() < 0.7  # half of the sentences take the expected vector
    assert (drawn < 0).all()
    torch.manual_seed(5)
    assert torch.equal(chosen, model(annotations, words).chosen)


def test_bad_decoders_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="attention 'sharp'"):
        RecurrentDecoder(5, 4, attention="sharp")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="positive sizes"):
        RecurrentDecoder(0, 4)
    with pytest.raises(InputError, match="multiple of the heads"):
        TransformerDecoder(5, 4, 9, heads=2)
    with pytest.raises(InputError, match="at most 2 words"):
        TransformerDecoder(5, 4, 8, longest=2)(torch.zeros(1, 3, 4), torch.zeros(1, 3, dtype=torch.int64))
