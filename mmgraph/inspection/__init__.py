"""Look inside any torch.nn.Module while it learns: `watch` for a loop of one's own, `Capture` for one look.

Names are imported when they are first used, so that `import mmgraph` stays cheap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mmgraph.lazy_names import lazy_names

if TYPE_CHECKING:
    from mmgraph.inspection.capture import Capture
    from mmgraph.inspection.draft import Limits
    from mmgraph.inspection.explanation import NodeExplanation, explain
    from mmgraph.inspection.lightning import WatchCallback
    from mmgraph.inspection.live import Watch
    from mmgraph.inspection.watching import watch

__all__ = ["Capture", "Limits", "NodeExplanation", "Watch", "WatchCallback", "explain", "watch"]

_HOME = {
    "Capture": "capture",
    "Limits": "draft",
    "NodeExplanation": "explanation",
    "Watch": "live",
    "WatchCallback": "lightning",
    "explain": "explanation",
    "watch": "watching",
}

__getattr__, __dir__ = lazy_names(__name__, _HOME)
