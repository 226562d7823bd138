"""A trained model opened in the window: by the dialog, and by a drop."""

from __future__ import annotations

import sys

import pytest
from PySide6.QtCore import QMimeData, QPointF, QSettings, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QDialog, QFileDialog

from mmgraph.runs import RunReader
from mmgraph_gui.frame.window import MainWindow
from mmgraph_gui.runs.openmodel import ALONE, OF_A_RECIPE, OWN, OWN_WITH_DATA, OpenModelDialog


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """The weights of a small trained run."""
    from mmgraph.recipes import launch

    folder = tmp_path_factory.mktemp("weights")
    run, _ = launch.train("digits-graph", {"epochs": 2, "hidden": 4}, runs=folder, run_name="trained")
    return (run / "checkpoints" / "best.safetensors").rename(folder / "weights.safetensors")


@pytest.fixture
def dialog(qtbot, theme):
    dialog = OpenModelDialog(theme)
    qtbot.addWidget(dialog)
    return dialog


@pytest.fixture
def window(qtbot, tmp_path):
    window = MainWindow(tmp_path / "runs", QSettings(str(tmp_path / "s.ini"), QSettings.Format.IniFormat))
    qtbot.addWidget(window)
    window.show()
    yield window
    window.close()


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "modèle שלום.pt"
    path.touch()
    return path


def test_nothing_can_be_opened_until_there_is_a_file(dialog, file, tmp_path):
    assert not dialog.start.isEnabled()
    dialog.path.setText(str(tmp_path / "none.pt"))
    assert "There is no file" in dialog.problem_line.text()
    dialog.path.setText(f"  {file} ")
    assert dialog.start.isEnabled()
    assert (dialog.file, dialog.recipe, dialog.values, dialog.model) == (file, None, {}, None)


@pytest.mark.parametrize(
    ("way", "has_recipe", "has_own"),
    [(ALONE, False, False), (OF_A_RECIPE, True, False), (OWN, False, True), (OWN_WITH_DATA, True, True)],
)
def test_what_is_asked_for_follows_the_architecture(dialog, qtbot, file, way, has_recipe, has_own):
    dialog.show()
    dialog.path.setText(str(file))
    dialog.way.setCurrentIndex(way)
    assert dialog.form.isVisible() == has_recipe
    assert dialog.own.isVisible() == has_own
    assert dialog.start.isEnabled() != has_own
    dialog.own.setText("net:Net")
    assert dialog.start.isEnabled()
    assert ("is run" in dialog.about.text()) == has_own
    assert dialog.recipe == (dialog.form.recipe.name if has_recipe else None)
    assert dialog.model == ("net:Net" if has_own else None)


def test_what_a_recipe_gives_to_a_model_of_ones_own_is_told(dialog, file):
    dialog.path.setText(str(file))
    dialog.own.setText("net:Net")
    dialog.way.setCurrentIndex(OWN_WITH_DATA)
    dialog.form.choose("graph-classification")
    assert "edge_index (2, edges)" in dialog.about.text()
    assert dialog.start.isEnabled()
    dialog.form.choose("captioning")
    assert not dialog.start.isEnabled()
    assert "captioning cannot be given to a model of your own" in dialog.problem_line.text()
    assert "It takes and gives" not in dialog.about.text()
    dialog.way.setCurrentIndex(OF_A_RECIPE)
    assert dialog.start.isEnabled()


def test_options_of_training_are_left_out_and_wrong_ones_stop_it(dialog, file):
    dialog.path.setText(str(file))
    dialog.way.setCurrentIndex(OF_A_RECIPE)
    dialog.form.choose("image-classification")
    assert "dataset" in dialog.form.fields
    assert "seed" in dialog.form.fields
    assert "learning_rate" not in dialog.form.fields
    dialog.form.fields["seed"].widget.setText("x")
    assert not dialog.start.isEnabled()
    assert "seed" in dialog.form.hint.text()
    dialog.form.fields["seed"].widget.setText("4")
    assert dialog.values == {"seed": 4}


def test_files_are_found_by_browsing(dialog, qtbot, file, monkeypatch):
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(file), ""))
    qtbot.mouseClick(dialog.browse, Qt.MouseButton.LeftButton)
    assert dialog.file == file
    dialog.browse_own.click()
    assert dialog.own.text() == f"{file}:"
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: ("", ""))
    dialog.browse.click()
    assert dialog.file == file


def test_every_field_has_a_name_and_the_action_its_key(dialog, window):
    for field in (dialog.path, dialog.browse, dialog.way, dialog.own, dialog.browse_own, dialog.form.chooser):
        assert field.accessibleName()
    assert ("Ctrl+M", "Open model") in [key[:2] for key in window.actions_.key_list()]


def test_a_model_is_opened_by_the_dialog(qtbot, window, weights, tmp_path, monkeypatch):
    monkeypatch.setattr("mmgraph_gui.processes.launcher.opened_root", lambda: tmp_path / "opened")

    def choose(dialog):
        dialog.path.setText(str(weights))
        dialog.way.setCurrentIndex(OF_A_RECIPE)
        dialog.form.choose("digits-graph")
        dialog.form.fields["hidden"].widget.setValue(4)
        qtbot.mouseClick(dialog.start, Qt.MouseButton.LeftButton)
        return dialog.result()

    monkeypatch.setattr(OpenModelDialog, "exec", choose)
    window.actions_["open-model"].trigger()
    assert window.banner.text == "Opening weights.safetensors …"
    assert window.banner.cancel.accessibleName()
    qtbot.waitUntil(lambda: window.state.path is not None)
    qtbot.waitUntil(lambda: {"embedding", "attention", "feature_maps"} <= set(window.state.kinds()))
    qtbot.waitUntil(lambda: "test/accuracy" in RunReader(window.state.path).tags())
    assert window.state.config["options"]["hidden"] == 4


def test_weights_that_do_not_fit_say_so_in_the_window(qtbot, window, weights, tmp_path, monkeypatch):
    monkeypatch.setattr("mmgraph_gui.processes.launcher.opened_root", lambda: tmp_path / "opened")
    with qtbot.waitSignal(window.launcher.failed):
        window.opening.open_model(weights, "digits-graph", {"hidden": 3})
    assert "'gnn.convs.0.bias' is 32 in the file, but 24 in the model" in window.banner.text
    assert window.state.path is None


def test_a_bomb_and_a_file_that_vanishes_are_told_in_the_window_and_nothing_is_run(
    qtbot, window, tmp_path, monkeypatch
):
    import pickle

    class Bomb:
        def __reduce__(self):
            return (open, (str(tmp_path / "boom"), "w"))

    monkeypatch.setattr("mmgraph_gui.processes.launcher.opened_root", lambda: tmp_path / "opened")
    bomb = tmp_path / "bomb 🙂.pt"
    bomb.write_bytes(pickle.dumps({"weight": Bomb()}, protocol=2))
    with qtbot.waitSignal(window.launcher.failed):
        window.opening.open_model(bomb)
    assert "'bomb 🙂.pt' holds more than weights" in window.banner.text
    assert not (tmp_path / "boom").exists()
    with qtbot.waitSignal(window.launcher.failed):
        window.opening.open_model(tmp_path / "gone.pt")
    assert "gone.pt' cannot be read" in window.banner.text
    assert window.state.path is None
    assert not (tmp_path / "opened").exists()


def test_a_dropped_file_of_weights_is_opened_and_found_again_by_the_dialog(
    qtbot, window, weights, tmp_path, monkeypatch
):
    monkeypatch.setattr("mmgraph_gui.processes.launcher.opened_root", lambda: tmp_path / "opened")
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(weights))])
    event = QDropEvent(
        QPointF(5, 5),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    window.dropEvent(event)
    qtbot.waitUntil(lambda: window.state.path is not None)
    qtbot.waitUntil(lambda: "filters" in window.state.kinds())
    views = window.area.views
    qtbot.waitUntil(lambda: "model" in views and views["model"].isVisible() and views["filters"].isVisible())
    window.area.show_view("embedding")
    qtbot.waitUntil(lambda: "File › Open model" in views["embedding"].message)
    found = []
    monkeypatch.setattr(
        OpenModelDialog, "exec", lambda dialog: found.append(dialog.file) or QDialog.DialogCode.Rejected
    )
    window.actions_["open-model"].trigger()
    assert found == [weights]


def test_opening_is_cancelled_by_escape(qtbot, window, weights, tmp_path, monkeypatch):
    monkeypatch.setattr("mmgraph_gui.processes.launcher.opened_root", lambda: tmp_path / "opened")
    window.launcher._program = [sys.executable, "-c", "import time; time.sleep(1000)"]
    window.opening.open_model(weights)
    (thread,) = [thread for thread in window.launcher._threads if thread.name == "mmgraph-open"]
    assert thread.is_alive()
    window.actions_["clear"].trigger()
    assert window.banner.text == ""
    qtbot.waitUntil(lambda: not thread.is_alive())
