"""Graphs: a compressed adjacency, propagation over it, convolutions and the network built from them.

Names are imported when they are first used, so `import mmgraph.graph` costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mmgraph.lazy_names import lazy_names

if TYPE_CHECKING:
    from mmgraph.graph.adjacency import Adjacency
    from mmgraph.graph.aggregation import aggregate, propagate_max
    from mmgraph.graph.batching import GraphBatch, GraphStack
    from mmgraph.graph.convolutions.appnp import APPNP
    from mmgraph.graph.convolutions.arma_conv import ARMAConv
    from mmgraph.graph.convolutions.cayley_conv import CayleyConv
    from mmgraph.graph.convolutions.cheb_conv import ChebConv
    from mmgraph.graph.convolutions.edge_conv import EdgeConv
    from mmgraph.graph.convolutions.gat_conv import GATConv
    from mmgraph.graph.convolutions.gatv2_conv import GATv2Conv
    from mmgraph.graph.convolutions.gcn_conv import GCNConv
    from mmgraph.graph.convolutions.gin_conv import GINConv
    from mmgraph.graph.convolutions.linear_conv import LinearConv
    from mmgraph.graph.convolutions.message_passing import MessagePassing
    from mmgraph.graph.convolutions.relational_gcn_conv import RelationalGCNConv
    from mmgraph.graph.convolutions.sage_conv import SAGEConv
    from mmgraph.graph.convolutions.sg_conv import SGConv
    from mmgraph.graph.convolutions.spectral_conv import SpectralConv
    from mmgraph.graph.embeddings.factorisation import NetMF, SpectralEmbedding
    from mmgraph.graph.embeddings.partitioned import PartitionedEmbedding
    from mmgraph.graph.embeddings.planetoid import Planetoid
    from mmgraph.graph.embeddings.walking import DeepWalk, Node2Vec
    from mmgraph.graph.files.reading import read_graph
    from mmgraph.graph.files.writing import write_graph
    from mmgraph.graph.hetero_graph import HeteroGraph
    from mmgraph.graph.kernels.edge_softmax import segment_softmax
    from mmgraph.graph.link_split import LinkSplit, split_links
    from mmgraph.graph.nearest_neighbours import knn_graph
    from mmgraph.graph.negative_sampling import NegativeSampler
    from mmgraph.graph.networks.decoders import DotDecoder, MLPDecoder
    from mmgraph.graph.networks.edge_classifier import EdgeClassifier
    from mmgraph.graph.networks.gnn import GNN
    from mmgraph.graph.networks.graph_autoencoder import GraphAutoencoder
    from mmgraph.graph.networks.jumping_knowledge import JumpingKnowledge
    from mmgraph.graph.networks.pooling import AttentionPooling, pool
    from mmgraph.graph.networks.relational_gnn import RelationalGNN
    from mmgraph.graph.networks.top_k_pooling import TopKPooling
    from mmgraph.graph.partitioning.multilevel import edge_cut, partition_graph
    from mmgraph.graph.propagation import propagate
    from mmgraph.graph.sampling.clusters import ClusterBatches
    from mmgraph.graph.sampling.features import open_features
    from mmgraph.graph.sampling.inference import infer
    from mmgraph.graph.sampling.loader import NeighborLoader
    from mmgraph.graph.sampling.neighbours import NeighborSampler
    from mmgraph.graph.sparse_features import SparseFeatures
    from mmgraph.graph.stored.building import build_csr
    from mmgraph.graph.walks.sampling import random_walks

__all__ = [
    "APPNP",
    "GNN",
    "ARMAConv",
    "Adjacency",
    "AttentionPooling",
    "CayleyConv",
    "ChebConv",
    "ClusterBatches",
    "DeepWalk",
    "DotDecoder",
    "EdgeClassifier",
    "EdgeConv",
    "GATConv",
    "GATv2Conv",
    "GCNConv",
    "GINConv",
    "GraphAutoencoder",
    "GraphBatch",
    "GraphStack",
    "HeteroGraph",
    "JumpingKnowledge",
    "LinearConv",
    "LinkSplit",
    "MLPDecoder",
    "MessagePassing",
    "NegativeSampler",
    "NeighborLoader",
    "NeighborSampler",
    "NetMF",
    "Node2Vec",
    "PartitionedEmbedding",
    "Planetoid",
    "RelationalGCNConv",
    "RelationalGNN",
    "SAGEConv",
    "SGConv",
    "SparseFeatures",
    "SpectralConv",
    "SpectralEmbedding",
    "TopKPooling",
    "aggregate",
    "build_csr",
    "edge_cut",
    "infer",
    "knn_graph",
    "open_features",
    "partition_graph",
    "pool",
    "propagate",
    "propagate_max",
    "random_walks",
    "read_graph",
    "segment_softmax",
    "split_links",
    "write_graph",
]

# No module may share the name of a function in it: importing the module would rebind the package's attribute.
_HOME = {
    "APPNP": "convolutions.appnp",
    "ARMAConv": "convolutions.arma_conv",
    "Adjacency": "adjacency",
    "AttentionPooling": "networks.pooling",
    "CayleyConv": "convolutions.cayley_conv",
    "ChebConv": "convolutions.cheb_conv",
    "ClusterBatches": "sampling.clusters",
    "DeepWalk": "embeddings.walking",
    "DotDecoder": "networks.decoders",
    "EdgeClassifier": "networks.edge_classifier",
    "EdgeConv": "convolutions.edge_conv",
    "GATConv": "convolutions.gat_conv",
    "GATv2Conv": "convolutions.gatv2_conv",
    "GCNConv": "convolutions.gcn_conv",
    "GINConv": "convolutions.gin_conv",
    "GNN": "networks.gnn",
    "GraphAutoencoder": "networks.graph_autoencoder",
    "GraphBatch": "batching",
    "GraphStack": "batching",
    "HeteroGraph": "hetero_graph",
    "JumpingKnowledge": "networks.jumping_knowledge",
    "LinearConv": "convolutions.linear_conv",
    "LinkSplit": "link_split",
    "MLPDecoder": "networks.decoders",
    "MessagePassing": "convolutions.message_passing",
    "NegativeSampler": "negative_sampling",
    "NeighborLoader": "sampling.loader",
    "NeighborSampler": "sampling.neighbours",
    "NetMF": "embeddings.factorisation",
    "Node2Vec": "embeddings.walking",
    "PartitionedEmbedding": "embeddings.partitioned",
    "Planetoid": "embeddings.planetoid",
    "RelationalGCNConv": "convolutions.relational_gcn_conv",
    "RelationalGNN": "networks.relational_gnn",
    "SAGEConv": "convolutions.sage_conv",
    "SGConv": "convolutions.sg_conv",
    "SparseFeatures": "sparse_features",
    "SpectralConv": "convolutions.spectral_conv",
    "SpectralEmbedding": "embeddings.factorisation",
    "TopKPooling": "networks.top_k_pooling",
    "aggregate": "aggregation",
    "build_csr": "stored.building",
    "edge_cut": "partitioning.multilevel",
    "infer": "sampling.inference",
    "knn_graph": "nearest_neighbours",
    "open_features": "sampling.features",
    "partition_graph": "partitioning.multilevel",
    "pool": "networks.pooling",
    "propagate": "propagation",
    "propagate_max": "aggregation",
    "random_walks": "walks.sampling",
    "read_graph": "files.reading",
    "segment_softmax": "kernels.edge_softmax",
    "split_links": "link_split",
    "write_graph": "files.writing",
}

__getattr__, __dir__ = lazy_names(__name__, _HOME)
