"""The task of the recipe `graph-classification`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch

from mmgraph import datasets
from mmgraph.analysis import graph_pictures
from mmgraph.errors import ConfigError
from mmgraph.graph import GNN, Adjacency, GraphStack
from mmgraph.inspection import Capture
from mmgraph.recipes.graph_classification import GraphClassificationConfig
from mmgraph.recipes.splits import fold_splits, listed_splits, split_codes
from mmgraph.report.colours import category, rgb
from mmgraph.runs import ItemSet
from mmgraph.training.graph_classification import GraphClassification

if TYPE_CHECKING:
    from mmgraph.datasets.graphs import GraphDataset
    from mmgraph.graph.networks.gnn import Convolution, FeatureNormalization, Readout

ATTENTION_GRAPHS, ATTENTION_NODES = 16, 60
"""Attention is shown for so many graphs of the fold held out, each of at most so many nodes."""

PICTURE_BYTES = 4e6
"""Pictures of all graphs together take about so much, at 24 to 48 pixels each."""


def build(config: GraphClassificationConfig) -> GraphClassification:
    """Graphs, their folds, and the network that reads them."""
    if config.fold >= config.folds:
        raise ConfigError(f"fold is a whole number from 0 to {config.folds - 1}, not {config.fold}.")
    options: dict[str, Any] = {} if config.node_features is None else {"node_features": config.node_features}
    data = cast("GraphDataset", datasets.load(config.dataset, **options))
    shares: dict[str, Any] = {"validation": config.validation, "seed": config.fold_seed}
    splits = (
        fold_splits(data.labels, config.fold, folds=config.folds, **shares)
        if config.fold_files is None
        else listed_splits(data.labels, config.fold, config.fold_files, **shares)
    )
    stack = GraphStack(Adjacency.from_edge_index(data.edge_index, len(data.x)), data.node_starts)
    model = GNN(
        data.num_features,
        config.hidden,
        data.num_classes,
        num_layers=config.layers,
        conv=cast("Convolution", config.conv),
        heads=config.heads,
        dropout=config.dropout,
        head_dropout=config.head_dropout,
        attention_dropout=config.attention_dropout,
        residual=config.residual,
        norm=cast("FeatureNormalization | None", config.norm),
        jumping_knowledge=cast("Any", config.jumping_knowledge),
        pooling=cast("Readout", config.pooling),
        **_options(config),
    )
    sizes = data.node_starts.diff()
    colours = np.array([rgb(category(code)) for code in range(data.num_features)], dtype=np.uint8)
    graph_of = torch.repeat_interleave(torch.arange(len(data)), sizes)
    items = ItemSet(
        labels=data.labels.numpy(),
        class_names=data.class_names,
        splits=split_codes(splits),
        split_names=tuple(splits),
        thumbnails=graph_pictures(
            data.edge_index.numpy(),
            data.node_starts.numpy(),
            colours[data.x.argmax(dim=1).numpy()],
            size=int(np.clip((PICTURE_BYTES / (3 * len(data))) ** 0.5, 24, 48)),
        ),
        columns={
            "nodes": sizes.numpy(),
            "edges": np.bincount(graph_of[data.edge_index[0]].numpy(), minlength=len(data)) // 2,
        },
        noun="graph",
    )
    attended = (splits["test"] & (sizes <= ATTENTION_NODES)).nonzero().flatten()[:ATTENTION_GRAPHS]
    attends = config.conv in ("gat", "gatv2") and len(attended) > 0
    task = GraphClassification(
        model,
        data.x,
        stack,
        data.labels,
        splits,
        class_names=data.class_names,
        items=items,
        capture=Capture(model, kinds=("embedding", "prediction"), items=None),
        attention=(Capture(model, kinds=("attention",), items=None), attended) if attends else None,
        batch_size=config.batch_size,
        iterations=config.iterations or None,
        seed=config.seed,
    )
    task.monitor = config.monitor
    return task


def _options(config: GraphClassificationConfig) -> dict[str, Any]:
    """The options of the recipe that its convolution takes."""
    options: dict[str, dict[str, Any]] = {
        "appnp": {"K": config.reach},
        "cayley": {"order": config.reach},
        "cheb": {"K": config.reach},
        "gin": {"train_eps": config.learn_epsilon},
        "sage": {"aggregation": config.aggregation},
        "sgc": {"K": config.reach},
    }
    return options.get(config.conv, {})
