"""Edge lists: one edge per line, `source target` or `source target weight`, read in pieces.

    # comments and blank lines
    ann bob 0.5
    "cid d" ann 2

Blanks, tabs, commas, semicolons or bars separate the fields; ids are whole numbers or text.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

from mmgraph.errors import InputError
from mmgraph.graph.files.edge_kernels import find_fields, read_decimals, read_whole_numbers
from mmgraph.graph.files.name_table import NameTable
from mmgraph.graph.files.opening import opened, pieces

SHORTEST_LINE = 4
"""Bytes of the shortest edge: two digits, a blank and a newline."""
LONGEST_LINE = 1 << 20
SEEN_FIRST = 1 << 16
"""Bytes at the beginning in which the format is looked for."""
ENDS = ("source", "target", "src", "dst", "from", "to", "u", "v", "node1", "node2", "id1", "id2")
HEADER_NAMES = frozenset((*ENDS, "fromnodeid", "tonodeid", "node_1", "node_2", "id_1", "id_2", "weight"))
SHOWN = 60
LONGEST_DECIMAL = 32
IN_DECIMALS = np.isin(np.arange(256), np.frombuffer(b"0123456789+-.eE\0", np.uint8))


@dataclass(frozen=True)
class EdgeFormat:
    """How an edge list is written.

    Args:
        delimiter: one character, a space for any run of blanks.
        comments: characters that make a line a comment when they come first.
        header: whether the first line with content names the columns.
        whole_numbers: whether ids are numbers, else text.
        weighted: whether there is a third column.
        directed: what comments at the beginning say, None where they are silent.
        num_nodes: what a comment that mmgraph wrote says; ids are then numbers below it.
    """

    delimiter: str = " "
    comments: str = "#%"
    header: bool = False
    whole_numbers: bool = True
    weighted: bool = False
    directed: bool | None = None
    num_nodes: int | None = None


class EdgeLines(NamedTuple):
    """Some edges of a file: ends are ids that are numbers, or numbers of names.

    Shapes:
        ends (R, 2), weight (R,) or None, lines (R,): the number of each line in the file, from 1.
    """

    ends: NDArray[np.int64]
    weight: NDArray[np.float64] | None
    lines: NDArray[np.int64]


def recognised(
    path: Path,
    delimiter: str | None = None,
    comments: str = "#%",
    ids: type[int] | type[str] | None = None,
) -> EdgeFormat:
    """What the beginning of a file says about its format; what is given is not looked for.

    Raises:
        InputError: the file cannot be read, or a delimiter is not one character.
    """
    if delimiter is not None and (len(delimiter.encode()) != 1 or delimiter in '"\n\r'):
        raise InputError(f"Expected one plain character as delimiter, but got {delimiter!r}.")
    if ids not in (None, int, str):
        raise InputError(f"Expected int, str or None as the kind of node ids, but got {ids!r}.")
    with opened(path) as file:
        start = file.read(SEEN_FIRST)
    text = start.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
    lines = [line.strip() for line in text.split("\n")]
    if len(start) == SEEN_FIRST:
        lines = lines[:-1] or lines
    said = [line for line in lines if line and line[0] in comments]
    content = [line for line in lines if line and line[0] not in comments]
    delimiter = delimiter or _delimiter(content[:1])
    rows = [_words(line, delimiter) for line in content[:2]]
    header = bool(rows) and not _are_numbers(rows[0]) and _names_columns(rows)
    rows = rows[1:] if header else rows
    directed, num_nodes = _announced(said)
    return EdgeFormat(
        delimiter,
        comments,
        header,
        ids is int or (ids is None and (not rows or _are_numbers(rows[0]))),
        bool(rows) and len(rows[0]) > 2,
        directed,
        num_nodes,
    )


def edge_lines(
    path: Path,
    form: EdgeFormat,
    names: NameTable,
    num_nodes: int | None = None,
    most: int | None = None,
    piece: int | None = None,
) -> Iterator[EdgeLines]:
    """All edges of a file, piece by piece.

    Args:
        names: takes the ids that are text.
        num_nodes: with it ids must be numbers below it.
        most: bytes the file may have.
        piece: bytes to read at a time.

    Raises:
        InputError: a line that is no edge, named by its number; the file cannot be read or is too large.
    """
    with opened(path) as file:
        before, header = 0, form.header
        for block in _whole_lines(file, path, most, piece):
            data = np.frombuffer(block, np.uint8)
            room = len(block) // SHORTEST_LINE + 1
            bounds, lines = np.empty((room, 3, 2), np.int32), np.empty(room, np.int32)
            rows, seen, wrong = find_fields(
                data, ord(form.delimiter), np.frombuffer(form.comments.encode(), np.uint8), bounds, lines
            )
            where = _Place(path, block, before)
            if header and (rows or wrong >= 0):
                header = False
                if wrong == 0:
                    where.fail(int(lines[0]), "the names of two or three columns")
                bounds, lines, rows, wrong = bounds[1:], lines[1:], rows - 1, wrong - (wrong > 0)
            bounds, found = bounds[:rows], lines[:rows]
            yield _read(data, bounds, found, form, names, num_nodes, where)
            if wrong >= 0:
                expected = (
                    "two node ids and a weight" if form.weighted else "two node ids and optionally a weight"
                )
                where.fail(int(lines[wrong]), expected)
            before += seen


def _read(
    data: NDArray[np.uint8],
    bounds: NDArray[np.int32],
    lines: NDArray[np.int32],
    form: EdgeFormat,
    names: NameTable,
    num_nodes: int | None,
    where: _Place,
) -> EdgeLines:
    third = bounds[:, 2, 0] >= 0
    if not (third.all() if form.weighted else not third.any()):
        row = int((third != form.weighted).argmax())
        where.fail(
            int(lines[row]), f"two node ids and {'a' if form.weighted else 'no'} weight, as in the first line"
        )
    if form.whole_numbers:
        ends = np.empty((len(bounds), 2), np.int64)
        if (row := read_whole_numbers(data, bounds, ends)) >= 0:
            where.fail(int(lines[row]), "two whole numbers as node ids", "pass ids=str if ids are text")
        if num_nodes is not None and len(ends) and (ends.min() < 0 or ends.max() >= num_nodes):
            row = int(((ends < 0) | (ends >= num_nodes)).any(1).argmax())
            where.fail(int(lines[row]), f"node numbers from 0 to {num_nodes - 1:,}")
    else:
        where.check_encoding()
        ends = names.numbers(data, bounds)
    weight = _weights(data, bounds, lines, where) if form.weighted else None
    return EdgeLines(ends, weight, lines.astype(np.int64) + where.before + 1)


def _weights(
    data: NDArray[np.uint8], bounds: NDArray[np.int32], lines: NDArray[np.int32], where: _Place
) -> NDArray[np.float64]:
    weight, odd = np.empty(len(bounds)), np.empty(len(bounds), np.int64)
    odd = odd[: read_decimals(data, bounds, weight, odd)]
    longest = int((bounds[odd, 2, 1] - bounds[odd, 2, 0]).max(initial=1))
    at = bounds[odd, 2, 0, None] + np.arange(min(longest, LONGEST_DECIMAL))
    fields = np.where(at < bounds[odd, 2, 1, None], data[np.minimum(at, len(data) - 1)], 0).astype(np.uint8)
    if longest <= LONGEST_DECIMAL and IN_DECIMALS[fields].all():
        with contextlib.suppress(ValueError):
            weight[odd] = fields.view(f"S{longest}").ravel().astype(np.float64)
            odd = odd[:0]
    for row in odd.tolist():
        start, end = bounds[row, 2].tolist()
        try:
            # float takes more than numbers: 1_000 and digits of other scripts.
            weight[row] = float(where.block[start:end].decode("ascii").replace("_", "?"))
        except ValueError:
            where.fail(int(lines[row]), "a number as weight")
    if not (finite := np.isfinite(weight)).all():
        where.fail(int(lines[int((~finite).argmax())]), "a finite weight")
    return weight


class _Place(NamedTuple):
    """Where in a file some lines are."""

    path: Path
    block: bytes
    before: int
    """Lines of the file before these."""

    def fail(self, line: int, expected: str, advice: str = "") -> NoReturn:
        """Say which line it is, what was expected, and what is there."""
        content = self.block.split(b"\n", line + 1)[line].decode("utf-8", "backslashreplace").strip()
        content = content if len(content) <= SHOWN else f"{content[:SHOWN]}…"
        raise InputError(
            f"{self.path}, line {self.before + line + 1:,}: expected {expected}, got '{content}'"
            f"{': ' + advice if advice else ''}."
        )

    def check_encoding(self) -> None:
        try:
            self.block.decode()
        except UnicodeDecodeError as error:
            self.fail(self.block.count(b"\n", 0, error.start), "text in UTF-8")


def _whole_lines(file: IO[bytes], path: Path, most: int | None, size: int | None) -> Iterator[bytes]:
    """Pieces that end where lines do."""
    rest, line, first = b"", 1, True
    for piece in pieces(file, path, most, size):
        if first:
            piece, first = piece.removeprefix(b"\xef\xbb\xbf"), False
        if b"\0" in piece:
            line += (rest + piece).split(b"\0", 1)[0].count(b"\n")
            raise InputError(
                f"{path}, line {line:,}: expected text, but there is a zero byte: is it an edge list?"
            )
        end = piece.rfind(b"\n") + 1
        if end:
            block = rest + piece[:end]
            yield block
            line += block.count(b"\n")
            rest = piece[end:]
        else:
            rest += piece
        if len(rest) > LONGEST_LINE:
            raise InputError(
                f"{path}, line {line:,}: expected an edge, but the line has more than {LONGEST_LINE:,} bytes."
            )
    if rest:
        yield rest + b"\n"


def _delimiter(lines: list[str]) -> str:
    if any(_are_numbers(line.split()) for line in lines):
        return " "  # tabs here and blanks there are common between numbers
    for candidate in "\t,;|":
        if any(candidate in line for line in lines):
            return candidate
    return " "


def _words(line: str, delimiter: str) -> list[str]:
    """Fields with the quotes around them, which may hold the delimiter."""
    ends = r"\s" if delimiter == " " else re.escape(delimiter)
    return [word.strip() for word in re.findall(rf'\s*"(?:[^"]|"")*"|[^{ends}]+', line)]


def _are_numbers(words: list[str]) -> bool:
    return len(words) >= 2 and all(re.fullmatch(r"-?(0|[1-9]\d{0,17})", word, re.ASCII) for word in words[:2])


def _names_columns(rows: list[list[str]]) -> bool:
    """Whether the first of two rows is known names, or two words above two numbers."""
    known = all(word.strip('"').lower() in HEADER_NAMES for word in rows[0])
    return known or (len(rows) == 2 and len(rows[0]) == len(rows[1]) and _are_numbers(rows[1]))


def _announced(comments: list[str]) -> tuple[bool | None, int | None]:
    """What comments say about direction (as ours and SNAP's do) and number of nodes (as ours do)."""
    for comment in comments:
        if found := re.fullmatch(r".\s*mmgraph: (un)?directed(?:, (\d+) nodes)?", comment):
            return found[1] is None, None if found[2] is None else int(found[2])
    for comment in comments:
        if found := re.match(r".\s*(un)?directed graph\b", comment, re.IGNORECASE):
            return found[1] is None, None
    return None, None
