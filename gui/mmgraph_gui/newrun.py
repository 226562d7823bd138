"""The dialog that starts a run: a recipe, and a form made from its options."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QFrame,
    QLabel,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from mmgraph.options import Scalar, defaults_for, options_of
from mmgraph_gui.accessible import named
from mmgraph_gui.optionfield import OptionField, label_of, shown
from mmgraph_gui.theme import Theme

if TYPE_CHECKING:
    from mmgraph.recipes.registry import Recipe


class NewRunDialog(QDialog):
    """Choose a recipe, change options, start."""

    def __init__(self, theme: Theme, parent: QWidget | None = None, *, recipe: str | None = None) -> None:
        super().__init__(parent)
        from mmgraph.recipes import registry

        self._theme = theme
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
        self.reset = self.buttons.addButton("Defaults", QDialogButtonBox.ButtonRole.ResetRole)
        self.reset.setToolTip("Put every option back to its default")
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self.reset.clicked.connect(self._fill)

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
        self.chooser.setFocus()

    @property
    def recipe(self) -> Recipe:
        """The chosen recipe."""
        return self._recipes[self.chooser.currentData()]

    def values(self) -> dict[str, Scalar | None]:
        """The options that differ from the defaults, as chosen."""
        return {name: field.value() for name, field in self.fields.items() if field.value() != field.default}

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
