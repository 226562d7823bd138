"""The task of the recipe `digits-graph`."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from mmgraph import datasets
from mmgraph.graph import GNN, knn_graph
from mmgraph.inspection import Capture
from mmgraph.recipes.digits_graph import DigitsGraphConfig
from mmgraph.recipes.splits import split_codes, stratified_splits
from mmgraph.runs import ItemSet, Snapshot
from mmgraph.training.classification import NodeClassification
from mmgraph.vision import ConvEncoder


class DigitsGraph(nn.Module):
    """Images → features by convolutions → classes by graph attention.

        H = encoder(images),    logits = GAT(GAT(H, graph), graph)

    Args:
        encoder: images (nodes, 1, 8, 8) → features (nodes, features).
        gnn: (features, graph) → logits (nodes, classes).
    """

    def __init__(self, encoder: nn.Module, gnn: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.gnn = gnn

    def forward(self, images: Tensor, graph: Tensor) -> Tensor:
        """Logits of every image, given which images are linked."""
        logits: Tensor = self.gnn(self.encoder(images), graph)
        return logits


def build(config: DigitsGraphConfig) -> NodeClassification:
    """Digits, their kNN graph, and the network."""
    digits = datasets.load("digits")
    pictures, labels = digits.train_images, digits.train_labels
    images = pictures.float().unsqueeze(1) / 255
    graph = knn_graph(images.flatten(1), config.neighbours)
    splits = stratified_splits(
        labels,
        train_per_class=config.labels_per_class,
        validation=config.validation,
        generator=torch.Generator().manual_seed(config.seed),
    )
    model = DigitsGraph(
        ConvEncoder(in_channels=1, channels=(16, 32), out_features=config.features, image_size=8),
        GNN(
            config.features,
            config.hidden,
            10,
            conv="gat",
            heads=config.heads,
            dropout=config.dropout,
            attention_dropout=config.attention_dropout,
            activation="elu",
        ),
    )
    degree = np.bincount(graph[1].numpy(), minlength=len(labels))
    items = ItemSet(
        labels=labels.numpy(),
        class_names=digits.class_names,
        splits=split_codes(splits),
        split_names=tuple(splits),
        thumbnails=pictures.numpy(),
        columns={"neighbours": degree},
        noun="digit",
    )
    return NodeClassification(
        model,
        images,
        graph,
        labels,
        splits,
        class_names=digits.class_names,
        items=items,
        capture=Capture(model),
        constants=[Snapshot("graph", "graph", graph.numpy().astype(np.int32), items="items")],
    )
