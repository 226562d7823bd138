"""Brings a person's own image, text, sound or clip before the model of the open run."""

from __future__ import annotations

import functools
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QSize, Qt, Signal
from PySide6.QtGui import QImage, QImageReader

from mmgraph.questions import Attention, Caption, Locate, Search
from mmgraph_gui.state import AppState
from mmgraph_gui.state.guest import Guest, pairs_of

if TYPE_CHECKING:
    from mmgraph_gui.asking.model_process import ModelAnswer, ModelProcess

IMAGES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
SOUNDS = (".flac", ".mp3", ".ogg", ".wav")
CLIPS = (".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".webm")
TEXTS = (".md", ".txt")
OWN_ITEMS = (*IMAGES, *SOUNDS, *CLIPS, *TEXTS)
"""Endings of files that can be looked at."""
MOST_BYTES = 64 * 2**20
MOST_CHARACTERS = 10_000
MOST_PIXELS = 1 << 26
"""As of files, see `mmgraph.datasets.one_file`."""
LARGEST_SIDE = 2048
"""Of a picture from the clipboard as it is kept; models see less."""
NEIGHBOURS = 12
UNANSWERABLE = "This recipe cannot answer"

KINDS = (Locate.kind, Caption.kind, Search.kind, Attention.kind)


class OwnItems(QObject):
    """Asks all that can be asked of something new; what is found is the guest of the state.

    Where the recipe cannot answer a kind of question, that is said only if it can answer none.

    Signals:
        failed(text): the item cannot be looked at, and why.
        arrived(): there is a new guest, of whom nothing is known yet.
        answered(): all that can be known of the guest is.
    """

    failed = Signal(str)
    arrived = Signal()
    answered = Signal()

    def __init__(self, state: AppState, model: ModelProcess, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._state, self._model = state, model
        self._waiting: set[str] = set()
        self._refusals: list[str] = []
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def bring_file(self, path: Path) -> None:
        """Look at an image, a sound, a clip, or what is written in a text file."""
        try:
            size = path.stat().st_size
        except OSError as error:
            self.failed.emit(f"'{path}' cannot be read ({error.strerror}).")
            return
        if size > MOST_BYTES:
            self.failed.emit(
                f"'{path.name}' has {size / 2**20:,.0f} MB, more than the {MOST_BYTES >> 20} MB that are read of "
                "one item."
            )
        elif size == 0:
            self.failed.emit(f"'{path.name}' is empty.")
        elif path.suffix.lower() in TEXTS and size > 4 * MOST_CHARACTERS:  # bytes of UTF-8
            self.failed.emit(
                f"'{path.name}' has {size / 2**10:,.0f} kB of text, more than the {MOST_CHARACTERS:,} characters that "
                "are read of one item."
            )
        elif path.suffix.lower() in TEXTS:
            try:
                self.bring_text(path.read_text(encoding="utf-8"))
            except (OSError, UnicodeDecodeError):
                self.failed.emit(f"'{path.name}' is not text in UTF-8.")
        elif (
            path.suffix.lower() in IMAGES
            and (large := _too_large(QImageReader(str(path)).size())) is not None
        ):
            self.failed.emit(f"'{path.name}' {large}")
        else:
            self._bring(Guest(path.name), file=str(path.absolute()))

    def bring_text(self, text: str) -> None:
        """Look at a text."""
        text = text.strip()
        if not text:
            self.failed.emit("There is no text to look at.")
        elif len(text) > MOST_CHARACTERS:
            self.failed.emit(
                f"The text has {len(text):,} characters, more than the {MOST_CHARACTERS:,} that are read of one item."
            )
        else:
            self._bring(Guest(text[:60], text=text), text=text)

    def bring_image(self, image: QImage, name: str = "picture from the clipboard") -> None:
        """Look at an image that is no file."""
        if image.isNull():
            self.failed.emit("There is no picture to look at.")
            return
        if (large := _too_large(image.size())) is not None:
            self.failed.emit(f"The picture {large}")
            return
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="mmgraph-own-")
        path = Path(self._folder.name) / "picture.png"
        # Little is packed, and little of it, so that the window does not stand still.
        if _smaller(image).save(str(path), "PNG", 100):  # type: ignore[call-overload]
            self._bring(Guest(name), file=str(path))
        else:
            self.failed.emit(f"The picture could not be written to '{path}'.")

    def leave(self) -> None:
        """The guest goes."""
        for kind in KINDS:
            self._model.cancel(("own", kind))
        self._waiting.clear()
        self._state.set_guest(None)

    def close(self) -> None:
        """Remove what was written to be looked at."""
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    # -- how it works ------------------------------------------------------------------------------------

    def _bring(self, guest: Guest, *, file: str | None = None, text: str | None = None) -> None:
        if self._state.path is None:
            self.failed.emit("Open a run first: its model says what it makes of your own item.")
            return
        questions = (
            Locate(file=file, text=text, k=NEIGHBOURS),
            Caption(file=file, text=text),
            Search(file=file, text=text, k=NEIGHBOURS),
            Attention(file=file, text=text),
        )
        self._refusals = []
        self._waiting = set(KINDS)
        self._state.set_guest(replace(guest, waits="Asking the model …"))
        self.arrived.emit()
        for asked in questions:
            refused = functools.partial(self._refuse, asked.kind)
            self._model.ask(("own", asked.kind), asked, self._take, refused, self._wait)

    def _wait(self, _share: float, text: str) -> None:
        guest = self._state.guest
        if guest is not None and text:
            self._state.set_guest(replace(guest, waits=text))

    def _refuse(self, kind: str, text: str) -> None:
        if kind in self._waiting:
            self._refusals.append(text)
            self._settle(kind)

    def _take(self, answer: ModelAnswer) -> None:
        guest, kind = self._state.guest, answer.question.kind
        if guest is None or kind not in self._waiting:
            return
        seen = {some.layer: some for some in answer.snapshots if some.kind == "attention"}
        known = _known(answer) | {"attention": {**guest.attention, **seen}}
        self._state.set_guest(replace(guest, step=answer.step, **known))
        if not answer.partial:
            self._settle(kind)

    def _settle(self, kind: str) -> None:
        """One kind of question is done; at the end say what is missing."""
        self._waiting.discard(kind)
        guest = self._state.guest
        if guest is None or self._waiting:
            return
        real = [text for text in self._refusals if not text.startswith(UNANSWERABLE)]
        if guest.is_answered:
            self._state.set_guest(replace(guest, waits="", refusals=tuple(dict.fromkeys(real))))
            self.answered.emit()
            return
        self._state.set_guest(None)
        reason = " ".join(dict.fromkeys(real)) or self._refusals[0]
        self.failed.emit(reason if guest.name in reason else f"{guest.name}: {reason}")


def _too_large(size: QSize) -> str | None:
    """What is told of a picture of more pixels than are looked at."""
    if not size.isValid() or size.width() * size.height() <= MOST_PIXELS:
        return None
    return (
        f"has {size.width():,} × {size.height():,} pixels, more than {MOST_PIXELS / 1e6:.0f} million: "
        "make it smaller first."
    )


def _smaller(image: QImage) -> QImage:
    """A picture of at most the largest side: by leaving out pixels to twice of it, the rest smoothly."""
    for side, how in (
        (2 * LARGEST_SIDE, Qt.TransformationMode.FastTransformation),
        (LARGEST_SIDE, Qt.TransformationMode.SmoothTransformation),
    ):
        if max(image.width(), image.height()) > side:
            image = image.scaled(QSize(side, side), Qt.AspectRatioMode.KeepAspectRatio, how)
    return image


def is_own_item(path: Path) -> bool:
    """Whether the name of a file says that it is an image, a sound, a clip or a text."""
    return path.suffix.lower() in OWN_ITEMS


def _known(answer: ModelAnswer) -> dict[str, Any]:
    """Fields of the guest that an answer fills."""
    known: dict[str, Any] = {}
    frames = answer.snapshot("image")
    if frames is not None:
        known["frames"] = frames.array
    sound = answer.snapshot("matrix", "sound")
    if sound is not None:
        known["samples"] = sound.array[0]
        known["sample_rate"] = max(float(sound.notes.get("sample_rate", 1.0)), 1.0)
    facts, question = answer.facts, answer.question
    if isinstance(question, Locate):
        known["layer"] = str(facts.get("layer", ""))
        known["neighbours"] = pairs_of(facts.get("neighbours", ()), "distance")
        known["classes"] = tuple(
            (str(entry["class"]), float(entry["probability"])) for entry in facts.get("classes", ())
        )
        known["vectors"] = {
            some.layer: some.array[0]
            for some in answer.snapshots
            if some.kind == "embedding" and len(some.array)
        }
    elif isinstance(question, Search):
        known["by"], entries = next(iter(dict(facts.get("by", {})).items()), ("", ()))
        known["found"] = pairs_of(entries, "similarity")
        vectors = [some.array[0] for some in answer.snapshots if some.kind == "embedding" and len(some.array)]
        # Both modalities lie in one space.
        known["vectors"] = {layer: vector for vector in vectors for layer in ("image", "text")}
    elif isinstance(question, Caption):
        known["sentence"] = tuple(map(str, facts.get("words", ())))
    return known
