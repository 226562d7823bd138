"""Embeddings larger than memory: vectors in partitions on disk, pairs in buckets by partition."""

from __future__ import annotations

import contextlib
import threading
import time
import zlib
from collections.abc import Hashable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any, Self

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from mmgraph.errors import InputError, NonFiniteLossError
from mmgraph.graph.embeddings.bucket_kernels import count_words, train_on_groups, write_words
from mmgraph.graph.embeddings.bucket_storage import BucketStorage
from mmgraph.graph.embeddings.estimator import NodeEmbedding
from mmgraph.graph.embeddings.graph_input import adjacency_of, node_ids_of
from mmgraph.graph.embeddings.progress import OnProgress, Progress, keeping
from mmgraph.graph.embeddings.recording import Run, audience
from mmgraph.graph.embeddings.skip_gram import alias_table, sigmoid_table, vectors
from mmgraph.graph.embeddings.training import FLATTENING, TRAINING_STREAMS, Skipgram, train, visits
from mmgraph.graph.embeddings.vector_files import NamedVectors, write_vectors
from mmgraph.graph.embeddings.walking import WalkEmbedding
from mmgraph.graph.walks.sampling import fill_walks
from mmgraph.graph.walks.walk_graph import WalkGraph

NEGATIVE_STREAMS = 0x2545F4914F6CDD1D
"""Keeps the random numbers of negatives apart from those of walks and windows."""
WALKS_AT_A_TIME = 2048
HARDWARE = ("threads", "device", "batched")
"""Settings with which training may go on that differ from those it began with."""
MOST_PARTITIONS = 32
"""Each round has a file for each two partitions open."""


class PartitionedEmbedding(NodeEmbedding):
    """DeepWalk or Node2Vec with vectors on disk, of which two partitions are in memory at a time.

    Nodes are dealt to P partitions in turn. In each round every node starts one walk, and the pairs (node u, context c)
    of the walks are sorted on disk into P² buckets by the partitions of c and u. Then the buckets are trained one after
    the other, each with the vectors x of one partition and y of another; negatives come from the partition of u.

    Training goes on where it was when the process ended, at the last finished bucket, if `fit` is called with the same
    graph, settings and storage. With one partition, training is that of the estimator itself, in memory.

    Args:
        walks: a DeepWalk or Node2Vec that says what is trained how; it is not fitted.
        partitions: P, from 1 to 32. Memory: the graph, 16 bytes per node, and 8 d N / P bytes of vectors.
        storage: the folder for it all: 12 d N bytes of vectors at the end, and while training goes on about
            4 · walk_length · (window + 2 · min(P, window)) bytes of pairs per node.

    Shapes:
        embedding_ (nodes, dimensions) float32, mapped from `vectors.npy` in the storage.

    Source: Lerer et al., "PyTorch-BigGraph: a large-scale graph embedding system", MLSys 2019.
        Differs: partitions of pairs of walks instead of edges, x and y of a node as two tables, and so one partition of
        each in memory; plain gradient descent as in memory.
    """

    def __init__(self, walks: WalkEmbedding, partitions: int, storage: str | Path) -> None:
        self.walks = walks
        self.partitions = partitions
        self.storage = storage

    def fit(
        self,
        graph: Any,
        y: object = None,
        *,
        progress: bool = False,
        run: Run | None = None,
        on_progress: OnProgress | None = None,
        every: float = 1.0,
    ) -> Self:
        """Embed the nodes of a graph, or go on where an earlier call has ended.

        Training that is cancelled or ended by Ctrl-C keeps the vectors as they are after the last finished bucket.

        Args:
            graph: as for DeepWalk.
            progress, run: as for DeepWalk. Looking at vectors of a partition that has not been trained takes the
                memory of another one.
            on_progress: called with the Progress after each bucket; its steps are buckets, round by round, its
                `tokens` contexts trained on by this call, its `cancel()` ends training.
            every: seconds from one recorded look at the vectors to the next.

        Raises:
            InputError: the graph or a parameter is not valid, or the storage holds another training, is in use, or
                cannot be written.
            NonFiniteLossError: the learning rate is far too large.
            RunError: the run folder cannot be made.
        """
        if not isinstance(self.walks, WalkEmbedding):
            raise InputError(
                f"Expected a DeepWalk or Node2Vec to train, but got {type(self.walks).__name__}."
            )
        if not 1 <= self.partitions <= MOST_PARTITIONS:
            raise InputError(f"Expected from 1 to {MOST_PARTITIONS} partitions, but got {self.partitions}.")
        how = self.walks.settings()
        if how.batched and self.partitions > 1:
            raise InputError(
                "Partitions are trained by compiled threads on the CPU: use device='cpu' and method='auto', or one "
                "partition."
            )
        adjacency = adjacency_of(graph)
        layout = WalkGraph.of(adjacency)
        about = {
            **{name: value for name, value in asdict(how).items() if name not in HARDWARE},
            "dimensions": self.walks.dimensions,
            "partitions": self.partitions,
            "graph": [
                len(layout.col),
                *(zlib.crc32(part.data) for part in (layout.rows, layout.col, layout.aliases)),
            ],
        }
        with _in_use(Path(self.storage)) as folder:
            storage = BucketStorage(
                folder, about, adjacency.num_nodes, self.walks.dimensions, self.partitions
            )
            x = self.walks.initial_vectors(layout.num_nodes) if self.partitions == 1 else None

            def keep() -> None:
                self.finished_ = storage.state.round == how.walks_per_node
                # In memory nothing is stored before the end.
                self.embedding_ = storage.assemble(how.seed) if x is None or self.finished_ else x
                self.node_ids_: list[Hashable] = node_ids_of(adjacency)

            onlookers = audience(
                self, adjacency, progress=progress, run=run, on_progress=on_progress, every=every
            )
            with keeping(keep), onlookers as tell:
                if x is None:
                    _Training(storage, layout, how).run(tell)
                elif storage.state.round < how.walks_per_node:
                    starts = np.arange(layout.num_nodes)
                    if train(layout, starts, x, vectors(*x.shape), how, tell, every):
                        storage.commit({"x.0": x}, how.walks_per_node, 0)
        return self

    def save(self, path: str | Path) -> None:
        """Write vectors, node ids and parameters as `DeepWalk.save` does; DeepWalk or Node2Vec loads them.

        Raises:
            InputError: nothing has been fitted, or ids that the format cannot hold.
        """
        self._check_fitted()
        about = {"kind": type(self.walks).__name__, "parameters": self.walks.get_params()}
        write_vectors(path, NamedVectors(self.node_ids_, self.embedding_, about))


class _Training:
    """Rounds of walks and buckets."""

    def __init__(self, storage: BucketStorage, graph: WalkGraph, how: Skipgram) -> None:
        self.storage = storage
        self.graph = graph
        self.how = how
        self.parts = storage.partitions
        self._sigmoid = sigmoid_table()
        # Walks of a round start at every node once; the alias tables need how often they come by.
        self._frequency = visits(graph, np.arange(graph.num_nodes), how) ** FLATTENING
        self._window_seed = np.uint64((how.seed + TRAINING_STREAMS) % 2**64)
        self._negative_seed = np.uint64((how.seed + NEGATIVE_STREAMS) % 2**64)

    def run(self, tell: OnProgress | None) -> None:
        state, buckets = self.storage.state, self.parts**2
        began, cancelled, contexts = time.perf_counter(), threading.Event(), 0

        def read(nodes: NDArray[np.int64] | slice) -> NDArray[np.float32]:
            return self.storage.rows(nodes, self.how.seed)

        while state.round < self.how.walks_per_node:
            if not self.storage.has_round(state.round):
                self._write_round(state.round)
            round = state.round
            held: dict[str, NDArray[np.float32]] = {}
            while state.round == round and not cancelled.is_set():
                first, second = self.pair(state.bucket)
                x, y = held.get(f"x.{first}"), held.get(f"y.{second}")
                held = {}  # before the next partition is loaded
                x = self.storage.load("x", first, self.how.seed) if x is None else x
                y = self.storage.load("y", second, self.how.seed) if y is None else y
                contexts += self._train(round, state.bucket, first, second, x, y)
                held = {f"x.{first}": x, f"y.{second}": y}
                turn, bucket = divmod(state.bucket + 1, buckets)
                self.storage.commit(held, round + turn, bucket)
                del x, y
                if tell is not None:
                    done, total = state.round * buckets + state.bucket, self.how.walks_per_node * buckets
                    tell(Progress(done, total, contexts, time.perf_counter() - began, read, cancelled))
            if cancelled.is_set():
                return
            self.storage.drop_round(round)

    def pair(self, bucket: int) -> tuple[int, int]:
        """The partitions of x and of y; from one bucket to the next only one of them changes."""
        first, step = divmod(bucket, self.parts)
        return first, step if first % 2 == 0 else self.parts - 1 - step

    def _write_round(self, round: int) -> None:
        how, num_nodes = self.how, self.graph.num_nodes
        order = np.random.default_rng([how.seed, round]).permutation(num_nodes)
        folder = self.storage.new_round()
        with contextlib.ExitStack() as opened:
            files: dict[tuple[int, int], IO[bytes]] = {}
            for low in range(0, num_nodes, WALKS_AT_A_TIME):
                start = order[low : low + WALKS_AT_A_TIME]
                numbers = start + round * num_nodes
                walks = np.empty((len(start), how.walk_length), np.int32)
                fill_walks(self.graph, start, numbers, how.p, how.q, how.seed, walks)
                sizes = np.zeros((self.parts, self.parts), np.int64)
                count_words(walks, numbers, self._window_seed, how.window, self.parts, sizes)
                ends = np.cumsum(sizes).reshape(sizes.shape)
                words = np.empty(int(sizes.sum()), np.int32)
                at = ends - sizes
                write_words(walks, numbers, self._window_seed, how.window, self.parts, at, words)
                for first, second in np.argwhere(sizes).tolist():
                    if (first, second) not in files:
                        files[first, second] = opened.enter_context((folder / f"{first}.{second}").open("wb"))
                    sizes[first, second].tofile(files[first, second])
                    words[ends[first, second] - sizes[first, second] : ends[first, second]].tofile(
                        files[first, second]
                    )
        self.storage.finish_round(round)

    def _train(
        self, round: int, bucket: int, first: int, second: int, x: NDArray[np.float32], y: NDArray[np.float32]
    ) -> int:
        """Train on a bucket, in place, with several threads without locks (Hogwild); returns how many contexts."""
        how, total = self.how, self.how.walks_per_node * self.parts**2
        if not len(y):
            return 0
        threshold, alias = alias_table(self._frequency[second :: self.parts])
        done = (round * self.parts**2 + bucket) / total
        rate = np.float32(how.learning_rate + (how.final_learning_rate - how.learning_rate) * done)
        segments = enumerate(self.storage.segments(round, first, second))
        taking, interrupted = threading.Lock(), threading.Event()

        def work() -> int:
            contexts = 0
            while True:
                with taking:
                    number, words = next(segments, (-1, None))
                if words is None or interrupted.is_set():
                    return contexts
                stream = (round * self.parts**2 + bucket) * 2**32 + number
                contexts += train_on_groups(
                    words,
                    stream,
                    self._negative_seed,
                    how.negatives,
                    threshold,
                    alias,
                    self._sigmoid,
                    rate,
                    x,
                    y,
                )

        with ThreadPoolExecutor(how.threads, thread_name_prefix="bucket") as pool:
            try:
                contexts = sum(future.result() for future in [pool.submit(work) for _ in range(how.threads)])
            except BaseException:
                interrupted.set()
                raise
        if not (np.isfinite(x.sum()) and np.isfinite(y.sum())):
            raise NonFiniteLossError(
                f"The embedding became infinite or NaN at a learning rate of {how.learning_rate}: use a smaller one, "
                f"0.025 is usual."
            )
        return contexts


@contextlib.contextmanager
def _in_use(folder: Path) -> Iterator[Path]:
    """The folder, for this process alone.

    Raises:
        InputError: another process trains in it, or it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / ".lock").acquire(timeout=0):
            yield folder
    except Timeout as error:
        raise InputError(
            f"Another process is training in {folder}: wait for it, or choose another folder."
        ) from error
    except OSError as error:
        raise InputError(f"{folder} cannot be written: {error.strerror or error}.") from error
