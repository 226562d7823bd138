"""A generated graph whose nodes carry a spoiled image of a digit and a few words about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mmgraph.datasets.digits import scikit_learn_digits
from mmgraph.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

WORDS_PER_CLASS = 6
CLASSES = 10
OTHER_WORDS = 40
_BEGINNINGS, _ENDINGS = "bdfgklmnprst", ("a", "e", "i", "o", "u")


@dataclass(frozen=True, eq=False)
class MultimodalDigits:
    """Digits of scikit-learn as nodes of a graph.

    Args:
        images: what is left of each picture; nothing where it is missing.
        texts: words apart by spaces; empty where they are missing.
        counts: how often a node has each word of `vocabulary`.
        has_image, has_words: which modalities a node has; at least one.
        labels: the digit.
        edge_index: links, each in both directions.
        clean: the pictures as they were.

    Shapes:
        images and clean (n, 8, 8) uint8, counts (n, words) float32, has_image and has_words (n,) bool, labels (n,)
        int64, edge_index (2, E) int64.
    """

    images: Tensor
    texts: tuple[str, ...]
    counts: Tensor
    has_image: Tensor
    has_words: Tensor
    labels: Tensor
    edge_index: Tensor
    clean: Tensor
    vocabulary: tuple[str, ...]
    class_names: tuple[str, ...]


def generate_multimodal_digits(
    *,
    seed: int = 0,
    hidden_pixels: float = 0.7,
    words: int = 6,
    telling_words: float = 0.3,
    missing: float = 0.15,
    links: int = 4,
    same_digit: float = 0.5,
) -> MultimodalDigits:
    """1,797 nodes, none of whose modalities is enough to tell the digit, in a graph where links say something too.

    Of each picture a share of the pixels is hidden, and all others are noisy. Each of the words of a node is, with the
    probability `telling_words`, one of six that go with its digit, and otherwise any of the hundred. Each node draws a
    few others to link to: with the probability `same_digit` any of its digit, otherwise any at all. A share of the
    nodes lacks the picture, another as large lacks the words.

    Args:
        seed: of all that is drawn by lot.
        hidden_pixels: share of the pixels that are hidden.
        words: of each node.
        telling_words: share of the words that go with the digit.
        missing: share of the nodes without a picture, and of those without words; at most a half.
        links: that each node draws.
        same_digit: share of the links that are drawn among nodes of its digit.

    Raises:
        InputError: a share is not from 0 to 1, more than half is missing, or there are no words or links.
    """
    shares = (hidden_pixels, telling_words, same_digit)
    if not all(0 <= share <= 1 for share in shares) or not 0 <= missing <= 0.5:
        raise InputError(
            f"Expected shares from 0 to 1, and at most 0.5 missing, but got {shares} and {missing}."
        )
    if words < 1 or links < 1:
        raise InputError(f"Expected at least one word and one link per node, but got {words} and {links}.")
    import torch

    (found, labels), generator = scikit_learn_digits(), np.random.default_rng(seed)
    clean = np.rint(found * (255 / 16)).astype(np.uint8)
    count = len(labels)
    kept = generator.random(clean.shape) >= hidden_pixels
    noisy = np.clip(clean + generator.normal(0, 40, clean.shape), 0, 255)
    images = np.where(kept, np.rint(noisy), 0).astype(np.uint8)

    vocabulary = _invented(CLASSES * WORDS_PER_CLASS + OTHER_WORDS, generator)
    own = labels[:, None] * WORDS_PER_CLASS + generator.integers(0, WORDS_PER_CLASS, (count, words))
    said = np.where(
        generator.random((count, words)) < telling_words,
        own,
        generator.integers(0, len(vocabulary), (count, words)),
    )
    lot = generator.permutation(count)
    lacking = int(count * missing)
    has_image, has_words = np.ones(count, bool), np.ones(count, bool)
    has_image[lot[:lacking]] = False
    has_words[lot[lacking : 2 * lacking]] = False
    images[~has_image] = 0
    counts = np.zeros((count, len(vocabulary)), np.float32)
    np.add.at(counts, (np.arange(count)[:, None], said), 1.0)
    counts[~has_words] = 0
    texts = tuple(
        " ".join(vocabulary[word] for word in row) if there else ""
        for row, there in zip(said, has_words, strict=True)
    )
    return MultimodalDigits(
        torch.from_numpy(images),
        texts,
        torch.from_numpy(counts),
        torch.from_numpy(has_image),
        torch.from_numpy(has_words),
        torch.from_numpy(labels),
        torch.from_numpy(_linked(labels, links, same_digit, generator)),
        torch.from_numpy(clean),
        vocabulary,
        tuple(str(digit) for digit in range(CLASSES)),
    )


def _invented(count: int, generator: np.random.Generator) -> tuple[str, ...]:
    """Different words of three syllables that mean nothing."""
    syllables = [beginning + ending for beginning in _BEGINNINGS for ending in _ENDINGS]
    chosen = generator.choice(len(syllables) ** 3, count, replace=False)
    size = len(syllables)
    return tuple(
        syllables[number // size**2] + syllables[number // size % size] + syllables[number % size]
        for number in chosen.tolist()
    )


def _linked(
    labels: np.ndarray[tuple[int], np.dtype[np.int64]],
    links: int,
    same: float,
    generator: np.random.Generator,
) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """(2, E): every link in both directions, without repetitions and self-loops."""
    count = len(labels)
    source = np.repeat(np.arange(count), links)
    target = generator.integers(0, count, len(source))
    among = generator.random(len(source)) < same
    order = np.argsort(labels, kind="stable")
    sizes = np.bincount(labels)
    first = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    own = labels[source]
    alike = order[first[own] + (generator.random(len(source)) * sizes[own]).astype(np.int64)]
    target = np.where(among, alike, target)
    pairs = np.sort(np.stack([source, target]), axis=0)
    pairs = np.unique(pairs[:, pairs[0] != pairs[1]], axis=1)
    return np.concatenate([pairs, pairs[::-1]], axis=1)
