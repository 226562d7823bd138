"""GEXF, the format of Gephi: XML with declared attributes.

Source: the GEXF 1.3 specification. Nodes within nodes and attributes that change over time are refused; positions,
sizes and colours are passed over.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any
from xml.sax.saxutils import quoteattr

from mmgraph.graph.adjacency import Adjacency
from mmgraph.graph.files.draft import GraphDraft
from mmgraph.graph.files.listing import Listing
from mmgraph.graph.files.values import READERS, as_text, checked_text
from mmgraph.graph.files.xml_events import XMLEvents

TYPES = {bool: "boolean", int: "long", float: "double", str: "string"}
SPACE = "http://gexf.net/1.3"
OWN = {"node": ("label",), "edge": ("label", "weight")}
"""Attributes that elements have themselves, without a declaration."""
KINDS = {"directed": True, "undirected": False, "mutual": False}


class GEXFReader(XMLEvents):
    """Fills `draft` from a GEXF file."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.draft = GraphDraft(self.fail)
        self._declared: dict[tuple[str, str], tuple[str, str]] = {}
        """Name and type of an attribute, by what has it and its id."""
        self._defaults: list[tuple[str, str, Any]] = []
        self._of = ""
        self._attribute = ""
        self._item: tuple[str, int] | None = None
        self._directed = False
        self._graphs = 0

    def read_all(self, content: Iterable[bytes]) -> GraphDraft:
        self.read(content, "gexf")
        if not self._graphs:
            self.fail(self.line, "an element 'graph', got none")
        for what, name, value in self._defaults:
            self.draft.set_default(what, name, value)
        return self.draft

    def start(self, name: str, given: dict[str, str]) -> None:
        if name == "graph":
            self._graphs += 1
            self._directed = self._direction(given.get("defaultedgetype", "undirected"))
            if given.get("mode") == "dynamic":
                self.fail(self.line, "a static graph, got one that changes over time, which is not supported")
        elif name == "attributes":
            self._of = self.attribute(given, "class")
        elif name == "attribute":
            self._attribute, kind = self.attribute(given, "id"), given.get("type", "string").lower()
            if kind not in READERS:
                self.fail(self.line, f"one of the types {', '.join(TYPES.values())}, got '{kind}'")
            self._declared[self._of, self._attribute] = (given.get("title", self._attribute), kind)
        elif name == "node":
            if "node" in self.open[:-1]:
                self.fail(
                    self.line, "nodes beside each other, got a node within a node, which is not supported"
                )
            node = self.draft.add_node(self.attribute(given, "id"), self.line)
            self._item = ("node", node)
            if "label" in given:
                self.draft.describe("node", node, "label", given["label"])
        elif name == "edge":
            source, target = self.attribute(given, "source"), self.attribute(given, "target")
            directed = self._direction(given["type"]) if "type" in given else self._directed
            self._item = ("edge", self.draft.add_edge(source, target, directed, self.line))
            for own in OWN["edge"]:
                if own in given:
                    value = self._value("double" if own == "weight" else "string", own, given[own])
                    self.draft.describe(*self._item, own, value)
        elif name == "attvalue" and self._item is not None:
            key = given.get("for") or self.attribute(given, "id")
            if (self._item[0], key) not in self._declared:
                self.fail(self.line, f"the id of an 'attribute' that was declared before, got '{key}'")
            title, kind = self._declared[self._item[0], key]
            self.draft.describe(*self._item, title, self._value(kind, title, self.attribute(given, "value")))

    def end(self, name: str, text: str) -> None:
        if name in ("node", "edge"):
            self._item = None
        elif name == "default":
            title, kind = self._declared[self._of, self._attribute]
            self._defaults.append((self._of, title, self._value(kind, title, text)))

    def _direction(self, text: str) -> bool:
        if text not in KINDS:
            self.fail(self.line, f"edges that are {', '.join(KINDS)}, got '{text}'")
        return KINDS[text]

    def _value(self, kind: str, name: str, text: str) -> Any:
        try:
            return READERS[kind](text)
        except (ValueError, KeyError):
            self.fail(self.line, f"a value of type {kind} for the attribute '{name}', got '{text[:60]}'")


def write_gexf(file: IO[bytes], graph: Adjacency, directed: bool) -> None:
    """Nodes, edges and their attributes; `label` and the weight as Gephi has them.

    Raises:
        InputError: an id or attribute that GEXF cannot hold.
    """
    listing = Listing.of(graph, directed, "GEXF")
    kind = "directed" if directed else "undirected"
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<gexf xmlns="{SPACE}" version="1.3">',
        f'<graph defaultedgetype="{kind}" mode="static">',
    ]
    numbers: dict[str, dict[str, int]] = {}
    for what, kinds in (("node", listing.node_kinds), ("edge", listing.edge_kinds)):
        numbers[what] = {name: i for i, name in enumerate(kinds) if name not in OWN[what]}
        lines.append(f'<attributes class="{what}">')
        for name, i in numbers[what].items():
            called = quoteattr(checked_text(name, "GEXF"))
            lines.append(f'<attribute id="{i}" title={called} type="{TYPES[kinds[name]]}"/>')
        lines.append("</attributes>")
    file.write("\n".join([*lines, "<nodes>"]).encode() + b"\n")

    def written(what: str, values: dict[str, Any]) -> tuple[str, str]:
        """Attributes of the element itself, and what is in it."""
        texts = {name: quoteattr(checked_text(as_text(value), "GEXF")) for name, value in values.items()}
        own = "".join(f" {name}={text}" for name, text in texts.items() if name not in numbers[what])
        within = "".join(
            f'<attvalue for="{numbers[what][name]}" value={text}/>'
            for name, text in texts.items()
            if name in numbers[what]
        )
        return own, f"<attvalues>{within}</attvalues>" if within else ""

    ids = [quoteattr(checked_text(name, "GEXF")) for name in listing.names]
    for name, values in zip(ids, listing.node_rows(), strict=True):
        own, within = written("node", values)
        file.write(f"<node id={name}{own}>{within}</node>\n".encode())
    file.write(b"</nodes>\n<edges>\n")
    for i, (source, target, values) in enumerate(listing.edges()):
        own, within = written("edge", values)
        file.write(
            f'<edge id="{i}" source={ids[source]} target={ids[target]}{own}>{within}</edge>\n'.encode()
        )
    file.write(b"</edges>\n</graph>\n</gexf>\n")
