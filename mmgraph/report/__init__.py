"""One self-contained HTML page about a run. NumPy and Pillow only."""

from mmgraph.report.page import write_report

__all__ = ["write_report"]
