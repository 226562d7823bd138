"""A catalogue of its own, an empty home, and a public place on this machine to download from."""

from __future__ import annotations

import collections
import hashlib
import pickle
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tomli_w
from scipy import sparse

from mmgraph.datasets import catalogue


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home: no data folder, no cache, no $MMGRAPH_DATA."""
    home = tmp_path / "home"
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "cache"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.delenv("MMGRAPH_DATA", raising=False)
    return home


@dataclass
class Mirror:
    """What the server serves, how it misbehaves, and what it was asked for."""

    url: str = ""
    contents: dict[str, bytes] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    half_sent: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, mirror: Mirror, *args: Any) -> None:
        self.mirror = mirror
        super().__init__(*args)

    def do_GET(self) -> None:
        name = self.path.lstrip("/")
        self.mirror.requests.append(name)
        content, fault = self.mirror.contents.get(name), self.mirror.faults.get(name)
        if content is None:
            self.send_error(404)
            return
        if fault == "tampered":
            content = bytes([content[0] ^ 1]) + content[1:]
        elif fault == "longer":
            content += content
        self.send_response(200)
        if fault != "ends early without a length":
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        half = len(content) // 2
        self.wfile.write(content[:half])
        self.wfile.flush()
        if fault in ("ends early", "ends early without a length"):
            return
        if fault == "waits half-way" and self.mirror.requests.count(name) == 1:
            self.mirror.half_sent.set()
            self.mirror.go_on.wait()
        try:
            self.wfile.write(content[half:])
        except OSError:
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Keep the test output clean."""


@pytest.fixture
def mirror() -> Iterator[Mirror]:
    mirror = Mirror()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, mirror))
    mirror.url = f"http://127.0.0.1:{server.server_address[1]}/"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield mirror
    mirror.go_on.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def publish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mirror: Mirror) -> Callable[..., Path]:
    """Put a data set into a catalogue of its own and on the mirror; gives the folder of manifests."""
    manifests = tmp_path / "manifests"
    manifests.mkdir()
    monkeypatch.setattr(catalogue, "MANIFESTS", manifests)

    def publish(
        name: str, contents: dict[str, bytes], parts: dict[str, str] | None = None, **keys: Any
    ) -> Path:
        mirror.contents |= contents
        files = [
            {
                "path": path,
                "bytes": len(content),
                "sha256": hashlib.sha256(content).hexdigest(),
                "url": mirror.url + path,
                "part": (parts or {}).get(path, ""),
            }
            for path, content in contents.items()
        ]
        words = dict.fromkeys(("title", "task", "summary", "licence", "citation", "homepage"), "-")
        table = words | {"format": "idx", "files": files} | keys
        (manifests / f"{name}.toml").write_text(tomli_w.dumps(table), encoding="utf-8")
        return manifests

    return publish


@dataclass
class CitationGraph:
    """A small graph in the raw Planetoid format, and what a reader must make of it."""

    files: dict[str, bytes]
    x: np.ndarray
    y: np.ndarray
    edges: set[tuple[int, int]]
    test_nodes: list[int]


@pytest.fixture
def citation_graph() -> Callable[..., CitationGraph]:
    def build(name: str = "tiny", *, gaps: bool = False, seed: int = 0) -> CitationGraph:
        train, known, classes, features = 6, 510, 3, 5
        rng = np.random.default_rng(seed)
        test_nodes = [512, 510, 516, 511] if gaps else [512, 510, 513, 511]
        nodes = max(test_nodes) + 1
        x = rng.integers(0, 3, size=(nodes, features)).astype(np.float32)
        x[7] = 0
        y = rng.integers(0, classes, size=nodes)
        left_out = sorted(set(range(known, nodes)) - set(test_nodes))
        x[left_out], y[left_out] = 0, 0
        one_hot = np.eye(classes, dtype=np.int32)[y]
        pairs = rng.integers(0, nodes, size=(2000, 2)).tolist()
        graph: dict[int, list[int]] = collections.defaultdict(list)
        for one, other in pairs:
            graph[one].append(other)
            graph[other].append(one)
        content = {
            "x": sparse.csr_matrix(x[:train]),
            "y": one_hot[:train],
            "tx": sparse.csr_matrix(x[test_nodes]),
            "ty": one_hot[test_nodes],
            "allx": sparse.csr_matrix(x[:known]),
            "ally": one_hot[:known],
            "graph": graph,
        }
        files = {f"ind.{name}.{suffix}": pickle.dumps(value, protocol=2) for suffix, value in content.items()}
        files[f"ind.{name}.test.index"] = "".join(f"{node}\n" for node in test_nodes).encode()
        edges = {(a, b) for a, b in pairs if a != b} | {(b, a) for a, b in pairs if a != b}
        return CitationGraph(files, x, y, edges, test_nodes)

    return build
