"""What the window shows: one run, one step, one selection for every view. No Qt, no disk."""

from mmgraph_gui.state.app_state import TOPICS, AppState, Groups, Near, OtherRun, Topic

__all__ = ["TOPICS", "AppState", "Groups", "Near", "OtherRun", "Topic"]
