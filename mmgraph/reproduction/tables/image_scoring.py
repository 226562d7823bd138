"""What pre-training on pairs, and growing while it lasts, do for the score of an image."""

from __future__ import annotations

import os
from collections.abc import Mapping

from mmgraph.options import Scalar
from mmgraph.reproduction.table import Measure, Row, Table

WEIGHTS = "MMGRAPH_SCORING_WEIGHTS"
"""Variable that names a file with weights of Tiny Darknet, such as of ImageNet; with it the table has a row more."""

_NO_PAIRS: Mapping[str, Scalar | None] = {"pretrain_epochs": 0, "grow": False}
_ALONE: Mapping[str, Mapping[str, Scalar | None]] = {"fine-detail": {"learning_rate": 5e-4}, "utkface": {}}
"""What suits scores without pre-training better."""
_OF_DATASET: Mapping[str, Mapping[str, Scalar | None]] = {
    "fine-detail": {"dataset": "fine-detail", "epochs": 14, "pretrain_epochs": 10, "labelled": 80},
    "utkface": {
        "dataset": "utkface",
        "epochs": 18,
        "pretrain_epochs": 12,
        "labelled": 240,
        "image_size": 32,
    },
}
_SOURCE = "published on another set of images"


def _row(
    method: str, dataset: str, options: Mapping[str, Scalar | None], published: float | None, seconds: float
) -> Row:
    measures = (
        Measure(
            name="Pearson",
            tag="test/pearson",
            published=published,
            source="" if published is None else _SOURCE,
        ),
        Measure(name="Spearman", tag="test/spearman"),
        Measure(
            name="mean absolute error",
            tag="test/mean-absolute-error",
            scale=100.0 if dataset == "fine-detail" else 1.0,
        ),
        Measure(name="CPU seconds", tag="cpu-seconds", scale=1.0),
    )
    return Row(
        method=method,
        dataset={"fine-detail": "scratches", "utkface": "UTKFace age"}[dataset],
        recipe="image-scoring",
        options={**_OF_DATASET[dataset], "snapshots_per_second": 0.0, **options},
        measures=measures,
        seeds=3,
        seconds=seconds,
    )


def _rows(dataset: str, weights: str) -> tuple[Row, ...]:
    rows = [
        _row("no pre-training", dataset, {**_NO_PAIRS, **_ALONE[dataset]}, 68.0, 27.0),
        _row("pre-training", dataset, {"grow": False}, 82.0, 26.0),
        _row("pre-training and growth", dataset, {}, 84.0, 16.0),
    ]
    if weights:
        rows.insert(1, _row("given weights", dataset, {**_NO_PAIRS, "weights": weights}, None, 27.0))
    return tuple(rows)


TABLE = Table(
    name="image-scoring",
    title="A score for every image: Siamese pre-training and growth, Huber and squared error",
    rows=(
        *_rows("fine-detail", os.environ.get(WEIGHTS, "")),
        _row("squared error", "fine-detail", {"loss": "squared"}, None, 16.0),
        *_rows("utkface", os.environ.get(WEIGHTS, "")),
    ),
    notes=(
        "Correlation, in per cent, of predicted and true scores of a fifth of the images, tested once with the weights "
        "that a tenth chose; each seed draws other parts, other weights and other batches.",
        "scratches: generated; of 2,100 training images pairs tell which have similar scores, 80 have a score to "
        "learn; one recorded score in ten is wrong, those tested on are right. UTKFace, at 32 × 32 pixels: "
        "1,369 and 240.",
        "'no pre-training' learns scores for as many epochs as the others learn pairs and scores, on scratches with a "
        "quarter of their learning rate, which suits it better. 'squared error' is "
        "pre-training and growth with squared error in place of Huber's.",
        "'pre-training and growth' begins with half of the channels (faces: two thirds) and has all of them when the "
        "order of distances has stalled, or when pairs end.",
        "Mean absolute error: of scratches in per cent of the range, of UTKFace in years.",
        "CPU seconds of the training process, evaluation included; no snapshots.",
        f"{WEIGHTS}=FILE adds the row 'given weights': layers of Tiny Darknet in the width of the recipe.",
    ),
)
