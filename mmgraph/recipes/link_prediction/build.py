"""The task of the recipe `link-prediction`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import torch

from mmgraph.graph import GraphAutoencoder, split_links
from mmgraph.inspection import Capture
from mmgraph.recipes.citation import CitationNetwork, graph_snapshot
from mmgraph.recipes.link_prediction import LinkPredictionConfig
from mmgraph.training.link_prediction import LinkPrediction

if TYPE_CHECKING:
    from mmgraph.graph.convolutions.catalogue import Convolution
    from mmgraph.graph.networks.graph_autoencoder import Decoding


def build(config: LinkPredictionConfig) -> LinkPrediction:
    """A citation network without some of its links, and the autoencoder that looks for them."""
    network = CitationNetwork.load(config.dataset, normalize_features=config.normalize_features)
    split = split_links(
        network.data.edge_index,
        network.data.num_nodes,
        validation=config.validation_links,
        test=config.test_links,
        generator=torch.Generator().manual_seed(config.seed),
    )
    model = GraphAutoencoder(
        network.data.num_features,
        config.hidden,
        config.embedding,
        cast("Convolution", config.conv),
        decoder=cast("Decoding", config.decoder),
        variational=config.variational,
        num_layers=config.layers,
        heads=config.heads,
        dropout=config.dropout,
        **_options(config),
    )
    return LinkPrediction(
        model,
        network.features(),
        split,
        items=network.items(),
        capture=Capture(model.encoder, kinds=("attention",)),
        constants=[graph_snapshot(split.graph.edge_index)],
        seed=config.seed,
        self_links=config.self_links,
    )


def _options(config: LinkPredictionConfig) -> dict[str, Any]:
    """What the convolution takes beside its defaults."""
    options: dict[str, dict[str, Any]] = {"cheb": {"K": 3}, "gin": {"batch_norm": False}}
    return options.get(config.conv, {})
