"""How far convolutions look."""

from __future__ import annotations

from torch import nn

from mmgraph.graph.convolutions.cheb_conv import ChebConv
from mmgraph.graph.convolutions.edge_conv import EdgeConv
from mmgraph.graph.convolutions.gat_conv import GATConv
from mmgraph.graph.convolutions.gatv2_conv import GATv2Conv
from mmgraph.graph.convolutions.gcn_conv import GCNConv
from mmgraph.graph.convolutions.gin_conv import GINConv
from mmgraph.graph.convolutions.linear_conv import LinearConv
from mmgraph.graph.convolutions.relational_gcn_conv import RelationalGCNConv
from mmgraph.graph.convolutions.sage_conv import SAGEConv
from mmgraph.graph.convolutions.sg_conv import SGConv

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
