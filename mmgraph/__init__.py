"""mmgraph: train graph, vision, sequence and multimodal models and look inside them while they learn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mmgraph.version import __version__

if TYPE_CHECKING:
    from mmgraph.inspection.watching import watch

__all__ = ["__version__", "watch"]


def __getattr__(name: str) -> Any:
    # PEP 562: torch is imported when somebody watches a model, not when somebody imports mmgraph.
    if name == "watch":
        from mmgraph.inspection.watching import watch

        return watch
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
