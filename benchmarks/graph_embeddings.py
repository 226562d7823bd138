"""Quality and speed of node embeddings, beside published figures.

    python benchmarks/graph_embeddings.py [--only speed blogcatalog ppi cora …] [--seeds 1] [--threads 2]
                                          [--device cpu] [--peers FOLDER]

BlogCatalog and PPI: one-vs-rest logistic regression on half of the labels, as many labels predicted as a node has,
mean of macro- and micro-F1 over splits. Cora: logistic regression on the 140 labels of the public split. Speed:
nodes visited per second on BlogCatalog (d 128, window 10, 5 negatives, 10 × 80), every library in processes of its
own that take turns, medians over rounds; peers run where a folder of environments as benchmarks/peers describes is
given. Methods: the compiled threads beside batches out of torch's operators. Needs the data sets under $MMGRAPH_DATA.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from mmgraph import datasets
from mmgraph.graph import Adjacency, random_walks
from mmgraph.graph.embeddings import (
    DeepWalk,
    NetMF,
    Node2Vec,
    SpectralEmbedding,
    label_fractions,
    split_accuracy,
)

PEERS = Path(__file__).parent / "peers"
AUTHORS = {"walks_per_node": 80, "walk_length": 40}
PEER_TOKENS = 0.2
"""Million nodes per second of wall time: gensim over ready walks and PecanPy, 2 threads, quoted."""


def cora_accuracy(embed: Callable[[int], Any], seed: int) -> float:
    data = datasets.load("cora")
    vectors = embed(seed).fit_transform(data)
    masks = data.train_mask.numpy(), data.test_mask.numpy()
    return 100 * split_accuracy(vectors, data.y.numpy(), *masks)


def multilabel_f1(vectors: Any, data: Any, splits: int) -> tuple[float, float]:
    """Mean macro- and micro-F1 in percent with half of the nodes labelled."""
    (score,) = label_fractions(vectors, data.y.numpy(), [0.5], splits)
    return 100 * statistics.mean(score.macro), 100 * statistics.mean(score.micro)


def report(title: str, published: str, ours: list[float], must: float | None, seconds: float) -> None:
    spread = f" ± {statistics.stdev(ours):.2f}" if len(ours) > 1 else ""
    mean = statistics.mean(ours)
    verdict = "" if must is None else f"{must:g} {'reached' if mean >= must else 'MISSED'}"
    print(
        f"{title:<44}{published:>10}{f'{mean:.2f}{spread}':>16}  {verdict:<14}{seconds:>8.0f} CPU s",
        flush=True,
    )


def multilabel(
    title: str,
    data: Any,
    embed: Callable[[int], Any],
    published: tuple[str, str],
    must: tuple[float | None, float | None],
    arguments: argparse.Namespace,
) -> None:
    scores, began = [], time.process_time()
    spent = 0.0
    for seed in range(arguments.seeds):
        began = time.process_time()
        vectors = embed(seed).fit_transform(data)
        spent += time.process_time() - began
        scores.append(multilabel_f1(vectors, data, arguments.splits))
    for place, name in enumerate(("macro", "micro")):
        values = [score[place] for score in scores]
        report(f"{title}, {name}-F1", published[place], values, must[place], spent / arguments.seeds)


def embedded(name: str, python: Path, folder: Path, arguments: argparse.Namespace) -> dict[str, float]:
    """Run a script of benchmarks/peers in a process of its own; its vectors are in `folder` afterwards."""
    done = subprocess.run(
        [
            python,
            PEERS / f"embed_{name}.py",
            folder,
            folder / f"{name}.npy",
            str(arguments.threads),
            str(arguments.walks),
        ],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.environ.get("PYTHONPATH", "") if name == "mmgraph" else ""},
    )
    return json.loads(done.stdout.splitlines()[-1])


def speed(data: Any, environments: Path | None, arguments: argparse.Namespace) -> None:
    """Tokens per second, memory and F1, of every library in processes that take turns."""
    graph = Adjacency.from_data(data)
    pythons = {"mmgraph": Path(sys.executable)}
    if environments is not None:
        pythons.update((name, environments / name / "bin" / "python") for name in ("gensim", "pecanpy"))
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        np.savez(folder / "graph.npz", rowptr=graph.rowptr.numpy(), col=graph.col.numpy())
        if environments is not None:
            np.save(folder / "walks.npy", random_walks(graph, 80, arguments.walks))
        took: dict[str, list[dict[str, float]]] = {name: [] for name in pythons}
        for _ in range(arguments.rounds):
            for name, python in pythons.items():
                took[name].append(embedded(name, python, folder, arguments))
        print(
            f"BlogCatalog, d 128, window 10, 5 negatives, {arguments.walks} × 80, {arguments.threads} threads; "
            f"M tokens per second of wall time and of processor time, MB at the peak, and of it for this graph; "
            f"load {os.getloadavg()[0]:.1f}"
        )
        for name, runs in took.items():
            wall, processor = (
                statistics.median(run["tokens"] / run[clock] / 1e6 for run in runs)
                for clock in ("wall", "processor")
            )
            memory, own = (
                statistics.median(run["peak"] - offset * run["runtime"] for run in runs) for offset in (0, 1)
            )
            macro, micro = multilabel_f1(np.load(folder / f"{name}.npy"), data, arguments.splits)
            print(
                f"{name:<10}{wall:>7.3f}{processor:>7.3f}{memory:>7.0f}{own:>7.0f}"
                f"  macro-F1 {macro:.2f}, micro-F1 {micro:.2f}",
                flush=True,
            )
    if environments is None:
        print(f"peer, quoted {PEER_TOKENS:.3f}; must be 7 times as fast")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = ["speed", "methods", "blogcatalog", "blogcatalog-node2vec", "blogcatalog-others", "ppi"]
    names += ["cora", "cora-methods"]
    parser.add_argument("--only", nargs="*", choices=names, default=names)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--splits", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3, help="of the speed")
    parser.add_argument("--walks", type=int, default=10, help="per node, for the speed")
    parser.add_argument("--device", default="cpu", help="of batches")
    parser.add_argument("--peers", type=Path, help="folder of the peers' environments")
    arguments = parser.parse_args()
    threads = arguments.threads
    blog = datasets.load("blogcatalog")
    print(f"{'what':<44}{'published':>10}{'ours':>16}  must reach")
    if "speed" in arguments.only:
        speed(blog, arguments.peers, arguments)
    if "methods" in arguments.only:
        for title, options in (
            ("BlogCatalog, 10 × 80, Hogwild", {"threads": threads}),
            (
                f"BlogCatalog, 10 × 80, in batches on {arguments.device}",
                {"method": "batched", "device": arguments.device},
            ),
        ):
            multilabel(
                title,
                blog,
                lambda seed, options=options: DeepWalk(seed=seed, **options),
                ("—", "—"),
                (None, None),
                arguments,
            )
    if "cora" in arguments.only:
        began = time.process_time()
        values = [
            cora_accuracy(lambda seed: DeepWalk(seed=seed, threads=threads), seed)
            for seed in range(max(3, arguments.seeds))
        ]
        report("Cora DeepWalk, accuracy", "67.2", values, 67.2, (time.process_time() - began) / len(values))
    if "cora-methods" in arguments.only:
        for title, options in (
            ("Cora DeepWalk, Hogwild, accuracy", {}),
            (
                f"the same in batches on {arguments.device}",
                {"method": "batched", "device": arguments.device},
            ),
        ):
            began = time.process_time()
            values = [
                cora_accuracy(lambda seed, options=options: DeepWalk(seed=seed, **options), seed)
                for seed in range(arguments.seeds)
            ]
            report(title, "67.2", values, None, (time.process_time() - began) / len(values))
    if "ppi" in arguments.only:
        proteins = datasets.load("ppi")
        for title, embed, published in (
            ("PPI DeepWalk", lambda seed: DeepWalk(**AUTHORS, seed=seed, threads=threads), ("17.7", "—")),
            ("PPI spectral", lambda seed: SpectralEmbedding(seed=seed), ("6.8", "—")),
            ("PPI NetMF", lambda seed: NetMF(seed=seed), ("—", "—")),
        ):
            multilabel(title, proteins, embed, published, (None, None), arguments)
    if "blogcatalog" in arguments.only:
        multilabel(
            "BlogCatalog DeepWalk",
            blog,
            lambda seed: DeepWalk(**AUTHORS, seed=seed, threads=threads),
            ("27.68", "41.51"),
            (26.5, 40.5),
            arguments,
        )
    if "blogcatalog-node2vec" in arguments.only:
        multilabel(
            "BlogCatalog node2vec (p = q = .25)",
            blog,
            lambda seed: Node2Vec(0.25, 0.25, **AUTHORS, seed=seed, threads=threads),
            ("25.8", "—"),
            (25.8, None),
            arguments,
        )
    if "blogcatalog-others" in arguments.only:
        for title, embed, published in (
            ("BlogCatalog spectral", lambda seed: SpectralEmbedding(seed=seed), ("4.05", "—")),
            ("BlogCatalog NetMF, rank 256", lambda seed: NetMF(rank=256, seed=seed), ("—", "—")),
        ):
            multilabel(title, blog, embed, published, (None, None), arguments)


if __name__ == "__main__":
    main()
