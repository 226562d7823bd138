"""GraphML: XML with declared attributes.

Source: Brandes et al., "GraphML progress report", Graph Drawing 2001. Ports, hyperedges and graphs within nodes are
refused.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any, NamedTuple
from xml.sax.saxutils import escape, quoteattr

from mmgraph.graph.adjacency import Adjacency
from mmgraph.graph.files.draft import GraphDraft
from mmgraph.graph.files.listing import Listing
from mmgraph.graph.files.values import READERS, as_text, checked_text
from mmgraph.graph.files.xml_events import XMLEvents

TYPES = {bool: "boolean", int: "long", float: "double", str: "string"}
SPACE = "http://graphml.graphdrawing.org/xmlns"


class _Key(NamedTuple):
    """A declared attribute: of what, called what, of which type."""

    what: str
    name: str
    type: str


class GraphMLReader(XMLEvents):
    """Fills `draft` from the first graph of a GraphML file."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.draft = GraphDraft(self.fail)
        self._keys: dict[str, _Key] = {}
        self._defaults: list[tuple[_Key, Any]] = []
        self._key = ""
        self._item: tuple[str, int] | None = None
        self._directed = True
        self._graphs = 0

    def read_all(self, content: Iterable[bytes]) -> GraphDraft:
        self.read(content, "graphml")
        if not self._graphs:
            self.fail(self.line, "an element 'graph', got none")
        for key, value in self._defaults:
            for what in ("node", "edge"):
                if key.what in (what, "all"):
                    self.draft.set_default(what, key.name, value)
        return self.draft

    def start(self, name: str, given: dict[str, str]) -> None:
        if name == "graph":
            self._graphs += 1
            if self._graphs > 1:
                self.fail(self.line, "one graph, got a second one")
            self._directed = self._direction(given.get("edgedefault", "directed"))
        elif name == "key":
            key = self.attribute(given, "id")
            kind = given.get("attr.type", "string")
            if kind not in READERS:
                self.fail(self.line, f"one of the types {', '.join(TYPES.values())}, got '{kind}'")
            self._keys[key] = _Key(given.get("for", "all"), given.get("attr.name", key), kind)
            self._key = key
        elif name == "node":
            self._item = ("node", self.draft.add_node(self.attribute(given, "id"), self.line))
        elif name == "edge":
            source, target = self.attribute(given, "source"), self.attribute(given, "target")
            directed = self._directed
            if "directed" in given:
                directed = self._direction(
                    {"true": "directed", "false": "undirected"}.get(given["directed"], "")
                )
            self._item = ("edge", self.draft.add_edge(source, target, directed, self.line))
        elif name == "data":
            self._key = self.attribute(given, "key")
            if self._key not in self._keys:
                self.fail(self.line, f"the id of a 'key' that was declared before, got '{self._key}'")
        elif name in ("hyperedge", "port"):
            self.fail(self.line, f"nodes and edges, got the element '{name}', which is not supported")

    def end(self, name: str, text: str) -> None:
        if name in ("node", "edge"):
            self._item = None
        elif name == "data" and self._item is not None and self.open[-2] == self._item[0]:
            key = self._keys[self._key]
            self.draft.describe(*self._item, key.name, self._value(key, text))
        elif name == "default" and self.open[-2] == "key":
            key = self._keys[self._key]
            self._defaults.append((key, self._value(key, text)))

    def _direction(self, text: str) -> bool:
        if text not in ("directed", "undirected"):
            self.fail(self.line, "a graph or edge that is directed or undirected, got neither")
        return text == "directed"

    def _value(self, key: _Key, text: str) -> Any:
        try:
            return READERS[key.type](text)
        except (ValueError, KeyError):
            self.fail(
                self.line, f"a value of type {key.type} for the attribute '{key.name}', got '{text[:60]}'"
            )


def write_graphml(file: IO[bytes], graph: Adjacency, directed: bool) -> None:
    """Nodes, edges and their attributes; the weight as the attribute `weight`.

    Raises:
        InputError: an id or attribute that GraphML cannot hold.
    """
    listing = Listing.of(graph, directed, "GraphML")
    keys = {
        what: {name: f"{what}{i}" for i, name in enumerate(kinds)}
        for what, kinds in (("node", listing.node_kinds), ("edge", listing.edge_kinds))
    }
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f'<graphml xmlns="{SPACE}">']
    for what, kinds in (("node", listing.node_kinds), ("edge", listing.edge_kinds)):
        for name, kind in kinds.items():
            called = quoteattr(checked_text(name, "GraphML"))
            lines.append(
                f'<key id="{keys[what][name]}" for="{what}" attr.name={called} attr.type="{TYPES[kind]}"/>'
            )
    lines.append(f'<graph edgedefault="{"directed" if directed else "undirected"}">')
    file.write("\n".join(lines).encode() + b"\n")
    ids = [quoteattr(checked_text(name, "GraphML")) for name in listing.names]

    def data(what: str, values: dict[str, Any]) -> str:
        return "".join(
            f'<data key="{keys[what][name]}">{escape(checked_text(as_text(value), "GraphML"))}</data>'
            for name, value in values.items()
        )

    for name, values in zip(ids, listing.node_rows(), strict=True):
        file.write(f"<node id={name}>{data('node', values)}</node>\n".encode())
    for source, target, values in listing.edges():
        file.write(
            f"<edge source={ids[source]} target={ids[target]}>{data('edge', values)}</edge>\n".encode()
        )
    file.write(b"</graph>\n</graphml>\n")
