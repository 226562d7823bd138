"""Seconds and memory of one training epoch of our graph layers, beside PyTorch Geometric's.

    python benchmarks/graph_layers.py [--only cora-gcn large-gat] [--rounds 7] [--threads 1] [--memory] [--import]

An epoch is forward, cross-entropy over the labelled nodes, backward and a step of Adam, for two layers with dropout
before each. Ours is `GNN` with an `Adjacency`, and `SparseFeatures` where fewer than 20 % of the features are not
zero, as the recipe does. PyTorch Geometric runs in each way its layer has: plain `edge_index`, `cached=True`,
`EdgeIndex` and torch's sparse CSR, all with the same threads. Variants take turns in one process; a figure is the
median over rounds, a ratio the median of the rounds' ratios. With one thread these are seconds of processor time, which
other programs disturb less, with more of them seconds of the clock. Memory is measured in a process of its own for each
variant: the peak of two epochs, less what was there after imports and data.

Cora and DBLP need $MMGRAPH_DATA; the other graphs are drawn with a fixed seed.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import os
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from graph_walks import power_law
from torch import Tensor, nn
from torch.nn import functional as F

from mmgraph.graph import GNN, Adjacency, SparseFeatures

SPARSE_BELOW = 0.2
ROUND_SECONDS = 0.3
DBLP_SHA256 = "e1c460c864735b88158e230e715715b08a8f7bb7c94f7f6c3b5efc412558877d"
OURS, EDGE_INDEX, CACHED, EDGE_INDEX_CLASS, CSR = "ours", "edge_index", "cached", "EdgeIndex", "CSR"

Step = Callable[[], object]


@dataclass(frozen=True)
class Sample:
    """A graph to train on."""

    x: Tensor
    edge_index: Tensor
    y: Tensor
    train: Tensor


@dataclass(frozen=True)
class Layer:
    """One kind of network, ours and theirs."""

    conv: str
    hidden: int
    dropout: float = 0.5
    heads: int = 1
    options: tuple[tuple[str, Any], ...] = ()

    def ours(self, channels: int, classes: int) -> nn.Module:
        attends = {"attention_dropout": self.dropout} if self.conv == "gat" else {}
        return GNN(
            channels,
            self.hidden,
            classes,
            conv=cast(Any, self.conv),
            heads=self.heads,
            dropout=self.dropout,
            activation="elu" if self.conv == "gat" else "relu",
            **attends,
            **dict(self.options),
        )

    def theirs(self, channels: int, classes: int, cached: bool) -> nn.Module:
        return Peer(self, channels, classes, cached)


class Peer(nn.Module):
    """The same network out of PyTorch Geometric's layers."""

    def __init__(self, layer: Layer, channels: int, classes: int, cached: bool) -> None:
        from torch_geometric.nn import ChebConv, GATConv, GCNConv, SAGEConv

        super().__init__()
        hidden, options = layer.hidden, dict(layer.options)
        if layer.conv == "gcn":
            make: Any = partial(GCNConv, cached=cached)
        elif layer.conv == "cheb":
            make = partial(ChebConv, **options)
        elif layer.conv == "sage":
            make = partial(SAGEConv, aggr=options.get("aggregation", "mean"))
        else:
            make = partial(GATConv, dropout=layer.dropout)
        if layer.conv == "gat":
            self.first = make(channels, hidden, heads=layer.heads)
            self.second = make(hidden * layer.heads, classes, heads=1, concat=False)
        else:
            self.first, self.second = make(channels, hidden), make(hidden, classes)
        self.dropout = layer.dropout
        self.activation = F.elu if layer.conv == "gat" else F.relu

    def forward(self, x: Tensor, graph: Any) -> Tensor:
        h = self.first(F.dropout(x, self.dropout, self.training), graph)
        h = F.dropout(self.activation(h), self.dropout, self.training)
        logits: Tensor = self.second(h, graph)
        return logits


@dataclass(frozen=True)
class Case:
    """A row of the table: what runs, against whom, and what must be reached."""

    title: str
    sample: Callable[[], Sample]
    layer: Layer
    peers: tuple[str, ...]
    faster: dict[str, float]
    """How many times as fast as a peer ours must be; "best" is the fastest one."""
    memory: float | None = None
    """Share of the memory of PyTorch Geometric with `edge_index` that ours may take."""


def cora() -> Sample:
    from mmgraph import datasets

    data = datasets.load("cora", normalize_features=True)
    return Sample(data.x, data.edge_index, data.y, data.train_mask)


def dblp() -> Sample:
    raw = (Path(os.environ["MMGRAPH_DATA"]) / "dblp_citation" / "dblp.npz").read_bytes()
    if hashlib.sha256(raw).hexdigest() != DBLP_SHA256:
        raise SystemExit("dblp.npz is not the file that is known, so its pickles are not opened.")
    arrays = np.load(io.BytesIO(raw), allow_pickle=True)
    edges = torch.from_numpy(np.stack(arrays["adj_matrix"].item().nonzero())).long()
    x = torch.from_numpy(arrays["node_attr"].item().toarray()).float()
    y = torch.from_numpy(arrays["node_label"]).long()
    train = torch.zeros(len(y), dtype=torch.bool)
    train[torch.randperm(len(y), generator=torch.Generator().manual_seed(0))[:80]] = True
    return Sample(x, edges, y, train)


def drawn(nodes: int, pairs: int, channels: int, classes: int, density: float, labelled: int) -> Sample:
    """A power-law graph with random features and labels."""
    edges, _ = power_law(nodes, pairs).to_edge_index()
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(nodes, channels, generator=generator)
    if density < 1:
        x *= torch.rand(nodes, channels, generator=generator) < density
    y = torch.randint(classes, (nodes,), generator=generator)
    train = torch.zeros(nodes, dtype=torch.bool)
    train[torch.randperm(nodes, generator=generator)[:labelled]] = True
    return Sample(x, edges.contiguous(), y, train)


PUBMED = partial(drawn, 19_717, 44_350, 500, 3, 0.1, 60)
LARGE = partial(drawn, 169_343, 1_166_000, 128, 40, 1.0, 90_941)
GCN16, GCN256 = Layer("gcn", 16), Layer("gcn", 256)
MEAN, MAX = (("aggregation", "mean"),), (("aggregation", "max"),)
UNCACHED = (EDGE_INDEX, EDGE_INDEX_CLASS, CSR)
ALL = (EDGE_INDEX, CACHED, EDGE_INDEX_CLASS, CSR)

CASES = {
    "cora-gcn": Case("Cora, GCN 16", cora, GCN16, ALL, {"best": 25}),
    "cora-gat": Case("Cora, GAT 8 × 8", cora, Layer("gat", 8, 0.6, 8), UNCACHED, {"best": 5}),
    "cora-cheb": Case(
        "Cora, ChebNet K = 3", cora, Layer("cheb", 16, options=(("K", 3),)), UNCACHED, {"best": 5}
    ),
    "cora-sage": Case("Cora, SAGE mean 16", cora, Layer("sage", 16, options=MEAN), UNCACHED, {"best": 5}),
    "pubmed-gcn": Case("PubMed's size, GCN 16", PUBMED, GCN16, ALL, {"best": 5}),
    "dblp-gcn": Case("DBLP, GCN 16", dblp, GCN16, ALL, {"best": 5}),
    "large-gcn": Case(
        "169k / 2.3 M, GCN 256", LARGE, GCN256, (EDGE_INDEX, CACHED, CSR), {EDGE_INDEX: 4, CSR: 1.2}, 1 / 2
    ),
    "large-sage": Case(
        "169k / 2.3 M, SAGE mean 256",
        LARGE,
        Layer("sage", 256, options=MEAN),
        (EDGE_INDEX, CSR),
        {EDGE_INDEX: 4, CSR: 1.2},
        1 / 2,
    ),
    "large-gat": Case(
        "169k / 2.3 M, GAT 8 × 32", LARGE, Layer("gat", 32, 0.5, 8), (EDGE_INDEX,), {"best": 2}, 1 / 3
    ),
    "large-sage-max": Case(
        "169k / 2.3 M, SAGE max 256",
        LARGE,
        Layer("sage", 256, options=MAX),
        (EDGE_INDEX, CSR),
        {EDGE_INDEX: 2},
        1 / 3,
    ),
}


def graph_for(variant: str, sample: Sample) -> Any:
    nodes = len(sample.x)
    if variant == OURS:
        return Adjacency.from_edge_index(sample.edge_index, nodes)
    if variant == EDGE_INDEX_CLASS:
        from torch_geometric import EdgeIndex

        return EdgeIndex(sample.edge_index, sparse_size=(nodes, nodes)).sort_by("col").values
    if variant == CSR:
        from torch_geometric.utils import to_torch_csr_tensor

        return to_torch_csr_tensor(sample.edge_index.flip(0), size=(nodes, nodes))
    return sample.edge_index


def make_step(case: Case, variant: str, sample: Sample) -> Step:
    """One epoch."""
    torch.manual_seed(0)
    classes = int(sample.y.max()) + 1
    x: Any = sample.x
    graph = graph_for(variant, sample)
    if variant == OURS:
        if torch.count_nonzero(x) < SPARSE_BELOW * x.numel():
            x = SparseFeatures.from_dense(x)
        model = case.layer.ours(x.size(1), classes)
    else:
        model = case.layer.theirs(x.size(1), classes, cached=variant == CACHED)
    if case.layer.conv == "gcn" and variant == CSR:
        from torch_geometric.nn.conv.gcn_conv import gcn_norm

        # With CSR PyTorch Geometric's own advice is to normalise once.
        graph, _ = gcn_norm(graph, num_nodes=len(sample.x))
        for layer in (model.first, model.second):
            cast(Any, layer).normalize = False
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01, weight_decay=5e-4)
    nodes = sample.train.nonzero().flatten()
    labels = sample.y[nodes]

    def step() -> None:
        optimizer.zero_grad()
        F.cross_entropy(model(x, graph)[nodes], labels).backward()
        optimizer.step()

    return step


def seconds(step: Step, count: int) -> float:
    clock = time.process_time if torch.get_num_threads() == 1 else time.perf_counter
    started = clock()
    for _ in range(count):
        step()
    return (clock() - started) / count


def time_case(case: Case, rounds: int, peers: tuple[str, ...]) -> dict[str, list[float]]:
    """Seconds per epoch of every variant in every round; what does not run is left out."""
    sample = case.sample()
    steps, counts = {}, {}
    for variant in (OURS, *(peer for peer in case.peers if peer in peers)):
        try:
            step = make_step(case, variant, sample)
            first = seconds(step, 1)
        except Exception as error:
            print(f"    {variant} does not run: {str(error).splitlines()[0][:100]}")
            continue
        steps[variant] = step
        # The first epoch also compiles and sorts, but one that is long is not run a second time to find out.
        counts[variant] = max(1, round(ROUND_SECONDS / (seconds(step, 1) if first < 2 else first)))
    found: dict[str, list[float]] = {variant: [] for variant in steps}
    for turn in range(rounds):
        for variant in list(steps)[:: 1 if turn % 2 else -1]:
            found[variant].append(seconds(steps[variant], counts[variant]))
    return found


def report_times(case: Case, rounds: int, peers: tuple[str, ...]) -> None:
    found = time_case(case, rounds, peers)
    medians = {variant: statistics.median(times) for variant, times in found.items()}
    print(f"{case.title:<30}{'ours':<12}{medians[OURS] * 1e3:>10.2f} ms")
    best = min((variant for variant in medians if variant != OURS), key=medians.__getitem__, default=None)
    for variant in found:
        if variant == OURS:
            continue
        ratio = statistics.median(
            theirs / ours for theirs, ours in zip(found[variant], found[OURS], strict=True)
        )
        must = case.faster.get(variant)
        if must is None and variant == best:
            must = case.faster.get("best")
        verdict = "" if must is None else f"  ≥ {must:g} {'reached' if ratio >= must else 'MISSED'}"
        print(f"{'':<30}{variant:<12}{medians[variant] * 1e3:>10.2f} ms{ratio:>8.1f} ×{verdict}", flush=True)


def memory_of(name: str, variant: str) -> int:
    """Bytes at the peak of two epochs over what was there before, in this process."""
    case = CASES[name]
    sample = case.sample()
    if variant != OURS:
        import torch_geometric.nn  # noqa: F401
    Path("/proc/self/clear_refs").write_text("5")
    before = _status("VmRSS")
    step = make_step(case, variant, sample)
    for _ in range(2):
        step()
    return _status("VmHWM") - before


def _status(field: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))


def report_memory(name: str, threads: int, peers: tuple[str, ...]) -> None:
    case = CASES[name]
    ours = 0
    for variant in (OURS, *(peer for peer in case.peers if peer in peers)):
        command = [sys.executable, __file__, "--threads", str(threads), "--memory-of", name, variant]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode:
            print(f"    {variant} does not run: {result.stderr.strip().splitlines()[-1][:100]}")
            continue
        peak = int(result.stdout.split()[-1])
        line = f"{case.title if variant == OURS else '':<30}{variant:<12}{peak / 1e6:>10.0f} MB"
        if variant == OURS:
            ours = peak
            print(line, flush=True)
            continue
        share, must = ours / peak, case.memory if variant == EDGE_INDEX else None
        verdict = "" if must is None else f"  ≤ {must:.2f} {'reached' if share <= must else 'MISSED'}"
        print(f"{line}{share:>8.2f} of it{verdict}", flush=True)


IMPORTS = {
    "import torch": "import torch",
    "+ import mmgraph.graph": "import torch; import mmgraph.graph",
    "+ one epoch of a GNN": (
        "import torch; from mmgraph.graph import GNN; "
        "y = GNN(3, 4, 2)(torch.ones(3, 3), torch.tensor([[0, 1], [1, 2]])); y.sum().backward(); "
        "import sys; assert 'torch_geometric' not in sys.modules"
    ),
    "+ import torch_geometric.nn": "import torch; import torch_geometric.nn",
}


def report_imports(rounds: int) -> None:
    found: dict[str, list[float]] = {name: [] for name in IMPORTS}
    for _ in range(rounds):
        for name, code in IMPORTS.items():
            started = time.perf_counter()
            subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True)
            found[name].append(time.perf_counter() - started)
    base = found["import torch"]
    for name, times in found.items():
        more = statistics.median(time - torch_ for time, torch_ in zip(times, base, strict=True))
        verdict = "" if "mmgraph" not in name else f"  ≤ 0.3 {'reached' if more <= 0.3 else 'MISSED'}"
        print(f"{name:<30}{statistics.median(times):>10.2f} s{more:>+8.2f} s{verdict}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="*", choices=list(CASES), default=list(CASES))
    parser.add_argument(
        "--peers", nargs="*", choices=ALL, default=ALL, help="ways of PyTorch Geometric to run"
    )
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument(
        "--memory", action="store_true", help="memory in place of time, of the rows that ask for it"
    )
    parser.add_argument("--imports", action="store_true", help="seconds of imports in place of epochs")
    parser.add_argument("--memory-of", nargs=2, metavar=("CASE", "VARIANT"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    torch.set_num_threads(arguments.threads)
    if arguments.memory_of:
        print(memory_of(*arguments.memory_of))
        return
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors; {arguments.threads} threads")
    if arguments.imports:
        report_imports(arguments.rounds)
        return
    for name in arguments.only:
        if not arguments.memory:
            report_times(CASES[name], arguments.rounds, tuple(arguments.peers))
        elif CASES[name].memory is not None:
            report_memory(name, arguments.threads, tuple(arguments.peers))
    print(f"load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
