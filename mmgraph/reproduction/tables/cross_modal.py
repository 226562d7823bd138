"""Images and texts of Wikipedia articles, each found by the other."""

from __future__ import annotations

from collections.abc import Mapping

from mmgraph.options import Scalar
from mmgraph.reproduction.table import Measure, Row, Table

_SOURCE = "Rasiwasia et al. 2010, table 2"

# Method, options, published mAP of image → text, text → image and their mean, seconds.
_ROWS: tuple[tuple[str, Mapping[str, Scalar | None], tuple[float, float, float] | None, float], ...] = (
    ("CCA", {"method": "cca"}, (24.9, 19.6, 22.3), 2),
    ("SM", {"method": "sm"}, (22.5, 22.3, 22.4), 2),
    ("SCM", {"method": "scm"}, (27.7, 22.6, 25.2), 2),
    ("deep", {"method": "deep"}, None, 15),
    ("deep, not pre-trained", {"method": "deep", "modal_epochs": 0, "epochs": 20}, None, 5),
    ("deep, not pre-trained, as long", {"method": "deep", "modal_epochs": 0}, None, 18),
)


def _measures(published: tuple[float, float, float] | None) -> tuple[Measure, ...]:
    named = (
        ("mAP, image → text", "test/map_image_text"),
        ("mAP, text → image", "test/map_text_image"),
        ("mAP, mean", "test/map"),
    )
    if published is None:
        return tuple(Measure(name=name, tag=tag) for name, tag in named)
    return tuple(
        Measure(name=name, tag=tag, published=figure, source=_SOURCE)
        for (name, tag), figure in zip(named, published, strict=True)
    )


TABLE = Table(
    name="cross-modal",
    title="Cross-modal retrieval on Wikipedia articles: images by texts and texts by images",
    rows=tuple(
        Row(
            method=method,
            dataset="Wikipedia",
            recipe="cross-modal-retrieval",
            options={"dataset": "wikipedia", **options},
            measures=_measures(published),
            seeds=3,
            seconds=seconds,
        )
        for method, options, published, seconds in _ROWS
    ),
    notes=(
        "Mean average precision in per cent over the 693 test pairs: an item is right if it is of the query's "
        "category. The given features: 128 SIFT words of the image, 10 LDA topics of the text.",
        "Settings were chosen by cross-validation on the 2,173 training pairs. A seed holds back 400 of them to choose "
        "the best epoch, so all methods learn from 1,773 pairs.",
        "SM and SCM: ours compare posteriors by their dot product, the probability that both are of one category; the "
        "paper by normalised correlation.",
        "deep: 60 epochs for each modality apart, then 20 for the two shared layers. Not pre-trained: the same 20 "
        "epochs without the 60; as long: 80 epochs of the joint stage.",
    ),
)
