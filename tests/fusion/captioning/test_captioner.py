from __future__ import annotations

import pytest
import torch
from torch import nn

from mmgraph.errors import InputError
from mmgraph.fusion.captioning import Annotations, Captioner, RecurrentDecoder, TransformerDecoder
from mmgraph.fusion.captioning.annotations import places

PAD, START, END, WORDS = 0, 1, 2, 9
SENTENCES = torch.tensor([[1, 5, 6, 7, 2, 0], [1, 3, 2, 0, 0, 0], [1, 2, 0, 0, 0, 0]])


def captioner(*, bidirectional: bool = False, attention: str = "soft", **options: float) -> Captioner:
    torch.manual_seed(0)
    network = nn.Conv2d(3, 4, 3, stride=2)
    annotate = Annotations(network, torch.zeros(1, 3, 9, 11), 6)
    parts = [RecurrentDecoder(WORDS, 6, 8, 5, attention=attention) for _ in range(2)]  # type: ignore[arg-type]
    return Captioner(
        annotate,
        parts[0],
        start=START,
        end=END,
        pad=PAD,
        backward=parts[1] if bidirectional else None,
        **options,
    )


def images(count: int = 3) -> torch.Tensor:
    return torch.randn(count, 3, 9, 11, generator=torch.Generator().manual_seed(2))


def test_the_loss_is_the_mean_over_words_and_padding_counts_for_nothing() -> None:
    model = captioner().eval()
    loss, metrics = model.loss(images(), SENTENCES)
    told = torch.log_softmax(model(images(), SENTENCES).logits, dim=2)
    terms, right = [], []
    for i, sentence in enumerate(SENTENCES.tolist()):
        for t, word in enumerate(sentence[1:]):
            if word != PAD:
                terms.append(-told[i, t, word])
                right.append(int(told[i, t].argmax()) == word)
    torch.testing.assert_close(loss, torch.stack(terms).mean())
    assert float(metrics["word-accuracy"]) == pytest.approx(sum(right) / len(right))
    longer = torch.cat([SENTENCES, torch.zeros(3, 4, dtype=torch.int64)], dim=1)
    torch.testing.assert_close(model.loss(images(), longer)[0], loss)


def test_doubly_stochastic_attention_is_punished_for_what_it_leaves_out() -> None:
    plain, stern = captioner().eval(), captioner(doubly_stochastic=2.0).eval()
    weights, expected = plain(images(), SENTENCES).weights.detach(), 0.0
    for i, words in enumerate((4, 2, 1)):
        for place in range(20):
            expected += 2.0 * float((words / 20 - weights[i, :words, place].sum()) ** 2) / 7
    difference = stern.loss(images(), SENTENCES)[0] - plain.loss(images(), SENTENCES)[0]
    assert float(difference.detach()) == pytest.approx(expected, rel=1e-4)


def test_reversed_twice_is_as_before() -> None:
    model = captioner()
    turned = model.reverse(SENTENCES)
    assert turned[0].tolist() == [1, 7, 6, 5, 2, 0]
    assert turned[1].tolist() == SENTENCES[1].tolist()
    assert torch.equal(model.reverse(turned), SENTENCES)


def test_two_directions_take_the_sentence_with_the_higher_score() -> None:
    model = captioner(bidirectional=True).eval()
    both = model.describe(images(8), longest=5)
    one = captioner(bidirectional=True).eval()
    one.backward_decoder = None
    forwards = one.describe(images(8), longest=5)
    one.decoder = model.backward_decoder  # type: ignore[assignment]
    backwards = one.describe(images(8), longest=5)
    torch.testing.assert_close(both.scores, torch.maximum(forwards.scores, backwards.scores))
    for i in range(8):
        mine = [word for word in both.words[i].tolist() if word != END]
        if forwards.scores[i] >= backwards.scores[i]:
            assert mine == [word for word in forwards.words[i].tolist() if word != END]
        else:
            assert mine == [word for word in backwards.words[i].tolist() if word != END][::-1]


def test_hard_attention_learns_to_look_at_the_marked_place() -> None:
    """Every place has a word, one a mark as well; only whoever looks there can say its word."""
    torch.manual_seed(1)
    annotate = Annotations(nn.Identity(), torch.zeros(1, 5, 2, 2), 12)
    model = Captioner(
        annotate, RecurrentDecoder(7, 12, 24, 12, attention="hard"), start=START, end=END, pad=PAD
    )
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    for _ in range(400):
        words, marked = torch.randint(4, (64, 4)), torch.randint(4, (64,))
        pictures = torch.zeros(64, 5, 4).scatter_(1, words.unsqueeze(1), 3.0)
        pictures[torch.arange(64), 4, marked] = 3.0
        pictures = pictures.unflatten(2, (2, 2))
        word = words[torch.arange(64), marked] + 3
        sentences = torch.stack([torch.full((64,), START), word, torch.full((64,), END)], dim=1)
        loss, _ = model.loss(pictures, sentences)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
    looked = model(pictures, sentences).weights[:, 0].argmax(1)
    assert (looked == marked).float().mean() > 0.9
    found = model.describe(pictures, longest=3)
    assert (found.words[:, 0] == word).float().mean() > 0.9
    assert float(model.baseline) < 0


def test_annotations_run_row_by_row_and_know_their_place() -> None:
    network = nn.Identity()
    annotate = Annotations(network, torch.zeros(1, 3, 2, 4), 5)
    picture = torch.randn(1, 3, 2, 4)
    expected = annotate.project(picture[0, :, 1, 2]) + annotate.place[1 * 4 + 2]
    torch.testing.assert_close(annotate(picture)[0, 6], expected)
    with pytest.raises(InputError, match="2×4, but got 3×4"):
        annotate(torch.zeros(1, 3, 3, 4))
    with pytest.raises(InputError, match="feature maps"):
        Annotations(nn.Flatten(), torch.zeros(1, 3, 2, 4))
    with pytest.raises(InputError, match="at least one feature"):
        Annotations(network, torch.zeros(1, 3, 2, 4), 0)


def test_places_near_each_other_have_like_vectors() -> None:
    vectors = places(4, 5, 32)
    assert vectors.shape == (20, 32)
    apart = torch.cdist(vectors, vectors)
    row, column = torch.meshgrid(torch.arange(4) / 4, torch.arange(5) / 5, indexing="ij")
    where = torch.stack([row.flatten(), column.flatten()], dim=1)
    near = torch.cdist(where, where)
    nearest = apart.masked_fill(torch.eye(20, dtype=torch.bool), torch.inf).argmin(dim=1)
    assert (near[torch.arange(20), nearest] < 0.3).all()
    assert places(3, 3, 7).shape == (9, 7)


def test_bad_captioners_are_refused() -> None:
    annotate = Annotations(nn.Identity(), torch.zeros(1, 3, 2, 2), 6)
    decoder = RecurrentDecoder(WORDS, 6)
    with pytest.raises(InputError, match="three different words"):
        Captioner(annotate, decoder, start=1, end=1, pad=0)
    with pytest.raises(InputError, match="the same words"):
        Captioner(annotate, decoder, start=1, end=2, pad=0, backward=TransformerDecoder(5, 6))
