"""The task of the recipe `node-classification`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from mmgraph import datasets
from mmgraph.datasets import catalogue
from mmgraph.graph import GNN, Adjacency, SparseFeatures
from mmgraph.inspection import Capture
from mmgraph.recipes.node_classification import NodeClassificationConfig
from mmgraph.recipes.splits import split_codes
from mmgraph.runs import ItemSet, Snapshot
from mmgraph.training.classification import NodeClassification

if TYPE_CHECKING:
    from torch_geometric.data import Data

    from mmgraph.graph.gnn import Convolution, FeatureNormalization
    from mmgraph.graph.jumping_knowledge import Joining


SPARSE_BELOW = 0.2
"""Share of non-zero features up to which sparse products are no slower than dense ones, and dropout is faster."""


def build(config: NodeClassificationConfig) -> NodeClassification:
    """A citation network and the graph network that reads it."""
    data = cast("Data", datasets.load(config.dataset, normalize_features=True))
    names = catalogue.manifest(config.dataset).classes or tuple(str(c) for c in range(int(data.y.max()) + 1))
    splits = {"train": data.train_mask, "validation": data.val_mask, "test": data.test_mask}
    model = GNN(
        data.num_features,
        config.hidden,
        len(names),
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
    edges = data.edge_index.numpy()
    words = np.count_nonzero(data.x.numpy(), axis=1)
    is_sparse = words.sum() < SPARSE_BELOW * data.x.numel()
    items = ItemSet(
        labels=data.y.numpy(),
        class_names=names,
        splits=split_codes(splits),
        split_names=tuple(splits),
        columns={
            "degree": np.bincount(edges[1], minlength=data.num_nodes),
            "words": words,
        },
        noun="paper",
    )
    task = NodeClassification(
        model,
        SparseFeatures.from_dense(data.x) if is_sparse and not _needs_dense(config) else data.x,
        Adjacency.from_edge_index(data.edge_index, data.num_nodes),
        data.y,
        splits,
        class_names=names,
        items=items,
        capture=Capture(model),
        # GCN, ChebNet and APPNP decay the first layer alone (Kipf and Welling; Klicpera et al.), the others all.
        undecayed=lambda name: config.conv in ("gcn", "cheb", "appnp") and not name.startswith("convs.0"),
        constants=[Snapshot("graph", "graph", edges.astype(np.int32), items="items")],
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
