"""The task of the recipe `node-classification`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from mmgraph.graph import GNN, Adjacency
from mmgraph.inspection import Capture
from mmgraph.recipes.citation import CitationNetwork, graph_snapshot
from mmgraph.recipes.node_classification import NodeClassificationConfig
from mmgraph.training.classification import NodeClassification

if TYPE_CHECKING:
    from mmgraph.graph.gnn import Convolution, FeatureNormalization
    from mmgraph.graph.jumping_knowledge import Joining


def build(
    config: NodeClassificationConfig, kind: type[NodeClassification] = NodeClassification
) -> NodeClassification:
    """A citation network and the graph network that reads it; `kind` says what of it the network sees."""
    network = CitationNetwork.load(config.dataset)
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
    task = kind(
        model,
        network.features(dense=_needs_dense(config)),
        Adjacency.from_edge_index(data.edge_index, data.num_nodes),
        data.y,
        splits,
        class_names=network.class_names,
        items=network.items(splits),
        capture=Capture(model),
        # GCN, ChebNet and APPNP decay the first layer alone (Kipf and Welling; Klicpera et al.), the others all.
        undecayed=lambda name: config.conv in ("gcn", "cheb", "appnp") and not name.startswith("convs.0"),
        constants=[graph_snapshot(data.edge_index)],
    )
    task.monitor = config.monitor
    return task


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
