"""Questions the window asks before it writes."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget

from mmgraph_gui.export.view_file import formats_of
from mmgraph_gui.views import View

LARGER = {"Picture, twice as large (*.png)": 2.0, "Picture, four times as large (*.png)": 4.0}


def ask_export(parent: QWidget, view: View, name: str) -> tuple[Path, float] | None:
    """Which file to write a view into, and how large; without an ending it gets that of the chosen format."""
    formats = formats_of(view)
    picture, *others = formats.values()
    chosen, wanted = QFileDialog.getSaveFileName(
        parent,
        f"Export {view.title}",
        str(Path.home() / f"{name}.png"),
        ";;".join([picture, *LARGER, *others]),
    )
    if not chosen:
        return None
    path = Path(chosen)
    ending = next((ending for ending, text in formats.items() if text == wanted), ".png")
    return path if path.suffix else path.with_suffix(ending), LARGER.get(wanted, 1.0)


def ask_report(parent: QWidget, name: str) -> Path | None:
    """Which file to write a report of the run into."""
    formats = {"Web page (*.html)": ".html", "Pages, as the window shows it (*.pdf)": ".pdf"}
    chosen, wanted = QFileDialog.getSaveFileName(
        parent, "Export report", str(Path.home() / f"{name}.html"), ";;".join(formats)
    )
    if not chosen:
        return None
    path = Path(chosen)
    return path if path.suffix else path.with_suffix(formats.get(wanted, ".html"))
