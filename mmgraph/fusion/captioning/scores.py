"""How near generated sentences are to those that people, or rules, wrote of the same image."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from mmgraph.errors import InputError

ORDERS = 4
SIGMA = 6.0


def caption_scores(
    sentences: Sequence[str], references: Sequence[Sequence[str]], *, meteor: bool = True
) -> dict[str, float]:
    """BLEU-1 to BLEU-4 of the corpus, METEOR without synonyms, and CIDEr-D; words are apart by spaces.

    Args:
        sentences: one per image; may be empty texts.
        references: one or more per image.
        meteor: whether to compute METEOR, by far the slowest.

    Returns:
        "bleu-1" … "bleu-4", "meteor" (all 0 … 1) and "cider" (0 … 10).

    Raises:
        InputError: there are no sentences, not as many references, or an image without any.

    Source: Papineni et al., "BLEU", ACL 2002, and Banerjee and Lavie, "METEOR", 2005, as NLTK has them; Vedantam et
    al., "CIDEr", CVPR 2015. Differs: METEOR matches words and stems, not synonyms, which need a data set of their own.
    """
    if not sentences or len(sentences) != len(references) or not all(references):
        raise InputError(
            f"Expected sentences with at least one reference each, but got {len(sentences)} sentences and references "
            f"of {len(references)} images, {sum(not some for some in references)} of them without any."
        )
    said = [sentence.split() for sentence in sentences]
    wanted = [[reference.split() for reference in some] for some in references]
    scores = {f"bleu-{n}": bleu(said, wanted, n) for n in range(1, ORDERS + 1)}
    if meteor:
        scores["meteor"] = _meteor(said, wanted)
    scores["cider"] = cider(said, wanted)
    return scores


def bleu(said: Sequence[list[str]], wanted: Sequence[Sequence[list[str]]], order: int) -> float:
    """Geometric mean of the clipped precisions of 1- … n-grams over the corpus, times the penalty for brevity."""
    from nltk.translate.bleu_score import corpus_bleu  # NLTK takes a second to import

    if not any(min(order, len(words)) == order for words in said):
        return 0.0  # NLTK warns where there is no n-gram at all
    matched = any(
        set(_grams(words, order)) & {gram for reference in some for gram in _grams(reference, order)}
        for words, some in zip(said, wanted, strict=True)
    )
    return float(corpus_bleu(wanted, said, weights=(1 / order,) * order)) if matched else 0.0


def cider(said: Sequence[list[str]], wanted: Sequence[Sequence[list[str]]]) -> float:
    """CIDEr-D: mean over images, references and n = 1 … 4 of the cosine of clipped TF-IDF vectors of n-grams, × 10.

    10 · exp(−(|c| − |r|)² / 2σ²) · Σ_g min(c_g, r_g) r_g / (‖c‖ ‖r‖)
    c_g = count(g) · log(images / images with g), r_g alike, σ = 6

    Shapes:
        one sentence, and one or more references, as lists of words per image.
    """
    seen: Counter[tuple[str, ...]] = Counter()
    for some in wanted:
        seen.update({gram for words in some for n in range(1, ORDERS + 1) for gram in _grams(words, n)})
    total = 0.0
    for words, some in zip(said, wanted, strict=True):
        own = [_weighted(words, n, seen, len(said)) for n in range(1, ORDERS + 1)]
        for reference in some:
            factor = math.exp(-((len(words) - len(reference)) ** 2) / (2 * SIGMA**2)) / len(some)
            for n, mine in enumerate(own, 1):
                theirs = _weighted(reference, n, seen, len(said))
                lengths = _norm(mine) * _norm(theirs)
                if lengths > 0:
                    shared = sum(
                        min(mine[gram], weight) * weight for gram, weight in theirs.items() if gram in mine
                    )
                    total += factor * shared / lengths
    return 10 * total / (ORDERS * len(said))


def _meteor(said: Sequence[list[str]], wanted: Sequence[Sequence[list[str]]]) -> float:
    from nltk.translate.meteor_score import meteor_score

    found = [
        meteor_score(some, words, wordnet=_NoSynonyms()) for words, some in zip(said, wanted, strict=True)
    ]
    return float(sum(found) / len(found))


class _NoSynonyms:
    """Stands for WordNet, whose files are not here."""

    def synsets(self, word: str) -> list[object]:
        return []


def _grams(words: Sequence[str], n: int) -> list[tuple[str, ...]]:
    return [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]


def _weighted(
    words: Sequence[str], n: int, seen: Counter[tuple[str, ...]], images: int
) -> dict[tuple[str, ...], float]:
    return {
        gram: count * math.log(images / max(seen[gram], 1))
        for gram, count in Counter(_grams(words, n)).items()
    }


def _norm(weights: dict[tuple[str, ...], float]) -> float:
    return math.sqrt(sum(weight**2 for weight in weights.values()))
