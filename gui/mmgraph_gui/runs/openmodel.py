"""The dialog that opens a trained model: a file of weights, what computes with them, and data to try it on."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from PySide6.QtGui import QIcon
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from mmgraph.options import Scalar
from mmgraph.recipes.registry import no_own_model
from mmgraph.runs.opened import MODEL_FILES
from mmgraph.training.options import TrainingOptions
from mmgraph_gui.accessible import named
from mmgraph_gui.drawing.theme import Theme
from mmgraph_gui.runs.recipe_form import RecipeForm

ALONE, OF_A_RECIPE, OWN, OWN_WITH_DATA = range(4)
WAYS = {
    ALONE: ("Not known: weights alone", "Filters, shapes and how the weights are spread."),
    OF_A_RECIPE: (
        "The model of a recipe, with its data",
        "Its options have to be those it was trained with. Embedding, attention, feature maps and scores are recorded, "
        "and the model can be asked questions.",
    ),
    OWN: (
        "My own class or function",
        "Layers, filters and how the weights are spread. The module that you name is run: name only code that you "
        "trust.",
    ),
    OWN_WITH_DATA: (
        "My own class or function, on the data of a recipe",
        "Embedding, attention, feature maps and scores on data that suit it. The module that you name is run: "
        "name only code that you trust.",
    ),
}
MATTERS = ("seed", "device", "threads")
"""Of the options that all recipes share, those that matter to a model that is trained already."""


class OpenModelDialog(QDialog):
    """Choose a file, and what is known of the model.

    Args:
        file: to begin with.
    """

    def __init__(self, theme: Theme, parent: QWidget | None = None, *, file: str = "") -> None:
        super().__init__(parent)
        self._theme = theme
        self.setWindowTitle("Open model")
        self.path = named(QLineEdit(file), "File of weights", "safetensors, or a state_dict of torch.save")
        self.path.setPlaceholderText(f"weights{MODEL_FILES[0]}, …{MODEL_FILES[1]}")
        self.browse = named(QPushButton("Browse…"), "Browse for the file of weights")
        self.way = named(QComboBox(), "Architecture", "What computes with the weights")
        for text, _ in WAYS.values():
            self.way.addItem(text)
        self.own = named(
            QLineEdit(),
            "Class or function",
            "package.module:Net, package.module:Net(10) or folder/file.py:Net",
        )
        self.own.setPlaceholderText("package.module:Net(10) or folder/file.py:Net")
        self.browse_own = named(QPushButton("Browse…"), "Browse for the Python file of the class or function")
        self.about = QLabel(wordWrap=True)
        shared = {field.name for field in dataclasses.fields(TrainingOptions)}
        self.form = RecipeForm(theme, what="Whose model or data", without=shared.difference(MATTERS))
        self.problem_line = QLabel(wordWrap=True)
        self.problem_line.setStyleSheet(f"color: {theme.palette.error};")
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.start = self.buttons.addButton("Open", QDialogButtonBox.ButtonRole.AcceptRole)
        self._arrange()
        self.browse.clicked.connect(self._browse)
        self.browse_own.clicked.connect(self._browse_own)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self.path.textChanged.connect(self._check)
        self.own.textChanged.connect(self._check)
        self.form.changed.connect(self._check)
        self.way.currentIndexChanged.connect(self._show_way)
        self._show_way()

    @property
    def file(self) -> Path:
        """The chosen file."""
        return Path(self.path.text().strip()).expanduser()

    @property
    def recipe(self) -> str | None:
        """The recipe that the model or the data are of."""
        return self.form.recipe.name if self._needs_recipe else None

    @property
    def values(self) -> dict[str, Scalar | None]:
        """Options of the recipe that differ from its defaults."""
        return self.form.values() if self._needs_recipe else {}

    @property
    def model(self) -> str | None:
        """The own class or function."""
        return self.own.text().strip() if self._needs_own else None

    @property
    def problem(self) -> str:
        """Why this cannot be opened; empty where it can be tried."""
        if not self.path.text().strip():
            return "Choose a file of weights."
        if not self.file.is_file():
            return f"There is no file '{self.file}'."
        if self._needs_own and ":" not in self.own.text():
            return "Name a class or function, as in package.module:Net."
        if self._needs_recipe and self._needs_own and (refusal := no_own_model(self.form.recipe)):
            return refusal
        return self.form.problem if self._needs_recipe else ""

    @property
    def _needs_recipe(self) -> bool:
        return self.way.currentIndex() in (OF_A_RECIPE, OWN_WITH_DATA)

    @property
    def _needs_own(self) -> bool:
        return self.way.currentIndex() in (OWN, OWN_WITH_DATA)

    def _arrange(self) -> None:
        rows = QFormLayout()
        rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        rows.addRow("File", _beside(self.path, self.browse))
        rows.addRow("Architecture", self.way)
        self._own_row = _beside(self.own, self.browse_own)
        rows.addRow("Class or function", self._own_row)
        self._rows = rows
        layout = QVBoxLayout(self)
        layout.addLayout(rows)
        layout.addWidget(self.about)
        layout.addWidget(self.form, 1)
        layout.addStretch(0)
        layout.addWidget(self.problem_line)
        layout.addWidget(self.buttons)
        self.about.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        self.start.setDefault(True)
        self.buttons.button(QDialogButtonBox.StandardButton.Cancel).setIcon(QIcon())
        self.resize(580, 620)

    def _show_way(self) -> None:
        self._rows.setRowVisible(self._own_row, self._needs_own)
        self.form.setVisible(self._needs_recipe)
        self._check()

    def _check(self) -> None:
        problem = self.problem
        about = WAYS[self.way.currentIndex()][1]
        if self._needs_recipe and self._needs_own and self.form.recipe.own_model:
            about += f" It takes and gives: {self.form.recipe.own_model}."
        self.about.setText(about)
        told_in_form = self._needs_recipe and problem == self.form.problem
        self.problem_line.setText("" if told_in_form else problem)
        self.problem_line.setVisible(bool(self.problem_line.text()))
        self.start.setEnabled(not problem)
        self.start.setToolTip(problem)

    def _browse(self) -> None:
        endings = " ".join(f"*{ending}" for ending in MODEL_FILES)
        chosen, _ = QFileDialog.getOpenFileName(
            self, "Open model", self.path.text() or str(Path.home()), f"Weights ({endings});;All files (*)"
        )
        if chosen:
            self.path.setText(chosen)

    def _browse_own(self) -> None:
        chosen, _ = QFileDialog.getOpenFileName(self, "Python file", str(Path.home()), "Python (*.py)")
        if chosen:
            self.own.setText(f"{chosen}:")
            self.own.setFocus()


def _beside(field: QWidget, button: QWidget) -> QWidget:
    row = QWidget()
    layout = QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addWidget(field, 1)
    layout.addWidget(button)
    return row
