"""Nodes and their contexts as Planetoid draws them, and the descent on them.

A pair (i, c) is a graph context with probability 1 − r, else a label context. For a graph context a walk of q nodes
starts at a random node with edges, and i and c are two of its nodes, evenly drawn among those at most `window` steps
apart. For a label context i is a labelled node and c another draw from those with its label. Each pair comes with K
nodes that c is held against: of any kind for a graph context, of other labels for a label context. The loss is

    −log σ(w_c · e_i) − Σ_k log σ(−w_{n_k} · e_i)

Source: Yang, Cohen & Salakhutdinov, "Revisiting semi-supervised learning with graph embeddings", ICML 2016, Alg. 1.
    Differs: each positive pair is followed by its K negatives, where the paper draws the sign of every pair, positive
    with probability 1 / (1 + K); the expected gradient is the same up to a factor.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import int64, uint64
from numpy.typing import NDArray

from mmgraph.compiled import inlined, kernel, reordering_kernel
from mmgraph.graph.walks.sampling import fill_walks
from mmgraph.graph.walks.streams import key_of, number
from mmgraph.graph.walks.walk_graph import WalkGraph

PAIR_STREAMS = 0x2545F4914F6CDD1D
"""Keeps the random numbers of pairs apart from those of the walks."""


class Contexts(NamedTuple):
    """Nodes, −1 where a walk ended before there was a pair; the context of each, then K negatives.

    Shapes:
        node (pairs,), context (pairs, 1 + K).
    """

    node: NDArray[np.int64]
    context: NDArray[np.int64]


class ContextSampler:
    """Draws pairs; the n-th pair is a function of the seed and n alone.

    Args:
        graph: what to walk on.
        starts: nodes that walks start at and negatives are drawn from.
        labelled: nodes whose label is known.
        label: of each of them, from 0; of at least two kinds.
        walk_length: q.
        window: the largest distance in a walk.
        negatives: K.
        seed: of walks and pairs.

    Shapes:
        starts (S,), labelled and label (L,).
    """

    def __init__(
        self,
        graph: WalkGraph,
        starts: NDArray[np.int64],
        labelled: NDArray[np.int64],
        label: NDArray[np.int64],
        *,
        walk_length: int,
        window: int,
        negatives: int,
        seed: int,
    ) -> None:
        self._graph, self._starts = graph, starts
        order = np.argsort(label, kind="stable")
        self._labelled, self._label = labelled[order], label[order]
        self._bounds = np.searchsorted(self._label, np.arange(self._label.max() + 2))
        self._walk_length, self._window, self._negatives, self._seed = walk_length, window, negatives, seed

    def sample(self, first: int, count: int, label_share: float) -> Contexts:
        """Pairs first … first + count − 1, label contexts with probability `label_share`."""
        start = np.empty(count, np.int64)
        pair = np.arange(first, first + count)
        seed = np.uint64((self._seed + PAIR_STREAMS) % 2**64)
        _draw_starts(seed, pair, self._starts, start)
        walks = np.empty((count, self._walk_length), np.int32)
        fill_walks(self._graph, start, pair, 1.0, 1.0, self._seed, walks)
        node = np.empty(count, np.int64)
        context = np.empty((count, 1 + self._negatives), np.int64)
        _draw_pairs(
            seed,
            pair,
            walks,
            self._window,
            label_share,
            self._starts,
            self._labelled,
            self._label,
            self._bounds,
            node,
            context,
        )
        return Contexts(node, context)


@inlined
def _below(bits: Any, bound: Any) -> Any:
    """An even draw from 0 … bound − 1, from 64 random bits."""
    return int64(((bits >> uint64(32)) * uint64(bound)) >> uint64(32))


@kernel
def _draw_starts(seed: Any, pair: Any, starts: Any, start: Any) -> None:
    for i in range(len(pair)):
        start[i] = starts[_below(number(key_of(seed, pair[i]), 0), len(starts))]


@kernel
def _draw_pairs(
    seed: Any,
    pair: Any,
    walks: Any,
    window: Any,
    label_share: Any,
    starts: Any,
    labelled: Any,
    label: Any,
    bounds: Any,
    node: Any,
    context: Any,
) -> None:
    for i in range(len(pair)):
        key = key_of(seed, pair[i])
        drawn = 1
        of_labels = float(number(key, drawn) >> uint64(11)) * 2.0**-53 < label_share
        drawn += 1
        if of_labels:
            chosen = _below(number(key, drawn), len(labelled))
            first, after = bounds[label[chosen]], bounds[label[chosen] + 1]
            node[i] = labelled[chosen]
            context[i, 0] = labelled[first + _below(number(key, drawn + 1), after - first)]
            drawn += 2
            for k in range(1, context.shape[1]):
                other = _below(number(key, drawn), len(labelled) - (after - first))
                drawn += 1
                context[i, k] = labelled[other + (after - first) if other >= first else other]
            continue
        walk = walks[i]
        length = len(walk)
        while length > 0 and walk[length - 1] < 0:
            length -= 1
        node[i] = -1
        if length < 2:
            continue
        here, there = 0, -1
        while there < 0 or there >= length:
            here = _below(number(key, drawn), length)
            step = _below(number(key, drawn + 1), 2 * window) - window
            there = here + (step + 1 if step >= 0 else step)
            drawn += 2
        node[i] = walk[here]
        context[i, 0] = walk[there]
        for k in range(1, context.shape[1]):
            context[i, k] = starts[_below(number(key, drawn), len(starts))]
            drawn += 1


@reordering_kernel
def descend_vectors(node: Any, context: Any, learning_rate: Any, e: Any, w: Any) -> float:
    """One step downhill per pair, in place, for vectors of nodes; the mean loss on the way.

    Args:
        node, context: Contexts.
        learning_rate: float32.
        e: the vectors of the nodes.
        w: the vectors of contexts.

    Shapes:
        e, w (N, d) float32.
    """
    gradient = np.empty(e.shape[1], np.float32)
    loss, pairs = 0.0, 0
    for i in range(len(node)):
        if node[i] >= 0:
            vector = e[node[i]]
            loss += _descend(vector, context[i], learning_rate, w, gradient)
            pairs += 1
            for d in range(len(vector)):
                vector[d] += gradient[d]
    return loss / max(pairs, 1)


@reordering_kernel
def descend_encoder(
    node: Any,
    context: Any,
    learning_rate: Any,
    rowptr: Any,
    col: Any,
    value: Any,
    weight: Any,
    bias: Any,
    w: Any,
) -> float:
    """One step downhill per pair, in place, for e_i = ReLU(x_i W + b); the mean loss on the way.

    Only the rows of W whose features a node has are read and written.

    Args:
        node, context: Contexts.
        learning_rate: float32.
        rowptr, col, value: the features x in compressed rows.
        weight, bias: W and b.
        w: the vectors of contexts.

    Shapes:
        rowptr (N + 1,), weight (F, d), bias (d,), w (N, d); float32.
    """
    gradient = np.empty(len(bias), np.float32)
    vector = np.empty(len(bias), np.float32)
    loss, pairs = 0.0, 0
    for i in range(len(node)):
        if node[i] < 0:
            continue
        first, after = rowptr[node[i]], rowptr[node[i] + 1]
        # Loops, since expressions of arrays would make a new one for every entry.
        for d in range(len(vector)):
            vector[d] = bias[d]
        for entry in range(first, after):
            share, row = value[entry], weight[col[entry]]
            for d in range(len(vector)):
                vector[d] += share * row[d]
        for d in range(len(vector)):
            vector[d] = max(vector[d], np.float32(0))
        loss += _descend(vector, context[i], learning_rate, w, gradient)
        pairs += 1
        for d in range(len(vector)):
            gradient[d] = gradient[d] if vector[d] > 0 else np.float32(0)
            bias[d] += gradient[d]
        for entry in range(first, after):
            share, row = value[entry], weight[col[entry]]
            for d in range(len(vector)):
                row[d] += share * gradient[d]
    return loss / max(pairs, 1)


@inlined
def _descend(vector: Any, context: Any, learning_rate: Any, w: Any, gradient: Any) -> Any:
    """Move the contexts, and leave in `gradient` what moves the vector; returns the loss before."""
    gradient[:] = 0
    loss = 0.0
    for k in range(len(context)):
        other = w[context[k]]
        score = np.float32(0)
        for d in range(len(vector)):
            score += vector[d] * other[d]
        margin = score if k == 0 else -score
        loss += max(-margin, np.float32(0)) + np.log1p(np.exp(-abs(margin)))
        slope = learning_rate / (np.float32(1) + np.exp(margin))
        slope = slope if k == 0 else -slope
        for d in range(len(vector)):
            gradient[d] += slope * other[d]
            other[d] += slope * vector[d]
    return loss
