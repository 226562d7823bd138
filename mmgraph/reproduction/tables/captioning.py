"""Images in words."""

from __future__ import annotations

import os
from collections.abc import Mapping

from mmgraph.options import Scalar
from mmgraph.reproduction.table import Measure, Row, Table

WEIGHTS = "MMGRAPH_CAPTIONING_WEIGHTS"
"""Variable that names a file with weights of a ResNet-20 for CIFAR-10; with it the table has two rows more."""

_SCENES = (
    Measure(name="BLEU-4", tag="test/bleu-4"),
    Measure(name="named thing is looked at", tag="test/pointing-accuracy"),
)
_PHOTOGRAPHS = (
    Measure(name="BLEU-1", tag="test/bleu-1"),
    Measure(name="BLEU-4", tag="test/bleu-4"),
    Measure(name="CIDEr", tag="test/cider"),
    Measure(name="BLEU-1 of one frequent sentence for all", tag="test/one-sentence/bleu-1"),
    Measure(name="BLEU-4 of it", tag="test/one-sentence/bleu-4"),
    Measure(name="CIDEr of it", tag="test/one-sentence/cider"),
)
_DECODERS: dict[str, dict[str, Scalar]] = {
    "soft attention": {"attention": "soft"},
    "hard attention": {"attention": "hard"},
    "no attention": {"attention": "none"},
    "two directions": {"decoder": "bidirectional"},
    "transformer": {"decoder": "transformer"},
}
_COMPARED = ("soft attention", "no attention")


def _row(method: str, dataset: str, options: Mapping[str, Scalar]) -> Row:
    scenes = dataset == "scenes"
    return Row(
        method=method,
        dataset=dataset,
        recipe="captioning",
        options={"dataset": dataset, "beams": 3 if scenes else 6, **options},
        measures=_SCENES if scenes else _PHOTOGRAPHS,
        seeds=3,
        seconds=180.0 if scenes else 200.0,
    )


def _with_weights(weights: str) -> tuple[Row, ...]:
    if not weights:
        return ()
    return tuple(
        _row(f"{method} on ResNet-20", "flickr8k", {**_DECODERS[method], "weights": weights})
        for method in _COMPARED
    )


TABLE = Table(
    name="captioning",
    title="Sentences about generated scenes and photographs, with and without attention",
    rows=(
        *(_row(method, "scenes", options) for method, options in _DECODERS.items()),
        *(_row(method, "flickr8k", _DECODERS[method]) for method in _COMPARED),
        *_with_weights(os.environ.get(WEIGHTS, "")),
    ),
    notes=(
        "Per cent on the test part, with the weights that BLEU-4 of the validation part chose.",
        "scenes: 5,000 generated pictures to learn from, 500 to choose by, 500 to test on; either of the two right "
        "sentences of a picture counts. A named thing is looked at where the attention before the word that names it "
        "is highest on a place that overlaps the thing; chance is about one in ten. Beam of 3.",
        "flickr8k: the first 800 photographs by name to learn from, 100 to choose by, 100 to test on, each with five "
        "sentences. Beam of 6, better on the 100 to choose by. CIDEr is in per cent of one, at most 1000. Figures "
        "published on all 8,000 (soft attention: BLEU-1 67, BLEU-4 19.5) cannot be compared.",
        f"{WEIGHTS}=FILE adds rows that look at the maps of a ResNet-20 trained on CIFAR-10, as they are.",
    ),
)
