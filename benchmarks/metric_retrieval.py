"""Retrieval on Fashion-MNIST: what a network learns, and how fast, beside pytorch-metric-learning.

    python benchmarks/metric_retrieval.py [--loss triplet multi-similarity] [--images 20000] [--epochs 1] [--seed 0]

Copies of one network, with the same initial weights, learn from the same batches (8 classes, 16 images each) with
the same loss, Adam and learning rate:

    triplet            hardest positive and negative of each image (batch hard), margin 0.2 on unit vectors, mean over
                       losses above zero: TripletMarginLoss with BatchHardMiner
    multi-similarity   α 2, β 50, λ 0.5, all pairs: MultiSimilarityLoss

Ours takes the step that `mmgraph train metric-learning` takes: channels innermost in memory, the maximum before the
activation (`ConvEncoder`), the fused optimiser, freed memory kept by the process, and a moving average of the weights,
which is what is tested. Theirs takes the step of their examples: the network as people write it (convolution, norm,
ReLU, pooling), images as they lie in memory, torch.optim.Adam, the last weights. "theirs, our network" gives them all
of ours but loss, miner and optimiser: its scores differ from ours by what rounding makes of the same training.

Each has a process with one thread, and they take turns, ten steps at a time; steps per second are those of processor
time, ratios the median over turns. Then recall@1 and mAP@R of the 10,000 test images among each other, with our
figures for both and their AccuracyCalculator's time beside that of `retrieval_scores`. Needs $MMGRAPH_DATA.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import multiprocessing
import os
import statistics
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, cast

import torch
from torch import Tensor, nn

from mmgraph import datasets
from mmgraph.metric import ClassBalancedSampler, Distance, MetricLoss, Siamese, retrieval_scores
from mmgraph.metric.metric_loss import LossKind
from mmgraph.recipes.metric_learning import MetricLearningConfig
from mmgraph.training.averaging import WeightAverage
from mmgraph.training.memory import keep_freed_memory
from mmgraph.training.optimizers import make_optimizer
from mmgraph.training.options import TrainingOptions
from mmgraph.vision import ConvEncoder, channels_innermost

CLASSES, ITEMS = 8, 16
BLOCK = 10
MUST = 1.5
LEARNING_RATE = 1e-3
KEEP = float(MetricLearningConfig.presets["dataset", "fashion-mnist"]["average_weights"])
NAMES = ("ours", "theirs", "theirs, our network")


@dataclass
class Contestant:
    """A network with what trains it."""

    name: str
    network: nn.Module
    loss: Callable[[Tensor, Tensor], Tensor]
    optimizer: torch.optim.Optimizer
    prepare: Callable[[Tensor], Tensor]
    average: WeightAverage | None = None

    def step(self, images: Tensor, labels: Tensor) -> float:
        self.optimizer.zero_grad(set_to_none=True)
        value = self.loss(self.network(self.prepare(images)), labels)
        value.backward()
        self.optimizer.step()
        if self.average is not None:
            self.average.update()
        return float(value.detach())

    def embed(self, images: Tensor) -> Tensor:
        self.network.eval()
        averaged = contextlib.nullcontext() if self.average is None else self.average.applied()
        with torch.no_grad(), averaged:
            return torch.cat([self.network(self.prepare(part)) for part in images.split(500)])


def encoder() -> ConvEncoder:
    return ConvEncoder(1, (32, 64, 128), 64, 28, batch_norm=True)


def as_people_write_it(network: ConvEncoder) -> nn.Sequential:
    """The same layers with the same weights, pooling last."""
    layers: list[nn.Module] = []
    for block in network.blocks:
        parts = dict(block.named_children())
        layers += [parts[name] for name in ("conv", "norm", "activation", "pool")]
    return nn.Sequential(*layers, nn.Flatten(), network.output)


def our_loss(kind: str) -> Callable[[Tensor, Tensor], Tensor]:
    distance = Distance("l2", normalize=True)
    loss = MetricLoss(
        cast(LossKind, kind),
        distance=distance,
        miner="hardest",
        reduction="mean-nonzero" if kind == "triplet" else "mean",
    )
    return lambda vectors, labels: loss(vectors, labels)


def their_loss(kind: str) -> Callable[[Tensor, Tensor], Tensor]:
    from pytorch_metric_learning import losses, miners

    if kind == "triplet":
        miner: Any = miners.BatchHardMiner()
        triplet: Any = losses.TripletMarginLoss(margin=0.2)
        return lambda vectors, labels: triplet(vectors, labels, miner(vectors, labels))
    similarity: Any = losses.MultiSimilarityLoss(alpha=2, beta=50, base=0.5)
    return lambda vectors, labels: similarity(vectors, labels)


def contestants(kind: str, seed: int) -> list[Contestant]:
    torch.manual_seed(seed)
    network = encoder()
    plain = as_people_write_it(copy.deepcopy(network))
    ours, third = copy.deepcopy(network), copy.deepcopy(network)
    options = TrainingOptions(learning_rate=LEARNING_RATE)
    model = Siamese(ours, loss=MetricLoss("triplet"))
    return [
        Contestant(
            "ours",
            model,
            our_loss(kind),
            make_optimizer([{"params": list(ours.parameters())}], options),
            channels_innermost,
            WeightAverage(model, KEEP),
        ),
        Contestant(
            "theirs", plain, their_loss(kind), torch.optim.Adam(plain.parameters(), LEARNING_RATE), _as_is
        ),
        Contestant(
            "theirs, our network",
            third,
            their_loss(kind),
            torch.optim.Adam(third.parameters(), LEARNING_RATE),
            channels_innermost,
            WeightAverage(third, KEEP),
        ),
    ]


def _as_is(images: Tensor) -> Tensor:
    return images


def work(connection: Connection, name: str, kind: str, arguments: argparse.Namespace) -> None:
    """One contestant in a process of its own: trains when told to, and says what it took."""
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    if name != "theirs":
        keep_freed_memory()
    team = next(team for team in contestants(kind, arguments.seed) if team.name == name)
    images, labels, tested, _ = data(arguments)
    sampler = ClassBalancedSampler(
        labels, classes_per_batch=CLASSES, items_per_class=ITEMS, seed=arguments.seed
    )
    batches = [rows for epoch in range(arguments.epochs) for rows in sampler.epoch(epoch)]
    first = team.step(images[batches[0]], labels[batches[0]])
    connection.send((first, len(batches)))
    while (turn := connection.recv()) is not None:
        started = time.process_time()
        for rows in batches[turn : turn + BLOCK]:
            team.step(images[rows], labels[rows])
        connection.send((time.process_time() - started) / len(batches[turn : turn + BLOCK]))
    connection.send(team.embed(tested).numpy())


def compete(kind: str, arguments: argparse.Namespace) -> Tensor:
    """Train all contestants, print how they did, and return our vectors of the test images."""
    context = multiprocessing.get_context("spawn")
    lines, processes = [], []
    for name in NAMES:
        here, there = context.Pipe()
        process = context.Process(target=work, args=(there, name, kind, arguments), daemon=True)
        process.start()
        lines.append(here)
        processes.append(process)
    started = [line.recv() for line in lines]
    print(f"    loss of the first step: {', '.join(f'{loss:.6f}' for loss, _ in started)}")
    seconds: list[list[float]] = [[] for _ in NAMES]
    for number, turn in enumerate(range(1, started[0][1], BLOCK)):
        for place in range(len(NAMES)):
            which = (place + number) % len(NAMES)
            lines[which].send(turn)
            seconds[which].append(lines[which].recv())
    vectors = []
    for line, process in zip(lines, processes, strict=True):
        line.send(None)
        vectors.append(nn.functional.normalize(torch.from_numpy(line.recv())))
        process.join()
    labels = data(arguments)[3]
    for name, taken, found in zip(NAMES, seconds, vectors, strict=True):
        scores = retrieval_scores(found, labels, ks=(1,))
        ratio = statistics.median(b / a for a, b in zip(seconds[0], taken, strict=True))
        text = (
            f"{kind:<18}{name:<21}{1 / statistics.median(taken):>7.2f} steps/s"
            f"{100 * scores['recall@1']:>8.2f} recall@1{100 * scores['map@r']:>8.2f} mAP@R"
        )
        verdict = f"  ≥ {MUST:g} {'reached' if ratio >= MUST else 'MISSED'}" if name == "theirs" else ""
        print(text + ("" if name == "ours" else f"   ours {ratio:.2f} × as fast{verdict}"), flush=True)
    return vectors[0]


def data(arguments: argparse.Namespace) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Images and labels to train on, and those to search in."""
    clothes = datasets.load("fashion-mnist")
    parts = clothes.train_images[: arguments.images], clothes.test_images[: arguments.test_images]
    images, tested = ((part.float() / 255 - 0.286).unsqueeze(1) / 0.353 for part in parts)
    return (
        images,
        clothes.train_labels[: arguments.images],
        tested,
        clothes.test_labels[: arguments.test_images],
    )


def report_evaluation(vectors: Tensor, labels: Tensor) -> None:
    from pytorch_metric_learning.distances import LpDistance
    from pytorch_metric_learning.utils.accuracy_calculator import AccuracyCalculator
    from pytorch_metric_learning.utils.inference import CustomKNN

    include = ("precision_at_1", "mean_average_precision_at_r")
    calculator = AccuracyCalculator(include, k="max_bin_count", knn_func=CustomKNN(LpDistance()))
    started = time.process_time()
    mine = retrieval_scores(vectors, labels, ks=(1,))
    middle = time.process_time()
    found = calculator.get_accuracy(vectors, labels)
    ended = time.process_time()
    print(
        f"evaluation: ours {middle - started:.1f} s, recall@1 {mine['recall@1']:.6f}, mAP@R {mine['map@r']:.6f}; "
        f"theirs {ended - middle:.1f} s, {found[include[0]]:.6f}, {found[include[1]]:.6f}; "
        f"{(ended - middle) / (middle - started):.1f} ×"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--loss", nargs="*", choices=("triplet", "multi-similarity"), default=["triplet", "multi-similarity"]
    )
    parser.add_argument("--images", type=int, default=20_000, help="training images")
    parser.add_argument("--test-images", type=int, default=10_000)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors; 1 thread each")
    for kind in arguments.loss:
        vectors = compete(kind, arguments)
    report_evaluation(vectors, data(arguments)[3])


if __name__ == "__main__":
    main()
