"""Products of sparse matrices that have several values per entry, and scores of entries, compiled for the CPU.

Each works on the rows from `first` to `last` and writes nothing else, so that threads can share the rows. Arrays are
those of a pattern in compressed rows: rowptr (num_rows + 1,), col (E,).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mmgraph.compiled import reordering_kernel

Indices = NDArray[np.integer]
Floats = NDArray[np.floating]


@reordering_kernel
def multiply(
    rowptr: Indices, col: Indices, value: Floats, x: Floats, first: int, last: int, out: Floats
) -> None:
    """outᵢₕ = Σₑ vₑₕ x_{col(e) h}, e over the entries of row i.

    Shapes:
        value (E, heads), x (num_cols, heads, channels), out (num_rows, heads, channels).
    """
    heads, channels = x.shape[1], x.shape[2]
    for row in range(first, last):
        total = out[row]
        total[:] = 0
        for entry in range(rowptr[row], rowptr[row + 1]):
            message = x[col[entry]]
            for head in range(heads):
                weight = value[entry, head]
                for channel in range(channels):
                    total[head, channel] += weight * message[head, channel]


@reordering_kernel
def sample(rowptr: Indices, col: Indices, a: Floats, b: Floats, first: int, last: int, out: Floats) -> None:
    """outₑₕ = ⟨aᵢₕ, b_{col(e) h}⟩ for every entry e of row i.

    Shapes:
        a (num_rows, heads, channels), b (num_cols, heads, channels), out (E, heads).
    """
    heads, channels = a.shape[1], a.shape[2]
    for row in range(first, last):
        own = a[row]
        for entry in range(rowptr[row], rowptr[row + 1]):
            other = b[col[entry]]
            for head in range(heads):
                total = a.dtype.type(0)
                for channel in range(channels):
                    total += own[head, channel] * other[head, channel]
                out[entry, head] = total


@reordering_kernel
def score(
    rowptr: Indices,
    col: Indices,
    source: Floats,
    target: Floats,
    vector: Floats,
    slope: float,
    first: int,
    last: int,
    out: Floats,
) -> None:
    """outₑₕ = ⟨vₕ, LeakyReLU(s_{col(e) h} + tᵢₕ)⟩ for every entry e of row i.

    Shapes:
        source (num_cols, heads, channels), target (num_rows, heads, channels), vector (heads, channels),
        out (E, heads).
    """
    heads, channels = source.shape[1], source.shape[2]
    below = source.dtype.type(slope)
    for row in range(first, last):
        own = target[row]
        for entry in range(rowptr[row], rowptr[row + 1]):
            other = source[col[entry]]
            for head in range(heads):
                total = source.dtype.type(0)
                for channel in range(channels):
                    pair = own[head, channel] + other[head, channel]
                    total += vector[head, channel] * (pair if pair > 0 else below * pair)
                out[entry, head] = total


@reordering_kernel
def sum_slopes(
    rowptr: Indices,
    col: Indices,
    grad: Floats,
    own: Floats,
    other: Floats,
    slope: float,
    first: int,
    last: int,
    out: Floats,
) -> None:
    """outᵢₕ = Σₑ gₑₕ LeakyReLU′(oᵢₕ + p_{col(e) h}), e over the entries of row i.

    Shapes:
        grad (E, heads), own (num_rows, heads, channels), other (num_cols, heads, channels), out as own.
    """
    heads, channels = own.shape[1], own.shape[2]
    above, below = own.dtype.type(1), own.dtype.type(slope)
    for row in range(first, last):
        mine, total = own[row], out[row]
        total[:] = 0
        for entry in range(rowptr[row], rowptr[row + 1]):
            theirs = other[col[entry]]
            for head in range(heads):
                weight = grad[entry, head]
                for channel in range(channels):
                    pair = mine[head, channel] + theirs[head, channel]
                    total[head, channel] += weight * (above if pair > 0 else below)


@reordering_kernel
def subtract_largest(rowptr: Indices, scores: Floats, first: int, last: int, out: Floats) -> None:
    """outₑₕ = sₑₕ − maxₖ sₖₕ, k over the entries of e's row; NaN is larger than every number.

    Shapes:
        scores and out (E, heads).
    """
    heads = scores.shape[1]
    largest = np.empty(heads, scores.dtype)
    for row in range(first, last):
        start, end = rowptr[row], rowptr[row + 1]
        if start == end:
            continue
        largest[:] = scores[start]
        for entry in range(start + 1, end):
            for head in range(heads):
                if not scores[entry, head] <= largest[head]:
                    largest[head] = scores[entry, head]
        for entry in range(start, end):
            for head in range(heads):
                out[entry, head] = scores[entry, head] - largest[head]


@reordering_kernel
def divide_by_sums(rowptr: Indices, powers: Floats, first: int, last: int) -> None:
    """pₑₕ ← pₑₕ / Σₖ pₖₕ, k over the entries of e's row.

    Shapes:
        powers (E, heads).
    """
    heads = powers.shape[1]
    total = np.empty(heads, powers.dtype)
    for row in range(first, last):
        total[:] = 0
        for entry in range(rowptr[row], rowptr[row + 1]):
            for head in range(heads):
                total[head] += powers[entry, head]
        for entry in range(rowptr[row], rowptr[row + 1]):
            for head in range(heads):
                powers[entry, head] /= total[head]


@reordering_kernel
def differentiate_softmax(
    rowptr: Indices, alpha: Floats, grad: Floats, first: int, last: int, out: Floats
) -> None:
    """outₑₕ = αₑₕ (gₑₕ − Σₖ αₖₕ gₖₕ), k over the entries of e's row.

    Shapes:
        alpha, grad and out (E, heads).
    """
    heads = alpha.shape[1]
    mean = np.empty(heads, alpha.dtype)
    for row in range(first, last):
        mean[:] = 0
        for entry in range(rowptr[row], rowptr[row + 1]):
            for head in range(heads):
                mean[head] += alpha[entry, head] * grad[entry, head]
        for entry in range(rowptr[row], rowptr[row + 1]):
            for head in range(heads):
                out[entry, head] = alpha[entry, head] * (grad[entry, head] - mean[head])
