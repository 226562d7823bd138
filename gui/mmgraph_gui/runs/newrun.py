"""The dialog that starts a run: a recipe, and a form made from its options."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QSettings, Qt
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QFrame,
    QInputDialog,
    QLabel,
    QMenu,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from mmgraph.errors import ConfigError, UnknownNameError
from mmgraph.options import Scalar, defaults_for, options_of
from mmgraph_gui.accessible import named
from mmgraph_gui.drawing.theme import Theme
from mmgraph_gui.runs.optionfield import OptionField, label_of, shown
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
        from mmgraph.recipes import registry

        self._theme = theme
        self._settings = RecipeSettings(settings)
        self.queued = False
        self.setWindowTitle("New run")
        self.resize(560, 640)
        self._recipes = {name: registry.recipe(name) for name in registry.names()}
        self.fields: dict[str, OptionField] = {}

        self.chooser = named(QComboBox(), "Recipe", "What to train")
        for entry in self._recipes.values():
            self.chooser.addItem(f"{entry.title}  ({entry.name})", entry.name)
        self.summary = QLabel(wordWrap=True)
        self.left_out = QLabel("\n".join(registry.failures()), wordWrap=True)
        self.left_out.setStyleSheet(f"color: {theme.palette.warning};")
        self.left_out.setVisible(bool(registry.failures()))
        self.form = QScrollArea()
        self.form.setWidgetResizable(True)
        self.form.setFrameShape(QFrame.Shape.NoFrame)
        self.hint = QLabel(wordWrap=True)
        self.hint.setAccessibleName("Help for the option")
        self.hint.setMinimumHeight(3 * self.fontMetrics().lineSpacing())
        self.hint.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.start = self.buttons.addButton("Start", QDialogButtonBox.ButtonRole.AcceptRole)
        self.queue = self.buttons.addButton("Queue", QDialogButtonBox.ButtonRole.ActionRole)
        self.queue.setToolTip("Start when no other run is being trained")
        self.queue.clicked.connect(self._accept_queued)
        self.options_menu = QMenu(self)
        self.options_menu.aboutToShow.connect(self._fill_menu)
        self.stored = named(
            QPushButton("Options"), "Options", "Options used lately, kept under a name, or in a file"
        )
        self.stored.setMenu(self.options_menu)
        self.buttons.addButton(self.stored, QDialogButtonBox.ButtonRole.ActionRole)
        self.reset = self.buttons.addButton("Defaults", QDialogButtonBox.ButtonRole.ResetRole)
        self.reset.setToolTip("Put every option back to its default")
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self.reset.clicked.connect(lambda _=False: self._fill())

        layout = QVBoxLayout(self)
        layout.addWidget(self.chooser)
        layout.addWidget(self.summary)
        layout.addWidget(self.left_out)
        layout.addWidget(self.form, 1)
        layout.addWidget(self.hint)
        layout.addWidget(self.buttons)
        self.start.setDefault(True)
        self.buttons.button(QDialogButtonBox.StandardButton.Cancel).setIcon(QIcon())
        self.chooser.currentIndexChanged.connect(self._fill)
        if recipe is not None:
            self.chooser.setCurrentIndex(self.chooser.findData(recipe))
        self._fill()
        if values is not None:
            self.apply(values)
        self.chooser.setFocus()

    @property
    def recipe(self) -> Recipe:
        """The chosen recipe."""
        return self._recipes[self.chooser.currentData()]

    def values(self) -> dict[str, Scalar | None]:
        """The options that differ from the defaults, as chosen."""
        return {name: field.value() for name, field in self.fields.items() if field.value() != field.default}

    def apply(self, values: Mapping[str, object]) -> None:
        """Fill the form; options that the recipe does not know or take keep their defaults, and are told of."""
        self._fill()
        taken: dict[str, Scalar | None] = {}
        refused: list[str] = []
        for name, value in values.items():
            field = self.fields.get(name.replace("-", "_"))
            try:
                if field is None:
                    refused.append(f"{name} is not an option of {self.recipe.name}")
                else:
                    taken[field.option.name] = field.option.check(value)
            except (ConfigError, UnknownNameError) as error:
                refused.append(str(error).rstrip("."))
        implied = defaults_for(self.recipe.config, taken)
        for name, value in taken.items():
            self.fields[name].set_value(value)
            self.fields[name].touched = value != implied[name]
        self._take_defaults()
        self._check()
        if refused:
            self.hint.setText(f"Left at the default: {'; '.join(refused)}.")

    def accept(self) -> None:
        """Start, and remember the options."""
        self._settings.remember(self.recipe.name, self.values())
        super().accept()

    def _accept_queued(self) -> None:
        self.queued = True
        self.accept()

    def _fill_menu(self) -> None:
        """Options used lately, those with a name, and where to find others."""
        menu, recipe = self.options_menu, self.recipe.name
        menu.clear()
        for name, values in self._settings.named(recipe).items():
            menu.addAction(name).triggered.connect(lambda _=False, values=values: self.apply(values))
        if recent := self._settings.recent(recipe):
            menu.addSection("Used lately")
            for values in recent:
                text = ", ".join(f"{name} = {shown(value)}" for name, value in values.items()) or "defaults"
                short = self.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, 380)
                menu.addAction(short).triggered.connect(lambda _=False, values=values: self.apply(values))
        menu.addSeparator()
        menu.addAction("Open a file…").triggered.connect(self._open_file)
        keep = menu.addAction("Keep under a name…")
        keep.setEnabled(not self._problem())
        keep.triggered.connect(self._keep)

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

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The hint line explains the field under the mouse or with the focus."""
        if event.type() in (QEvent.Type.FocusIn, QEvent.Type.Enter):
            for field in self.fields.values():
                if field.widget is watched:
                    self._explain(field)
        if event.type() == QEvent.Type.Wheel and not (isinstance(watched, QWidget) and watched.hasFocus()):
            event.ignore()  # the wheel scrolls the form and changes no value on its way
            return True
        return super().eventFilter(watched, event)

    def _fill(self) -> None:
        recipe = self.recipe
        self.summary.setText(recipe.summary)
        page = QWidget()
        form = QFormLayout(page)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self.fields = {}
        for option in options_of(recipe.config):
            field = OptionField(option, page)
            field.changed.connect(lambda field=field: self._edited(field))
            field.widget.installEventFilter(self)
            field.widget.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            self.fields[option.name] = field
            form.addRow(label_of(option), field.widget)
        self.form.setWidget(page)
        self._take_defaults()
        self._check()
        self.hint.setText("Point at an option to read what it does.")

    def _edited(self, field: OptionField) -> None:
        self._take_defaults()
        self._check()
        if not self._problem():
            self._explain(field)

    def _take_defaults(self) -> None:
        """Some choices imply other defaults: a data set or a layer its own learning rate."""
        chosen = {
            name: field.value() for name, field in self.fields.items() if field.touched and not field.error()
        }
        for name, default in defaults_for(self.recipe.config, chosen).items():
            self.fields[name].set_default(default)

    def _problem(self) -> str:
        return next((error for field in self.fields.values() if (error := field.error())), "")

    def _check(self) -> None:
        problem = self._problem()
        self.start.setEnabled(not problem)
        self.queue.setEnabled(not problem)
        palette = self._theme.palette
        for field in self.fields.values():
            field.widget.setStyleSheet(f"border: 1px solid {palette.error};" if field.error() else "")
        self.hint.setStyleSheet(f"color: {palette.error};" if problem else "")
        self.hint.setText(problem)
        self.start.setToolTip(problem or "Start training")

    def _explain(self, field: OptionField) -> None:
        if not self._problem():
            default = shown(field.default)
            self.hint.setText(
                f"{label_of(field.option)}: {field.option.help} Takes {field.option.expected}; default {default}."
            )
