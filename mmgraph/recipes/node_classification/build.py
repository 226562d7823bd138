"""The task of the recipe `node-classification`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from torch import Tensor

from mmgraph.errors import ConfigError
from mmgraph.graph import GNN, Adjacency, ClusterBatches, NeighborLoader, SparseFeatures, partition_graph
from mmgraph.graph.convolutions.reach import reach
from mmgraph.graph.partitioning.shard import GraphShard
from mmgraph.graph.sampling.inference import hops_of
from mmgraph.inspection import Capture
from mmgraph.recipes.citation import CitationNetwork, graph_snapshot
from mmgraph.recipes.node_classification import NodeClassificationConfig
from mmgraph.training.classification import NodeClassification
from mmgraph.training.distribution import World, current_world
from mmgraph.training.node_batches import BatchedNodeClassification
from mmgraph.training.partitioned import PartitionedNodeClassification
from mmgraph.training.task import Task

if TYPE_CHECKING:
    from mmgraph.graph.networks.gnn import Convolution, FeatureNormalization
    from mmgraph.graph.networks.jumping_knowledge import Joining

CLUSTERS_PER_BATCH = 10
"""Fewer make batches that are alike in every epoch, more cut the graph into small pieces."""


def build(config: NodeClassificationConfig, kind: type[NodeClassification] = NodeClassification) -> Task:
    """A citation network and the graph network that reads it; `kind` says what of it the network sees."""
    network = CitationNetwork.load(config.dataset, seed=config.seed)
    data, splits = network.data, network.splits
    model = GNN(
        data.num_features,
        config.hidden,
        len(network.class_names),
        num_layers=config.layers,
        conv=cast("Convolution", config.conv),
        heads=config.heads,
        dropout=config.dropout,
        attention_dropout=config.attention_dropout,
        activation="elu" if config.conv in ("gat", "gatv2") else "relu",
        residual=config.residual,
        norm=cast("FeatureNormalization | None", config.norm),
        jumping_knowledge=cast("Joining | None", config.jumping_knowledge),
        **_options(config),
    )
    world = current_world()
    if world is not None:
        return _partitioned(config, kind, model, network, world)
    features = network.features(dense=_needs_dense(config))
    graph = Adjacency.from_edge_index(data.edge_index, data.num_nodes)
    task = _kind(config, kind, model, features, graph, splits["train"])(
        model,
        features,
        graph,
        data.y,
        splits,
        class_names=network.class_names,
        items=network.items(splits),
        capture=Capture(model),
        undecayed=partial(_is_undecayed, config.conv),
        constants=[graph_snapshot(data.edge_index)],
    )
    task.monitor = _monitor(config)
    return task


def _monitor(config: NodeClassificationConfig) -> str | tuple[str, ...]:
    """The numbers that choose the best weights."""
    return ("validation/accuracy", "validation/loss") if config.monitor == "both" else config.monitor


def _is_undecayed(conv: str, name: str) -> bool:
    """GCN, ChebNet and APPNP decay the first layer alone (Kipf and Welling; Klicpera et al.), the others all."""
    return conv in ("gcn", "cheb", "appnp") and not name.startswith("convs.0")


def _partitioned(
    config: NodeClassificationConfig,
    kind: type[NodeClassification],
    model: GNN,
    network: CitationNetwork,
    world: World,
) -> PartitionedNodeClassification:
    """This process's part of the graph and of the data."""
    if config.batching != "full" or kind is not NodeClassification:
        raise ConfigError(
            "Several processes train node-classification with batching full, each on its part of the graph."
        )
    if (
        hops_of(model) is None
        or any(reach(conv) not in (0, 1) for conv in model.convs)
        or config.conv == "appnp"
    ):
        raise ConfigError(
            f"Several processes train convolutions that look one hop far (gcn, sage, gat, gatv2, gin, linear), not "
            f"{config.conv}: train it in one process."
        )
    data, splits = network.data, network.splits
    graph = Adjacency.from_edge_index(data.edge_index, data.num_nodes)
    part = world.shared(partition_graph(graph, world.size, seed=config.seed))
    shard = GraphShard.cut(graph, part, world.rank)
    task = PartitionedNodeClassification(
        model,
        data.x[shard.own],
        shard,
        data.y[shard.own],
        {split: mask[shard.own] for split, mask in splits.items()},
        world,
        class_names=network.class_names,
        items=network.items(splits),
        seed=config.seed,
        undecayed=partial(_is_undecayed, config.conv),
        constants=[graph_snapshot(data.edge_index)],
    )
    task.monitor = _monitor(config)
    return task


def _kind(
    config: NodeClassificationConfig,
    kind: type[NodeClassification],
    model: GNN,
    features: Tensor | SparseFeatures,
    graph: Adjacency,
    train: Tensor,
) -> Callable[..., NodeClassification]:
    """What makes the task, so that the network sees the graph at once or in batches."""
    if config.batching == "full":
        return kind
    if kind is not NodeClassification:
        raise ConfigError(
            f"This recipe shows the network the whole graph: batching is full, not {config.batching}."
        )
    loader: NeighborLoader | ClusterBatches
    if config.batching == "neighbours":
        loader = NeighborLoader(
            graph,
            features,
            train.nonzero().flatten(),
            _fan_out(config, model),
            config.batch_size,
            seed=config.seed,
        )
    else:
        batches = -(-graph.num_nodes // config.batch_size)
        count = min(batches * CLUSTERS_PER_BATCH, graph.num_nodes)
        loader = ClusterBatches(graph, features, count, CLUSTERS_PER_BATCH, seed=config.seed)
    return partial(BatchedNodeClassification, loader=loader)


def _fan_out(config: NodeClassificationConfig, model: GNN) -> list[int]:
    hops = hops_of(model)
    if hops is None:
        raise ConfigError(
            f"The convolution {config.conv} looks at the whole graph, so its neighbourhoods cannot be sampled: use "
            f"--batching clusters or full."
        )
    try:
        fan_out = [int(number) for number in config.fan_out.split(",")]
    except ValueError as error:
        raise ConfigError(f"fan_out is whole numbers with commas between, not '{config.fan_out}'.") from error
    if len(fan_out) != hops or any(k < 1 and k != -1 for k in fan_out):
        raise ConfigError(
            f"fan_out is one number ≥ 1, or -1 for all neighbours, for each of {hops} hops that this network looks, "
            f"not '{config.fan_out}'."
        )
    return fan_out


def _options(config: NodeClassificationConfig) -> dict[str, Any]:
    """The options of the recipe that its convolution takes."""
    options: dict[str, dict[str, Any]] = {
        "appnp": {"K": config.reach, "alpha": config.restart, "edge_dropout": config.edge_dropout},
        "arma": {"num_stacks": config.stacks, "skip_dropout": config.dropout},
        "cayley": {"order": config.reach},
        "cheb": {"K": config.reach},
        # Statistics over all nodes, dropped inputs and few labels do not go together: 57 % on Cora with them.
        "gin": {"batch_norm": False},
        "sage": {"aggregation": config.aggregation},
        "sgc": {"K": config.reach},
    }
    return options.get(config.conv, {})


def _needs_dense(config: NodeClassificationConfig) -> bool:
    """Whether the first layer compares features before any product."""
    return config.conv == "sage" and config.aggregation == "max"
