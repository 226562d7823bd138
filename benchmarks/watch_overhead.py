"""What `mmgraph.watch` costs a training loop: numbers of every step, looks at the default throttle.

    python benchmarks/watch_overhead.py [--pairs 20] [--block 3.0]
    python benchmarks/watch_overhead.py --first-look 6000

The same model learns with and without `live.step`, in turns (see `paired.py`). The watch's clock stands still
while the loop runs without it, so that looks come as often as in a loop that is always watched. Blocks are long
enough to hold a look or more each: a robust estimate would otherwise leave out the few that do.

"accounted" is the processor time spent inside `live.step` and in the writer's thread, as a part of the rest. It
leaves out what shows elsewhere (caches, waiting), and hardly depends on what else the machine does.

--first-look prints how long a network of so many modules is looked at the first time, when its layers and wiring are
found out as well.
"""

from __future__ import annotations

import argparse
import platform
import tempfile
import threading
import time
from collections.abc import Callable

import torch
import torch.nn.functional as F
from paired import Comparison, compare
from torch import Tensor, nn

import mmgraph
from mmgraph.graph import GNN, Adjacency
from mmgraph.inspection import Watch
from mmgraph.runs import RunReader

LIMIT = 1.02


class LeNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5, padding=2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(400, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.fc3(F.relu(self.fc2(F.relu(self.fc1(x.flatten(1))))))


def image_step() -> tuple[nn.Module, Callable[[], Tensor]]:
    """LeNet on random 28×28 images, batch 128."""
    model = LeNet()
    optimizer = torch.optim.Adam(model.parameters())
    batches = torch.randn(8, 128, 1, 28, 28)
    targets = torch.randint(0, 10, (8, 128))
    turn = 0

    def step() -> Tensor:
        nonlocal turn
        turn = (turn + 1) % len(batches)
        loss = F.cross_entropy(model(batches[turn]), targets[turn])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.detach()

    return model, step


def graph_step() -> tuple[nn.Module, Callable[[], Tensor]]:
    """A graph network of two layers on a random graph of Cora's size: 2,708 nodes, 10,556 edges."""
    generator = torch.Generator().manual_seed(0)
    edges = torch.randint(0, 2708, (2, 10_556), generator=generator)
    graph = Adjacency.from_edge_index(edges, 2708)
    x = torch.randn(2708, 128, generator=generator)
    target = torch.randint(0, 7, (2708,), generator=generator)
    model = GNN(128, 16, 7, conv="gcn")
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)

    def step() -> Tensor:
        loss = F.cross_entropy(model(x, graph)[:140], target[:140])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.detach()

    return model, step


class Block(nn.Module):
    """What transformers and residual networks are made of: six modules, two of them with weights, one sum."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.inside = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Dropout(0.1))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.inside(self.norm(x))


def first_look(modules: int, width: int = 8) -> tuple[float, float, float]:
    """Seconds of the step in which a network of about so many modules is looked at for the first time: wall time,
    processor time, and processor time of one forward that nobody looks at. The least of five networks.
    """
    found = []
    for _ in range(5):
        model = nn.Sequential(*(Block(width) for _ in range(modules // 6)), nn.Linear(width, 2))
        batch = torch.randn(32, width)
        with tempfile.TemporaryDirectory() as folder:
            live: Watch = mmgraph.watch(model, run=f"{folder}/run", quiet=True)
            model(batch)
            began = time.thread_time()
            loss = model(batch).square().mean()
            forward = time.thread_time() - began
            began, began_there = time.perf_counter(), time.thread_time()
            live.step(loss=loss)
            found.append((time.perf_counter() - began, time.thread_time() - began_there, forward))
            live.close()
    wall, processor, forward = (min(some) for some in zip(*found, strict=True))
    return wall, processor, forward


class StoppableClock:
    """Seconds that only count while it runs."""

    def __init__(self) -> None:
        self._behind = 0.0
        self._stopped_at: float | None = time.monotonic()

    def __call__(self) -> float:
        return (self._stopped_at or time.monotonic()) - self._behind

    def go(self) -> None:
        if self._stopped_at is not None:
            self._behind += time.monotonic() - self._stopped_at
            self._stopped_at = None

    def stop(self) -> None:
        self._stopped_at = time.monotonic()


def measure(
    make: Callable[[], tuple[nn.Module, Callable[[], Tensor]]], pairs: int, block: float
) -> tuple[Comparison, float, int]:
    """The cost of watching, the part of it that can be accounted for, and how often the model was looked at."""
    model, step = make()
    with tempfile.TemporaryDirectory() as folder:
        live: Watch = mmgraph.watch(model, run=f"{folder}/run", quiet=True)
        clock = StoppableClock()
        live.clock = clock

        watching = learning = 0.0

        def watched_step() -> None:
            nonlocal watching, learning
            began = time.thread_time()
            loss = step()
            between = time.thread_time()
            live.step(loss=loss)
            learning += between - began
            watching += time.thread_time() - between

        def finish_block() -> None:
            clock.stop()
            live.flush()

        comparison = compare(
            step, watched_step, pairs=pairs, block_seconds=block, before_b=clock.go, after_b=finish_block
        )
        writing = sum(
            time.clock_gettime(time.pthread_getcpuclockid(thread.ident))
            for thread in threading.enumerate()
            if thread.name.startswith("mmgraph-writer") and thread.ident is not None
        )
        live.close()
        with RunReader(f"{folder}/run") as run:
            looks = len(run.snapshots(kind="prediction"))
        return comparison, (watching + writing) / learning, looks


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--block", type=float, default=3.0, help="seconds")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--first-look", type=int, metavar="MODULES", help="measure only that")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    if arguments.first_look:
        wall, processor, forward = first_look(arguments.first_look)
        print(
            f"first look at {arguments.first_look:,} modules: {wall:.2f} s, {processor:.2f} s of a processor; "
            f"a forward alone {forward:.2f} s"
        )
        return
    print(f"{platform.machine()}, {arguments.threads} threads, torch {torch.__version__}, "
          f"{arguments.pairs} pairs of {arguments.block:g} s blocks, 95 % intervals")  # fmt: skip
    print(
        f"{'loop':<14}{'step':>10}{'wall time':>28}{'processor time':>28}{'accounted':>11}  below +2 % (wall)  looks"
    )
    for name, make in {"LeNet, b128": image_step, "GCN, Cora-size": graph_step}.items():
        torch.manual_seed(0)
        found, accounted, looks = measure(make, arguments.pairs, arguments.block)
        print(
            f"{name:<14}{found.step_seconds * 1e3:>7.2f} ms{found.wall!s:>28}{found.cpu!s:>28}"
            f"{accounted * 100:>+9.2f} %  {found.wall.verdict(LIMIT):<17}  {looks}",
            flush=True,
        )


if __name__ == "__main__":
    main()
