"""Says why a view of snapshots is empty."""

from __future__ import annotations

from mmgraph_gui.views import View


def say_missing(view: View, kind: str, what: str) -> None:
    """No snapshot of this kind: none in the run, none yet, or none by the step that is shown."""
    if view.state.layers(kind):
        view.show_message(f"No {what} had been recorded by step {view.state.step:,}.")
    else:
        view.show_missing(what)
