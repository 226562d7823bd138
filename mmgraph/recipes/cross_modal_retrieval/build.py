"""The task of the recipe `cross-modal-retrieval`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor

from mmgraph import datasets
from mmgraph.datasets.described_digits import VOCABULARY, describe_digits
from mmgraph.errors import ConfigError, InputError
from mmgraph.fusion import (
    CCA,
    ContrastiveMapping,
    CrossModalMapping,
    DeepSemanticMapping,
    FeatureTower,
    SemanticMatching,
)
from mmgraph.fusion.mapping import Standardize
from mmgraph.recipes.cross_modal_retrieval import CrossModalRetrievalConfig
from mmgraph.runs import ItemSet
from mmgraph.training.cross_modal import CrossModalRetrieval, LearnedRetrieval, NewItems, SolvedRetrieval

if TYPE_CHECKING:
    from mmgraph.fusion.contrastive import Positives

TEST_DIGITS = 500
Scaling = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Pairs:
    """Images, texts and labels of the parts, and what the test part is."""

    images: dict[str, Tensor]
    texts: dict[str, Tensor]
    labels: dict[str, Tensor]
    class_names: tuple[str, ...]
    items: ItemSet
    new_items: NewItems | None = None


def build(config: CrossModalRetrievalConfig) -> CrossModalRetrieval:
    """Pairs in three parts, and a map."""
    pairs = _digits(config) if config.dataset == "digits" else _wikipedia(config)
    learned = config.method in ("deep", "contrastive")
    images, texts = pairs.images, pairs.texts
    if learned and config.dataset == "wikipedia":
        # Shares of words: square roots even out their variance. Topic proportions differ by factors.
        images = {part: values.sqrt() for part, values in images.items()}
        texts = {part: values.log() for part, values in texts.items()}
    new_items = pairs.new_items
    if learned:
        images, of_image = _standardized(images)
        texts, of_text = _standardized(texts)
        if new_items is not None:
            new_items = _then(new_items, of_image, of_text)
    sizes = images["train"].size(1), texts["train"].size(1)
    if not learned:
        solved = _solved(config, *sizes, len(pairs.class_names))
        return SolvedRetrieval(
            solved,
            images,
            texts,
            pairs.labels,
            class_names=pairs.class_names,
            items=pairs.items,
            new_items=new_items,
        )
    return LearnedRetrieval(
        _network(config, *sizes, len(pairs.class_names)),
        images,
        texts,
        pairs.labels,
        class_names=pairs.class_names,
        items=pairs.items,
        new_items=new_items,
        batch_size=config.batch_size,
        modal_epochs=config.modal_epochs if config.method == "deep" else 0,
        keep=config.keep,
        seed=config.seed,
    )


def _solved(
    config: CrossModalRetrievalConfig, image_features: int, text_features: int, classes: int
) -> CrossModalMapping:
    if config.method == "sm":
        penalties = config.image_inverse_penalty, config.text_inverse_penalty
        return SemanticMatching(image_features, text_features, classes, inverse_penalty=penalties)
    cca = CCA(
        image_features,
        text_features,
        config.components,
        regularisation=(config.image_regularisation, config.text_regularisation),
    )
    if config.method == "cca":
        return cca
    return SemanticMatching(
        image_features, text_features, classes, inverse_penalty=config.text_inverse_penalty, correlation=cca
    )


def _network(
    config: CrossModalRetrievalConfig, image_features: int, text_features: int, classes: int
) -> DeepSemanticMapping | ContrastiveMapping:
    widths = (config.hidden,) * 3
    image = FeatureTower(image_features, widths, dropout=config.dropout, input_dropout=0.4 * config.dropout)
    text = FeatureTower(text_features, widths, dropout=config.dropout)
    if config.method == "contrastive":
        return ContrastiveMapping(
            image,
            text,
            config.hidden,
            config.embedding,
            temperature=config.temperature,
            positives=cast("Positives", config.positives),
        )
    return DeepSemanticMapping(
        image, text, config.hidden, classes, dim=config.hidden, dropout=config.dropout, alone=config.alone
    )


def _standardized(parts: dict[str, Tensor]) -> tuple[dict[str, Tensor], Scaling]:
    scale = Standardize(parts["train"].size(1)).fit(parts["train"])

    def scaled(values: Tensor) -> Tensor:
        features: Tensor = scale(values).float()
        return features

    return {part: scaled(values) for part, values in parts.items()}, scaled


def _then(items: NewItems, of_image: Scaling, of_text: Scaling) -> NewItems:
    """New items whose features are scaled as those of the training part."""
    return NewItems(
        items.size, lambda pixels: of_image(items.image(pixels)), lambda text: of_text(items.text(text))
    )


def _held_back(config: CrossModalRetrievalConfig, count: int) -> dict[str, Tensor]:
    """Rows for training and for validation."""
    if config.validation > count - 20:
        raise ConfigError(
            f"validation holds back {config.validation} of {count} training pairs, so too few would be left."
        )
    order = torch.randperm(count, generator=torch.Generator().manual_seed(config.seed))
    return {"train": order[config.validation :], "validation": order[: config.validation]}


def _digits(config: CrossModalRetrievalConfig) -> Pairs:
    """500 digits to test on; of the others some choose the best weights."""
    data = describe_digits(seed=config.seed)
    order = torch.randperm(len(data.labels), generator=torch.Generator().manual_seed(config.seed))
    known, test = order[TEST_DIGITS:], order[:TEST_DIGITS]
    rows = {part: known[some] for part, some in _held_back(config, len(known)).items()} | {"test": test}
    shown = test[: config.probe_items]
    pixels = _pixels(data.images)
    return Pairs(
        {part: pixels[some] for part, some in rows.items()},
        {part: data.counts[some] for part, some in rows.items()},
        {part: data.labels[some] for part, some in rows.items()},
        data.class_names,
        ItemSet(
            labels=data.labels[shown].numpy(),
            class_names=data.class_names,
            thumbnails=data.images[shown].numpy(),
            texts=tuple(data.texts[row] for row in shown.tolist()),
            noun="digit",
        ),
        NewItems((data.images.size(1), data.images.size(2)), _pixels, _counted),
    )


def _pixels(images: Tensor) -> Tensor:
    return images.flatten(1).float() / 255


def _counted(text: str) -> Tensor:
    """How often a text has each word of the descriptions.

    Raises:
        InputError: it has none of them.
    """
    words = Counter(text.lower().split())
    counts = torch.tensor([[float(words[word]) for word in VOCABULARY]])
    if not counts.any():
        raise InputError(f"None of the words of '{text[:80]}' is known. Known are {', '.join(VOCABULARY)}.")
    return counts


def _wikipedia(config: CrossModalRetrievalConfig) -> Pairs:
    data = datasets.load("wikipedia-crossmodal")
    rows = _held_back(config, len(data.train_labels))
    shown = min(config.probe_items, len(data.test_labels))
    return Pairs(
        {part: data.train_images[some] for part, some in rows.items()} | {"test": data.test_images},
        {part: data.train_texts[some] for part, some in rows.items()} | {"test": data.test_texts},
        {part: data.train_labels[some] for part, some in rows.items()} | {"test": data.test_labels},
        data.class_names,
        ItemSet(
            labels=data.test_labels[:shown].numpy(),
            class_names=data.class_names,
            texts=data.test_names[:shown],
            noun="article",
        ),
    )
