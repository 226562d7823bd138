"""The task of the recipe `captioning`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from torch import Tensor, nn

from mmgraph import datasets
from mmgraph.datasets.captioned_images import CaptionedImages, Mention
from mmgraph.datasets.scenes import OPPOSITE, generate_scenes
from mmgraph.errors import ConfigError
from mmgraph.fusion.captioning import (
    Annotations,
    CaptionDecoder,
    Captioner,
    RecurrentDecoder,
    TransformerDecoder,
)
from mmgraph.inspection import Capture
from mmgraph.recipes.captioning import CaptioningConfig
from mmgraph.runs import ItemSet
from mmgraph.sequence import Tokenizer, Vocabulary
from mmgraph.sequence.vocabulary import UNKNOWN
from mmgraph.training.captioning import END, PAD, SPECIALS, START, Captioning
from mmgraph.vision import ConvEncoder
from mmgraph.vision.cifar_resnet import MEAN, STD, CIFARResNet

if TYPE_CHECKING:
    from mmgraph.fusion.captioning.recurrent_decoder import Attention

HELD_SCENES = 500
"""Scenes that choose the best weights, and as many to test on."""
WIDENING = 4
"""The last convolution has at most so many times the filters of the first."""


ARRANGEMENTS = ("alone", *OPPOSITE)
"""Classes of scenes: how the shape named first lies to the other."""


@dataclass(frozen=True)
class Part:
    """Images, their sentences, and what these name where."""

    images: Tensor
    captions: tuple[tuple[str, ...], ...]
    mentions: tuple[tuple[tuple[Mention, ...], ...], ...]


def build(config: CaptioningConfig) -> Captioning:
    """Images with sentences in three parts, and a captioner."""
    parts = _scenes(config) if config.dataset == "scenes" else _photographs(config)
    train, test = parts["train"], parts["test"]
    words = (word for some in train.captions for sentence in some for word in sentence.split())
    vocabulary = Vocabulary.of(words, minimum_count=config.word_count, specials=SPECIALS)
    side = config.image_size
    if side < 2**config.blocks:
        raise ConfigError(
            f"{config.blocks} blocks need images of at least {2**config.blocks} pixels, not {side}."
        )
    example = torch.zeros(1, 3, side, side)
    frozen = None if config.weights is None else _frozen(config)
    if frozen is None:
        channels = tuple(config.filters * min(block + 1, WIDENING) for block in range(config.blocks))
        network = ConvEncoder(3, channels, 1, side, batch_norm=True, pool_first=True).blocks
    else:
        with torch.no_grad():
            example = frozen(example)
        network = nn.Sequential(nn.BatchNorm2d(example.size(1)))
    annotate = Annotations(network, example, config.hidden)
    model = Captioner(
        annotate,
        _decoder(config, len(vocabulary)),
        start=vocabulary[START],
        end=vocabulary[END],
        pad=vocabulary[PAD],
        unknown=vocabulary[UNKNOWN],
        backward=_decoder(config, len(vocabulary)) if config.decoder == "bidirectional" else None,
        doubly_stochastic=config.doubly_stochastic,
    )
    probe = test.images[: config.probe_images]
    texts = tuple(sentences[0] for sentences in test.captions[: config.probe_images])
    arranged = config.dataset == "scenes"
    items = ItemSet(
        labels=np.array([_arrangement(text) for text in texts]) if arranged else None,
        class_names=ARRANGEMENTS if arranged else (),
        texts=texts,
        thumbnails=probe.permute(0, 2, 3, 1).contiguous().numpy(),
        noun="image",
    )
    return Captioning(
        model,
        {name: part.images for name, part in parts.items()},
        {name: part.captions for name, part in parts.items()},
        vocabulary,
        mentions={name: part.mentions for name, part in parts.items() if part.mentions},
        items=items,
        probe=probe,
        capture=Capture(network, kinds=("filters", "feature_maps"), prefix="annotate.network."),
        frozen=frozen,
        statistics=None if frozen is None else (MEAN, STD),
        batch_size=config.batch_size,
        beams=config.beams,
        longest=config.longest,
        seed=config.seed,
    )


def _decoder(config: CaptioningConfig, num_words: int) -> CaptionDecoder:
    if config.decoder == "transformer":
        width = -(-config.hidden // 4) * 4
        return TransformerDecoder(num_words, config.hidden, width, dropout=config.dropout, longest=256)
    return RecurrentDecoder(
        num_words,
        config.hidden,
        config.hidden,
        config.embedding,
        attention=cast("Attention", config.attention),
        dropout=config.dropout,
    )


def _frozen(config: CaptioningConfig) -> nn.Module:
    """A network that others trained, with maps of the same size as those of a network of our own."""
    if config.blocks < 2:
        raise ConfigError("With weights from a file images are halved at least twice: take 2 blocks or more.")
    network = CIFARResNet().read(Path(config.weights or "").expanduser())
    return nn.Sequential(network, nn.AvgPool2d(2 ** (config.blocks - 2))).eval()


def _scenes(config: CaptioningConfig) -> dict[str, Part]:
    scenes = generate_scenes(config.images + 2 * HELD_SCENES, side=config.image_size, seed=config.seed)
    test, held = HELD_SCENES, 2 * HELD_SCENES
    ranges = {"test": slice(0, test), "validation": slice(test, held), "train": slice(held, None)}
    return {name: _part(scenes, rows) for name, rows in ranges.items()}


def _arrangement(sentence: str) -> int:
    return next((kind for kind, words in enumerate(ARRANGEMENTS) if f" {words} " in sentence), 0)


def _photographs(config: CaptioningConfig) -> dict[str, Part]:
    """The first 800 by name to learn from, 100 to choose the best weights, 100 to test on."""
    photographs = datasets.load("flickr8k", side=config.image_size)
    tokens = Tokenizer("words", lowercase=True)

    def plain(sentence: str) -> str:
        return " ".join(token for token in tokens.cut(sentence) if any(map(str.isalnum, token)))

    captions = tuple(tuple(filter(None, map(plain, some))) for some in photographs.captions)
    cleaned = CaptionedImages(photographs.name, photographs.images, captions, names=photographs.names)
    ranges = {"train": slice(0, 800), "validation": slice(800, 900), "test": slice(900, None)}
    return {name: _part(cleaned, rows) for name, rows in ranges.items()}


def _part(data: CaptionedImages, rows: slice) -> Part:
    return Part(data.images[rows], data.captions[rows], data.mentions[rows])
