"""Tokens and vocabularies: many scripts, nothing, and very long texts."""

from __future__ import annotations

import pytest
import torch

from mmgraph.errors import InputError, UnknownNameError
from mmgraph.sequence import Tokenizer, Vocabulary

TEXTS = [
    "",
    " ",
    "To be, or not to be",
    "don’t stop\n\tthe rock'n'roll  now",
    "Το κορίτσι διαβάζει",
    "女の子が本を読む。",
    "девочка читает книгу",
    "हिन्दी में पाठ",
    "👩‍💻🙂 mixed ½ № 7",
    "\r\n\x00\u2028",
]


@pytest.mark.parametrize("kind", ["characters", "spaced-words"])
@pytest.mark.parametrize("text", TEXTS)
def test_joined_tokens_are_the_text(kind, text):
    tokenizer = Tokenizer(kind)
    assert tokenizer.join(tokenizer.cut(text)) == text


def test_words_are_without_white_space():
    assert Tokenizer("words").cut("To be,  or\nnot: don't!") == [
        "To",
        "be",
        ",",
        "or",
        "not",
        ":",
        "don't",
        "!",
    ]
    assert Tokenizer("words", lowercase=True).cut("ΑΒΓ Straße") == ["αβγ", "straße"]
    assert Tokenizer("words").join(["a", "b"]) == "a b"
    assert Tokenizer("spaced-words").cut("To be,\n or") == ["To", " be", ",", "\n", " or"]
    with pytest.raises(UnknownNameError, match="words"):
        Tokenizer("word")


def test_a_vocabulary_numbers_the_most_frequent_first():
    vocabulary = Vocabulary.of("abracadabra", specials=("<end>",))
    assert vocabulary.tokens == ("<unknown>", "<end>", "a", "b", "r", "c", "d")
    assert len(vocabulary) == 7
    assert "a" in vocabulary
    assert "x" not in vocabulary
    assert (vocabulary["r"], vocabulary["x"]) == (4, 0)
    assert Vocabulary.of("abracadabra", size=2).tokens[1:] == ("a", "b")
    assert Vocabulary.of("abracadabra", minimum_count=2).tokens[1:] == ("a", "b", "r")


def test_unknown_tokens_have_one_number_and_the_others_come_back():
    vocabulary = Vocabulary.of(["to", "be"])
    numbers = vocabulary.encode(["to", "have", "be", "読"])
    assert numbers.dtype == torch.int64
    assert vocabulary.decode(numbers) == ["to", "<unknown>", "be", "<unknown>"]
    assert vocabulary.encode([]).shape == (0,)
    assert vocabulary.decode(vocabulary.encode([])) == []
    assert Vocabulary.of([]).encode(["x"]).tolist() == [0]
    assert Vocabulary.of(["<unknown>", "x"]).tokens == ("<unknown>", "x")


def test_ten_thousand_words():
    words = [f"w{number}" for number in range(10_000)]
    tokens = Tokenizer("words").cut(" ".join(words))
    assert tokens == words
    vocabulary = Vocabulary.of(tokens)
    assert vocabulary.decode(vocabulary.encode(tokens)) == words


def test_bad_input_is_refused():
    with pytest.raises(InputError, match=r"more often: \['a'\]"):
        Vocabulary(["a", "b", "a"])
    for number in (-1, 2):
        with pytest.raises(InputError, match="from 0 to 1"):
            Vocabulary(["a"]).decode(torch.tensor([number]))
