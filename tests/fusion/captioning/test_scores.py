from __future__ import annotations

import math

import pytest
import torch

from mmgraph.errors import InputError
from mmgraph.fusion.captioning.pointing import pointing_accuracy
from mmgraph.fusion.captioning.scores import bleu, caption_scores, cider


def test_sentences_that_are_a_reference_score_full_marks() -> None:
    references = [("a red circle above it", "another thing"), ("a blue square left of that",)]
    scores = caption_scores([some[0] for some in references], references)
    assert [scores[f"bleu-{n}"] for n in range(1, 5)] == pytest.approx([1.0] * 4)
    assert scores["meteor"] > 0.99


def test_the_example_of_the_bleu_paper() -> None:
    said = [["the"] * 7]
    wanted = [[["the", "cat", "is", "on", "the", "mat"], ["there", "is", "a", "cat", "on", "the", "mat"]]]
    assert bleu(said, wanted, 1) == pytest.approx(2 / 7)
    assert bleu(said, wanted, 2) == 0.0


def test_brevity_is_punished() -> None:
    assert bleu([["a", "b"]], [[["a", "b", "c", "d"]]], 1) == pytest.approx(math.exp(1 - 4 / 2))


def test_cider_by_hand() -> None:
    """Two images; "a" is in both references, so it weighs log(2/2) = 0; "b" and "c" weigh log 2 each."""
    said = [["a", "b"], ["a"]]
    wanted = [[["a", "b"]], [["a", "c"]]]
    # Image 1: unigrams and bigrams equal: cosine 1 for n = 1, 2; none for 3, 4. Image 2: only "a" shared: 0.
    assert cider(said, wanted) == pytest.approx(10 * (2 / 4) / 2)
    # Said "b" against "a b": unigrams alike, no bigram; one word shorter.
    assert cider([["b"], ["a"]], wanted) == pytest.approx(10 * math.exp(-1 / 72) / 4 / 2)


def test_empty_sentences_score_nothing() -> None:
    scores = caption_scores(["", ""], [("a b",), ("c",)])
    assert scores == {**{f"bleu-{n}": 0.0 for n in range(1, 5)}, "meteor": 0.0, "cider": 0.0}


def test_meteor_takes_stems_for_words() -> None:
    assert caption_scores(["two dogs"], [("two dog",)])["meteor"] > 0.9
    assert "meteor" not in caption_scores(["a"], [("a",)], meteor=False)


@pytest.mark.parametrize(("said", "wanted"), [([], []), (["a"], []), (["a"], [()])])
def test_scores_need_sentences_and_references(said: list[str], wanted: list[tuple[str, ...]]) -> None:
    with pytest.raises(InputError, match="at least one reference"):
        caption_scores(said, wanted)


def test_pointing_counts_peaks_that_overlap_the_box() -> None:
    weights = torch.zeros(1, 3, 6)  # two rows of three places
    weights[0, 1, 4] = 1.0  # second row, second column: from (1/2, 1/3) to (1, 2/3)
    inside, outside = (0.7, 0.4, 0.9, 0.5), (0.0, 0.4, 0.4, 0.5)
    assert pointing_accuracy(weights, (2, 3), [[(1, inside)]]) == 1.0
    assert pointing_accuracy(weights, (2, 3), [[(1, inside), (1, outside)]]) == 0.5
    with pytest.raises(InputError, match="nothing to point at"):
        pointing_accuracy(weights, (2, 3), [[]])
    with pytest.raises(InputError, match="Word 3 names"):
        pointing_accuracy(weights, (2, 3), [[(3, inside)]])
    with pytest.raises(InputError, match="Expected weights"):
        pointing_accuracy(weights, (2, 2), [[]])
