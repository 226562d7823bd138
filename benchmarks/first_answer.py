"""How long the first question to a trained model waits: from starting `mmgraph ask` to each stage and to its answer.

    python benchmarks/first_answer.py [--runs 5] [--before FOLDER]

Runs of image-classification and digits-graph are trained with --quick first. In turn with each question an
`import torch` alone is measured, below which no answer can come, and where `--before` names the folder of another
version of the source, that version too.
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
from pathlib import Path

QUESTIONS = {
    "image-classification": {"ask": "grad-cam", "row": 0},
    "digits-graph": {"ask": "top-items", "layer": "encoder.blocks.1.conv", "unit": 0},
}
SOURCE = Path(__file__).resolve().parent.parent


def environment(source: Path) -> dict[str, str]:
    """This process's, with the packages of a version of the source before all others."""
    paths = (str(source), str(source / "gui"), os.environ.get("PYTHONPATH", ""))
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}


def lines_of(run: Path, question: dict[str, object], source: Path) -> list[tuple[float, dict[str, object]]]:
    """What the process said, and after how many seconds."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "mmgraph", "ask", str(run)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment(source), cwd=source
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps({"id": 1, **question}).encode() + b"\n")
        process.stdin.close()
        return [(time.perf_counter() - started, json.loads(line)) for line in process.stdout]


def torch_alone() -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import torch"], check=True)
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--before", type=Path, help="folder of the source of another version")
    given = parser.parse_args()
    versions = {"now": SOURCE} | ({"before": given.before.resolve()} if given.before else {})
    with tempfile.TemporaryDirectory() as folder:
        for recipe, question in QUESTIONS.items():
            train = ["-m", "mmgraph", "train", recipe, "--quick", "--name", recipe, "--runs", folder]
            subprocess.run([sys.executable, *train], check=True, capture_output=True, env=environment(SOURCE))
            run = Path(folder, recipe)
            alone: list[float] = []
            seconds: dict[str, list[float]] = {version: [] for version in versions}
            stages: dict[str, list[float]] = {}
            facts = set()
            for turn in range(given.runs + 1):  # the first brings all files into memory
                bare = torch_alone()
                for version, source in versions.items():
                    said = lines_of(run, question, source)
                    took, last = said[-1]
                    facts.add(json.dumps(last["answer"]["facts"]))  # type: ignore[index]
                    if turn:
                        seconds[version].append(took)
                    if turn and version == "now":
                        for after, line in said[:-1]:
                            stage = str(line.get("loading", "ready" if "ready" in line else "asked"))
                            stages.setdefault(stage, []).append(after)
                if turn:
                    alone.append(bare)
            print(f"{recipe}: `import torch` alone {statistics.median(alone):.2f} s")
            for stage, after in stages.items():
                print(f"    {stage:<28}{statistics.median(after):6.2f} s")
            for version, took_each in seconds.items():
                print(
                    f"  first answer, {version:<14}{statistics.median(took_each):6.2f} s"
                    f"  ({min(took_each):.2f} to {max(took_each):.2f})"
                )
            print(f"  all answers the same: {'yes' if len(facts) == 1 else 'NO'}", flush=True)


if __name__ == "__main__":
    main()
