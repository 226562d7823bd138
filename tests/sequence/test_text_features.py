"""Words counted, weighted, and summed up as topics."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest

from mmgraph.errors import InputError, UnknownNameError
from mmgraph.sequence import TextFeatures, Tokenizer

TEXTS = ["The cat and the dog", "a dog, a bone", "γάτα και σκύλος, cat!", ""]


def test_counts_are_how_often_each_word_is_there():
    features = TextFeatures("counts")
    found = features.fit_transform(TEXTS)
    for row, text in zip(found, TEXTS, strict=True):
        expected = Counter(Tokenizer("words", lowercase=True).cut(text))
        assert {word: int(n) for word, n in zip(features.words, row, strict=True) if n} == dict(expected)
    assert found.dtype == np.float32
    assert not features.transform(["zebra", ""]).any()
    assert features.transform([]).shape == (0, len(features.words))


def test_rare_words_weigh_more():
    features = TextFeatures("tf-idf")
    found = features.fit_transform(TEXTS)
    counts = TextFeatures("counts").fit_transform(TEXTS)
    weights = 1 + np.log((1 + 4) / (1 + (counts > 0).sum(axis=0)))
    expected = counts * weights
    expected /= np.maximum(np.linalg.norm(expected, axis=1, keepdims=True), 1e-12)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert features.words == TextFeatures("counts").fit(TEXTS).words


def test_only_so_many_words():
    assert TextFeatures("counts", size=1).fit(TEXTS).words == (",",)
    assert set(TextFeatures("counts", minimum_texts=2).fit(TEXTS).words) == {"cat", "dog", ","}


def test_topics_are_found():
    animals, tools = "cat dog horse cow", "saw hammer drill file"
    texts = [f"{animals} {animals}", f"{tools} {tools}"] * 10
    features = TextFeatures("topics", topics=2)
    found = features.fit_transform([*texts, ""])
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5)
    assert found[0].argmax() != found[1].argmax()
    assert found[:2].max(axis=1).min() > 0.9
    assert found[-1] == pytest.approx([0.5, 0.5], abs=1e-5)
    assert {frozenset(words) for words in features.words_of_topics(4)} == {
        frozenset(animals.split()),
        frozenset(tools.split()),
    }
    np.testing.assert_array_equal(found, TextFeatures("topics", topics=2).fit_transform([*texts, ""]))
    assert features.transform([]).shape == (0, 2)


def test_ten_thousand_words():
    text = " ".join(f"w{number}" for number in range(10_000))
    found = TextFeatures("tf-idf").fit_transform([text])
    assert found.shape == (1, 10_000)
    assert float(np.linalg.norm(found)) == pytest.approx(1, abs=1e-5)
    assert found[0, 0] == pytest.approx(1 / math.sqrt(10_000), rel=1e-4)


def test_bad_input_is_refused():
    with pytest.raises(UnknownNameError, match="tf-idf"):
        TextFeatures("tfidf")
    with pytest.raises(InputError, match="at least one topic"):
        TextFeatures("topics", topics=0)
    for texts in ([], ["", " "]):
        with pytest.raises(InputError, match="with words in them"):
            TextFeatures().fit(texts)
    for texts in ("one text", [3]):
        with pytest.raises(InputError, match="list of texts"):
            TextFeatures().fit(texts)
    with pytest.raises(InputError, match="'topics'"):
        TextFeatures("counts").fit(TEXTS).words_of_topics()
