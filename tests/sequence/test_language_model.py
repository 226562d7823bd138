"""Language models, and what is drawn from them."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from mmgraph.errors import InputError
from mmgraph.sequence import LanguageModel, filtered

LOGITS = torch.tensor([1.0, 3.0, 2.0, 0.0])


def kept(logits):
    return torch.isfinite(logits).nonzero().flatten().tolist()


def test_it_looks_back_and_never_ahead():
    model = LanguageModel(7, 5, layers=2).double()
    tokens = torch.tensor([[1, 2, 3, 4, 5]])
    logits, _ = model(tokens)
    changed, _ = model(torch.tensor([[1, 2, 6, 4, 5]]))
    assert torch.equal(logits[:, :2], changed[:, :2])
    assert not torch.allclose(logits[:, 4], changed[:, 4])
    first, state = model(tokens[:, :2])
    second, _ = model(tokens[:, 2:], state)
    torch.testing.assert_close(torch.cat([first, second], dim=1), logits)


@pytest.mark.parametrize("embedding", [5, 3])
def test_tied_weights_are_one_matrix(embedding):
    model = LanguageModel(7, 5, embedding=embedding, tied=True)
    assert model.head.weight is model.embedding.weight
    untied = LanguageModel(7, 5, embedding=embedding)
    assert untied.head.weight.shape == (7, 5)
    logits, _ = model(torch.zeros(2, 3, dtype=torch.int64))
    assert logits.shape == (2, 3, 7)
    logits.sum().backward()
    assert model.embedding.weight.grad is not None


def test_the_likely_becomes_likelier():
    torch.testing.assert_close(filtered(LOGITS, 0.5), LOGITS / 0.5)
    assert kept(filtered(LOGITS, 0)) == [1]
    assert kept(filtered(LOGITS)) == [0, 1, 2, 3]


@pytest.mark.parametrize(("top_k", "expected"), [(1, [1]), (2, [1, 2]), (9, [0, 1, 2, 3])])
def test_only_the_largest_are_kept(top_k, expected):
    assert kept(filtered(LOGITS, top_k=top_k)) == expected


def test_ties_keep_as_many_as_asked_for():
    assert len(kept(filtered(torch.zeros(5), top_k=2))) == 2


@pytest.mark.parametrize("nucleus", [0.01, 0.5, 0.64, 0.66, 0.9, 0.99, 1.0])
def test_the_nucleus_is_the_fewest_that_add_up_to_the_share(nucleus):
    chances, order = F.softmax(LOGITS, dim=0).sort(descending=True)
    count = next(n for n in range(1, 5) if chances[:n].sum() >= nucleus - 1e-6)
    assert kept(filtered(LOGITS, nucleus=nucleus)) == sorted(order[:count].tolist())


def test_the_nucleus_is_taken_of_what_top_k_left():
    assert kept(filtered(torch.tensor([1.0, 1.0, 1.0, 1.0]), top_k=2, nucleus=0.9)) == [0, 1]


def test_every_row_is_filtered_by_itself():
    batch = torch.stack([LOGITS, LOGITS.flip(0)])
    torch.testing.assert_close(filtered(batch, 0.7, 3, 0.9)[1], filtered(LOGITS, 0.7, 3, 0.9).flip(0))


def test_texts_are_drawn_as_often_as_they_are_likely():
    torch.manual_seed(0)
    model = LanguageModel(3, 4)
    prompt = torch.tensor([1, 2])
    expected = F.softmax(model(prompt[None])[0][0, -1], dim=0)
    generator = torch.Generator().manual_seed(0)
    drawn = torch.cat([model.generate(prompt, 1, generator=generator) for _ in range(2000)])
    shares = torch.bincount(drawn, minlength=3) / 2000
    torch.testing.assert_close(shares, expected.detach(), atol=0.04, rtol=0)


def test_generating_changes_nothing_and_repeats_with_the_seed():
    model = LanguageModel(5, 4, dropout=0.5)
    before = torch.get_rng_state()
    texts = [
        model.generate(torch.tensor([1]), 12, generator=torch.Generator().manual_seed(seed))
        for seed in (0, 0, 1)
    ]
    assert torch.equal(texts[0], texts[1])
    assert not torch.equal(texts[0], texts[2])
    assert model.training
    assert torch.equal(torch.get_rng_state(), before)
    assert model.generate(torch.tensor([1]), 0).shape == (0,)
    likeliest = model.generate(torch.tensor([1]), 5, temperature=0)
    assert torch.equal(likeliest, model.generate(torch.tensor([1]), 5, top_k=1))


def test_bad_input_is_refused():
    with pytest.raises(InputError, match="at least one token"):
        LanguageModel(0, 4)
    with pytest.raises(InputError, match="at least one token"):
        LanguageModel(3, 4).generate(torch.tensor([], dtype=torch.int64), 3)
    with pytest.raises(InputError, match="one step"):
        LanguageModel(3, 4)(torch.zeros(1, 0, dtype=torch.int64))
    for bad in (
        {"temperature": -1.0},
        {"temperature": float("nan")},
        {"top_k": 0},
        {"nucleus": 0.0},
        {"nucleus": 1.5},
    ):
        with pytest.raises(InputError, match="temperature of at least 0"):
            filtered(LOGITS, **bad)
