from __future__ import annotations

import random

import pytest

from mmgraph.errors import InputError
from mmgraph.fusion.captioning.frequency_baseline import frequent_sentence
from mmgraph.fusion.captioning.scores import caption_scores


def corpus(seed: int, images: int = 12) -> list[tuple[str, ...]]:
    """Sentences of few words, so that n-grams repeat within and between them."""
    draw = random.Random(seed)
    return [
        tuple(
            " ".join(draw.choices(["a", "dog", "the", "runs", "on"], [4, 1, 2, 1, 1], k=draw.randint(0, 9)))
            for _ in range(draw.randint(1, 4))
        )
        for _ in range(images)
    ]


@pytest.mark.parametrize("seed", range(6))
def test_no_sentence_has_a_higher_bleu(seed: int) -> None:
    references = corpus(seed)

    def bleu(sentence: str) -> float:
        return caption_scores([sentence] * len(references), references, meteor=False)["bleu-4"]

    best = max(bleu(sentence) for some in references for sentence in some)
    assert bleu(frequent_sentence(references)) == pytest.approx(best, rel=1e-9)
    assert best > 0


def test_one_sentence_and_none() -> None:
    assert frequent_sentence([("a dog",)]) == "a dog"
    with pytest.raises(InputError, match="at least one sentence"):
        frequent_sentence([("", " ")])
