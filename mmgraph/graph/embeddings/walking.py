"""Embeddings that are learned from random walks: DeepWalk and node2vec."""

from __future__ import annotations

import math
from contextlib import AbstractContextManager
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from mmgraph.devices import pick_device
from mmgraph.errors import InputError
from mmgraph.graph.adjacency import Adjacency
from mmgraph.graph.embeddings.estimator import NodeEmbedding
from mmgraph.graph.embeddings.graph_input import adjacency_of, node_ids_of, united
from mmgraph.graph.embeddings.progress import OnProgress, keeping
from mmgraph.graph.embeddings.recording import Run, audience
from mmgraph.graph.embeddings.skip_gram import vectors
from mmgraph.graph.embeddings.training import Skipgram, train
from mmgraph.graph.walks.sampling import check_walks, checked_threads
from mmgraph.graph.walks.walk_graph import WalkGraph

METHODS = ("auto", "hogwild", "batched")


class WalkEmbedding(NodeEmbedding):
    """Skip-gram over random walks; DeepWalk and Node2Vec say which."""

    def __init__(
        self,
        dimensions: int,
        walks_per_node: int,
        walk_length: int,
        window: int,
        negatives: int,
        learning_rate: float,
        final_learning_rate: float,
        seed: int,
        threads: int | None,
        device: str,
        method: str,
    ) -> None:
        self.dimensions = dimensions
        self.walks_per_node = walks_per_node
        self.walk_length = walk_length
        self.window = window
        self.negatives = negatives
        self.learning_rate = learning_rate
        self.final_learning_rate = final_learning_rate
        self.seed = seed
        self.threads = threads
        self.device = device
        self.method = method

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
        """Embed the nodes of a graph.

        Training that is cancelled or ended by Ctrl-C keeps the vectors as they are then; `finished_` says whether it
        came to its end.

        Args:
            graph: an Adjacency, edge_index, SciPy sparse matrix, networkx graph or torch_geometric Data; weights and
                directions count.
            progress: whether to show a bar.
            run: name of a run to record, or a path, or an open RunWriter: the app shows the vectors while they learn,
                and can stop training.
            on_progress: called about every `every` seconds with the Progress so far: its vectors are the embedding
                as it changes, its `cancel()` ends training.
            every: seconds from one look to the next, by whoever looks.

        Raises:
            InputError: the graph is not valid or has a negative weight, or a parameter is out of range.
            NonFiniteLossError: the learning rate is far too large.
            DeviceError: the device is not there.
            RunError: the run folder cannot be made.
        """
        how = self.settings()
        adjacency = adjacency_of(graph)
        x = self.initial_vectors(adjacency.num_nodes)
        starts, context = np.arange(adjacency.num_nodes), vectors(*x.shape)
        told = audience(self, adjacency, progress=progress, run=run, on_progress=on_progress, every=every)
        self._train(adjacency, starts, x, context, how, told, every)
        return self

    def partial_fit(
        self,
        edges: Any,
        y: object = None,
        *,
        progress: bool = False,
        run: Run | None = None,
        on_progress: OnProgress | None = None,
        every: float = 1.0,
    ) -> Self:
        """Go on learning where edges have arrived: walk the whole graph, but only from the nodes they touch.

        New nodes start at the mean of the nodes they have edges with. Vectors of nodes known before move on from
        where they were.

        Args:
            edges: the edges that are new, in any form `fit` takes; nodes are recognised by their ids.
            progress, run, on_progress, every: as for `fit`.

        Raises:
            InputError: as for `fit`, or the embedding was loaded from a file, which holds no graph.
        """
        if not hasattr(self, "embedding_"):
            return self.fit(edges, progress=progress, run=run, on_progress=on_progress, every=every)
        if not hasattr(self, "graph_"):
            raise InputError(
                "Expected an embedding that was fitted here, but it was loaded: fit it on the graph."
            )
        how = self.settings()
        arriving = adjacency_of(edges)
        whole = united(self.graph_, arriving)
        number = {node: i for i, node in enumerate(node_ids_of(whole))}
        touched = np.zeros(whole.num_nodes, np.bool_)
        ids = node_ids_of(arriving)
        touched[[number[ids[i]] for i in arriving.edge_index.unique().tolist()]] = True
        known = len(self.embedding_)
        touched[known:] = True

        x = self.initial_vectors(whole.num_nodes)
        x[:known] = self.embedding_
        context = vectors(whole.num_nodes, self.dimensions)
        context[:known] = self._context
        source, target = whole.edge_index.numpy()
        for new, old in ((source, target), (target, source)):
            between = (new >= known) & (old < known)
            nodes, place, count = np.unique(new[between], return_inverse=True, return_counts=True)
            mean = np.zeros((len(nodes), self.dimensions), np.float32)
            np.add.at(mean, place, x[old[between]])
            x[nodes] = mean / count[:, None]
        starts = np.flatnonzero(touched)
        told = audience(self, whole, progress=progress, run=run, on_progress=on_progress, every=every)
        self._train(whole, starts, x, context, how, told, every)
        return self

    def _train(
        self,
        graph: Adjacency,
        starts: NDArray[np.int64],
        x: NDArray[np.float32],
        context: NDArray[np.float32],
        how: Skipgram,
        told: AbstractContextManager[OnProgress | None],
        every: float,
    ) -> None:
        """Train vectors in place, and keep them."""
        layout, finished = WalkGraph.of(graph), False

        def keep() -> None:
            self.graph_, self.node_ids_ = graph, node_ids_of(graph)
            self.embedding_, self._context = x, context
            self.finished_ = finished

        with keeping(keep), told as tell:
            finished = train(layout, starts, x, context, how, tell, every)

    def initial_vectors(self, num_nodes: int) -> NDArray[np.float32]:
        """The vectors that training begins with, (num_nodes, dimensions): even between ± 1 / (2 dimensions)."""
        x = vectors(num_nodes, self.dimensions)
        np.random.default_rng(self.seed).random(dtype=np.float32, out=x)
        x -= 0.5
        x /= self.dimensions
        return x

    def settings(self) -> Skipgram:
        """The parameters, checked.

        Raises:
            InputError: one is out of range.
            DeviceError: the device is not there.
        """
        p, q = getattr(self, "p", 1.0), getattr(self, "q", 1.0)
        check_walks(self.walk_length, self.walks_per_node, p, q, self.seed)
        for name in ("dimensions", "window", "negatives"):
            if getattr(self, name) < 1:
                raise InputError(f"Expected {name} ≥ 1, but got {getattr(self, name)}.")
        for name in ("learning_rate", "final_learning_rate"):
            rate = getattr(self, name)
            if not (math.isfinite(rate) and rate >= 0):
                raise InputError(f"Expected a finite {name} ≥ 0, but got {rate}: 0.025 is usual.")
        device = pick_device(self.device)
        if self.method not in METHODS:
            raise InputError(f"Expected a method of {', '.join(METHODS)}, but got '{self.method}'.")
        if self.method == "hogwild" and device.type != "cpu":
            raise InputError(
                f"Hogwild threads train on the CPU, not on {device}: use method='batched', or device='cpu'."
            )
        return Skipgram(
            self.walks_per_node,
            self.walk_length,
            self.window,
            self.negatives,
            self.learning_rate,
            self.final_learning_rate,
            p,
            q,
            self.seed,
            checked_threads(self.threads),
            str(device),
            self.method == "batched" or device.type != "cpu",
        )


class DeepWalk(WalkEmbedding):
    """Vectors that predict which nodes uniform random walks visit near each other.

    Maximises Σ log σ(y_u · x_c) + Σ_k E_n log σ(−y_n · x_c) over nodes u and c at most `window` steps apart in a
    walk, n drawn by (visits)^¾.

    Args:
        dimensions: d of the vectors.
        walks_per_node: how many walks start at each node; each is used once.
        walk_length: in nodes.
        window: the largest distance in a walk that counts, shrunk at random for each node.
        negatives: random nodes that each pair is held against.
        learning_rate, final_learning_rate: of gradient descent, falling linearly.
        seed: of walks, initial vectors and negatives.
        threads: 1 for a result that depends on the seed alone; None for one per processor. Several train the same
            vectors at once (Hogwild), and their result also depends on timing.

    Shapes:
        embedding_ (nodes, dimensions) float32.

    Source: Perozzi, Al-Rfou & Skiena, "DeepWalk: online learning of social representations", KDD 2014.
        Differs: negative sampling instead of hierarchical softmax.
    """

    def __init__(
        self,
        dimensions: int = 128,
        walks_per_node: int = 10,
        walk_length: int = 80,
        window: int = 10,
        negatives: int = 5,
        learning_rate: float = 0.025,
        final_learning_rate: float = 0.0001,
        seed: int = 0,
        threads: int | None = 1,
        device: str = "cpu",
        method: str = "auto",
    ) -> None:
        shape = dimensions, walks_per_node, walk_length, window, negatives
        super().__init__(*shape, learning_rate, final_learning_rate, seed, threads, device, method)


class Node2Vec(WalkEmbedding):
    """DeepWalk over walks that lean towards going back or moving away.

    A walk that came from t to v goes on to x with P(x) ∝ α w_vx, α = 1/p where x = t, 1 where t → x is an edge, and
    1/q elsewhere.

    Args:
        p: return parameter; larger goes back less.
        q: in-out parameter; larger stays closer, smaller moves away.
        dimensions, walks_per_node, walk_length, window, negatives, learning_rate, final_learning_rate, seed, threads,
            device, method: as for DeepWalk.

    Shapes:
        embedding_ (nodes, dimensions) float32.

    Source: Grover & Leskovec, "node2vec: scalable feature learning for networks", KDD 2016.
    """

    def __init__(
        self,
        p: float = 1.0,
        q: float = 1.0,
        dimensions: int = 128,
        walks_per_node: int = 10,
        walk_length: int = 80,
        window: int = 10,
        negatives: int = 5,
        learning_rate: float = 0.025,
        final_learning_rate: float = 0.0001,
        seed: int = 0,
        threads: int | None = 1,
        device: str = "cpu",
        method: str = "auto",
    ) -> None:
        self.p = p
        self.q = q
        shape = dimensions, walks_per_node, walk_length, window, negatives
        super().__init__(*shape, learning_rate, final_learning_rate, seed, threads, device, method)
