"""Test accuracy of the recipes over seeds, beside the published figure.

    python benchmarks/accuracy.py [--seeds 20] [--only gcn gat digits lenet]

Every run goes through `mmgraph train`'s own code with the recipe's defaults; only the seed changes. Each is a run
folder, kept where --runs says. Needs the data sets under $MMGRAPH_DATA or a network.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from dataclasses import dataclass
from typing import Any

from mmgraph.recipes import launch


@dataclass(frozen=True)
class Case:
    title: str
    recipe: str
    options: dict[str, Any]
    published: str
    must_reach: float
    seeds: int


CASES = {
    "gcn": Case(
        "Cora, GCN",
        "node-classification",
        {"dataset": "cora", "conv": "gcn"},
        "81.5 (Kipf & Welling 2017)",
        81.0,
        20,
    ),
    "gat": Case(
        "Cora, GAT",
        "node-classification",
        {"dataset": "cora", "conv": "gat"},
        "83.0 (Veličković 2018)",
        82.0,
        20,
    ),
    "digits": Case("digits-graph, unlabelled digits", "digits-graph", {}, "—", 95.0, 5),
    "lenet": Case(
        "Fashion-MNIST, LeNet",
        "image-classification",
        {"dataset": "fashion-mnist"},
        "88–92 (two-layer CNNs)",
        90.0,
        1,
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--seeds", type=int, help="seeds per row; by default 20 for Cora, 5 for digits, 1 for LeNet"
    )
    parser.add_argument("--only", nargs="*", choices=list(CASES), default=list(CASES))
    parser.add_argument("--runs", help="where to keep the runs; by default they are thrown away")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    print(f"{'what':<34}{'published':<28}{'ours, mean ± sd':<20}{'seeds':>5}  must reach        s/run")
    with tempfile.TemporaryDirectory() as scratch:
        for name in arguments.only:
            case = CASES[name]
            scores, started = [], time.perf_counter()
            seeds = arguments.seeds or case.seeds
            for seed in range(seeds):
                _, result = launch.train(
                    case.recipe,
                    {**case.options, "seed": seed, "device": "cpu", "threads": arguments.threads},
                    runs=arguments.runs or scratch,
                )
                scores.append(100 * result.metrics["test/accuracy"])
            mean = statistics.mean(scores)
            spread = statistics.stdev(scores) if len(scores) > 1 else 0.0
            verdict = "reached" if mean >= case.must_reach else "MISSED"
            print(
                f"{case.title:<34}{case.published:<28}{f'{mean:.2f} ± {spread:.2f}':<20}{seeds:>5}"
                f"  {case.must_reach:.1f} {verdict:<8}{(time.perf_counter() - started) / seeds:>8.1f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
