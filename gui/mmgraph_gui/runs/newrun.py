"""The dialog that starts a run: a recipe, and a form made from its options."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QSettings, Qt
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QInputDialog,
    QMenu,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from mmgraph.options import Scalar
from mmgraph_gui.accessible import named
from mmgraph_gui.drawing.theme import Theme
from mmgraph_gui.runs.optionfield import OptionField, shown
from mmgraph_gui.runs.recipe_form import RecipeForm
from mmgraph_gui.runs.recipe_settings import RecipeSettings

if TYPE_CHECKING:
    from mmgraph.recipes.registry import Recipe


class NewRunDialog(QDialog):
    """Choose a recipe, change options, start now or after the runs that are being trained.

    Args:
        recipe: to begin with.
        values: its options to begin with, such as those of a run; what is not given is the default.
        settings: where options used lately and those with a name are kept.

    Attributes:
        queued: whether the run shall wait for its turn.
    """

    def __init__(
        self,
        theme: Theme,
        parent: QWidget | None = None,
        *,
        recipe: str | None = None,
        values: Mapping[str, object] | None = None,
        settings: QSettings | None = None,
    ) -> None:
        super().__init__(parent)
        self._settings = RecipeSettings(settings)
        self.queued = False
        self.setWindowTitle("New run")
        self.resize(560, 640)
        self.form = RecipeForm(theme, what="What to train")
        self.chooser, self.hint = self.form.chooser, self.form.hint
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.start = self.buttons.addButton("Start", QDialogButtonBox.ButtonRole.AcceptRole)
        self.queue = self.buttons.addButton("Queue", QDialogButtonBox.ButtonRole.ActionRole)
        self.queue.setToolTip("Start when no other run is being trained")
        self.queue.clicked.connect(self._accept_queued)
        self.options_menu = QMenu(self)
        self.options_menu.aboutToShow.connect(self._fill_menu)
        self.stored = named(
            QPushButton("Presets"),
            "Presets",
            "Options for a quick look, as in a paper, kept under a name, used lately, or in a file",
        )
        self.stored.setMenu(self.options_menu)
        self.buttons.addButton(self.stored, QDialogButtonBox.ButtonRole.ActionRole)
        self.reset = self.buttons.addButton("Defaults", QDialogButtonBox.ButtonRole.ResetRole)
        self.reset.setToolTip("Put every option back to its default")
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self.reset.clicked.connect(lambda _=False: self.form.fill())

        layout = QVBoxLayout(self)
        layout.addWidget(self.form, 1)
        layout.addWidget(self.buttons)
        self.start.setDefault(True)
        self.buttons.button(QDialogButtonBox.StandardButton.Cancel).setIcon(QIcon())
        self.form.changed.connect(self._enable)
        if recipe is not None:
            self.form.choose(recipe)
        if values is not None:
            self.apply(values)
        self._enable()
        self.chooser.setFocus()

    @property
    def recipe(self) -> Recipe:
        """The chosen recipe."""
        return self.form.recipe

    @property
    def fields(self) -> dict[str, OptionField]:
        """The field of each option."""
        return self.form.fields

    def values(self) -> dict[str, Scalar | None]:
        """The options that differ from the defaults, as chosen."""
        return self.form.values()

    def apply(self, values: Mapping[str, object]) -> None:
        """Fill the form; options that the recipe does not know or take keep their defaults, and are told of."""
        self.form.apply(values)

    def _enable(self) -> None:
        problem = self.form.problem
        self.start.setEnabled(not problem)
        self.queue.setEnabled(not problem)
        self.start.setToolTip(problem or "Start training")

    def accept(self) -> None:
        """Start, and remember the options."""
        self._settings.remember(self.recipe.name, self.values())
        super().accept()

    def _accept_queued(self) -> None:
        self.queued = True
        self.accept()

    def _fill_menu(self) -> None:
        """Ready-made options, those with a name, those used lately, and where to find others."""
        menu, recipe = self.options_menu, self.recipe.name
        menu.clear()
        if self.recipe.quick:
            self._offer(menu, "Quick look", self.recipe.quick)
        if published := _published(recipe):
            papers = menu.addMenu("As in the paper")
            for name, options in published.items():
                self._offer(papers, name, options)
        if kept := self._settings.named(recipe):
            menu.addSection("Kept")
            for name, values in kept.items():
                self._offer(menu, name, values)
        if recent := self._settings.recent(recipe):
            menu.addSection("Used lately")
            for values in recent:
                text = ", ".join(f"{name} = {shown(value)}" for name, value in values.items()) or "defaults"
                short = self.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, 380)
                self._offer(menu, short, values)
        menu.addSeparator()
        menu.addAction("Open a file…").triggered.connect(self._open_file)
        keep = menu.addAction("Keep under a name…")
        keep.setEnabled(not self.form.problem)
        keep.triggered.connect(self._keep)

    def _offer(self, menu: QMenu, text: str, values: Mapping[str, object]) -> None:
        menu.addAction(text.replace("&", "&&")).triggered.connect(lambda _=False: self._take(values))

    def _take(self, values: Mapping[str, object]) -> None:
        self.apply(values)
        self.start.setFocus()  # Enter starts it, rather than opening the menu again

    def _open_file(self) -> None:
        chosen, _ = QFileDialog.getOpenFileName(
            self, "Options from a file", "", "TOML (*.toml);;All files (*)"
        )
        if chosen:
            self.apply_file(Path(chosen))

    def apply_file(self, path: Path) -> None:
        """Fill the form from a TOML file: a config of the command line, or the config.toml of a run."""
        try:
            content = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            self.hint.setText(f"'{path}' could not be read ({error}).")
            return
        options = content.get("options", content)
        self.apply(options if isinstance(options, dict) else {})

    def _keep(self) -> None:
        name, fine = QInputDialog.getText(self, "Keep options", "Name of these options")
        if fine and name.strip():
            self._settings.keep(self.recipe.name, name.strip(), self.values())


def _published(recipe: str) -> dict[str, Mapping[str, Scalar | None]]:
    """Options with which `mmgraph reproduce` runs the rows of published tables, where a figure was published."""
    from mmgraph.reproduction import names, table

    found: dict[str, Mapping[str, Scalar | None]] = {}
    for row in (row for name in names() for row in table(name).rows if row.recipe == recipe):
        if any(measure.published is not None for measure in row.measures):
            found.setdefault(row.title, row.options)
    return found
