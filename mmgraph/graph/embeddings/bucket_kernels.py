"""Skip-gram cut into buckets: which pairs of a walk fall into which bucket, and training on one bucket.

Node v lies in partition v mod P as its row v div P. The pairs of a node u and the contexts c of its window go to the
bucket (partition of c, partition of u), and are there a group: u, how many contexts, contexts; all as rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import int64, uint32, uint64

from mmgraph.compiled import kernel, reordering_kernel
from mmgraph.graph.embeddings.skip_gram import LARGEST_LOGIT, SIGMOID_STEPS
from mmgraph.graph.walks.streams import key_of, number


@kernel
def count_words(walks: Any, walk: Any, seed: Any, window: Any, partitions: Any, sizes: Any) -> int:
    """Add up the words that the groups of some walks take in every bucket; returns how many nodes were visited.

    Shapes:
        walks (W, length), walk (W,), sizes (P, P) by partition of contexts and of nodes.
    """
    counts = np.zeros(partitions, np.int64)
    tokens = 0
    for w in range(len(walks)):
        key = key_of(seed, walk[w])
        length = len(walks[w])
        while length > 0 and walks[w, length - 1] < 0:
            length -= 1
        tokens += length
        for position in range(length):
            low, high = _reach(key, position, length, window)
            for other in range(low, high):
                counts[walks[w, other] % partitions] += int64(other != position)
            owner = walks[w, position] % partitions
            for part in range(partitions):
                sizes[part, owner] += counts[part] + 2 if counts[part] > 0 else 0
                counts[part] = 0
    return tokens


@kernel
def write_words(walks: Any, walk: Any, seed: Any, window: Any, partitions: Any, at: Any, words: Any) -> None:
    """Write the groups that `count_words` has counted.

    Args:
        at: where the words of every bucket begin; where they end afterwards.

    Shapes:
        at (P, P), words (sum of sizes,) int32.
    """
    counts = np.zeros(partitions, np.int64)
    for w in range(len(walks)):
        key = key_of(seed, walk[w])
        length = len(walks[w])
        while length > 0 and walks[w, length - 1] < 0:
            length -= 1
        for position in range(length):
            low, high = _reach(key, position, length, window)
            node = walks[w, position]
            owner = node % partitions
            for other in range(low, high):
                part = walks[w, other] % partitions
                if other != position:
                    words[at[part, owner] + 2 + counts[part]] = walks[w, other] // partitions
                    counts[part] += 1
            for part in range(partitions):
                if counts[part] > 0:
                    words[at[part, owner]] = node // partitions
                    words[at[part, owner] + 1] = counts[part]
                    at[part, owner] += counts[part] + 2
                    counts[part] = 0


@kernel
def _reach(key: Any, position: Any, length: Any, window: Any) -> Any:
    """The window of a position, shrunk at random."""
    reach = window - int64(((number(key, position) >> uint64(32)) * uint64(window)) >> uint64(32))
    return max(0, position - reach), min(length, position + reach + 1)


@reordering_kernel
def train_on_groups(
    words: Any,
    segment: Any,
    seed: Any,
    negatives: Any,
    threshold: Any,
    alias: Any,
    sigmoid: Any,
    learning_rate: Any,
    x: Any,
    y: Any,
) -> int:
    """Train on groups one after the other, in place; returns how many contexts they have, which share negatives.

    Args:
        words: groups.
        segment: a number of its own for every piece of work, which decides about its random numbers.
        threshold, alias: of the distribution of negatives within the partition of y.
        x: vectors of the partition of the contexts.
        y: vectors nodes are predicted with, of the partition of the nodes.

    Shapes:
        words (W,) int32, x (n, d), y (m, d), both float32.
    """
    dim = x.shape[1]
    num_rows = uint64(len(y))
    outputs = negatives + 1
    target = np.empty(outputs, np.int64)
    weights = np.empty((outputs, dim), np.float32)
    moved = np.empty((outputs, dim), np.float32)
    step = np.empty(dim, np.float32)
    scale = np.float32(SIGMOID_STEPS / (2 * LARGEST_LOGIT))
    middle = np.float32(SIGMOID_STEPS / 2)
    key = key_of(seed, segment)
    drawn = 0
    contexts = 0
    at = 0
    while at < len(words):
        target[0] = words[at]
        count = words[at + 1]
        contexts += int64(count)
        at += 2
        for k in range(1, outputs):
            bits = number(key, drawn)
            drawn += 1
            chosen = ((bits >> uint64(32)) * num_rows) >> uint64(32)
            below = uint32(bits & uint64(0xFFFFFFFF)) < threshold[chosen]
            target[k] = int64(chosen) if below else int64(alias[chosen])
        for k in range(outputs):
            row, copy, change = y[target[k]], weights[k], moved[k]
            for d in range(dim):
                copy[d] = row[d]
                change[d] = np.float32(0)
        for i in range(count):
            row = x[words[at + i]]
            for d in range(dim):
                step[d] = np.float32(0)
            for k in range(outputs):
                # A negative that is the node itself says nothing.
                if k > 0 and target[k] == target[0]:
                    continue
                copy, change = weights[k], moved[k]
                logit = np.float32(0)
                for d in range(dim):
                    logit += row[d] * copy[d]
                place = min(max(int64(logit * scale + middle), 0), SIGMOID_STEPS - 1)
                label = np.float32(1) if k == 0 else np.float32(0)
                slope = (label - sigmoid[place]) * learning_rate
                for d in range(dim):
                    step[d] += slope * copy[d]
                    change[d] += slope * row[d]
            for d in range(dim):
                row[d] += step[d]
        at += count
        for k in range(outputs):
            row, change = y[target[k]], moved[k]
            for d in range(dim):
                row[d] += change[d]
    return contexts
