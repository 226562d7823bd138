"""What the app computes to draw a picture: projections, neighbours, tilings, rasters, layouts. No torch.

SciPy and numba are imported only inside the functions that need them, so that the window opens without waiting.
"""

from mmgraph.analysis.alignment import Alignment
from mmgraph.analysis.attention_flow import block_means, rollout
from mmgraph.analysis.correlations import Correlation, correlation
from mmgraph.analysis.graph_pictures import distance_layout, graph_pictures
from mmgraph.analysis.layout import force_layout, spectral_layout
from mmgraph.analysis.lines import raster_edges, tint
from mmgraph.analysis.neighbours import NeighbourIndex, Neighbours, nearest_neighbours
from mmgraph.analysis.outcomes import Outcomes, judge
from mmgraph.analysis.point_grid import PointGrid
from mmgraph.analysis.projection import Placement, Projection, StableProjector
from mmgraph.analysis.raster import raster_points
from mmgraph.analysis.regions import points_in_polygon
from mmgraph.analysis.similar_items import similar_items
from mmgraph.analysis.stable_layout import LayoutMethod, LayoutProgress, stable_layout
from mmgraph.analysis.tiling import TileGrid, scale_tiles, tile
from mmgraph.analysis.tsne import tsne_layout
from mmgraph.analysis.umap import umap_layout
from mmgraph.analysis.waveform import envelope, wave_picture

__all__ = [
    "Alignment",
    "Correlation",
    "LayoutMethod",
    "LayoutProgress",
    "NeighbourIndex",
    "Neighbours",
    "Outcomes",
    "Placement",
    "PointGrid",
    "Projection",
    "StableProjector",
    "TileGrid",
    "block_means",
    "correlation",
    "distance_layout",
    "envelope",
    "force_layout",
    "graph_pictures",
    "judge",
    "nearest_neighbours",
    "points_in_polygon",
    "raster_edges",
    "raster_points",
    "rollout",
    "scale_tiles",
    "similar_items",
    "spectral_layout",
    "stable_layout",
    "tile",
    "tint",
    "tsne_layout",
    "umap_layout",
    "wave_picture",
]
