"""HTML and SVG from Python: text is escaped unless it is `Markup` already; the result is well-formed XML too."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

_VOID = frozenset(("br", "col", "hr", "img", "link", "meta"))
_SHAPES = frozenset(("circle", "line", "path", "polyline", "rect", "image"))
# What neither HTML nor XML may hold, such as control characters of a hostile label.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")


class Markup(str):
    """Text that is HTML."""

    __slots__ = ()


def escape(text: object) -> Markup:
    """Any text as HTML; what a page may not hold becomes U+FFFD."""
    if isinstance(text, Markup):
        return text
    return Markup(html.escape(_FORBIDDEN.sub("\ufffd", str(text)), quote=True))


def element(tag: str, *children: object, **attributes: object) -> Markup:
    """`<tag attributes>children</tag>`.

    Args:
        children: text, which is escaped, or markup; None is left out.
        attributes: None and False are left out, True stands for an attribute without value. A trailing
            underscore is dropped, others become hyphens: class_, aria_label.
    """
    parts = [tag]
    for name, value in attributes.items():
        if value is None or value is False:
            continue
        plain = name.rstrip("_").replace("_", "-")
        parts.append(f'{plain}="{escape(plain if value is True else value)}"')
    opening = " ".join(parts)
    if tag in _VOID or (tag in _SHAPES and not children):
        return Markup(f"<{opening}/>")
    return Markup(f"<{opening}>{joined(children)}</{tag}>")


def joined(children: Iterable[object]) -> Markup:
    """Markup of several children, one after the other."""
    return Markup("".join(escape(child) for child in children if child is not None))
