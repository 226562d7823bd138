"""What the layers may be constructed with."""

from __future__ import annotations

from collections.abc import Iterable

from mmgraph.errors import InputError, UnknownNameError


def check_channels(in_channels: int, out_channels: int) -> None:
    """At least one feature in and one out.

    Raises:
        InputError: there are fewer.
    """
    if in_channels < 1 or out_channels < 1:
        raise InputError(f"Expected at least one channel, but got {in_channels} in and {out_channels} out.")


def check_count(what: str, value: int, minimum: int = 1) -> None:
    """A number that is large enough.

    Raises:
        InputError: it is not.
    """
    if value < minimum:
        raise InputError(f"Expected at least {minimum} {what}, but got {value}.")


def check_share(what: str, value: float) -> None:
    """A share or probability.

    Raises:
        InputError: it is not from 0 to 1.
    """
    if not 0 <= value <= 1:
        raise InputError(f"Expected {what} from 0 to 1, but got {value}.")


def check_name(what: str, name: str, known: Iterable[str]) -> None:
    """One of the names there are.

    Raises:
        UnknownNameError: it is none of them.
    """
    known = tuple(known)
    if name not in known:
        raise UnknownNameError.of(what, name, known)
