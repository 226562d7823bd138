from __future__ import annotations

import itertools

import pytest
import torch

from mmgraph.errors import InputError
from mmgraph.fusion.captioning import CaptionDecoder, RecurrentDecoder, beam_search

WORDS, START, END = 4, 0, 1


def decoder() -> CaptionDecoder:
    torch.manual_seed(2)
    model = RecurrentDecoder(WORDS, 3, 6, 5).eval()
    with torch.no_grad():
        model.output.weight.mul_(8)  # decided opinions, so that greedy search goes wrong sometimes
    return model


def best_of_all(
    model: CaptionDecoder, annotations: torch.Tensor, longest: int, penalty: float
) -> tuple[float, list[int]]:
    """The likeliest sentence, found by trying every one."""
    found = []
    for length in range(1, longest + 1):
        for words in itertools.product(range(WORDS), repeat=length):
            if END in words[:-1] or (words[-1] != END and length < longest):
                continue
            given = torch.tensor([[START, *words[:-1]]])
            with torch.no_grad():
                told = torch.log_softmax(model(annotations, given).logits[0], dim=1)
            total = sum(float(told[t, word]) for t, word in enumerate(words))
            found.append((total / length**penalty, list(words)))
    return max(found)


@pytest.mark.parametrize("penalty", [0.0, 1.0])
def test_a_wide_beam_finds_the_best_of_all_sentences(penalty: float) -> None:
    model, annotations = decoder(), torch.randn(6, 5, 3, generator=torch.Generator().manual_seed(0))
    found = beam_search(model, annotations, start=START, end=END, beams=64, longest=4, length_penalty=penalty)
    for i in range(6):
        score, words = best_of_all(model, annotations[i : i + 1], 4, penalty)
        assert float(found.scores[i]) == pytest.approx(score, abs=1e-5)
        assert found.words[i, : len(words)].tolist() == words
        assert (found.words[i, len(words) :] == END).all()


def test_one_beam_is_greedy() -> None:
    model, annotations = decoder(), torch.randn(3, 5, 3, generator=torch.Generator().manual_seed(1))
    found = beam_search(model, annotations, start=START, end=END, beams=1, longest=6)
    state, last = model.start(annotations), torch.full((3,), START)
    ended = torch.zeros(3, dtype=torch.bool)
    for t in range(found.words.size(1)):
        logits, weights, state = model.step(annotations, last, state)
        last = torch.where(ended, END, logits.argmax(1))
        assert torch.equal(found.words[:, t], last)
        torch.testing.assert_close(found.weights[~ended, t], weights[~ended])
        ended |= last == END


def test_the_weights_are_those_of_the_sentence_that_was_chosen() -> None:
    model, annotations = decoder(), torch.randn(4, 5, 3, generator=torch.Generator().manual_seed(3))
    found = beam_search(model, annotations, start=START, end=END, beams=3, longest=5)
    for i in range(4):
        length = int((found.words[i] != END).sum()) + 1
        words = torch.cat([torch.tensor([START]), found.words[i]])[None, :length]
        weights = model.attention(annotations[i : i + 1], words)[0]
        torch.testing.assert_close(found.weights[i, : weights.size(0)], weights[: found.weights.size(1)])


def test_a_batch_is_its_images_one_by_one_and_none_give_none() -> None:
    model, annotations = decoder(), torch.randn(4, 5, 3, generator=torch.Generator().manual_seed(4))
    together = beam_search(model, annotations, start=START, end=END, beams=2, longest=5)
    for i in range(4):
        alone = beam_search(model, annotations[i : i + 1], start=START, end=END, beams=2, longest=5)
        assert together.words[i, : alone.words.size(1)].tolist() == alone.words[0].tolist()
    assert len(beam_search(model, annotations[:0], start=START, end=END).words) == 0
    with pytest.raises(InputError, match="at least one beam"):
        beam_search(model, annotations, start=START, end=END, beams=0)


def test_some_words_are_never_said() -> None:
    model, annotations = decoder(), torch.randn(6, 5, 3, generator=torch.Generator().manual_seed(0))
    plain = beam_search(model, annotations, start=START, end=END, beams=3, longest=6)
    assert (plain.words == 3).any()
    found = beam_search(model, annotations, start=START, end=END, beams=3, longest=6, never=(START, 3))
    assert set(found.words.flatten().tolist()) <= {END, 2}
