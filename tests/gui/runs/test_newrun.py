from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
from PySide6.QtCore import QSettings, Qt
from PySide6.QtWidgets import QCheckBox, QComboBox, QInputDialog, QLineEdit, QSpinBox

from mmgraph.options import option, options_of
from mmgraph.recipes import registry
from mmgraph_gui.runs.newrun import NewRunDialog, _published
from mmgraph_gui.runs.optionfield import OptionField
from mmgraph_gui.runs.recipe_settings import RecipeSettings


@dataclass(frozen=True, kw_only=True)
class Config:
    presets: ClassVar[Mapping[Any, Any]] = {("conv", "gat"): {"rate": 0.5, "epochs": 7}}

    epochs: int = option(5, "Passes.", minimum=1, maximum=50)
    rate: float = option(0.01, "Step size.", minimum=1e-9)
    conv: str = option("gcn", "Layer.", choices=("gcn", "gat"))
    shuffle: bool = option(True, "Whether to shuffle.")
    patience: int | None = option(None, "Epochs to wait.", minimum=1)
    seed: int = option(0, "Seed.", minimum=0, maximum=2**63 - 1)


@pytest.fixture
def dialog(qtbot, theme, monkeypatch):
    recipe = registry.Recipe("fake", "A fake", "Trains nothing.", Config, "nowhere")
    monkeypatch.setattr(registry, "names", lambda: ["fake"])
    monkeypatch.setattr(registry, "recipe", lambda name: recipe)
    dialog = NewRunDialog(theme)
    qtbot.addWidget(dialog)
    return dialog


def test_fields_fit_their_options(dialog):
    kinds = {name: type(field.widget) for name, field in dialog.fields.items()}
    assert kinds == {
        "epochs": QSpinBox, "rate": QLineEdit, "conv": QComboBox, "shuffle": QCheckBox,
        "patience": QLineEdit, "seed": QLineEdit,
    }  # fmt: skip
    assert dialog.fields["rate"].text() == "0.01"
    assert dialog.fields["patience"].text() == "none"
    assert all(field.widget.accessibleName() for field in dialog.fields.values())
    assert dialog.start.isEnabled()


def test_a_mistake_out_of_sight_is_named_and_can_be_gone_to(qtbot, dialog):
    dialog.resize(dialog.width(), 10)
    dialog.form.form.setFixedHeight(60)
    dialog.show()
    bar = dialog.form.form.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 60)
    bar.setValue(0)
    assert dialog.form.go_to.isHidden()
    dialog.fields["seed"].widget.setText("none of it")
    assert "seed" in dialog.hint.text()
    assert not dialog.start.isEnabled()
    assert (dialog.form.go_to.isVisible(), dialog.form.go_to.accessibleName()) == (True, "Go to Seed")
    qtbot.mouseClick(dialog.form.go_to, Qt.MouseButton.LeftButton)
    assert not dialog.fields["seed"].widget.visibleRegion().isEmpty()
    assert dialog.fields["seed"].widget.hasFocus() or dialog.focusWidget() is dialog.fields["seed"].widget
    assert dialog.form.go_to.isHidden()
    bar.setValue(0)
    assert dialog.form.go_to.isVisible()
    dialog.fields["seed"].widget.setText("3")
    assert dialog.form.go_to.isHidden()


def test_only_changed_options_are_passed_on(dialog):
    assert dialog.values() == {}
    dialog.fields["shuffle"].widget.setChecked(False)
    dialog.fields["patience"].widget.setText("3")
    assert dialog.values() == {"shuffle": False, "patience": 3}
    dialog.fields["patience"].widget.setText("none")
    assert dialog.values() == {"shuffle": False}


def test_start_is_disabled_with_the_reason_while_a_value_is_wrong(dialog, qtbot):
    rate = dialog.fields["rate"].widget
    rate.clear()
    qtbot.keyClicks(rate, "-1")
    assert not dialog.start.isEnabled()
    assert dialog.hint.text() == "rate is a number of at least 1e-09, not -1.0."
    rate.setText("abc")
    assert "not 'abc'" in dialog.hint.text()
    rate.setText("0.2")
    assert dialog.start.isEnabled()
    assert dialog.values() == {"rate": 0.2}


def test_a_choice_brings_its_defaults_unless_one_was_typed(dialog):
    dialog.fields["epochs"].widget.setValue(9)
    dialog.fields["conv"].widget.setCurrentText("gat")
    assert dialog.fields["rate"].text() == "0.5"
    assert dialog.values() == {"epochs": 9, "conv": "gat"}
    dialog.fields["conv"].widget.setCurrentText("gcn")
    assert dialog.fields["rate"].text() == "0.01"


def test_defaults_button_puts_everything_back(dialog, qtbot):
    dialog.fields["epochs"].widget.setValue(9)
    qtbot.mouseClick(dialog.reset, Qt.MouseButton.LeftButton)
    assert dialog.values() == {}
    assert dialog.fields["epochs"].text() == "5"


@pytest.mark.parametrize("name", registry.names())
def test_every_recipe_has_a_form_with_its_defaults(qtbot, theme, name):
    dialog = NewRunDialog(theme, recipe=name)
    qtbot.addWidget(dialog)
    assert dialog.recipe.name == name
    assert list(dialog.fields) == [entry.name for entry in options_of(dialog.recipe.config)]
    assert dialog.values() == {}
    assert dialog.start.isEnabled()


@pytest.mark.parametrize("entry", options_of(Config), ids=lambda entry: entry.name)
def test_a_field_gives_back_what_was_put_in(qapp, entry):
    field = OptionField(entry)
    assert field.value() == entry.default
    assert field.error() == ""
    field.widget.deleteLater()


def values_of(dialog):
    return {name: field.value() for name, field in dialog.fields.items()}


def test_the_form_is_filled_with_the_options_of_a_run(dialog):
    dialog.apply({"conv": "gat", "rate": 0.01, "epochs": 9, "patience": 3, "seed": 2**40, "shuffle": False})
    assert values_of(dialog) == {
        "conv": "gat", "rate": 0.01, "epochs": 9, "patience": 3, "seed": 2**40, "shuffle": False,
    }  # fmt: skip
    assert dialog.start.isEnabled()
    assert "rate" in dialog.values()  # gat implies another
    dialog.apply({"patience": None})
    assert values_of(dialog)["patience"] is None
    assert dialog.values() == {}


def test_options_that_fit_no_more_keep_their_defaults_and_are_told_of(dialog):
    dialog.apply({"epochs": 1000, "conv": "none such", "gone": 3, "rate": "fast", "seed": 5})
    assert values_of(dialog)["epochs"] == 5
    assert values_of(dialog)["seed"] == 5
    for word in ("epochs", "none such", "gone", "rate"):
        assert word in dialog.hint.text()
    assert dialog.start.isEnabled()


@pytest.mark.parametrize("text", ["0", "-1", "inf", "nan", "1e999", "a", "", "٣ 🦊"])
def test_impossible_values_stop_the_start(dialog, text):
    dialog.fields["rate"].widget.setText(text)
    assert not dialog.start.isEnabled()
    assert not dialog.queue.isEnabled()
    assert "rate" in dialog.hint.text()


def test_options_used_lately_and_kept_under_a_name_come_back(qtbot, dialog, theme, tmp_path, monkeypatch):
    settings = QSettings(str(tmp_path / "s.ini"), QSettings.Format.IniFormat)
    first = NewRunDialog(theme, settings=settings)
    qtbot.addWidget(first)
    first.apply({"epochs": 7})
    monkeypatch.setattr(QInputDialog, "getText", lambda *_: ("short שלום", True))
    first._keep()
    first.apply({"epochs": 8, "shuffle": False})
    first.queue.click()
    assert first.queued
    second = NewRunDialog(theme, settings=settings)
    qtbot.addWidget(second)
    second._fill_menu()
    actions = {action.text(): action for action in second.options_menu.actions()}
    actions["epochs = 8, shuffle = False"].trigger()
    assert second.values() == {"epochs": 8, "shuffle": False}
    actions["short שלום"].trigger()
    assert second.values() == {"epochs": 7}


def texts(menu):
    return {action.text(): action for action in menu.actions()}


@pytest.mark.parametrize("name", registry.names())
def test_ready_made_presets_fill_the_form(qtbot, theme, name):
    dialog = NewRunDialog(theme, recipe=name)
    qtbot.addWidget(dialog)
    dialog._fill_menu()
    actions = texts(dialog.options_menu)
    actions["Quick look"].trigger()
    assert dialog.values() == dict(dialog.recipe.quick)
    assert dialog.hint.text().startswith("Other than the defaults: ")
    assert all(f"{value}" in dialog.hint.text() for value in dialog.recipe.quick.values())
    assert dialog.focusWidget() is dialog.start
    lines = [field.widget for field in dialog.fields.values() if not isinstance(field.widget, QCheckBox)]
    assert len({line.height() for line in lines}) == 1  # a field with a mistake in it, too, is as high
    for title, options in _published(name).items():
        texts(actions["As in the paper"].menu())[title.replace("&", "&&")].trigger()
        assert "Left at the default" not in dialog.hint.text()
        assert {key: dialog.fields[key].value() for key in options} == options
        assert dialog.start.isEnabled()
    assert ("As in the paper" in actions) == bool(_published(name))


def test_papers_are_those_with_a_published_figure():
    assert _published("node-classification")["GAT on Cora"] == {"dataset": "cora", "conv": "gat"}
    assert "SAGE on Cora" not in _published("node-classification")
    assert _published("none such") == {}


def test_a_recipe_without_presets_offers_none(dialog):
    dialog._fill_menu()
    assert list(texts(dialog.options_menu)) == ["", "Open a file…", "Keep under a name…"]


def test_damaged_settings_are_no_error(qtbot, theme, dialog, tmp_path):
    settings = QSettings(str(tmp_path / "s.ini"), QSettings.Format.IniFormat)
    for stored in ("{", "[]", '{"recent": 3, "named": [1]}', '{"recent": [1, {"a": [1]}]}'):
        settings.setValue("recipes/fake", stored)
        known = RecipeSettings(settings)
        assert known.recent("fake") in ([], [{}])
        assert known.named("fake") == {}
        known.remember("fake", {"a": 1})
        assert known.recent("fake")[0] == {"a": 1}


def test_a_file_fills_the_form(dialog, tmp_path):
    file = tmp_path / "config.toml"
    file.write_text("[options]\nepochs = 4\n[run]\nrecipe = 'fake'")
    dialog.apply_file(file)
    assert dialog.values() == {"epochs": 4}
    file.write_text("epochs = 3")
    dialog.apply_file(file)
    assert dialog.values() == {"epochs": 3}
    file.write_bytes(b"\xff")
    dialog.apply_file(file)
    assert "could not be read" in dialog.hint.text()
