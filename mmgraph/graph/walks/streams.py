"""One stream of random numbers per walk, so that a walk is the same whichever thread takes it.

The n-th number of a walk is mix(key + n γ) with key = mix(seed + (walk + 1) γ'), γ and γ' odd: a counter, nothing to
keep. The mixing function passes BigCrush on counters.

Source: Steele, Lea & Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014 (splitmix64).
"""

from __future__ import annotations

from typing import Any

from numba import uint64

from mmgraph.compiled import inlined

GAMMA = 0x9E3779B97F4A7C15
KEY_GAMMA = 0xD1342543DE82EF95


@inlined
def mixed(counter: Any) -> Any:
    """64 bits that look random, from 64 bits that count."""
    z = uint64(counter)
    z = uint64((z ^ (z >> uint64(30))) * uint64(0xBF58476D1CE4E5B9))
    z = uint64((z ^ (z >> uint64(27))) * uint64(0x94D049BB133111EB))
    return uint64(z ^ (z >> uint64(31)))


@inlined
def key_of(seed: Any, walk: Any) -> Any:
    """Where the stream of a walk starts."""
    return mixed(uint64(seed) + (uint64(walk) + uint64(1)) * uint64(KEY_GAMMA))


@inlined
def number(key: Any, n: Any) -> Any:
    """The n-th 64 random bits of a stream."""
    return mixed(uint64(key) + uint64(n) * uint64(GAMMA))
