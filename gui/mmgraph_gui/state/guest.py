"""An item that a person brought: what the model of the open run says of it. No Qt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from mmgraph.analysis import wave_picture
from mmgraph.runs import Snapshot

Pairs = tuple[tuple[int, float], ...]
"""Rows of the item set, each with a distance or a likeness."""


@dataclass(frozen=True, eq=False)
class Guest:
    """Something that is not among the recorded items.

    Args:
        name: of the file, or the text itself.
        text: what it says, where it is a text.
        waits: what is still being found out, in words; empty where all is known.
        layer: whose space its neighbours are nearest in.
        step: of the weights that looked at it.
        vectors: where it lies, by layer.
        frames: as the model sees it; several of a clip.
        samples: as the model hears it, `sample_rate` of them in a second.
        classes: likeliest classes and their probabilities.
        neighbours: recorded items nearest to it and their distances.
        by: what it was in a search across modalities, "image" or "text".
        found: recorded items of the other modality that fit it, best first, and how well.
        sentence: what is said of it, or written for it, word by word.
        attention: where was looked before each word, or who attends to whom in it, by layer.
        refusals: what could not be answered, in sentences.

    Shapes:
        vectors (features,), frames (n, height, width, 1 or 3) uint8, samples (n,) int16.
    """

    name: str
    text: str = ""
    waits: str = ""
    layer: str = ""
    step: int = 0
    vectors: Mapping[str, npt.NDArray[np.float32]] = field(default_factory=dict)
    frames: npt.NDArray[np.uint8] | None = None
    samples: npt.NDArray[np.int16] | None = None
    sample_rate: float = 1.0
    classes: tuple[tuple[str, float], ...] = ()
    neighbours: Pairs = ()
    by: str = ""
    found: Pairs = ()
    sentence: tuple[str, ...] = ()
    attention: Mapping[str, Snapshot] = field(default_factory=dict)
    refusals: tuple[str, ...] = ()

    @property
    def picture(self) -> npt.NDArray[np.uint8] | None:
        """(height, width) or (height, width, 3): the middle frame, else the wave of its sound."""
        if self.frames is None or not len(self.frames):
            return None if self.samples is None or not len(self.samples) else wave_picture(self.samples)
        middle: npt.NDArray[np.uint8] = self.frames[len(self.frames) // 2]
        return middle[..., 0] if middle.shape[-1] == 1 else middle

    @property
    def is_answered(self) -> bool:
        """Whether anything is known of it."""
        return bool(self.vectors or self.found or self.sentence or self.attention)

    def attention_of(self, layer: str | None) -> Snapshot | None:
        """Attention of a layer in it, or else of the first layer that has some."""
        return self.attention.get(layer or "") or next(iter(self.attention.values()), None)

    @property
    def near(self) -> Pairs:
        """The items to show beside it: those that fit it, else those nearest to it."""
        return self.found or self.neighbours

    @property
    def lines(self) -> list[str]:
        """What is known of it, in words."""
        lines = [f"“{self.text}”" if self.text else self.name, "your own, not recorded in the run"]
        if self.sentence:
            lines.append(" ".join(self.sentence))
        if self.classes:
            lines.append(
                "predicted " + ", ".join(f"{name} ({chance:.2f})" for name, chance in self.classes[:3])
            )
        if self.found:
            other = "images" if self.by == "text" else "texts"
            lines.append(f"the {len(self.found):,} recorded items whose {other} fit it best, best first")
        elif self.neighbours:
            lines.append(f"the {len(self.neighbours):,} nearest in {self.layer}, nearest first")
        if self.is_answered:
            lines.append(f"by the weights of step {self.step:,}")
        return [*lines, *([self.waits] if self.waits else []), *self.refusals]


def pairs_of(entries: Sequence[Mapping[str, Any]], measure: str) -> Pairs:
    """Rows with their distances or likenesses from the facts of an answer, in the order given."""
    return tuple((int(entry["row"]), float(entry[measure])) for entry in entries)
