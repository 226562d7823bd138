"""How far convolutions look."""

from __future__ import annotations

from torch import nn

from mmgraph.graph.cheb_conv import ChebConv
from mmgraph.graph.edge_conv import EdgeConv
from mmgraph.graph.gat_conv import GATConv
from mmgraph.graph.gatv2_conv import GATv2Conv
from mmgraph.graph.gcn_conv import GCNConv
from mmgraph.graph.gin_conv import GINConv
from mmgraph.graph.linear_conv import LinearConv
from mmgraph.graph.relational_gcn_conv import RelationalGCNConv
from mmgraph.graph.sage_conv import SAGEConv
from mmgraph.graph.sg_conv import SGConv

_ONE_HOP = (GCNConv, SAGEConv, GATConv, GATv2Conv, GINConv, RelationalGCNConv, EdgeConv)


def reach(conv: nn.Module) -> int | None:
    """How many hops away a convolution looks; None where that is the whole graph.

    0 for a linear map;  1 for GCN, SAGE, GAT, GATv2, GIN, relational and edge convolutions;  K for SGC;  K − 1 for
    ChebNet with a fixed λmax;  None for the others, which need a spectrum, or whose
    iterations are better done on all nodes at once.
    """
    if isinstance(conv, SGConv):
        return conv.K
    if isinstance(conv, ChebConv) and conv.lambda_max != "true":
        return conv.K - 1
    if isinstance(conv, LinearConv):
        return 0
    return 1 if isinstance(conv, _ONE_HOP) else None
