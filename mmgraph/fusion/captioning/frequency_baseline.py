"""One sentence for all images: what is reached without looking at any."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from mmgraph.errors import InputError
from mmgraph.fusion.captioning.scores import ORDERS


def frequent_sentence(references: Sequence[Sequence[str]]) -> str:
    """Of all sentences the one with the highest BLEU-4 when it is said of every image.

    log BLEU-4(s) = min(0, 1 − r / c) + ¼ Σₙ log pₙ
    pₙ = Σ_g Σ_{k ≤ count of g in s} images that have g k times / (images · n-grams of s)

    So it is made of the words, pairs, triples and quadruples that most images have; an image has an n-gram g k times
    where one of its sentences does. c is the length of s, r the mean of the nearest lengths.

    Args:
        references: one or more sentences per image, words apart by spaces.

    Raises:
        InputError: there are no sentences.

    Source: Papineni et al., "BLEU", ACL 2002.
    """
    wanted = [[reference.split() for reference in some] for some in references]
    said: dict[tuple[str, ...], None] = dict.fromkeys(
        tuple(words) for some in wanted for words in some if words
    )
    if not said:
        raise InputError("Expected at least one sentence with a word in it, but got none.")
    images: Counter[tuple[tuple[str, ...], int]] = Counter()
    lengths: Counter[tuple[int, ...]] = Counter()
    for some in wanted:
        most: Counter[tuple[str, ...]] = Counter()
        for words in some:
            most |= _counted(words)
        images.update((gram, time) for gram, count in most.items() for time in range(1, count + 1))
        lengths[tuple(sorted({len(words) for words in some}))] += 1

    def bleu(words: tuple[str, ...]) -> float:
        matched = [0] * ORDERS
        for gram, count in _counted(words).items():
            matched[len(gram) - 1] += sum(images[gram, time] for time in range(1, count + 1))
        if not all(matched):
            return 0.0
        total = len(references)
        precision = sum(math.log(found / (total * (len(words) - n))) for n, found in enumerate(matched))
        nearest = sum(
            count * min(some, key=lambda length: (abs(length - len(words)), length))
            for some, count in lengths.items()
        )
        return math.exp(precision / ORDERS + min(0.0, 1 - nearest / (total * len(words))))

    best: tuple[str, ...] = max(said, key=bleu)
    return " ".join(best)


def _counted(words: Sequence[str]) -> Counter[tuple[str, ...]]:
    return Counter(tuple(words[i : i + n]) for n in range(1, ORDERS + 1) for i in range(len(words) - n + 1))
