"""Digits seen and heard: two modalities against either alone."""

from __future__ import annotations

from collections.abc import Mapping

from mmgraph.options import Scalar
from mmgraph.reproduction.table import Measure, Row, Table

_DATASETS = (("digits and tones", "digits", 10), ("MNIST and FSDD", "spoken-written", 60))
_BOTH = (
    Measure(name="both"),
    Measure(name="image alone", tag="test/accuracy_image_alone"),
    Measure(name="sound alone", tag="test/accuracy_sound_alone"),
)
_METHODS: tuple[tuple[str, Mapping[str, Scalar | None], tuple[Measure, ...]], ...] = (
    ("image", {"modalities": "image"}, (Measure(name="image alone"),)),
    ("sound", {"modalities": "sound"}, (Measure(name="sound alone"),)),
    ("late fusion", {}, _BOTH),
)

TABLE = Table(
    name="fusion",
    title="Digits seen without three quarters of their energy and heard in noise",
    rows=tuple(
        Row(
            method=method,
            dataset=title,
            recipe="multimodal-classification",
            options={"dataset": dataset, **options},
            measures=measures,
            seeds=3,
            seconds=seconds * (1 if "modalities" in options else 2),
        )
        for title, dataset, seconds in _DATASETS
        for method, options, measures in _METHODS
    ),
    notes=(
        "Accuracy in per cent on the test part. The rows image and sound are networks that never knew another "
        "modality; 'image alone' and 'sound alone' of a fusion are the same fusion, given nothing else.",
        "Images keep the fewest principal components that carry a quarter of the variance. MNIST: the test file only, "
        "images 0 to 3,999 to learn from, 8,000 to 8,999 to choose the best epoch, 9,000 to 9,999 to test. FSDD: "
        "recordings 0 to 4 of each digit and speaker test, 5 to 9 validate.",
        "White noise is four times as strong as the sound.",
        "AV-MNIST has another set of sounds; its figures are not comparable and not shown.",
    ),
)
