"""Lines of bytes to fields, and fields to numbers, as compiled kernels.

A field is given by where it starts and ends in the bytes. Quotes around a field are not part of it; that it had
some is seen from the byte before it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import int64, uint8, uint64

from mmgraph.compiled import inlined, kernel

NEWLINE, TAB, RETURN, SPACE, QUOTE = 10, 9, 13, 32, 34
MOST_DIGITS = 18
"""Whole numbers of so many digits fit into 64 bits."""
EXACT_DIGITS = 15
"""So many digits are exact in a float64, and so are the powers of ten up to EXACT_POWER."""
EXACT_POWER = 22
POWERS = 10.0 ** np.arange(EXACT_POWER + 1)


@inlined
def _is_blank(byte: Any) -> Any:
    return byte in (SPACE, TAB, RETURN)


@kernel
def find_fields(data: Any, delimiter: int, comments: Any, bounds: Any, lines: Any) -> tuple[int, int, int]:
    """Find two or three fields in every line that is neither blank nor a comment.

    Args:
        data: whole lines, the last one ending in a newline.
        delimiter: a byte, or a space for any run of blanks.
        comments: bytes that make a line a comment when they come first.
        bounds: filled with start and end of each field; −1 where there is no third.
        lines: filled with the number of each line, from 0.

    Returns:
        Rows found, lines seen, and the row of the first line that is something else, or −1. Stops there.

    Shapes:
        data (B,) uint8, bounds (R, 3, 2) int32, lines (R,) int32.
    """
    at, row, line = 0, 0, 0
    while at < len(data):
        low = at
        while data[at] != NEWLINE:
            at += 1
        high = at
        at += 1
        while low < high and _is_blank(data[low]):
            low += 1
        while high > low and _is_blank(data[high - 1]):
            high -= 1
        skipped = low == high
        if not skipped:
            for comment in comments:
                skipped = skipped or data[low] == comment
        if not skipped:
            lines[row] = line
            bounds[row, 2, 0] = -1
            bounds[row, 2, 1] = -1
            count = _split(data, low, high, delimiter, bounds[row])
            if count < 2 or count > 3:
                return row, line + 1, row
            row += 1
        line += 1
    return row, line, -1


@kernel
def _split(data: Any, low: int, high: int, delimiter: int, fields: Any) -> int:
    """Fields of one line; 0 where it cannot be read, 4 where there are more than three."""
    count, at = 0, low
    while True:
        while at < high and data[at] != delimiter and _is_blank(data[at]):
            at += 1
        first = at
        if at < high and data[at] == QUOTE:
            first = at + 1
            at += 1
            while at < high and not (data[at] == QUOTE and (at + 1 == high or data[at + 1] != QUOTE)):
                at += 2 if data[at] == QUOTE else 1
            if at >= high:
                return 0
            end = at
            at += 1
            while at < high and data[at] != delimiter and _is_blank(data[at]):
                at += 1
            if at < high and data[at] != delimiter and not (delimiter == SPACE and _is_blank(data[at - 1])):
                return 0
        else:
            while at < high and data[at] != delimiter and not (delimiter == SPACE and _is_blank(data[at])):
                at += 1
            end = at
            while end > first and _is_blank(data[end - 1]):
                end -= 1
            if end == first:
                return 0
        if count == 3:
            return 4
        fields[count, 0] = first
        fields[count, 1] = end
        count += 1
        if delimiter == SPACE:
            while at < high and _is_blank(data[at]):
                at += 1
            if at >= high:
                return count
        else:
            if at >= high:
                return count
            at += 1


@kernel
def read_whole_numbers(data: Any, bounds: Any, out: Any) -> int:
    """Two whole numbers per row; returns the first row in which one is not, or −1.

    Numbers have a minus sign or none, no leading zeros, at most 18 digits, and no quotes.

    Shapes:
        bounds (R, 3, 2), out (R, 2) int64.
    """
    for row in range(len(out)):
        for end in range(2):
            at, stop = bounds[row, end, 0], bounds[row, end, 1]
            if at > 0 and data[at - 1] == QUOTE:
                return row
            negative = data[at] == 45
            if negative:
                at += 1
            digits = stop - at
            if digits < 1 or digits > MOST_DIGITS or (data[at] == 48 and (digits > 1 or negative)):
                return row
            value = int64(0)
            while at < stop:
                digit = uint8(data[at] - 48)
                if digit > 9:
                    return row
                value = value * 10 + int64(digit)
                at += 1
            out[row, end] = -value if negative else value
    return -1


@kernel
def read_decimals(data: Any, bounds: Any, out: Any, odd: Any) -> int:
    """The third field of every row as the nearest float64; returns how many rows are left to a slower reader.

    Few digits and small powers of ten are exact: one division or multiplication then rounds correctly.

    Shapes:
        bounds (R, 3, 2), out (R,) float64, odd (R,) int64, filled with the rows that are left.

    Source: Clinger, "How to read floating point numbers accurately", PLDI 1990.
    """
    left = 0
    for row in range(len(out)):
        at, stop = bounds[row, 2, 0], bounds[row, 2, 1]
        negative = data[at] == 45
        if negative:
            at += 1
        value, digits, power, seen, understood = int64(0), 0, 0, 0, True
        point = False
        while at < stop:
            digit = uint8(data[at] - 48)
            if digit <= 9:
                value = value * 10 + int64(digit)
                digits += 1 if value > 0 else 0
                power -= 1 if point else 0
                seen += 1
                if digits > EXACT_DIGITS:
                    understood = False
                    break
            elif data[at] == 46 and not point:
                point = True
            else:
                break
            at += 1
        if understood and seen > 0 and at < stop and (data[at] == 101 or data[at] == 69):
            at += 1
            down = at < stop and data[at] == 45
            if at < stop and (data[at] == 45 or data[at] == 43):
                at += 1
            exponent, first = 0, at
            while at < stop and uint8(data[at] - 48) <= 9 and at - first < 4:
                exponent = exponent * 10 + int64(uint8(data[at] - 48))
                at += 1
            understood = at > first
            power += -exponent if down else exponent
        if not understood or seen == 0 or at < stop or abs(power) > EXACT_POWER:
            odd[left] = row
            left += 1
            continue
        number = value / POWERS[-power] if power < 0 else value * POWERS[power]
        out[row] = -number if negative else number
    return left


@inlined
def _hashed(data: Any, start: Any, end: Any, seed: Any) -> Any:
    """FNV-1a with a secret start, its bits mixed once more."""
    h = uint64(seed) ^ uint64(0xCBF29CE484222325)
    for at in range(start, end):
        h = uint64((h ^ uint64(data[at])) * uint64(0x100000001B3))
    h = uint64((h ^ (h >> uint64(32))) * uint64(0xD6E8FEB86659FD93))
    return uint64(h ^ (h >> uint64(32)))


@kernel
def number_names(
    data: Any, bounds: Any, seed: Any, table: Any, hashes: Any, ends: Any, quoted: Any, pool: Any, count: int,
    out: Any,
) -> int:  # fmt: skip
    """Number fields by which name they hold, new names in the order they come; returns how many names there are.

    Args:
        table: of a power of two slots, the number of a name or −1.
        hashes, ends, quoted: of every name: its hash, where its bytes end in `pool`, whether it had quotes.
        pool: the bytes of all names, one after the other.
        count: names there are already.

    Shapes:
        bounds (R, 3, 2), out (R, 2) int64.
    """
    mask = uint64(len(table) - 1)
    for row in range(len(out)):
        for end in range(2):
            start, stop = bounds[row, end, 0], bounds[row, end, 1]
            h = _hashed(data, start, stop, seed)
            slot = h & mask
            while True:
                name = table[slot]
                if name < 0:
                    first = ends[count - 1] if count > 0 else 0
                    for i in range(stop - start):
                        pool[first + i] = data[start + i]
                    table[slot] = count
                    hashes[count] = h
                    ends[count] = first + stop - start
                    quoted[count] = start > 0 and data[start - 1] == QUOTE
                    out[row, end] = count
                    count += 1
                    break
                first = ends[name - 1] if name > 0 else 0
                if hashes[name] == h and ends[name] - first == stop - start:
                    same = True
                    for i in range(stop - start):
                        if pool[first + i] != data[start + i]:
                            same = False
                            break
                    if same:
                        out[row, end] = name
                        break
                slot = (slot + uint64(1)) & mask
    return count


@kernel
def place_names(table: Any, hashes: Any, count: int) -> None:
    """Fill an empty table with the names there are."""
    mask = uint64(len(table) - 1)
    for name in range(count):
        slot = hashes[name] & mask
        while table[slot] >= 0:
            slot = (slot + uint64(1)) & mask
        table[slot] = name
