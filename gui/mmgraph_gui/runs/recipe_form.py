"""A recipe to choose, and a form made from its options."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
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

if TYPE_CHECKING:
    from mmgraph.recipes.registry import Recipe


class RecipeForm(QWidget):
    """A recipe, its options, and a line that explains the one under the mouse or says what is wrong.

    Args:
        what: is done with the recipe, for the chooser.
        without: names of options that do not matter here.

    Signals:
        changed(): another recipe or other options were chosen.
    """

    changed = Signal()

    def __init__(
        self, theme: Theme, parent: QWidget | None = None, *, what: str, without: Collection[str] = ()
    ) -> None:
        super().__init__(parent)
        from mmgraph.recipes import registry

        self._theme, self._without = theme, frozenset(without)
        self._recipes = {name: registry.recipe(name) for name in registry.names()}
        self.fields: dict[str, OptionField] = {}
        self.chooser = named(QComboBox(), "Recipe", what)
        for entry in self._recipes.values():
            self.chooser.addItem(f"{entry.title}  ({entry.name})", entry.name)
        self.summary = QLabel(wordWrap=True)
        self.left_out = QLabel("\n".join(registry.failures()), wordWrap=True)
        self.left_out.setStyleSheet(f"color: {theme.palette.warning};")
        self.left_out.setVisible(bool(registry.failures()))
        self.form = named(QScrollArea(), "Options", "")
        self.form.setWidgetResizable(True)
        self.form.setFrameShape(QFrame.Shape.NoFrame)
        self.hint = QLabel(wordWrap=True)
        self.hint.setAccessibleName("Help for the option")
        self.hint.setMinimumHeight(3 * self.fontMetrics().lineSpacing())
        self.hint.setAlignment(Qt.AlignmentFlag.AlignTop)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.chooser)
        layout.addWidget(self.summary)
        layout.addWidget(self.left_out)
        self.go_to = QPushButton("Go to it")
        self.go_to.setToolTip("Show the option that cannot be taken")
        self.go_to.clicked.connect(self.show_problem)
        self.go_to.hide()
        below = QHBoxLayout()
        below.addWidget(self.hint, 1)
        below.addWidget(self.go_to, 0, Qt.AlignmentFlag.AlignTop)
        self.form.verticalScrollBar().valueChanged.connect(lambda _: self._offer_to_go())
        layout.addWidget(self.form, 1)
        layout.addLayout(below)
        self.chooser.currentIndexChanged.connect(self.fill)
        self.fill()

    @property
    def recipe(self) -> Recipe:
        """The chosen recipe."""
        return self._recipes[self.chooser.currentData()]

    def choose(self, recipe: str) -> None:
        """Another recipe, with its defaults."""
        self.chooser.setCurrentIndex(self.chooser.findData(recipe))

    def values(self) -> dict[str, Scalar | None]:
        """The options that differ from the defaults, as chosen."""
        return {name: field.value() for name, field in self.fields.items() if field.value() != field.default}

    def apply(self, values: Mapping[str, object]) -> None:
        """Fill the form; options that the recipe does not know or take keep their defaults, and are told of."""
        self.fill()
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
        elif not self.problem:
            told = [
                f"{label_of(self.fields[name].option)} {shown(value)}"
                for name, value in self.values().items()
            ]
            self.hint.setText(
                f"Other than the defaults: {', '.join(told)}." if told else "All at their defaults."
            )

    @property
    def problem(self) -> str:
        """Why the options cannot be taken; empty where they can."""
        field = self._wrong
        return "" if field is None else field.error()

    def show_problem(self) -> None:
        """Scroll to the first option that cannot be taken, and go there."""
        field = self._wrong
        if field is not None:
            self.form.ensureWidgetVisible(field.widget)
            field.widget.setFocus()
        self._offer_to_go()

    @property
    def _wrong(self) -> OptionField | None:
        return next((field for field in self.fields.values() if field.error()), None)

    def _offer_to_go(self) -> None:
        """A way to the option that cannot be taken, where it is out of sight."""
        field = self._wrong
        self.go_to.setVisible(field is not None and field.widget.visibleRegion().isEmpty())
        if field is not None:
            self.go_to.setAccessibleName(f"Go to {label_of(field.option)}")

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

    def fill(self) -> None:
        """Make the form of the chosen recipe, with its defaults."""
        recipe = self.recipe
        self.summary.setText(recipe.summary)
        page = QWidget()
        form = QFormLayout(page)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self.fields = {}
        for option in options_of(recipe.config):
            if option.name in self._without:
                continue
            field = OptionField(option, page)
            field.changed.connect(lambda field=field: self._edited(field))
            field.widget.installEventFilter(self)
            field.widget.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            if not isinstance(field.widget, QCheckBox):  # the same for all, with a frame or without
                field.widget.setFixedHeight(self.chooser.sizeHint().height())
            self.fields[option.name] = field
            form.addRow(label_of(option), field.widget)
        self.form.setWidget(page)
        self._take_defaults()
        self._check()
        self.hint.setText("Point at an option to read what it does.")

    def _edited(self, field: OptionField) -> None:
        self._take_defaults()
        self._check()
        if not self.problem:
            self._explain(field)

    def _take_defaults(self) -> None:
        """Some choices imply other defaults: a data set or a layer its own learning rate."""
        chosen = {
            name: field.value() for name, field in self.fields.items() if field.touched and not field.error()
        }
        for name, default in defaults_for(self.recipe.config, chosen).items():
            if name in self.fields:
                self.fields[name].set_default(default)

    def _check(self) -> None:
        problem = self.problem
        palette = self._theme.palette
        for field in self.fields.values():
            field.widget.setStyleSheet(f"border: 1px solid {palette.error};" if field.error() else "")
        self.hint.setStyleSheet(f"color: {palette.error};" if problem else "")
        self.hint.setText(problem)
        self._offer_to_go()
        self.changed.emit()

    def _explain(self, field: OptionField) -> None:
        if not self.problem:
            default = shown(field.default)
            self.hint.setText(
                f"{label_of(field.option)}: {field.option.help} Takes {field.option.expected}; default {default}."
            )
