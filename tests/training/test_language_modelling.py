"""The task of predicting the next token."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from mmgraph.errors import InputError
from mmgraph.sequence import LanguageModel, Tokenizer, Vocabulary
from mmgraph.training.language_modelling import LanguageModelling, Rereading, parts_of

TEXT = "the cat sat on the mat. " * 20


def task_of(text: str = TEXT, **options) -> LanguageModelling:
    torch.manual_seed(0)
    parts = parts_of(list(text), 0.1, 0.1)
    vocabulary = Vocabulary.of(parts["train"])
    return LanguageModelling(
        LanguageModel(len(vocabulary), 8, embedding=4),
        {part: vocabulary.encode(tokens) for part, tokens in parts.items()},
        characters={part: sum(map(len, tokens)) for part, tokens in parts.items()},
        vocabulary=vocabulary,
        tokenizer=Tokenizer("characters"),
        **{"batch_size": 4, "steps": 10, "prompt": "t", **options},
    )


def test_parts_are_by_position_and_nothing_is_lost():
    parts = parts_of(range(103), 0.1, 0.05)
    assert [len(parts[part]) for part in ("train", "validation", "test")] == [88, 5, 10]
    assert [*parts["train"], *parts["validation"], *parts["test"]] == list(range(103))


def test_windows_follow_each_other_and_targets_are_one_further():
    task = task_of()
    windows = list(task.batches(3))
    assert len(windows) == task.batches_per_epoch
    assert [begins for begins, _, _ in windows] == [True] + [False] * (len(windows) - 1)
    tokens, after = torch.cat([w[1] for w in windows], 1), torch.cat([w[2] for w in windows], 1)
    assert torch.equal(tokens[:, 1:], after[:, :-1])
    assert torch.equal(tokens.flatten()[1:], after.flatten()[:-1])
    assert all(
        torch.equal(a, b)
        for first, second in zip(task.batches(3, 2), windows[2:], strict=True)
        for a, b in zip(first[1:], second[1:], strict=True)
    )
    starts = {tuple(next(iter(task.batches(epoch)))[1][0].tolist()) for epoch in range(20)}
    assert len(starts) > 3


def test_the_state_goes_on_and_gradients_stop():
    task = task_of()
    windows = list(task.batches(0))[:2]
    task.model.eval()
    losses = [task.loss(window)[0].item() for window in windows]
    both = torch.cat([windows[0][1], windows[1][1]], 1)
    logits, _ = task.model.language(both)
    for number, (_, tokens, after) in enumerate(windows):
        place = slice(number * 10, number * 10 + tokens.size(1))
        expected = F.cross_entropy(logits[:, place].flatten(0, 1), after.flatten())
        assert losses[number] == pytest.approx(expected.item(), abs=1e-5)
    assert not any(part.requires_grad for part in task.model.state)
    assert set(task.model.state_dict()) >= {"state_0", "state_1"}
    assert task.loss(windows[0])[0].item() == losses[0]


@pytest.mark.parametrize("length", [2, 3, 255, 256, 300, 5000])
def test_every_token_but_the_first_is_predicted_once(length):
    task = task_of()
    count = len(task._vocabulary)
    tokens = torch.randint(count, (length,), generator=torch.Generator().manual_seed(0))
    task._texts["test"], task._characters["test"] = tokens, 2 * length
    with torch.no_grad():
        for parameter in task.model.parameters():
            parameter.zero_()
        # Without weights every answer is that of the biases, so the expected number needs no model.
        task.model.language.head.bias.copy_(torch.linspace(-1, 1, count))
    found = task.evaluate("test")
    expected = F.cross_entropy(torch.linspace(-1, 1, count).expand(length - 1, -1), tokens[1:])
    assert found["test/loss"] == pytest.approx(float(expected), abs=1e-5)
    assert found["test/perplexity"] == pytest.approx(math.exp(float(expected)), rel=1e-4)
    assert found["test/nats-per-character"] == pytest.approx(
        float(expected) * (length - 1) / (2 * length), abs=1e-5
    )


def test_samples_begin_with_the_prompt_and_repeat():
    task = task_of(sample_length=5)
    text = task.sample()
    assert text.startswith("t")
    assert text == task.sample()
    assert text != task.sample(seed=1)
    assert len(task.sample("the", 0)) == 3
    assert task.sample("読t", 1, temperature=0.0).startswith("読t")
    assert "\n" not in task.remark()
    with pytest.raises(InputError, match="it is empty"):
        task.sample("")


def test_looking_changes_nothing():
    task = task_of()
    task.model.train()
    before, draws = {n: v.clone() for n, v in task.model.state_dict().items()}, torch.get_rng_state()
    snapshots = {snapshot.layer: snapshot for snapshot in task.probe()}
    assert task.model.training
    assert all(torch.equal(value, before[name]) for name, value in task.model.state_dict().items())
    assert torch.equal(torch.get_rng_state(), draws)
    assert snapshots["tokens"].array.shape == (len(task._vocabulary), 4)
    assert {"gates/forget", "gates/cell", "next token"} <= set(snapshots)
    assert snapshots["next token"].array.sum(1) == pytest.approx(1, abs=1e-5)
    items = task.items()
    assert len(items) == len(task._vocabulary)
    assert items.class_names[items.labels[items.texts.index("␣")]] == "white space"
    assert items.class_names[items.labels[items.texts.index("<unknown>")]] == "special"
    assert items.class_names[items.labels[items.texts.index(".")]] == "mark"


def test_bad_input_is_refused():
    with pytest.raises(InputError, match="validation part"):
        task_of("abcdefghij")
    with pytest.raises(InputError, match="smaller batch_size"):
        task_of(TEXT, batch_size=200)


class Near(nn.Module):
    """Looks at each token and the two before it."""

    def __init__(self, tokens):
        super().__init__()
        self.table, self.convolution = nn.Embedding(tokens, 4), nn.Conv1d(4, tokens, 3)
        self.longest = 0

    def forward(self, tokens):
        self.longest = max(self.longest, tokens.shape[1])
        return self.convolution(F.pad(self.table(tokens).mT, (2, 0))).mT


@pytest.mark.parametrize("context", [5, 6, 7, 64])
def test_a_model_without_a_state_is_given_enough_of_what_was_before(context):
    torch.manual_seed(0)
    theirs = Near(9)
    rereading, tokens = Rereading(theirs, 9, context), torch.randint(9, (3, 40))
    with torch.no_grad():
        expected = theirs(tokens)
        theirs.longest = 0
        whole, _ = rereading(tokens)
        state, parts = rereading.initial(3), []
        for some in tokens.split((1, 2, 13, 24), dim=1):
            logits, state = rereading(some, state)
            parts.append(logits)
    # Two tokens before each are read where half of the context is as much.
    torch.testing.assert_close(whole, expected)
    torch.testing.assert_close(torch.cat(parts, dim=1), expected)
    assert theirs.longest <= context


def test_somebodys_own_model_is_tried_and_writes():
    task = task_of()
    theirs = Near(len(task._vocabulary))
    task.adopt(theirs)
    assert task.shown is theirs
    tokens = task._texts["validation"]
    with torch.no_grad():
        expected = F.cross_entropy(theirs(tokens[None, :-1])[0], tokens[1:])
    assert task.evaluate()["validation/loss"] == pytest.approx(float(expected), rel=1e-5)
    assert task.remark().startswith("t")
    assert len(task.sample(length=30)) >= 31
    assert {(snapshot.kind, snapshot.layer) for snapshot in task.probe()} == {
        ("embedding", "tokens"),
        ("matrix", "next token"),
    }
    task.adopt(nn.Embedding(len(task._vocabulary), 3))
    with pytest.raises(InputError, match="Expected logits"):
        task.probe()
