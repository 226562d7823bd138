"""The sampled neighbourhood of some nodes as one small graph."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mmgraph.errors import InputError
from mmgraph.graph.adjacency import Adjacency
from mmgraph.graph.edge_list import checked_num_nodes
from mmgraph.graph.kernels.pattern import SparsityPattern
from mmgraph.graph.sampling.draws import count_draws, draw_edges, forget_nodes, number_nodes, number_sources
from mmgraph.graph.sampling.excerpt import Degrees, Excerpt

_MASK = 2**64 - 1


class _Scratch:
    """Room that a thread keeps from batch to batch."""

    def __init__(self, num_nodes: int) -> None:
        self.number_of = np.full(num_nodes, -1, np.int32)
        self.shuffled = np.arange(64)
        self.nodes = np.empty(num_nodes + 1, np.int64)
        self.lengths = np.empty(num_nodes, np.int64)
        self.scale = np.empty(num_nodes, np.float32)
        self.edges = self.sources = self.new_edges = np.empty(0, np.int64)

    def make_room(self, kept: int, num_edges: int, longest: int) -> None:
        """Room for so many edges, of which the first are kept, and to shuffle so many."""
        if num_edges > len(self.edges):
            for name in ("edges", "sources", "new_edges"):
                room = np.empty(num_edges + num_edges // 4, np.int64)
                room[:kept] = getattr(self, name)[:kept]
                setattr(self, name, room)
        if longest > len(self.shuffled):
            self.shuffled = np.arange(longest)


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
        self._scratch = threading.local()
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
        if not hasattr(self._scratch, "room"):
            self._scratch.room = _Scratch(self.graph.num_nodes)
        room: _Scratch = self._scratch.room
        try:
            hops, num_rows, num_edges = self._drawn(seeds, key_of_batch(self.seed, epoch, position), room)
            found = torch.from_numpy(room.nodes[: hops[-1]].copy())
            forget_nodes(room.nodes[: hops[-1]], room.number_of)
        except BaseException:
            del self._scratch.room
            raise
        lengths, scale = torch.from_numpy(room.lengths[:num_rows]), torch.from_numpy(room.scale[:num_rows])
        sources = torch.from_numpy(room.sources[:num_edges].copy())
        edges = torch.from_numpy(room.edges[:num_edges].copy())
        rowptr = torch.full((len(found) + 1,), num_edges)
        rowptr[0] = 0
        torch.cumsum(lengths, 0, out=rowptr[1 : num_rows + 1])
        value = None if self.graph.value is None else self.graph.value[edges]
        if bool((scale != 1).any()):
            dtype = torch.get_default_dtype() if value is None else value.dtype
            factor = scale.to(dtype).repeat_interleave(lengths, output_size=num_edges)
            value = factor if value is None else value * factor
        pattern = SparsityPattern(rowptr, sources, self._in_order(num_edges))
        return Neighbourhood(Excerpt(pattern, value, found, self.degrees), found, edges, hops)

    def _drawn(self, seeds: NDArray[np.int64], key: int, room: _Scratch) -> tuple[tuple[int, ...], int, int]:
        """Fill the room; how many nodes there are up to each hop, how many rows were drawn, and how many edges."""
        twice = number_nodes(seeds, room.number_of)
        if twice >= 0:
            raise InputError(f"Expected every node at most once, but {seeds[twice]} is there several times.")
        room.nodes[: len(seeds)] = seeds
        hops, begin, first = [len(seeds)], 0, 0
        for hop, fan_out in enumerate(self.fan_out):
            end = hops[-1]
            frontier = room.nodes[begin:end]
            total, longest = count_draws(self._rowptr, frontier, fan_out, self.replace)
            room.make_room(first, first + total, longest)
            lengths, scale = room.lengths[begin:end], room.scale[begin:end]
            edges, sources = room.edges[first : first + total], room.sources[first : first + total]
            draw_edges(
                self._rowptr,
                self._col,
                frontier,
                fan_out,
                self.replace,
                np.uint64(key_of_batch(key, hop)),
                room.shuffled,
                lengths,
                scale,
                edges,
                sources,
            )
            hops.append(
                int(number_sources(lengths, edges, sources, room.number_of, room.nodes, end, room.new_edges))
            )
            begin, first = end, first + total
        return tuple(hops), begin, first

    def _in_order(self, length: int) -> Tensor:
        """0, 1, …, length − 1, of one tensor that all batches share."""
        if length > len(self._counted):
            self._counted = torch.arange(length + length // 4)
        return self._counted[:length]


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
