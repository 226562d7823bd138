"""Skip-gram with negative sampling over walks.

For a node u of a walk and every node c within its window the vectors x of c and y move along the gradient of

    log σ(y_u · x_c) + Σ_{k=1..K} log σ(−y_{n_k} · x_c),   n_k ∼ P(n).

The window is shrunk at random, so that near nodes count more.

Source: Mikolov et al., "Distributed representations of words and phrases and their compositionality", NeurIPS 2013.
    Differs: the contexts of u share its K negatives, and their gradients are taken at the same values (Ji et al.,
    "Parallelizing word2vec in shared and distributed memory", 2016): a small matrix product in registers instead
    of vectors from memory, and fewer writes for threads to collide in.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import int64, uint32, uint64
from numpy.typing import NDArray

from mmgraph.graph.compiled import kernel, reordering_kernel
from mmgraph.graph.walks.streams import key_of, number

LARGEST_LOGIT = 8.0
SIGMOID_STEPS = 4096
CONTEXTS = 4
"""Contexts and, below, outputs whose products are summed side by side in registers."""
OUTPUTS = 3


def sigmoid_table() -> NDArray[np.float32]:
    """σ at the middles of SIGMOID_STEPS equal steps from −LARGEST_LOGIT to LARGEST_LOGIT."""
    middle = (np.arange(SIGMOID_STEPS) + 0.5) / SIGMOID_STEPS * 2 - 1
    return (1 / (1 + np.exp(-middle * LARGEST_LOGIT))).astype(np.float32)


def alias_table(weight: NDArray[np.float64]) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Two numbers per item that let one be drawn in proportion to its weight with two memory accesses.

    Draw an item i evenly and 32 random bits r; take i where r < threshold[i], else alias[i].

    Shapes:
        weight (N,) → threshold (N,), alias (N,).

    Source: Vose, "A linear algorithm for generating random numbers with a given distribution", 1991.
    """
    threshold = np.full(len(weight), 2**32 - 1, np.uint32)
    alias = np.arange(len(weight), dtype=np.uint32)
    _fill_alias(weight * (len(weight) / weight.sum()), threshold, alias)
    return threshold, alias


@kernel
def _fill_alias(share: Any, threshold: Any, alias: Any) -> None:
    small = np.empty(len(share), np.int64)
    large = np.empty(len(share), np.int64)
    smalls, larges = 0, 0
    for i in range(len(share)):
        if share[i] < 1.0:
            small[smalls] = i
            smalls += 1
        else:
            large[larges] = i
            larges += 1
    while smalls > 0 and larges > 0:
        smalls -= 1
        less, more = small[smalls], large[larges - 1]
        threshold[less] = uint32(min(share[less] * 4294967296.0, 4294967295.0))
        alias[less] = uint32(more)
        share[more] -= 1.0 - share[less]
        if share[more] < 1.0:
            larges -= 1
            small[smalls] = more
            smalls += 1


@reordering_kernel
def train_on_walks(
    walks: Any,
    walk: Any,
    seed: Any,
    window: Any,
    negatives: Any,
    threshold: Any,
    alias: Any,
    sigmoid: Any,
    learning_rate: Any,
    x: Any,
    y: Any,
) -> int:
    """Train on walks one after the other, in place; returns how many nodes they visited.

    Threads may train the same vectors at once without locks (Hogwild): an update may get lost, and the result then
    depends on their timing.

    Args:
        walks: nodes; −1 after the end of a walk.
        walk: the number of each walk, which decides about its random numbers.
        seed: of the streams, uint64.
        window: the largest distance of a context.
        negatives: K.
        threshold, alias: of P(n).
        sigmoid: `sigmoid_table()`.
        learning_rate: float32.
        x: the embedding.
        y: the vectors nodes are predicted with.

    Shapes:
        walks (walks, length), walk (walks,), x (N, d), y (N, d), both float32.

    Source: Recht et al., "Hogwild!", NeurIPS 2011.
    """
    dim = x.shape[1]
    num_nodes = uint64(len(x))
    outputs = negatives + 1
    # Rounded up to whole blocks; what is beyond stays zero.
    columns = (outputs + OUTPUTS - 1) // OUTPUTS * OUTPUTS
    most = 2 * window + CONTEXTS
    context = np.empty(most, np.int64)
    inputs = np.zeros((most, dim), np.float32)
    target = np.empty(columns, np.int64)
    weights = np.zeros((columns, dim), np.float32)
    gradient = np.zeros((most, columns), np.float32)
    scale = np.float32(SIGMOID_STEPS / (2 * LARGEST_LOGIT))
    middle = np.float32(SIGMOID_STEPS / 2)
    tokens = 0
    for w in range(len(walks)):
        nodes = walks[w]
        length = len(nodes)
        while length > 0 and nodes[length - 1] < 0:
            length -= 1
        tokens += length
        key = key_of(seed, walk[w])
        drawn = 0
        for position in range(length):
            bits = number(key, drawn)
            drawn += 1
            reach = window - int64(((bits >> uint64(32)) * uint64(window)) >> uint64(32))
            count = 0
            for other in range(max(0, position - reach), min(length, position + reach + 1)):
                if other != position:
                    context[count] = nodes[other]
                    count += 1
            if count == 0:
                continue
            target[0] = nodes[position]
            for k in range(1, outputs):
                bits = number(key, drawn)
                drawn += 1
                chosen = ((bits >> uint64(32)) * num_nodes) >> uint64(32)
                below = uint32(bits & uint64(0xFFFFFFFF)) < threshold[chosen]
                target[k] = int64(chosen) if below else int64(alias[chosen])
            for k in range(outputs):
                row = y[target[k]]
                copy = weights[k]
                for d in range(dim):
                    copy[d] = row[d]
            for i in range(count):
                row = x[context[i]]
                copy = inputs[i]
                for d in range(dim):
                    copy[d] = row[d]

            for i in range(0, count, CONTEXTS):
                i0, i1, i2, i3 = inputs[i], inputs[i + 1], inputs[i + 2], inputs[i + 3]
                for k in range(0, outputs, OUTPUTS):
                    k0, k1, k2 = weights[k], weights[k + 1], weights[k + 2]
                    s00 = s01 = s02 = s10 = s11 = s12 = np.float32(0)
                    s20 = s21 = s22 = s30 = s31 = s32 = np.float32(0)
                    for d in range(dim):
                        s00 += i0[d] * k0[d]
                        s01 += i0[d] * k1[d]
                        s02 += i0[d] * k2[d]
                        s10 += i1[d] * k0[d]
                        s11 += i1[d] * k1[d]
                        s12 += i1[d] * k2[d]
                        s20 += i2[d] * k0[d]
                        s21 += i2[d] * k1[d]
                        s22 += i2[d] * k2[d]
                        s30 += i3[d] * k0[d]
                        s31 += i3[d] * k1[d]
                        s32 += i3[d] * k2[d]
                    g0, g1, g2, g3 = gradient[i], gradient[i + 1], gradient[i + 2], gradient[i + 3]
                    g0[k], g0[k + 1], g0[k + 2] = s00, s01, s02
                    g1[k], g1[k + 1], g1[k + 2] = s10, s11, s12
                    g2[k], g2[k + 1], g2[k + 2] = s20, s21, s22
                    g3[k], g3[k + 1], g3[k + 2] = s30, s31, s32
            for i in range(count):
                slopes = gradient[i]
                for k in range(columns):
                    at = int64(slopes[k] * scale + middle)
                    label = np.float32(1) if k == 0 else np.float32(0)
                    slopes[k] = (label - sigmoid[min(max(at, 0), SIGMOID_STEPS - 1)]) * learning_rate
                for k in range(1, columns):
                    # A negative that is the node itself says nothing.
                    if k >= outputs or target[k] == target[0]:
                        slopes[k] = np.float32(0)
            for i in range(count):
                row = x[context[i]]
                slopes = gradient[i]
                for k in range(0, outputs, OUTPUTS):
                    k0, k1, k2 = weights[k], weights[k + 1], weights[k + 2]
                    g0, g1, g2 = slopes[k], slopes[k + 1], slopes[k + 2]
                    for d in range(dim):
                        row[d] += g0 * k0[d] + g1 * k1[d] + g2 * k2[d]
            for i in range(count, (count + CONTEXTS - 1) // CONTEXTS * CONTEXTS):
                gradient[i] = np.float32(0)
            for k in range(outputs):
                row = y[target[k]]
                for i in range(0, count, CONTEXTS):
                    i0, i1, i2, i3 = inputs[i], inputs[i + 1], inputs[i + 2], inputs[i + 3]
                    g0, g1, g2, g3 = (
                        gradient[i, k],
                        gradient[i + 1, k],
                        gradient[i + 2, k],
                        gradient[i + 3, k],
                    )
                    for d in range(dim):
                        row[d] += g0 * i0[d] + g1 * i1[d] + g2 * i2[d] + g3 * i3[d]
    return tokens
