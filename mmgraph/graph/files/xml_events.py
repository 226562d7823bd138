"""XML of others, read as a stream: no entities, no outside files, bounded depth and size."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn
from xml.parsers import expat

from mmgraph.errors import InputError

DEEPEST = 64


class XMLEvents(ABC):
    """Calls `start` and `end` for every element; names come without their namespaces.

    A document can make a parser expand entities without end or open files of the machine. Both begin with the
    declaration of an entity, which nothing here needs and which is refused.

    Args:
        path: of the file, for messages.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.open: list[str] = []
        """Names of the elements around the present one, the outermost first."""
        self._text: list[str] = []
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text.append
        self._parser.EntityDeclHandler = self._refuse
        self._parser.SkippedEntityHandler = self._refuse
        self._parser.ExternalEntityRefHandler = self._refuse

    @property
    def line(self) -> int:
        return self._parser.CurrentLineNumber

    @abstractmethod
    def start(self, name: str, given: dict[str, str]) -> None:
        """An element begins."""

    @abstractmethod
    def end(self, name: str, text: str) -> None:
        """An element ends; with the text since the last beginning or end."""

    def fail(self, line: int, expected: str) -> NoReturn:
        raise InputError(f"{self.path}, line {line:,}: expected {expected}.")

    def attribute(self, given: dict[str, str], name: str) -> str:
        """What an element must say of itself."""
        if name not in given:
            self.fail(self.line, f"an attribute '{name}' of the element '{self.open[-1]}', got none")
        return given[name]

    def read(self, content: Iterable[bytes], root: str) -> None:
        """Read the whole file.

        Raises:
            InputError: it is not well-formed, has another root element, or declares entities.
        """
        self._root = root
        try:
            for piece in content:
                self._parser.Parse(piece, False)
            self._parser.Parse(b"", True)
        except expat.ExpatError as error:
            reason = expat.ErrorString(error.code)
            raise InputError(
                f"{self.path}, line {error.lineno:,}: expected XML, but found: {reason}."
            ) from error

    def _start(self, name: str, given: dict[str, str]) -> None:
        name = name.rpartition(" ")[2]
        if not self.open and name != self._root:
            self.fail(self.line, f"the root element '{self._root}', got '{name}'")
        self.open.append(name)
        if len(self.open) > DEEPEST:
            self.fail(self.line, f"at most {DEEPEST} elements within each other, got more")
        self._text.clear()
        self.start(name, given)

    def _end(self, name: str) -> None:
        text = "".join(self._text).strip()
        self._text.clear()
        self.end(self.open[-1], text)
        self.open.pop()

    def _refuse(self, *_: object) -> NoReturn:
        self.fail(
            self.line,
            "a file without entities of its own, got one, which could read other files or fill memory",
        )
