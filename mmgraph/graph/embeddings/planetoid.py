"""Vectors that predict a node's context in the graph and, with its features, its class."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray

from mmgraph.errors import InputError
from mmgraph.graph.adjacency import Adjacency
from mmgraph.graph.embeddings.context_pairs import ContextSampler
from mmgraph.graph.embeddings.estimator import NodeEmbedding
from mmgraph.graph.embeddings.graph_input import adjacency_of, node_ids_of
from mmgraph.graph.embeddings.planetoid_input import Labelled, scaled_features
from mmgraph.graph.embeddings.planetoid_network import PlanetoidNetwork
from mmgraph.graph.embeddings.planetoid_training import PlanetoidTraining, train_rounds
from mmgraph.graph.embeddings.progress import OnProgress, keeping
from mmgraph.graph.embeddings.recording import Run, audience
from mmgraph.graph.sparse_features import SparseFeatures
from mmgraph.graph.walks.walk_graph import WalkGraph


class Planetoid(NodeEmbedding):
    """Classes of nodes from few labels: one vector per node predicts both its context in the graph and its class.

        L = −mean over labelled i of log softmax(f(x_i, e_i))[y_i]
            − E_(i,c) [log σ(w_c · e_i) + Σ_k log σ(−w_{n_k} · e_i)]
        f(x, e) = [ReLU(x Wₓ + bₓ), ReLU(e W_e + b_e)] W_y + b_y

    e_i is a free vector (transductive) or ReLU(x_i W + b), which also gives unseen nodes vectors and classes
    (inductive). Vectors are trained on graph contexts first; then, in each round, on `pairs_per_round` contexts and
    with one step on all labelled nodes. Contexts come from short random walks, and a share of them from nodes with
    the same label.

    Args:
        inductive: whether vectors are a function of the features.
        dimensions: d of the vectors.
        hidden: units of each hidden layer.
        feature_length: Euclidean length that rows of x are scaled to; None for 2, 1 if inductive.
        walk_length: nodes in a walk that contexts are taken from.
        window: the largest distance in a walk.
        negatives: random nodes that each pair is held against.
        pretraining_pairs: contexts per node before the first label is looked at; None for 1000, 200 if inductive.
        rounds: of both objectives.
        pairs_per_round: contexts in each round.
        label_share: of contexts that are nodes with the same label, in the rounds.
        learning_rate: of the steps on labels (Adam).
        context_learning_rate: of the steps on contexts before the rounds.
        round_learning_rate: of the steps on contexts in the rounds.
        weight_decay: L2 penalty on the layers, not on the vectors; None for 0.005, 0.02 if inductive.
        dropout: share of features and hidden units dropped in steps on labels.
        seed: of all random numbers.

    Shapes:
        embedding_ (nodes, dimensions) float32, probabilities_ (nodes, classes) float32, classes_ (classes,).

    Source: Yang, Cohen & Salakhutdinov, "Revisiting semi-supervised learning with graph embeddings", ICML 2016.
        Differs: dropout and Adam with weight decay in place of plain gradient descent on labels, and another ratio of
        positive to negative pairs; both chosen on validation nodes.
    """

    probabilities_: NDArray[np.float32]
    classes_: NDArray[Any]

    def __init__(
        self,
        inductive: bool = False,
        dimensions: int = 50,
        hidden: int = 50,
        feature_length: float | None = None,
        walk_length: int = 20,
        window: int = 5,
        negatives: int = 1,
        pretraining_pairs: int | None = None,
        rounds: int = 200,
        pairs_per_round: int = 200,
        label_share: float = 0.05,
        learning_rate: float = 0.01,
        context_learning_rate: float = 0.05,
        round_learning_rate: float = 0.02,
        weight_decay: float | None = None,
        dropout: float = 0.5,
        seed: int = 0,
    ) -> None:
        self.inductive = inductive
        self.dimensions = dimensions
        self.hidden = hidden
        self.feature_length = feature_length
        self.walk_length = walk_length
        self.window = window
        self.negatives = negatives
        self.pretraining_pairs = pretraining_pairs
        self.rounds = rounds
        self.pairs_per_round = pairs_per_round
        self.label_share = label_share
        self.learning_rate = learning_rate
        self.context_learning_rate = context_learning_rate
        self.round_learning_rate = round_learning_rate
        self.weight_decay = weight_decay
        self.dropout = dropout
        self.seed = seed

    def fit(
        self,
        graph: Any,
        y: Any = None,
        *,
        x: Any = None,
        train: Any = None,
        validation: Any = None,
        progress: bool = False,
        run: Run | None = None,
        on_progress: OnProgress | None = None,
        every: float = 1.0,
    ) -> Self:
        """Embed the nodes of a graph and learn the classes of some of them.

        What is not given is taken from a torch_geometric Data: y, x, train_mask, val_mask.

        Args:
            graph: in any form that DeepWalk takes. If inductive, leave out the nodes that are to be unseen.
            y: the class of every node; only those of training and validation nodes are looked at.
            x: features of every node, as an array, tensor, SciPy sparse matrix or SparseFeatures.
            train: which nodes are learned from, as a mask or node numbers.
            validation: nodes that choose the best round; without them the last round counts.
            progress, run, on_progress, every: as for DeepWalk; `tokens` are contexts.

        Shapes:
            y (N,), x (N, F), train and validation (N,) bool or node numbers.

        Raises:
            InputError: something is missing, does not fit, or is out of range; no edge; fewer than two classes.
            NonFiniteLossError: a learning rate is far too large.
            RunError: the run folder cannot be made.
        """
        adjacency = adjacency_of(graph)
        told = Labelled.of(graph, adjacency.num_nodes, self.length, y, x, train, validation)
        # What the network draws comes from torch's own stream; the caller's goes on as if nothing had happened.
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            training = self.training(adjacency, told)
            finished = False

            def keep() -> None:
                self._keep(training.network, told.classes)
                self.node_ids_, self.finished_ = node_ids_of(adjacency), finished

            onlookers = audience(
                self,
                adjacency,
                progress=progress,
                run=run,
                on_progress=on_progress,
                every=every,
                labels=told.label,
                class_names=tuple(map(str, told.classes)),
                splits=told.splits(),
                split_names=("train", "validation"),
            )
            with keeping(keep), onlookers as tell:
                finished = train_rounds(training, self.rounds, self.learning_rate, self.decay, tell, every)
        return self

    def predict(self, nodes: Iterable[Hashable] | None = None, *, x: Any = None) -> NDArray[Any]:
        """The likeliest class of nodes by their ids, of all fitted nodes, or, if inductive, of nodes with features x.

        Raises:
            InputError: as for `predict_proba`.
        """
        likeliest = self.predict_proba(nodes, x=x).argmax(1)
        return np.asarray(self.classes_[likeliest])

    def predict_proba(self, nodes: Iterable[Hashable] | None = None, *, x: Any = None) -> NDArray[np.float32]:
        """Probability of each class, (nodes, classes), in the order of `classes_`.

        Raises:
            InputError: nothing has been fitted, there is no such node, or x does not fit or is given to what is not
                inductive.
        """
        self._check_fitted()
        if not hasattr(self, "probabilities_"):
            raise InputError(
                "Expected a Planetoid from an npz file: text holds vectors alone, and no classes."
            )
        if x is None:
            return self.probabilities_[self._rows(nodes)]
        network, features = self._for_unseen(x)
        with torch.no_grad():
            return np.asarray(network(features).softmax(1).numpy())

    def embed(self, x: Any) -> NDArray[np.float32]:
        """Vectors (n, d) of nodes that were not there, from their features (n, F); if inductive.

        Raises:
            InputError: as for `predict_proba`.
        """
        network, features = self._for_unseen(x)
        with torch.no_grad():
            return np.asarray(network.embed(features).numpy())

    def training(self, graph: Adjacency, told: Labelled) -> PlanetoidTraining:
        """The untrained network with these parameters, and its steps on a graph.

        Raises:
            InputError: a parameter is out of range, or the graph has no edge.
        """
        self._check_parameters()
        starts = np.flatnonzero(np.diff(graph.transpose().rowptr.numpy()))
        if len(starts) == 0:
            raise InputError("Expected a graph with edges to take contexts from, but it has none.")
        sampler = ContextSampler(
            WalkGraph.of(graph),
            starts,
            told.train,
            told.label[told.train],
            walk_length=self.walk_length,
            window=self.window,
            negatives=self.negatives,
            seed=self.seed,
        )
        return PlanetoidTraining(
            self._network_for(told.features, len(told.classes)),
            sampler,
            told,
            pairs_before=self.pairs_per_node * len(starts),
            pairs_per_round=self.pairs_per_round,
            label_share=self.label_share,
            context_learning_rate=self.context_learning_rate,
            round_learning_rate=self.round_learning_rate,
        )

    def _network_for(self, features: SparseFeatures, classes: int) -> PlanetoidNetwork:
        return PlanetoidNetwork(
            features,
            classes,
            dimensions=self.dimensions,
            hidden=self.hidden,
            inductive=self.inductive,
            dropped=self.dropout,
        )

    @property
    def decay(self) -> float:
        """The weight decay, with its default."""
        if self.weight_decay is None:
            return 0.02 if self.inductive else 0.005
        return self.weight_decay

    @property
    def length(self) -> float:
        """The length of rows of features, with its default."""
        if self.feature_length is None:
            return 1.0 if self.inductive else 2.0
        return self.feature_length

    @property
    def pairs_per_node(self) -> int:
        """Contexts of the pre-training, with their default."""
        if self.pretraining_pairs is None:
            return 200 if self.inductive else 1000
        return self.pretraining_pairs

    def _keep(self, network: PlanetoidNetwork, classes: NDArray[Any]) -> None:
        network.eval()
        self.classes_ = classes
        self.embedding_ = network.vectors()
        with torch.no_grad():
            self.probabilities_ = network(network.features).softmax(1).numpy()
        self._network = network

    def _arrays(self) -> dict[str, NDArray[Any]]:
        """Classes and probabilities, and the network where it serves unseen nodes."""
        arrays = {"classes": self.classes_, "probabilities": self.probabilities_}
        if self.inductive:
            arrays |= {
                f"network.{name}": value.numpy()
                for name, value in self._network.state_dict().items()
                if name != "context"
            }
        return arrays

    def _take(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        if not arrays:
            return
        self.classes_, self.probabilities_ = arrays["classes"], arrays["probabilities"]
        if self.inductive:
            weights = {
                name.removeprefix("network."): torch.from_numpy(value)
                for name, value in arrays.items()
                if name.startswith("network.")
            }
            nothing = SparseFeatures.from_dense(torch.zeros(0, len(weights["table"])))
            with torch.random.fork_rng(devices=[]):
                self._network = self._network_for(nothing, len(self.classes_))
            self._network.load_state_dict(weights, strict=False)
            self._network.eval()

    def _for_unseen(self, x: Any) -> tuple[PlanetoidNetwork, SparseFeatures]:
        self._check_fitted()
        if not self.inductive:
            raise InputError(
                "Expected Planetoid(inductive=True) for nodes that were not there: free vectors belong to nodes of the "
                "graph."
            )
        features = scaled_features(x, self.length)
        channels = self._network.features.shape[1]
        if features.shape[1] != channels:
            raise InputError(f"Expected features (n, {channels}), but got {tuple(features.shape)}.")
        return self._network, features

    def _check_parameters(self) -> None:
        for name in ("dimensions", "hidden", "window", "negatives", "rounds"):
            if getattr(self, name) < 1:
                raise InputError(f"Expected {name} ≥ 1, but got {getattr(self, name)}.")
        if self.walk_length < 2:
            raise InputError(f"Expected walk_length ≥ 2, but got {self.walk_length}.")
        for name in ("pretraining_pairs", "pairs_per_round"):
            if (getattr(self, name) or 0) < 0:
                raise InputError(f"Expected {name} ≥ 0, but got {getattr(self, name)}.")
        for name in ("learning_rate", "context_learning_rate", "round_learning_rate", "decay"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise InputError(f"Expected a finite {name} ≥ 0, but got {value}.")
        if not (math.isfinite(self.length) and self.length > 0):
            raise InputError(f"Expected a finite feature_length > 0, but got {self.length}.")
        for name, most in (("label_share", 1.0), ("dropout", 0.99)):
            if not 0 <= getattr(self, name) <= most:
                raise InputError(f"Expected {name} from 0 to {most}, but got {getattr(self, name)}.")
        if not 0 <= self.seed < 2**63:
            raise InputError(f"Expected a seed ≥ 0 and < 2⁶³, but got {self.seed}.")
