"""The task of the recipe `multimodal-graph`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from mmgraph import datasets
from mmgraph.datasets.multimodal_digits import generate_multimodal_digits
from mmgraph.errors import ConfigError
from mmgraph.fusion import Fusion
from mmgraph.fusion.multimodal_gnn import MultimodalGNN
from mmgraph.graph import GNN, Adjacency, LinkSplit, knn_graph, split_links
from mmgraph.graph.walks.importance import importance_graph
from mmgraph.inspection import Capture
from mmgraph.metric import Distance, MetricLoss
from mmgraph.recipes.multimodal_graph import MultimodalGraphConfig
from mmgraph.recipes.splits import split_codes, stratified_splits
from mmgraph.runs import ItemSet, Snapshot
from mmgraph.training.multimodal_nodes import (
    ModalNodes,
    MultimodalLinks,
    MultimodalNodes,
    MultimodalRetrieval,
    Sampling,
)
from mmgraph.vision import ConvEncoder

if TYPE_CHECKING:
    from mmgraph.fusion.modalities import Strategy
    from mmgraph.graph.networks.gnn import Convolution

LINKED_BY = 4
"""The sentence of a photograph that makes its links; the first one is what the node carries."""
MOST_WORDS = 1000


@dataclass(frozen=True)
class Source:
    """A graph, what its nodes carry, and what is known of them."""

    images: Tensor
    words: Tensor
    present: dict[str, Tensor]
    edge_index: Tensor
    labels: Tensor | None
    items: ItemSet


def build(config: MultimodalGraphConfig) -> MultimodalNodes:
    """Nodes with images and words, their graph, and the network."""
    source = _digits(config) if config.dataset == "digits" else _photographs(config)
    if source.labels is None and config.objective != "links":
        raise ConfigError(
            f"The photographs have no classes, so their objective is 'links', not '{config.objective}'."
        )
    if config.objective == "links" and config.fan_out is not None:
        raise ConfigError("Links are learned on the whole graph: leave fan_out out.")
    count = len(source.images)
    labels = torch.zeros(count, dtype=torch.int64) if source.labels is None else source.labels
    generator = torch.Generator().manual_seed(config.seed)
    splits = (
        stratified_splits(
            labels,
            train_per_class=config.labels_per_class,
            validation=config.validation,
            generator=generator,
        )
        if source.labels is not None
        else {part: torch.ones(count, dtype=torch.bool) for part in ("train", "validation", "test")}
    )
    links = (
        split_links(source.edge_index, count, generator=generator) if config.objective == "links" else None
    )
    graph = _graph(config, source, links)
    nodes = _carried(config, source, graph)
    classes = source.items.class_names or ("node",)
    model = _model(
        config, source, count, len(classes) if config.objective == "classification" else config.vector
    )
    items = source.items
    if source.labels is not None:
        items = replace(items, splits=split_codes(splits), split_names=tuple(splits))
    shown = Snapshot("graph", "graph", graph.edge_index.numpy().astype(np.int32), items="items")
    given: dict[str, Any] = {
        "class_names": classes,
        "items": items,
        "capture": Capture(model),
        "constants": [shown],
        "seed": config.seed,
    }
    if config.fan_out is not None:
        given["sampling"] = Sampling((config.fan_out,) * config.layers, config.batch_size)
    if config.objective == "links" and links is not None:
        return MultimodalLinks(model, nodes, labels, splits, split=links, **given)
    if config.objective == "retrieval":
        metric = MetricLoss("triplet", distance=Distance("l2", normalize=True), miner="semi-hard")
        return MultimodalRetrieval(model, nodes, labels, splits, metric=metric, **given)
    return MultimodalNodes(model, nodes, labels, splits, **given)


def _graph(config: MultimodalGraphConfig, source: Source, links: LinkSplit | None) -> Adjacency:
    """What messages go along; of links to be found again, the training ones alone."""
    given = (
        links.graph if links is not None else Adjacency.from_edge_index(source.edge_index, len(source.images))
    )
    if config.neighbourhood == "importance":
        return importance_graph(given, config.neighbours, seed=config.seed, threads=config.threads)
    if config.neighbourhood == "similar":
        seen = torch.cat([_scaled(source.images.flatten(1).float()), _scaled(source.words)], dim=1)
        return Adjacency.from_edge_index(knn_graph(seen, config.neighbours), len(seen))
    return given


def _scaled(rows: Tensor) -> Tensor:
    """Rows of length 1; rows of zeros stay."""
    return nn.functional.normalize(rows, dim=1)


def _carried(config: MultimodalGraphConfig, source: Source, graph: Adjacency) -> ModalNodes:
    if config.use == "graph":
        return ModalNodes({"place": torch.arange(len(source.images))}, {}, graph)
    pictures = source.images if source.images.dim() == 4 else source.images.unsqueeze(1)
    pixels = pictures.float() / 255
    inputs = {"image": (pixels - pixels.mean()) / pixels.std(), "words": source.words}
    return ModalNodes(inputs, source.present, graph)


def _model(config: MultimodalGraphConfig, source: Source, count: int, outputs: int) -> MultimodalGNN:
    width = config.features
    encoders: dict[str, nn.Module]
    if config.use == "graph":
        encoders = {"place": nn.Embedding(count, width)}
    else:
        colours = 1 if source.images.dim() == 3 else 3
        side = source.images.size(-1)
        blocks = 2 if side < 16 else 3
        channels = tuple(config.filters * 2**block for block in range(blocks))
        encoders = {
            "image": ConvEncoder(colours, channels, width, side, batch_norm=side >= 16),
            "words": nn.Sequential(nn.Dropout(0.2), nn.Linear(source.words.size(1), width), nn.ReLU()),
        }
    fusion = Fusion(
        encoders,
        dict.fromkeys(encoders, width),
        width,
        strategy=cast("Strategy", config.fusion if len(encoders) > 1 else "late"),
        dim=width,
        modality_dropout=config.modality_dropout if len(encoders) > 1 else 0.0,
    )
    gnn = GNN(
        width,
        config.hidden * (config.heads if config.use == "encoders" and config.conv in ("gat", "gatv2") else 1),
        outputs,
        config.layers,
        "linear" if config.use == "encoders" else cast("Convolution", config.conv),
        heads=config.heads,
        dropout=config.dropout,
        activation="elu",
    )
    return MultimodalGNN(fusion, gnn)


def _digits(config: MultimodalGraphConfig) -> Source:
    digits = generate_multimodal_digits(seed=config.seed)
    items = ItemSet(
        labels=digits.labels.numpy(),
        class_names=digits.class_names,
        thumbnails=digits.images.numpy(),
        texts=digits.texts,
        columns={
            "has image": digits.has_image.numpy().astype(np.int64),
            "has words": digits.has_words.numpy().astype(np.int64),
        },
        noun="digit",
    )
    present = {"image": digits.has_image, "words": digits.has_words}
    return Source(digits.images, digits.counts, present, digits.edge_index, digits.labels, items)


def _photographs(config: MultimodalGraphConfig) -> Source:
    """A photograph carries its pixels and its first sentence; its fifth sentence makes its links."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    data = datasets.load("flickr8k", side=config.image_size)
    carried = tuple(sentences[0] for sentences in data.captions)
    linking = [sentences[min(LINKED_BY, len(sentences) - 1)] for sentences in data.captions]

    def weighed(texts: Any) -> Tensor:
        vectorizer = TfidfVectorizer(stop_words="english", min_df=2, max_features=MOST_WORDS)
        return torch.from_numpy(vectorizer.fit_transform(texts).toarray().astype(np.float32))

    edges = knn_graph(weighed(linking).double(), min(config.neighbours, 5))
    thumbnails = data.images.permute(0, 2, 3, 1).contiguous().numpy()
    items = ItemSet(texts=carried, thumbnails=thumbnails, noun="photograph")
    return Source(data.images, weighed(carried), {}, edges, None, items)
