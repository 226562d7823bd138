"""What can be done with selected items: keep them under a name, write them to files."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PySide6.QtWidgets import QFileDialog, QInputDialog, QMenu, QWidget

from mmgraph.errors import UsageError
from mmgraph.runs import ItemSet
from mmgraph.runs.selections import (
    delete_selection,
    read_selection,
    selection_names,
    write_ids,
    write_selection,
)
from mmgraph.whole_file import whole_file
from mmgraph_gui.asking.progress import Progress, write_csv, write_in_worker
from mmgraph_gui.reading.follower import RunFollower
from mmgraph_gui.state import AppState
from mmgraph_gui.state.selection import Rows
from mmgraph_gui.views.item_card import ROW_COLUMNS, row_values


class SelectionMenu(QMenu):
    """Entries about the selection; lists the selections that the run keeps.

    Args:
        say: tells what was done, in a sentence.
    """

    def __init__(
        self,
        state: AppState,
        follower: RunFollower,
        say: Callable[[str], None],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__("Selection", parent)
        self._state, self._follower, self._say = state, follower, say
        self.setToolTipsVisible(True)
        self.keep = self.addAction("&Keep selection…", self.ask_name)
        self.keep.setToolTip("Keep the selected items under a name, in the folder of the run")
        self.kept = self.addMenu("Kept &selections")
        self.forget = self.addMenu("&Forget a selection")
        self.addSeparator()
        self.table = self.addAction("Selection to &CSV…", self.ask_table)
        self.split = self.addAction("Selection as &test split…", self.ask_split)
        self.split.setToolTip(
            "Lists of rows that recipes and mmgraph read: test_idx-1.txt, and train_idx-1.txt with all others"
        )
        self.aboutToShow.connect(self._enable)
        self.addSeparator()

    def refresh(self) -> None:
        """Read which selections the run keeps."""
        path = self._state.path
        if path is None:
            self._list([])
        else:
            self._follower.do(lambda: selection_names(path), self._list)

    def save(self, name: str) -> None:
        """Keep the selection under a name."""
        path, rows = self._state.path, self._state.selection
        if path is not None:
            ids = self._ids(rows)
            self._follower.do(
                lambda: write_selection(path, name, ids), lambda _: self._saved(name, len(rows))
            )

    def load(self, name: str) -> None:
        """Select what was kept under a name."""
        path, items = self._state.path, self._state.items
        if path is not None:
            work = functools.partial(_rows_of, path, name, None if items is None else items.ids)
            self._follower.do(work, self._state.select)

    def write_table(self, path: Path) -> None:
        """Write the selected items as CSV."""
        rows = self._state.selection
        values, items = row_values(self._state, rows), self._state.items
        texts = None if items is None or items.texts is None else [items.texts[row] for row in rows.tolist()]

        columns = (*ROW_COLUMNS, *(("text",) if texts else ()))
        table = ((*value, *((texts[number],) if texts else ())) for number, value in enumerate(values))

        def write(progress: Progress) -> None:
            with whole_file(path, UsageError) as part:
                write_csv(columns, table, part, progress, total=len(rows))
                progress()

        self._write(write, f"Wrote {len(rows):,} items to '{path}'.")

    def write_split(self, folder: Path) -> None:
        """Write the selected items as the test part of a split and all others as its training part."""
        rows, items = self._state.selection, self._state.items
        if items is None:
            return
        ids = self._ids(np.arange(len(items)))
        chosen = np.zeros(len(items), dtype=bool)
        chosen[rows[rows < len(items)]] = True

        def write(progress: Progress) -> None:
            with (
                whole_file(folder / "test_idx-1.txt", UsageError) as tested,
                whole_file(folder / "train_idx-1.txt", UsageError) as trained,
            ):
                write_ids(tested, ids[chosen])
                progress(0.5, "Writing those to train on …")
                write_ids(trained, ids[~chosen])
                progress()

        parts = f"test_idx-1.txt ({int(chosen.sum()):,}) and train_idx-1.txt ({int((~chosen).sum()):,})"
        self._write(write, f"Wrote {parts} to '{folder}'.")

    # -- questions -----------------------------------------------------------------------------------------

    def ask_name(self) -> None:
        """Ask for a name and keep the selection under it."""
        name, given = QInputDialog.getText(self.parentWidget(), "Keep selection", "Name of the selection:")
        if given and name.strip():
            self.save(name.strip())

    def ask_table(self) -> None:
        """Ask for a file and write the selected items into it."""
        chosen, _ = QFileDialog.getSaveFileName(
            self.parentWidget(), "Selection to CSV", str(Path.home() / "selection.csv"), "Table (*.csv)"
        )
        if chosen:
            self.write_table(Path(chosen).with_suffix(".csv") if not Path(chosen).suffix else Path(chosen))

    def ask_split(self) -> None:
        """Ask for a folder and write the selection into it as a split."""
        chosen = QFileDialog.getExistingDirectory(
            self.parentWidget(), "Folder for the split", str(Path.home())
        )
        if chosen:
            self.write_split(Path(chosen))

    # -- how it works --------------------------------------------------------------------------------------

    def _write(self, write: Callable[[Progress], object], told: str) -> None:
        title = "Writing the selection"
        write_in_worker(self.parentWidget() or self, self._follower, title, write, lambda: self._say(told))

    def _ids(self, rows: Rows) -> Rows:
        items: ItemSet | None = self._state.items
        if items is None or items.ids is None:
            return rows
        return items.ids[rows[rows < len(items)]].astype(np.int64)

    def _saved(self, name: str, count: int) -> None:
        self._say(f"Kept {count:,} items as '{name}'.")
        self.refresh()

    def _list(self, names: list[str]) -> None:
        for menu, do in ((self.kept, self.load), (self.forget, self._forget)):
            menu.clear()
            menu.setEnabled(bool(names))
            for name in names:
                menu.addAction(name.replace("&", "&&"), functools.partial(do, name))

    def _forget(self, name: str) -> None:
        path = self._state.path
        if path is not None:
            self._follower.do(lambda: delete_selection(path, name), lambda _: self.refresh())

    def _enable(self) -> None:
        some = bool(len(self._state.selection)) and self._state.path is not None
        for action in (self.keep, self.table):
            action.setEnabled(some)
        self.split.setEnabled(some and self._state.items is not None)


def _rows_of(path: Path, name: str, ids: Rows | None) -> Rows:
    kept = read_selection(path, name)
    return kept if ids is None else np.flatnonzero(np.isin(ids, kept))
