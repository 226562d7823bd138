"""The sampled neighbourhood of some nodes as one small graph."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mmgraph.errors import InputError
from mmgraph.graph.adjacency import Adjacency
from mmgraph.graph.edge_list import checked_num_nodes
from mmgraph.graph.kernels.instructions import LANES
from mmgraph.graph.kernels.pattern import SparsityPattern
from mmgraph.graph.sampling.draws import (
    MAX_EDGES,
    draw_edges,
    look_up_rows,
    number_nodes,
    number_sources,
    sort_rows,
)
from mmgraph.graph.sampling.excerpt import Degrees, Excerpt

Scalar = TypeVar("Scalar", bound=np.generic)

_MASK = 2**64 - 1


class _Room:
    """Memory that a thread keeps from batch to batch."""

    def __init__(self, num_nodes: int) -> None:
        self.number_of = np.full(num_nodes, -1, np.int32)
        self.base = 0
        self.nodes = np.empty(num_nodes + 1, np.int64)
        self.first, self.degree, self.taken = (np.empty(num_nodes, np.int64) for _ in range(3))
        self.is_drawn = np.zeros(64, np.bool_)
        self.drawn, self.sources, self.keys = (np.empty(0, np.int64) for _ in range(3))

    def reserve(self, num_edges: int, longest: int) -> None:
        """Room for the edges of a hop, and for a row that is drawn from."""
        if num_edges + LANES > len(self.keys):
            enough = num_edges + num_edges // 4 + LANES
            self.drawn, self.sources, self.keys = (np.empty(enough, np.int64) for _ in range(3))
        if longest > len(self.is_drawn):
            self.is_drawn = np.zeros(longest, np.bool_)

    def forget(self, num_nodes: int) -> None:
        """Undo the numbers of a batch of so many nodes: what is below the base is no number."""
        self.base += num_nodes
        if self.base > np.iinfo(np.int32).max - len(self.number_of):
            self.number_of.fill(-1)
            self.base = 0


@dataclass
class _Drawn:
    """The rows that have been drawn so far, in the numbers of the batch."""

    hops: tuple[int, ...]
    rowptr: NDArray[np.int64]
    col: NDArray[np.int64]
    edges: NDArray[np.int64]
    scale: NDArray[np.float32]
    is_cut: bool = False


@dataclass(frozen=True)
class Neighbourhood:
    """Some nodes, what surrounds them, and the edges that were drawn.

    Args:
        adjacency: the edges, between nodes by their numbers here.
        nodes: the number of every node in the whole graph: the seeds as asked for, then those one hop away, ….
        edges: the place of every edge in the whole graph, in CSR order both here and there.
        hops: how many nodes there are up to each hop; hops[0] seeds, hops[-1] in all.

    Shapes:
        nodes (n,), edges (E,), int64.
    """

    adjacency: Excerpt
    nodes: Tensor
    edges: Tensor
    hops: tuple[int, ...]

    @property
    def num_seeds(self) -> int:
        return self.hops[0]

    def to(self, device: torch.device) -> Neighbourhood:
        """The neighbourhood on another device."""
        return Neighbourhood(
            self.adjacency.to(device), self.nodes.to(device), self.edges.to(device), self.hops
        )


class NeighborSampler:
    """Draws some of the incoming edges of some nodes, of the sources of these, and so on.

    Of n incoming edges of a node min(n, k) are drawn, each set of them equally likely. Edges carry the weight
    aᵢⱼ n/k, so that sums over them, and products with normalised adjacencies, are unbiased estimates of those over
    all edges, and equal to them where all are drawn. A node that comes up several times is there once, and draws
    at the first hop that reaches it.

    Args:
        graph: the whole graph, on the CPU.
        fan_out: k of every hop, one per layer; −1 takes all edges. Empty: the seeds alone.
        replace: draw with replacement: k edges wherever there are any.
        seed: of the draws, ≥ 0; they are a function of (seed, epoch, position) and of the nodes asked for.

    Raises:
        InputError: impossible fan-outs, a graph on another device, or too many nodes or edges in a row.

    Source: Hamilton, Ying and Leskovec, Inductive Representation Learning on Large Graphs, NeurIPS 2017.
    Differs: without replacement by default; weights n/k.
    """

    def __init__(
        self, graph: Adjacency, fan_out: Sequence[int], *, replace: bool = False, seed: int = 0
    ) -> None:
        if not isinstance(graph, Adjacency) or graph.device.type != "cpu":
            kind = graph.device if isinstance(graph, Adjacency) else type(graph).__name__
            raise InputError(
                f"Expected an Adjacency on the CPU to sample from, but got {kind}: build it with "
                f"Adjacency.from_edge_index, or move it with adjacency.to('cpu')."
            )
        if any(k < 1 and k != -1 for k in fan_out):
            raise InputError(
                f"Expected one fan-out ≥ 1 per hop, or −1 for all neighbours, but got {list(fan_out)}."
            )
        if not 0 <= seed < 2**64:
            raise InputError(f"Expected a seed ≥ 0 and < 2⁶⁴, but got {seed}.")
        if graph.num_nodes >= 2**31:
            raise InputError(f"Expected fewer than 2³¹ nodes to sample from, but got {graph.num_nodes}.")
        self.graph = graph
        self.fan_out = tuple(fan_out)
        self.replace = replace
        self.seed = seed
        self.degrees = Degrees.of(graph)
        self._rowptr, self._col = (index.numpy() for index in graph.pattern.kernel_indices)
        self._kept = threading.local()
        self._counted = torch.arange(0)

    def sample(self, nodes: Tensor, epoch: int = 0, position: int = 0) -> Neighbourhood:
        """The neighbourhood of some nodes; threads may call this side by side.

        Args:
            nodes: the seeds.
            epoch, position: which batch of a training this is.

        Shapes:
            nodes (n,) integers, each at most once.

        Raises:
            InputError: a node is out of range or there twice.
        """
        seeds = _checked(nodes, self.graph.num_nodes)
        if not hasattr(self._kept, "room"):
            self._kept.room = _Room(self.graph.num_nodes)
        room: _Room = self._kept.room
        try:
            drawn = self._drawn(seeds, key_of_batch(self.seed, epoch, position), room)
        except BaseException:
            del self._kept.room
            raise
        found = torch.from_numpy(room.nodes[: drawn.hops[-1]].copy())
        room.forget(len(found))
        rowptr = torch.full((len(found) + 1,), len(drawn.col))
        rowptr[: len(drawn.rowptr)] = torch.from_numpy(drawn.rowptr)
        col, edges, scale = map(torch.from_numpy, (drawn.col, drawn.edges, drawn.scale))
        value = None if self.graph.value is None else self.graph.value[edges]
        if drawn.is_cut:
            scale = scale.to(torch.get_default_dtype() if value is None else value.dtype)
            value = scale if value is None else value * scale
        pattern = SparsityPattern(rowptr, col, self._in_order(len(col)))
        return Neighbourhood(Excerpt(pattern, value, found, self.degrees), found, edges, drawn.hops)

    def _drawn(self, seeds: NDArray[np.int64], key: int, room: _Room) -> _Drawn:
        """Draw hop by hop; room.nodes are the nodes that were found."""
        twice = number_nodes(seeds, room.number_of, room.base)
        if twice >= 0:
            raise InputError(f"Expected every node at most once, but {seeds[twice]} is there several times.")
        room.nodes[: len(seeds)] = seeds
        none = np.empty(0, np.int64)
        whole = _Drawn((len(seeds),), np.zeros(1, np.int64), none, none, np.empty(0, np.float32))
        for hop, fan_out in enumerate(self.fan_out):
            self._draw_hop(whole, fan_out, np.uint64(key_of_batch(key, hop)), room)
        return whole

    def _draw_hop(self, whole: _Drawn, fan_out: int, key: np.uint64, room: _Room) -> None:
        begin, end = len(whole.rowptr) - 1, whole.hops[-1]
        rows, frontier = end - begin, room.nodes[begin:end]
        first, degree, taken = room.first[:rows], room.degree[:rows], room.taken[:rows]
        num_edges, longest = look_up_rows(self._rowptr, frontier, fan_out, self.replace, first, degree, taken)
        if num_edges > MAX_EDGES:
            raise InputError(
                f"Expected fewer than 2³² edges at a hop, but got {num_edges}: ask for fewer nodes."
            )
        room.reserve(num_edges, longest)
        drawn, sources = room.drawn[:num_edges], room.sources[:num_edges]
        draw_edges(self._col, first, degree, fan_out, self.replace, key, room.is_drawn, drawn, sources)
        count = number_sources(sources, room.number_of, room.base, room.nodes, end, room.keys)
        whole.hops += (int(count),)
        total = len(whole.col) + num_edges
        whole.rowptr = _extended(whole.rowptr, end + 1)
        whole.col, whole.edges = _extended(whole.col, total), _extended(whole.edges, total)
        whole.scale = _extended(whole.scale, total)
        whole.is_cut |= bool(
            sort_rows(
                degree, taken, room.keys, drawn, begin, whole.rowptr, whole.col, whole.edges, whole.scale
            )
        )

    def _in_order(self, length: int) -> Tensor:
        """0, 1, …, length − 1, of one tensor that all batches share."""
        if length > len(self._counted):
            self._counted = torch.arange(length + length // 4)
        return self._counted[:length]


def _extended(part: NDArray[Scalar], length: int) -> NDArray[Scalar]:
    """A longer array that begins with this one."""
    longer = np.empty(length, part.dtype)
    longer[: len(part)] = part
    return longer


def _checked(nodes: Tensor, num_nodes: int) -> NDArray[np.int64]:
    if (
        not isinstance(nodes, Tensor)
        or nodes.dim() != 1
        or nodes.is_floating_point()
        or nodes.dtype == torch.bool
    ):
        kind = (
            f"{nodes.dtype} of shape {tuple(nodes.shape)}"
            if isinstance(nodes, Tensor)
            else type(nodes).__name__
        )
        raise InputError(f"Expected node numbers (n,) as an integer tensor, but got {kind}.")
    checked_num_nodes(torch.stack([nodes, nodes]), num_nodes)
    return nodes.long().cpu().numpy()


def key_of_batch(*counters: int) -> int:
    """64 bits for a tuple of numbers, as splitmix64 makes them of one after the other."""
    key = 0
    for counter in counters:
        z = (key + (counter + 1) * 0x9E3779B97F4A7C15) & _MASK
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
        key = z ^ (z >> 31)
    return key
