"""The task of the recipe `node-embedding`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from mmgraph import datasets
from mmgraph.datasets import catalogue
from mmgraph.errors import ConfigError
from mmgraph.graph import Adjacency
from mmgraph.graph.embeddings import DeepWalk, NetMF, Node2Vec, Planetoid, SpectralEmbedding
from mmgraph.graph.embeddings.evaluation import FRACTIONS
from mmgraph.graph.embeddings.planetoid_input import Labelled
from mmgraph.graph.embeddings.training import WalkTraining
from mmgraph.graph.walks.sampling import checked_threads
from mmgraph.graph.walks.walk_graph import WalkGraph
from mmgraph.recipes.citation import CitationNetwork, graph_snapshot
from mmgraph.recipes.node_embedding import NodeEmbeddingConfig
from mmgraph.recipes.splits import split_codes
from mmgraph.runs import ItemSet
from mmgraph.training.node_embedding import (
    FractionJudge,
    Judge,
    NodeEmbedding,
    SolvedEmbedding,
    SplitJudge,
    WalkEmbedding,
)
from mmgraph.training.planetoid import PlanetoidEmbedding

if TYPE_CHECKING:
    from torch_geometric.data import Data


def build(config: NodeEmbeddingConfig) -> NodeEmbedding:
    """A labelled graph and what embeds it."""
    if config.device != "cpu" and config.method not in ("deepwalk", "node2vec"):
        raise ConfigError(
            f"Only deepwalk and node2vec train on {config.device}, not {config.method}: use --device cpu."
        )
    if config.method.startswith("planetoid"):
        return _planetoid(config)
    data = _load(config.dataset)
    graph = Adjacency.from_edge_index(data.edge_index, data.num_nodes)
    judge, items = _judge(data, config), _items(data, config.dataset)
    constants = [graph_snapshot(data.edge_index)]
    if config.method in ("spectral", "netmf"):
        solver: SpectralEmbedding | NetMF = SpectralEmbedding(config.dimensions, config.seed)
        if config.method == "netmf":
            solver = NetMF(config.dimensions, config.window, config.negatives, config.rank, config.seed)
        shape = (data.num_nodes, config.dimensions)
        return SolvedEmbedding(lambda: solver.fit_transform(graph), shape, judge, items, constants)
    walks: dict[str, Any] = {
        "dimensions": config.dimensions,
        "walks_per_node": config.epochs,
        "walk_length": config.walk_length,
        "window": config.window,
        "negatives": config.negatives,
        "learning_rate": config.learning_rate,
        "seed": config.seed,
        "threads": checked_threads(config.threads),
        "device": config.device,
    }
    walker = DeepWalk(**walks) if config.method == "deepwalk" else Node2Vec(config.p, config.q, **walks)
    training = WalkTraining(WalkGraph.of(graph), np.arange(data.num_nodes), walker.settings())
    return WalkEmbedding(training, walker.initial_vectors(data.num_nodes), judge, items, constants)


def _planetoid(config: NodeEmbeddingConfig) -> PlanetoidEmbedding:
    """Planetoid on a citation network; if inductive, test papers are not in the graph."""
    if catalogue.manifest(config.dataset).format != "planetoid":
        raise ConfigError(
            f"Planetoid needs features and one label per node, which {config.dataset} has not: use cora, citeseer or "
            f"pubmed, or another method."
        )
    network = CitationNetwork.load(config.dataset)
    data, splits = network.data, network.splits
    inductive = config.method == "planetoid-i"
    model = Planetoid(
        inductive,
        dimensions=config.dimensions,
        walk_length=config.walk_length,
        window=config.window,
        negatives=config.negatives,
        seed=config.seed,
    )
    told = Labelled.of(data, data.num_nodes, model.length, None, None, None, None)
    edges = data.edge_index[:, ~splits["test"][data.edge_index].any(0)] if inductive else data.edge_index
    training = model.training(Adjacency.from_edge_index(edges, data.num_nodes), told)
    return PlanetoidEmbedding(
        training,
        data.y.numpy(),
        {name: mask.numpy() for name, mask in splits.items()},
        network.items(splits),
        [graph_snapshot(data.edge_index)],
    )


def _load(name: str) -> Data:
    """The graph and its labels: walks look at no features."""
    if catalogue.manifest(name).format == "planetoid":
        return cast("Data", datasets.load(name, features=False))
    return cast("Data", datasets.load(name))


def _judge(data: Data, config: NodeEmbeddingConfig) -> Judge:
    labels = data.y.numpy()
    if labels.ndim == 2:
        return FractionJudge(labels, [config.fraction] if config.fraction else FRACTIONS, config.repeats)
    return SplitJudge(
        labels,
        {
            "train": data.train_mask.numpy(),
            "validation": data.val_mask.numpy(),
            "test": data.test_mask.numpy(),
        },
    )


def _items(data: Data, name: str) -> ItemSet:
    """The nodes; of those with several labels the class is not known."""
    labels = data.y.numpy()
    columns = {"degree": np.bincount(data.edge_index[1].numpy(), minlength=data.num_nodes)}
    classes = catalogue.manifest(name).classes
    if labels.ndim == 2:
        columns["labels"] = labels.sum(1)
        only = np.where(columns["labels"] == 1, labels.argmax(1), -1)
        names = classes or tuple(str(label) for label in range(labels.shape[1]))
        return ItemSet(labels=only, class_names=names, columns=columns, noun="node")
    splits = {"train": data.train_mask, "validation": data.val_mask, "test": data.test_mask}
    return ItemSet(
        labels=labels,
        class_names=classes or tuple(str(label) for label in range(labels.max() + 1)),
        splits=split_codes(splits),
        split_names=tuple(splits),
        columns=columns,
        noun="paper",
    )
