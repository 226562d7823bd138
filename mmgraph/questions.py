"""What a trained model can be asked: a small frozen dataclass per kind of question, and its form as JSON. No torch.

    question_of({"ask": "grad-cam", "file": "cat.png", "layer": "conv2"})      # checked values -> GradCAM
    values_of(Locate(row=3))                                                  # -> {"ask": "locate", "row": 3, …}

`mmgraph ask RUN` answers them (see docs/ask.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from mmgraph.errors import ConfigError, UnknownNameError
from mmgraph.options import option, options_of, parse


@dataclass(frozen=True, kw_only=True)
class Question:
    """Something to ask; `kind` is what it is called in JSON."""

    kind: ClassVar[str] = ""


@dataclass(frozen=True, kw_only=True)
class AboutItem(Question):
    """A question about one item: one that the run recorded, or something new.

    Raises:
        ConfigError: not exactly one of row, file and text.
    """

    row: int | None = option(None, "Row of a recorded item.", minimum=0)
    file: str | None = option(None, "A file with an image, a sound or a clip.")
    text: str | None = option(None, "A text.")

    def __post_init__(self) -> None:
        given = [name for name in ("row", "file", "text") if getattr(self, name) is not None]
        if len(given) != 1:
            arrived = " and ".join(given) or "none of them"
            raise ConfigError(f"'{self.kind}' is asked of one item: a row, a file or a text, not {arrived}.")


@dataclass(frozen=True, kw_only=True)
class Locate(AboutItem):
    """Where an item lies among those recorded: its vector, what is predicted, and its nearest neighbours."""

    kind: ClassVar[str] = "locate"
    layer: str | None = option(None, "Which embedding; by default the deepest.")
    k: int = option(10, "Neighbours to find.", minimum=0, maximum=1000)


@dataclass(frozen=True, kw_only=True)
class Attention(AboutItem):
    """Who attends to whom in an item."""

    kind: ClassVar[str] = "attention"


@dataclass(frozen=True, kw_only=True)
class Activations(AboutItem):
    """What a layer makes of an item, channel by channel."""

    kind: ClassVar[str] = "activations"
    layer: str = option("", "Name of a layer.")
    unit: int | None = option(None, "One channel or feature; by default all.", minimum=0)


@dataclass(frozen=True, kw_only=True)
class GradCAM(AboutItem):
    """Where in an item a layer finds what speaks for a class."""

    kind: ClassVar[str] = "grad-cam"
    layer: str | None = option(None, "A convolution; by default the last.")
    target: int | None = option(None, "Class; by default the one that is predicted.", minimum=0)


@dataclass(frozen=True, kw_only=True)
class Occlusion(AboutItem):
    """How much less likely a class becomes where a part of the item is covered."""

    kind: ClassVar[str] = "occlusion"
    target: int | None = option(None, "Class; by default the one that is predicted.", minimum=0)
    window: float = option(
        0.25, "Side of the cover, as a share of the longer side.", minimum=0.02, maximum=1.0
    )
    stride: float = option(0.5, "How far it moves, as a share of its side.", minimum=0.05, maximum=1.0)


@dataclass(frozen=True, kw_only=True)
class Caption(AboutItem):
    """What an image shows, in words, or what is written for a text; and where was looked before each word."""

    kind: ClassVar[str] = "caption"


@dataclass(frozen=True, kw_only=True)
class Search(AboutItem):
    """The recorded items of the other modality that fit an image or a text best."""

    kind: ClassVar[str] = "search"
    k: int = option(10, "Items to find.", minimum=1, maximum=1000)


@dataclass(frozen=True, kw_only=True)
class TopItems(Question):
    """The recorded items that activate a unit most."""

    kind: ClassVar[str] = "top-items"
    layer: str = option("", "Name of a layer.")
    unit: int = option(0, "Channel or feature.", minimum=0)
    k: int = option(16, "Items to find.", minimum=1, maximum=1000)


@dataclass(frozen=True, kw_only=True)
class Maximise(Question):
    """A picture made to activate a unit as much as it can be."""

    kind: ClassVar[str] = "maximise"
    layer: str = option("", "Name of a layer.")
    unit: int = option(0, "Channel or feature.", minimum=0)
    steps: int = option(128, "Steps uphill.", minimum=1, maximum=10_000)
    seed: int = option(0, "Of the noise that it starts from.", minimum=0)


QUESTIONS: dict[str, type[Question]] = {
    question.kind: question
    for question in (
        Locate, Attention, Activations, GradCAM, Occlusion, Caption, Search, TopItems, Maximise,
    )
}  # fmt: skip


def question_of(values: Mapping[str, Any]) -> Question:
    """The question in a JSON object: `ask` is its kind, everything else its fields.

    Raises:
        UnknownNameError: no such kind of question, or a field it does not have.
        ConfigError: a value of the wrong type or out of range, or not one item to ask about.
    """
    kind = values.get("ask")
    if not isinstance(kind, str) or kind not in QUESTIONS:
        raise UnknownNameError.of("question", str(kind), QUESTIONS)
    return parse(QUESTIONS[kind], {name: value for name, value in values.items() if name != "ask"})


def values_of(question: Question) -> dict[str, Any]:
    """The JSON object of a question."""
    fields = {entry.name: getattr(question, entry.name) for entry in options_of(type(question))}
    return {"ask": question.kind} | {name: value for name, value in fields.items() if value is not None}
