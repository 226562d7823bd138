"""The task of the recipe `heterogeneous`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from mmgraph.graph import HeteroGraph, RelationalGNN
from mmgraph.recipes.citation import CitationNetwork, graph_snapshot
from mmgraph.recipes.heterogeneous import HeterogeneousConfig
from mmgraph.recipes.splits import split_codes
from mmgraph.runs import ItemSet
from mmgraph.training.hetero_classification import HeteroClassification

if TYPE_CHECKING:
    from torch_geometric.data import HeteroData


def build(config: HeterogeneousConfig) -> HeteroClassification:
    """A citation network, with its words as nodes, and the relational network that reads it."""
    network = CitationNetwork.load(config.dataset)
    graph = HeteroGraph.from_data(papers_and_words(network) if config.words else papers_alone(network))
    papers = graph.num_nodes_of["paper"]
    words = graph.num_nodes - papers
    model = RelationalGNN(
        {"paper": network.data.num_features},
        config.hidden,
        len(network.class_names),
        graph.relations,
        num_nodes={"word": words} if words else {},
        num_layers=config.layers,
        num_bases=config.bases,
        dropout=config.dropout,
    )
    labels = torch.cat([network.data.y, torch.full((words,), -1)])
    splits = {
        split: torch.cat([mask, torch.zeros(words, dtype=torch.bool)])
        for split, mask in network.splits.items()
    }
    edge_index, _ = graph.adjacency.to_edge_index()
    items = ItemSet(
        labels=labels.numpy(),
        class_names=network.class_names,
        splits=split_codes(splits),
        split_names=tuple(splits),
        texts=(
            *(f"paper {number}" for number in range(papers)),
            *(f"word {number}" for number in range(words)),
        ),
        columns={
            "degree": np.bincount(edge_index[1].numpy(), minlength=graph.num_nodes),
            "is word": np.repeat([0, 1], [papers, words]),
        },
        noun="node",
    )
    return HeteroClassification(
        model,
        {"paper": network.features()},
        graph,
        labels,
        splits,
        class_names=network.class_names,
        items=items,
        constants=[graph_snapshot(edge_index)],
    )


def papers_alone(network: CitationNetwork) -> HeteroData:
    """Papers with their words as features, and citations in both directions."""
    from torch_geometric.data import HeteroData

    data = HeteroData()
    data["paper"].x = network.data.x
    data["paper", "cites", "paper"].edge_index = network.data.edge_index
    return data


def papers_and_words(network: CitationNetwork) -> HeteroData:
    """The same, and every word as a node: it occurs in papers, and papers contain it. Words bring no features."""
    data = papers_alone(network)
    paper, word = network.data.x.nonzero(as_tuple=True)
    data["word"].num_nodes = network.data.num_features
    data["word", "occurs in", "paper"].edge_index = torch.stack([word, paper])
    data["paper", "contains", "word"].edge_index = torch.stack([paper, word])
    return data
