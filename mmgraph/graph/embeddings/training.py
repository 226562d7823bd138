"""Walk and train on the walks at once: no corpus is ever written down.

Threads take blocks of walks, walk them into a buffer of their own and train on it, all on the same vectors; in batches
one after the other.
"""

from __future__ import annotations

import functools
import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mmgraph.errors import InputError, NonFiniteLossError
from mmgraph.graph.embeddings.batched_skip_gram import drawn, tokens_per_batch, train_on_batch
from mmgraph.graph.embeddings.progress import OnProgress, Progress
from mmgraph.graph.embeddings.skip_gram import MAX_DIMENSIONS, alias_table, sigmoid_table, train_on_walks
from mmgraph.graph.embeddings.walk_loss import Table, neighbour_loss, rows_of
from mmgraph.graph.walks.sampling import fill_walks
from mmgraph.graph.walks.walk_graph import WalkGraph

WALKS_PER_BLOCK = 128
FLATTENING = 0.75
"""Negatives are drawn in proportion to this power of how often walks visit a node."""
TRAINING_STREAMS = 0x5851F42D4C957F2D
"""Keeps the random numbers of training apart from those of the walks."""
PROBE_WALKS = 64
"""Walks that are not trained on; the loss that progress tells is that of neighbours in them."""


@dataclass(frozen=True)
class Skipgram:
    """What is trained how; see DeepWalk for the meaning."""

    walks_per_node: int
    walk_length: int
    window: int
    negatives: int
    learning_rate: float
    final_learning_rate: float
    p: float
    q: float
    seed: int
    threads: int
    device: str = "cpu"
    batched: bool = False


class WalkTraining:
    """Walks from each start in blocks, and training on one block.

    Blocks are a pure function of (pass, position): any of them can be trained on alone, in any order.

    Args:
        graph: what to walk on.
        starts: where walks start, once in each pass.
        how: of walks and training.

    Shapes:
        starts (S,).
    """

    def __init__(self, graph: WalkGraph, starts: NDArray[np.int64], how: Skipgram) -> None:
        self.graph, self.starts, self.how = graph, starts, how
        self.blocks_per_pass = -(-len(starts) // WALKS_PER_BLOCK)
        visited = visits(graph, starts, how)
        flattened = visited**FLATTENING
        self._tokens_per_batch = tokens_per_batch(
            visited,
            flattened,
            length=how.walk_length,
            window=how.window,
            negatives=how.negatives,
            learning_rate=max(how.learning_rate, how.final_learning_rate),
        )
        self._threshold, self._alias = alias_table(flattened)
        self._turn = threading.Lock()
        self._sigmoid = sigmoid_table()
        self._training_seed = np.uint64((how.seed + TRAINING_STREAMS) % 2**64)

    def order(self, turn: int) -> NDArray[np.int64]:
        """The starts as they come in one pass, (S,)."""
        return np.random.default_rng([self.how.seed, turn]).permutation(self.starts)

    def block(self, order: NDArray[np.int64], turn: int, position: int) -> NDArray[np.int64]:
        """The numbers of the walks of a block, (≤ WALKS_PER_BLOCK,), given `order(turn)`."""
        nodes = order[position * WALKS_PER_BLOCK : (position + 1) * WALKS_PER_BLOCK]
        return nodes + turn * self.graph.num_nodes

    def walk(self, numbers: NDArray[np.int64], walks: NDArray[np.int32]) -> None:
        """Fill `walks` (walks, walk_length) with the walks of these numbers."""
        how, start = self.how, numbers % self.graph.num_nodes
        fill_walks(self.graph, start, numbers, how.p, how.q, how.seed, walks)

    def train(
        self,
        walks: NDArray[np.int32],
        numbers: NDArray[np.int64],
        learning_rate: float,
        x: Table,
        y: Table,
    ) -> int:
        """Train x and y (N, d) on walks, in place; returns how many nodes they visited.

        Arrays are trained by compiled code, tensors in batches.

        Raises:
            InputError: d is larger than the kernel has room for.
        """
        if isinstance(x, Tensor) or isinstance(y, Tensor):
            return self._train_batched(walks, numbers, learning_rate, torch.as_tensor(x), torch.as_tensor(y))
        if x.shape[1] > MAX_DIMENSIONS:
            raise InputError(f"Expected at most {MAX_DIMENSIONS} dimensions, but got {x.shape[1]}.")
        return train_on_walks(
            walks,
            numbers,
            self._training_seed,
            self.how.window,
            self.how.negatives,
            self._threshold,
            self._alias,
            self._sigmoid,
            np.float32(learning_rate),
            x,
            y,
        )

    def _train_batched(
        self,
        walks: NDArray[np.int32],
        numbers: NDArray[np.int64],
        learning_rate: float,
        x: Tensor,
        y: Tensor,
    ) -> int:
        how, tokens = self.how, int(np.count_nonzero(walks >= 0))
        # The buffer of the walks is filled again while a GPU may still wait to read it.
        batch = drawn(
            walks.copy(),
            numbers,
            self._training_seed,
            how.window,
            how.negatives,
            self._threshold,
            self._alias,
        )
        batch = batch.to(x.device)
        with self._turn:
            for part, places in batch.parts(self._tokens_per_batch):
                train_on_batch(part, places, how.window, learning_rate, x, y)
        return tokens


def visits(graph: WalkGraph, starts: NDArray[np.int64], how: Skipgram) -> NDArray[np.float64]:
    """How often one walk from each start visits each node; never 0 for a start."""
    count = np.zeros(graph.num_nodes)
    for first in range(0, len(starts), 8 * WALKS_PER_BLOCK):
        some = starts[first : first + 8 * WALKS_PER_BLOCK]
        walks = np.empty((len(some), how.walk_length), np.int32)
        fill_walks(graph, some, some, how.p, how.q, how.seed, walks)
        count += np.bincount(walks[walks >= 0], minlength=graph.num_nodes)
    return count


def train(
    graph: WalkGraph,
    starts: NDArray[np.int64],
    x: NDArray[np.float32],
    y: NDArray[np.float32],
    how: Skipgram,
    on_progress: OnProgress | None = None,
    every: float = 1.0,
) -> bool:
    """Train x and y in place on walks from each start; false if it was cancelled.

    With one thread on a CPU the result depends on the seed alone. With more it also depends on their timing.

    Args:
        on_progress: called in this thread at once, about every `every` seconds, and at the end.

    Shapes:
        starts (S,), x (N, d), y (N, d).

    Raises:
        NonFiniteLossError: vectors have become infinite or NaN.
    """
    blocks_per_pass = -(-len(starts) // WALKS_PER_BLOCK)
    total = blocks_per_pass * how.walks_per_node
    taking, cancelled, began = threading.Lock(), threading.Event(), time.perf_counter()
    taken = tokens = 0
    order = starts
    trained_x: Table = torch.from_numpy(x).to(how.device) if how.batched else x
    trained_y: Table = torch.from_numpy(y).to(how.device) if how.batched else y

    def take(training: WalkTraining) -> tuple[int, NDArray[np.int64]] | None:
        nonlocal taken, order
        with taking:
            if taken == total or cancelled.is_set():
                return None
            turn, block = divmod(taken, blocks_per_pass)
            if block == 0:
                order = training.order(turn)
            taken += 1
            return taken - 1, training.block(order, turn, block)

    def work() -> None:
        nonlocal tokens
        training = prepared.result()
        buffer = np.empty((WALKS_PER_BLOCK, how.walk_length), np.int32)
        while (block := take(training)) is not None:
            done, numbers = block
            walks = buffer[: len(numbers)]
            training.walk(numbers, walks)
            rate = how.learning_rate + (how.final_learning_rate - how.learning_rate) * done / total
            visited = training.train(walks, numbers, rate, trained_x, trained_y)
            with taking:
                tokens += visited

    def report() -> None:
        if on_progress is not None:
            seconds = time.perf_counter() - began
            read = functools.partial(rows_of, trained_x)
            on_progress(Progress(taken, total, tokens, seconds, read, cancelled, metrics()))

    def metrics() -> dict[str, float]:
        if not prepared.done() or prepared.exception() is not None:
            return {}
        some = starts[:: -(-len(starts) // PROBE_WALKS)] + how.walks_per_node * graph.num_nodes
        walks = np.empty((len(some), how.walk_length), np.int32)
        prepared.result().walk(some, walks)
        return {"train/loss": neighbour_loss(trained_x, trained_y, walks, how.negatives, how.seed)}

    with ThreadPoolExecutor(how.threads, thread_name_prefix="skip-gram") as pool:
        try:
            # What compiles and counts visits is a job like others, so that progress is seen meanwhile.
            prepared = pool.submit(WalkTraining, graph, starts, how)
            report()
            futures = [pool.submit(work) for _ in range(how.threads)]
            while wait(futures, timeout=every).not_done:
                report()
            for future in futures:
                future.result()
        except BaseException:
            cancelled.set()
            raise
        finally:
            # Not before the others have ended.
            pool.shutdown()
            if how.device != "cpu":
                x[:], y[:] = rows_of(trained_x), rows_of(trained_y)
    report()
    if x.size and not (np.isfinite(x.min()) and np.isfinite(x.max())):
        raise NonFiniteLossError(
            f"The embedding became infinite or NaN at a learning rate of {how.learning_rate}: use a smaller one, "
            f"0.025 is usual."
        )
    return taken == total
