"""The task of the recipe `edge-classification`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import torch

from mmgraph.graph import Adjacency, EdgeClassifier
from mmgraph.recipes.edge_classification import EdgeClassificationConfig
from mmgraph.recipes.edge_classification.links import links_of
from mmgraph.recipes.splits import split_codes, stratified_splits
from mmgraph.runs import ItemSet
from mmgraph.training.edge_classification import EdgeClassification

if TYPE_CHECKING:
    from mmgraph.graph.convolutions.catalogue import Convolution
    from mmgraph.graph.networks.decoders import PairJoin


def build(config: EdgeClassificationConfig) -> EdgeClassification:
    """The links of a network and the classifier that sorts them."""
    links = links_of(config.dataset)
    labels = links.labels
    splits = stratified_splits(
        labels,
        train_per_class=config.labels_per_class,
        validation=config.validation,
        generator=torch.Generator().manual_seed(config.seed),
    )
    model = EdgeClassifier(
        links.features.size(1),
        config.hidden,
        len(links.class_names),
        config.layers,
        cast("Convolution", config.conv),
        join=cast("PairJoin", config.join),
        edge_channels=0 if links.edge_attr is None else links.edge_attr.size(1),
        heads=config.heads,
        dropout=config.dropout,
        **_options(config),
    )
    items = ItemSet(
        labels=labels.numpy(),
        class_names=links.class_names,
        splits=split_codes(splits),
        split_names=tuple(splits),
        texts=tuple(f"{u} – {v}" for u, v in links.pairs.T.tolist()),
        columns=links.columns,
        noun="link",
    )
    return EdgeClassification(
        model,
        links.features,
        Adjacency.from_edge_index(links.edge_index, len(links.groups)),
        links.pairs,
        labels,
        splits,
        class_names=links.class_names,
        items=items,
        edge_attr=links.edge_attr,
    )


def _options(config: EdgeClassificationConfig) -> dict[str, Any]:
    """What the convolution takes beside its defaults."""
    options: dict[str, dict[str, Any]] = {"cheb": {"K": 3}, "gin": {"batch_norm": False}}
    return options.get(config.conv, {})
