"""GML: nested lists of keys and values.

    graph [ directed 1 node [ id 0 label "ann" ] edge [ source 0 target 0 weight 0.5 ] ]

Source: Himsolt, "GML: a portable graph file format", 1997.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NoReturn

from mmgraph.errors import InputError
from mmgraph.graph.adjacency import Adjacency
from mmgraph.graph.files.draft import GraphDraft
from mmgraph.graph.files.listing import Listing

TOKENS = re.compile(
    r"(?P<blank>[ \t\r\n]+)"
    r"|(?P<comment>\#[^\n]*)"
    r"|(?P<key>[A-Za-z][0-9A-Za-z_]*)"
    r"|(?P<real>[+-]?(?:\d+\.\d*|\.\d+)(?:[Ee][+-]?\d+)?|[+-]?\d+[Ee][+-]?\d+|[+-]INF)"
    r"|(?P<whole>[+-]?\d+)"
    r'|(?P<text>"[^"]*")'
    r"|(?P<open>\[)|(?P<close>\])"
)
KEY = re.compile("[A-Za-z][0-9A-Za-z_]*")
DEEPEST = 64
MOST_DIGITS = 300
"""Of a whole number; longer ones take time that grows with the square of their length."""

Record = dict[str, list[Any]]
"""Every key with all its values."""


class GMLReader:
    """Fills a draft from the text of a GML file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.draft = GraphDraft(self.fail)

    def fail(self, line: int, expected: str) -> NoReturn:
        raise InputError(f"{self.path}, line {line:,}: expected {expected}.")

    def read_all(self, content: bytes) -> GraphDraft:
        try:
            text = content.removeprefix(b"\xef\xbb\xbf").decode()
        except UnicodeDecodeError as error:
            self.fail(content.count(b"\n", 0, error.start) + 1, "text in ASCII or UTF-8, got something else")
        graphs = [(value, line) for value, line in self._record(self._tokens(text), 1, 0).get("graph", [])]
        if len(graphs) != 1 or not isinstance(graphs[0][0], dict):
            self.fail(1, f"one list 'graph [ … ]', got {len(graphs)}")
        graph = graphs[0][0]
        directed = any(value == 1 for value, _ in graph.get("directed", []))
        for what in ("node", "edge"):
            for value, line in graph.get(what, []):
                if not isinstance(value, dict):
                    self.fail(line, f"a list '{what} [ … ]', got {value!r}")
                self._add(what, value, directed, line)
        return self.draft

    def _add(self, what: str, record: Record, directed: bool, line: int) -> None:
        if what == "node":
            item = self.draft.add_node(str(self._whole(record, "id", what, line)), line)
            used = {"id"}
        else:
            source, target = (str(self._whole(record, end, what, line)) for end in ("source", "target"))
            item = self.draft.add_edge(source, target, directed, line)
            used = {"source", "target"}
        for name, values in record.items():
            if name not in used:
                self.draft.describe(what, item, name, _plain(values))

    def _whole(self, record: Record, key: str, what: str, line: int) -> int:
        values = [value for value, _ in record.get(key, [])]
        if len(values) != 1 or type(values[0]) is not int:
            self.fail(line, f"one whole number '{key}' of the {what}, got {values or 'none'}")
        return values[0]

    def _tokens(self, text: str) -> Iterator[tuple[str, str, int]]:
        at, line = 0, 1
        while at < len(text):
            found = TOKENS.match(text, at)
            if found is None:
                rest = text[at : at + 40].split("\n")[0]
                self.fail(line, f"a key, number, text in quotes or bracket, got '{rest}'")
            kind = found.lastgroup or ""
            if kind not in ("blank", "comment"):
                yield kind, found[0], line
            line += found[0].count("\n")
            at = found.end()

    def _record(self, tokens: Iterator[tuple[str, str, int]], line: int, depth: int) -> Record:
        record: Record = {}
        for kind, text, line in tokens:
            if kind == "close" and depth:
                return record
            if kind != "key":
                self.fail(line, f"a key, got '{text[:40]}'")
            kind, value, line = next(tokens, ("end", "the end of the file", line))
            if kind == "open":
                if depth == DEEPEST:
                    self.fail(line, f"at most {DEEPEST} lists within each other, got more")
                entry: Any = self._record(tokens, line, depth + 1)
            elif kind == "whole" and len(value) <= MOST_DIGITS:
                entry = int(value)
            elif kind == "real":
                entry = float(value.replace("INF", "inf"))
            elif kind == "text":
                entry = html.unescape(value[1:-1])
            elif value == "NAN":
                entry = float("nan")
            else:
                self.fail(line, f"a value of '{text}', got '{value[:40]}'")
            record.setdefault(text, []).append((entry, line))
        if depth:
            self.fail(line, "a bracket ']' that ends the list, got the end of the file")
        return record


def _plain(values: list[Any]) -> Any:
    """A value without its line; a list where a key is there several times."""
    plain = [
        {key: _plain(within) for key, within in value.items()} if isinstance(value, dict) else value
        for value, _ in values
    ]
    return plain[0] if len(plain) == 1 else plain


def write_gml(file: IO[bytes], graph: Adjacency, directed: bool) -> None:
    """Nodes with their names as labels, edges, and attributes; booleans become 1 and 0, for GML has none.

    Raises:
        InputError: an id or attribute that GML cannot hold.
    """
    listing = Listing.of(graph, directed, "GML")
    for taken, kinds in ((("id", "label"), listing.node_kinds), (("source", "target"), listing.edge_kinds)):
        for name in kinds:
            if not KEY.fullmatch(name) or name in taken:
                raise InputError(
                    f"Expected names of attributes that are letters, digits and _, and not {' or '.join(taken)}, in "
                    f"GML, but got '{name}': rename it, or write .npz."
                )
    file.write(f"graph [\n  directed {int(directed)}\n".encode())
    for i, (name, values) in enumerate(zip(listing.names, listing.node_rows(), strict=True)):
        file.write(f"  node [\n    id {i}\n    label {_written(name)}\n{_lines(values)}  ]\n".encode())
    for source, target, values in listing.edges():
        file.write(f"  edge [\n    source {source}\n    target {target}\n{_lines(values)}  ]\n".encode())
    file.write(b"]\n")


def _lines(values: dict[str, Any]) -> str:
    return "".join(f"    {name} {_written(value)}\n" for name, value in values.items())


def _written(value: Any) -> str:
    if isinstance(value, str):
        plain = value.replace("&", "&amp;").replace('"', "&quot;")
        return f'"{plain.encode("ascii", "xmlcharrefreplace").decode()}"'
    if isinstance(value, float):
        text = repr(value).upper()
        if text in ("INF", "-INF", "NAN"):
            return text if text != "INF" else "+INF"
        return text if "." in text else text.replace("E", ".0E")
    return str(int(value))
