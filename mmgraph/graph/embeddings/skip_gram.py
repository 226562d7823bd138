"""Skip-gram with negative sampling over walks.

For a node u of a walk and every node c within its window the vectors x of c and y move along the gradient of

    log σ(y_u · x_c) + Σ_{k=1..K} log σ(−y_{n_k} · x_c),   n_k ∼ P(n).

The window is shrunk at random, so that near nodes count more.

Source: Mikolov et al., "Distributed representations of words and phrases and their compositionality", NeurIPS 2013.
    Differs: the contexts of u share its K negatives, and all σ are taken at the same values (Ji et al.,
    "Parallelizing word2vec in shared and distributed memory", 2016): a small matrix product in registers instead
    of vectors from memory, and fewer writes for threads to collide in.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import int64, uint32, uint64
from numpy.typing import NDArray

from mmgraph.compiled import inlined, kernel, reordering_kernel
from mmgraph.graph.kernels.instructions import prefetch, wide_vectors
from mmgraph.graph.walks.streams import key_of, number

LARGEST_LOGIT = 8.0
SIGMOID_STEPS = 4096
CONTEXTS = 4
"""Contexts and, below, outputs whose products are summed side by side in registers."""
OUTPUTS = 3
GROUP = 6
"""Outputs whose vectors move together: the node and the usual 5 negatives."""
MAX_DIMENSIONS = 4176
"""Room for each vector in the memory of a group. A constant, so that the compiler knows that they do not overlap, and
not near a multiple of 4,096 bytes, which a processor would mistake for overlapping."""
CACHE_LINE = 64
"""Bytes. A vector register that is read across the end of one costs twice."""
FLOATS_PER_LINE = CACHE_LINE // 4


def vectors(rows: int, dimensions: int) -> NDArray[np.float32]:
    """Zeros that begin at a cache line, which makes training on them a tenth faster.

    Shapes:
        → (rows, dimensions).
    """
    size = rows * dimensions
    room = np.zeros(size + FLOATS_PER_LINE, np.float32)
    first = (-room.ctypes.data % CACHE_LINE) // 4
    return room[first : first + size].reshape(rows, dimensions)


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


@inlined
def negative(key: Any, position: Any, k: Any, outputs: Any, threshold: Any, alias: Any) -> Any:
    """The k-th node that one at this position of a walk is held against, k ≥ 1."""
    bits = number(key, position * outputs + k)
    chosen = ((bits >> uint64(32)) * uint64(len(alias))) >> uint64(32)
    return int64(chosen) if uint32(bits & uint64(0xFFFFFFFF)) < threshold[chosen] else int64(alias[chosen])


@inlined
def prefetch_row(array: Any, row: Any) -> None:
    for d in range(0, array.shape[1], FLOATS_PER_LINE):
        prefetch(array, uint64(row * array.shape[1] + d))


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
        y: the vectors nodes are predicted with; both as `vectors` gives them, for speed.

    Shapes:
        walks (walks, length), walk (walks,), x (N, d), y (N, d), both float32.

    Source: Recht et al., "Hogwild!", NeurIPS 2011.
    """
    wide_vectors()
    dim = x.shape[1]
    outputs = negatives + 1
    # Rounded up to whole groups; what is beyond stays zero.
    groups = (outputs + GROUP - 1) // GROUP
    columns = groups * GROUP
    most = 2 * window + CONTEXTS
    context = np.zeros(most, np.int64)
    target = np.empty(columns, np.int64)
    upcoming = np.empty(columns, np.int64)
    # Per group the outputs' vectors as they were, and how they are going to move.
    size = groups * 2 * GROUP * MAX_DIMENSIONS
    room = np.zeros(size + FLOATS_PER_LINE, np.float32)
    aligned = (-room.ctypes.data % CACHE_LINE) // 4
    outs = room[aligned : aligned + size].reshape((groups, 2, GROUP, MAX_DIMENSIONS))
    label = np.zeros(columns, np.float32)
    label[0] = 1
    rate = np.zeros(columns, np.float32)
    slope = np.zeros((most, columns), np.float32)
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
        for k in range(1, outputs):
            upcoming[k] = negative(key, 0, k, outputs, threshold, alias)
        for position in range(length):
            bits = number(key, position * outputs)
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
                target[k] = upcoming[k]
                upcoming[k] = negative(key, position + 1, k, outputs, threshold, alias)
                prefetch_row(y, upcoming[k])
            prefetch_row(y, nodes[min(position + 1, length - 1)])
            for k in range(outputs):
                row = y[target[k]]
                copy, move = outs[k // GROUP, 0, k % GROUP], outs[k // GROUP, 1, k % GROUP]
                for d in range(dim):
                    copy[d] = row[d]
                    move[d] = np.float32(0)
                # A negative that is the node itself says nothing.
                rate[k] = learning_rate if k == 0 or target[k] != target[0] else np.float32(0)

            # What is beyond the last context is not looked at.
            for i in range(count, count + CONTEXTS):
                context[i] = context[count - 1]
            for i in range(0, count, CONTEXTS):
                i0, i1, i2, i3 = x[context[i]], x[context[i + 1]], x[context[i + 2]], x[context[i + 3]]
                c0, c1, c2, c3 = slope[i], slope[i + 1], slope[i + 2], slope[i + 3]
                for k in range(0, columns, OUTPUTS):
                    group = outs[k // GROUP, 0]
                    j = uint64(k % GROUP)
                    k0, k1, k2 = group[j], group[j + uint64(1)], group[j + uint64(2)]
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
                    c0[k], c0[k + 1], c0[k + 2] = s00, s01, s02
                    c1[k], c1[k + 1], c1[k + 2] = s10, s11, s12
                    c2[k], c2[k + 1], c2[k + 2] = s20, s21, s22
                    c3[k], c3[k + 1], c3[k + 2] = s30, s31, s32
            for i in range(count):
                logit = slope[i]
                for k in range(columns):
                    at = int64(logit[k] * scale + middle)
                    logit[k] = (label[k] - sigmoid[min(max(at, 0), SIGMOID_STEPS - 1)]) * rate[k]
            for i in range(count):
                row = x[context[i]]
                for g in range(groups):
                    before, moves, k = outs[uint64(g), 0], outs[uint64(g), 1], uint64(g * GROUP)
                    k0, k1, k2, k3, k4, k5 = before[0], before[1], before[2], before[3], before[4], before[5]
                    m0, m1, m2, m3, m4, m5 = moves[0], moves[1], moves[2], moves[3], moves[4], moves[5]
                    s0, s1, s2 = slope[i, k], slope[i, k + uint64(1)], slope[i, k + uint64(2)]
                    s3, s4, s5 = slope[i, k + uint64(3)], slope[i, k + uint64(4)], slope[i, k + uint64(5)]
                    for d in range(dim):
                        v = row[d]
                        m0[d] += s0 * v
                        m1[d] += s1 * v
                        m2[d] += s2 * v
                        m3[d] += s3 * v
                        m4[d] += s4 * v
                        m5[d] += s5 * v
                        row[d] = v + (
                            s0 * k0[d] + s1 * k1[d] + s2 * k2[d] + s3 * k3[d] + s4 * k4[d] + s5 * k5[d]
                        )
            for k in range(outputs):
                row, move = y[target[k]], outs[k // GROUP, 1, k % GROUP]
                for d in range(dim):
                    row[d] += move[d]
    return tokens
