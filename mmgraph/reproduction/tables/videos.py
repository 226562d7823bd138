"""What happens in a clip: networks that see motion, and streams together against each alone."""

from __future__ import annotations

from mmgraph.reproduction.table import Measure, Row, Table

_ALONE = tuple(
    Measure(name=f"{stream} alone", tag=f"test/accuracy_{stream}_alone")
    for stream in ("appearance", "motion")
)
_TOGETHER = (Measure(name="together"), *_ALONE)
_SHAPES = (("conv3d", 45), ("cnn-lstm", 35), ("two-stream", 60), ("single-frame", 10), ("sound", 10))
_ACTIONS = (("single-frame", 10), ("appearance", 15), ("motion", 15))


def _row(dataset: str, title: str, model: str, seconds: float, measures: tuple[Measure, ...]) -> Row:
    return Row(
        method=model,
        dataset=title,
        recipe="video-classification",
        options={"dataset": dataset, "model": model},
        measures=measures,
        seeds=3,
        seconds=seconds,
    )


_PLAIN = (Measure(name="accuracy"),)
_HEARD = (*_TOGETHER, Measure(name="sound alone", tag="test/accuracy_sound_alone"))

TABLE = Table(
    name="videos",
    title="What happens in a clip: moving shapes, and three actions of UCF101",
    rows=(
        *(_row("moving-shapes", "moving shapes", model, seconds, _PLAIN) for model, seconds in _SHAPES),
        _row("moving-shapes", "moving shapes", "fusion", 80.0, _HEARD),
        *(_row("ucf101", "UCF101, three classes", model, seconds, _PLAIN) for model, seconds in _ACTIONS),
        _row("ucf101", "UCF101, three classes", "fusion", 25.0, _TOGETHER),
    ),
    notes=(
        "Accuracy in per cent on the test part: 300 clips of moving shapes (chance 12.5), 21 videos of the official "
        "test groups of UCF101's split 1 (one is 4.8 points). 'alone' are answers of one stream of the same fusion.",
        "Of moving shapes the weights of the best validation accuracy are tested; of UCF101 the last ones.",
        "There is no published figure on these clips.",
    ),
)
