"""How long the library and the command line take to start, as whole processes.

    python benchmarks/startup.py [--runs 15]

Beside each stands a bare `python -c pass`, in turns, so that what the machine adds to both is seen.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

PYTHON = sys.executable
CASES = {
    "import mmgraph": ([PYTHON, "-c", "import mmgraph"], 0.1),
    "mmgraph --help": ([str(Path(PYTHON).with_name("mmgraph")), "--help"], 0.5),
}


def seconds(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=15)
    runs = parser.parse_args().runs
    print(f"{'what':<18}{'median':>9}{'min':>8}{'max':>8}{'python -c pass':>17}  must stay below")
    for name, (command, limit) in CASES.items():
        seconds(command)
        pairs = [(seconds([PYTHON, "-c", "pass"]), seconds(command)) for _ in range(runs)]
        own = [pair[1] for pair in pairs]
        median = statistics.median(own)
        print(
            f"{name:<18}{median:>7.3f} s{min(own):>8.3f}{max(own):>8.3f}"
            f"{statistics.median(pair[0] for pair in pairs):>15.3f} s  {limit} s"
            f" {'reached' if median < limit else 'MISSED'}"
        )


if __name__ == "__main__":
    main()
