from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QApplication, QTabBar, QWidget

from mmgraph.errors import RunError
from mmgraph.runs import RunReader, RunWriter, read_notes
from mmgraph_gui.drawing.theme import DARK, LIGHT
from mmgraph_gui.frame.about import KeysDialog
from mmgraph_gui.frame.window_commands import window_commands
from mmgraph_gui.runs import rundeeds
from mmgraph_gui.runs.discard import discard_run
from mmgraph_gui.runs.questions import ask_epochs
from mmgraph_gui.runs.runnotes import NotesDialog
from mmgraph_gui.state.guest import Guest
from mmgraph_gui.views.registry import VIEW_SPECS


def test_empty_window_says_how_to_begin(qtbot, window):
    qtbot.waitUntil(lambda: "metrics" in window.area.views)
    qtbot.waitUntil(lambda: "Ctrl+N" in window.area.views["metrics"].message)
    assert window.windowTitle() == "mmgraph"
    assert not window.actions_["pause"].isEnabled()
    assert not window.bar.rate.isEnabled()


def test_no_view_makes_the_window_wider_than_a_small_screen(qtbot, opened_window):
    window = opened_window
    window.resize(1200, 800)
    for name in window.area.docks:
        view = window.area.show_view(name)
        qtbot.waitUntil(lambda view=view: not view.is_pending)
        assert window.minimumSizeHint().width() <= 1200, name
        assert window.area.mapTo(window, window.area.rect().topRight()).x() < 1200, name


def test_in_the_smallest_window_no_view_lies_over_another(qtbot, opened_window):
    window = opened_window
    for left in ("metrics", "filters", "log"):
        window.area.show_view(left)
        for name in window.area.docks:
            view = window.area.show_view(name)
            qtbot.waitUntil(lambda view=view: not view.is_pending)
            window.resize(window.minimumSize())
            window.area.layout().activate()
            shown = [view for view in window.area.views.values() if not view.visibleRegion().isEmpty()]
            for one in shown:
                assert one.width() >= one.minimumSizeHint().width(), (left, name, one.name)
            places = [dock.geometry() for dock in window.area.docks.values() if dock.widget() in shown]
            assert not any(a.intersects(b) for a in places for b in places if a is not b), (left, name)
    assert window.size() == window.minimumSize()


def test_at_first_the_right_has_the_room_that_its_choosers_need(qtbot, opened_window):
    window = opened_window
    window.resize(1280, 820)
    graph = window.area.show_view("graph")
    qtbot.waitUntil(lambda: not graph.is_pending)
    window.area.reset_layout()
    window.area.show_view("graph")
    left, right = window.area.docks["metrics"], window.area.docks["graph"]
    qtbot.waitUntil(lambda: right.width() > 1.15 * left.width())
    assert graph.controls.geometry().height() < 2 * graph.controls.sizeHint().height()


def test_opening_a_run_shows_curves_steps_and_status(qtbot, opened_window, has_colour):
    metrics = opened_window.area.views["metrics"]
    qtbot.waitUntil(lambda: list(metrics.plots) == ["loss", "accuracy", "learning rate"])
    assert opened_window.windowTitle() == "digits – mmgraph"
    assert opened_window.steps.slider.maximum() == 3
    assert "step 40" in opened_window.steps.label.text()
    assert "finished" in opened_window.status.state_label.text()
    qtbot.waitUntil(lambda: has_colour(metrics, opened_window.theme.curve("train")))


def test_every_view_is_made_when_it_is_shown(qtbot, opened_window):
    for spec in VIEW_SPECS:
        if spec.name in opened_window.area.docks:
            opened_window.actions_[f"view-{spec.name}"].trigger()
            qtbot.waitUntil(lambda name=spec.name: name in opened_window.area.views)
            assert opened_window.area.current == spec.name
    assert opened_window.banner.text == ""


def test_no_view_takes_the_keyboard_from_the_window_by_opening_one_for_a_moment(qtbot, opened_window):
    shown = []

    class Watch(QObject):
        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            if event.type() == QEvent.Type.Show and isinstance(watched, QWidget) and watched.isWindow():
                shown.append(watched)
            return False

    watch = Watch()
    QApplication.instance().installEventFilter(watch)
    for name in list(opened_window.area.docks):
        opened_window.area.show_view(name)
    QApplication.instance().removeEventFilter(watch)
    assert len(opened_window.area.views) == len(VIEW_SPECS)
    assert shown == []


def test_view_that_cannot_be_imported_is_reported_and_left_out(qtbot, opened_window, monkeypatch):
    monkeypatch.setitem(sys.modules, "mmgraph_gui.views.log", None)
    opened_window.actions_["view-log"].trigger()
    qtbot.waitUntil(lambda: "Log is left out" in opened_window.banner.text)
    assert "log" not in opened_window.area.docks


def test_keys_move_the_step_of_every_view(qtbot, opened_window):
    opened_window.area.show_view("metrics")
    step = lambda: opened_window.state.step  # noqa: E731
    for key, expected in (("Left", 30), ("Left", 20), ("Right", 30), ("Home", 10), ("End", 40)):
        qtbot.keyClick(opened_window, getattr(Qt.Key, f"Key_{key}"))
        qtbot.waitUntil(lambda expected=expected: step() == expected)
    assert opened_window.state.follow


def test_slider_and_play_move_the_step(qtbot, opened_window):
    opened_window.steps.slider.setValue(0)
    assert opened_window.state.step == 10
    qtbot.mouseClick(opened_window.steps.play, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: opened_window.state.step == 40)
    qtbot.waitUntil(lambda: not opened_window.steps.play.isChecked())


def test_theme_switches_at_run_time(qtbot, opened_window, has_colour):
    qtbot.waitUntil(lambda: bool(opened_window.area.views["metrics"].plots))
    opened_window.actions_["theme-dark"].trigger()
    qtbot.waitUntil(lambda: has_colour(opened_window.area.views["metrics"], DARK.background, 2))
    assert opened_window.settings.value("theme") == "dark"
    opened_window.actions_["theme-light"].trigger()
    qtbot.waitUntil(lambda: has_colour(opened_window.area.views["metrics"], LIGHT.background, 2))


def test_training_is_started_steered_and_goes_on_without_the_window(qtbot, window):
    window.start("digits-graph", {})
    assert window.banner.text == "Starting digits-graph …"
    assert not window.banner.cancel.isHidden()
    qtbot.waitUntil(lambda: window.state.status is not None and window.state.status.is_live)
    folder = window.state.path
    assert window.steps.follow.isVisible()
    window.actions_["pause"].trigger()
    qtbot.waitUntil(lambda: window.state.status.state == "paused")
    assert window.actions_["resume"].isEnabled()
    assert not window.actions_["pause"].isEnabled()
    window.actions_["resume"].trigger()
    qtbot.waitUntil(lambda: window.state.status.state == "running")
    window.bar.rate.setText("0.5")
    qtbot.keyClick(window.bar.rate, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "set-learning-rate: done" in window.status.news.text())
    window.close()
    with RunReader(folder) as run:
        before = run.status().step
        qtbot.waitUntil(lambda: run.status().step > before)
        from mmgraph.runs import send_command

        send_command(folder, "stop")
        qtbot.waitUntil(lambda: run.status().state == "stopped")


def test_wrong_learning_rate_is_refused_in_words(window):
    window.set_rate("fast")
    assert "positive number" in window.banner.text
    window.actions_["clear"].trigger()
    assert window.banner.text == ""


def test_escape_lets_an_own_item_go_before_the_selection(opened_window):
    opened_window.state.select([3])
    opened_window.state.set_guest(Guest("mine.png"))
    opened_window.actions_["clear"].trigger()
    assert opened_window.state.guest is None
    assert opened_window.state.selection.tolist() == [3]


def test_what_cannot_be_looked_at_is_said(opened_window, tmp_path):
    (tmp_path / "empty.png").touch()
    opened_window.own.bring_file(tmp_path / "empty.png")
    assert opened_window.banner.text == "'empty.png' is empty."


def test_what_was_said_of_an_own_item_goes_when_another_is_answered(opened_window, tmp_path):
    (tmp_path / "empty.png").touch()
    opened_window.own.bring_file(tmp_path / "empty.png")
    opened_window.own.answered.emit()
    assert opened_window.banner.text == ""
    opened_window.own.bring_file(tmp_path / "empty.png")
    opened_window.say("The disk is full.")
    opened_window.own.answered.emit()
    assert opened_window.banner.text == "The disk is full."


def test_run_that_failed_or_vanished_is_told(qtbot, window, tmp_path):
    run = RunWriter.create(tmp_path, "bad", {})
    run.scalars(1, {"train/loss": float("nan")})
    run.flush()
    with qtbot.waitSignal(window.follower.opened):
        window.open_run(run.folder)
    run.event("The loss became NaN at step 1.", level="error", kind="nan", step=1)
    run.close("failed", "the loss became NaN at step 1")
    qtbot.waitUntil(lambda: "the loss became NaN at step 1" in window.banner.text)
    qtbot.waitUntil(lambda: "failed" in window.status.state_label.text())


def test_the_widest_views_have_room_beside_each_other(qtbot, opened_window):
    window = opened_window
    window.resize(1280, 800)
    filters = window.area.show_view("filters")
    window.state.select([5])
    filters.kind_box.setCurrentIndex(1)
    filters.request_render("control")
    qtbot.waitUntil(lambda: filters.tiles is not None and not filters.is_pending)
    filters.choose_unit(0)
    graph = window.area.show_view("graph")
    qtbot.waitUntil(lambda: graph.layout_now is not None)
    assert filters.panel.isVisible()
    assert window.width() == 1280
    for view in (filters, graph):
        assert view.mapTo(window, view.rect().topRight()).x() < 1280
        assert view.width() >= view.minimumSizeHint().width()


def test_views_are_drawn_again_when_a_folder_is_there_again(qtbot, looks_often, opened_window, digits_run):
    embedding = opened_window.area.show_view("embedding")
    qtbot.waitUntil(lambda: len(embedding.cloud) > 0 and not opened_window.follower.is_busy)
    away = digits_run.with_name(".away")
    digits_run.rename(away)
    opened_window.steps.go_first()
    qtbot.waitUntil(lambda: "is missing" in embedding.message)
    qtbot.waitUntil(lambda: "moved or deleted" in opened_window.banner.text)
    away.rename(digits_run)
    qtbot.waitUntil(lambda: "can be read again" in opened_window.banner.text)
    qtbot.waitUntil(lambda: embedding.message == "")
    assert opened_window.state.step == opened_window.state.steps()[0]


def test_selection_is_undone_by_key(qtbot, opened_window):
    opened_window.state.select([1, 2])
    opened_window.state.select([3], "add")
    opened_window.actions_["undo"].trigger()
    assert opened_window.state.selection.tolist() == [1, 2]
    opened_window.actions_["redo"].trigger()
    opened_window.actions_["clear"].trigger()
    assert opened_window.state.selection.tolist() == []


def test_keys_of_menus_and_views_are_listed_and_found(qtbot, opened_window):
    opened_window.show_keys()
    (dialog,) = opened_window.findChildren(KeysDialog)
    qtbot.addWidget(dialog)
    groups = [dialog.list.topLevelItem(row) for row in range(dialog.list.topLevelItemCount())]
    assert {"File", "Run", "In Embedding", "In Items"} <= {group.text(0) for group in groups}
    lines = [group.child(row) for group in groups for row in range(group.childCount())]
    assert all(line.toolTip(2) == line.text(2) for line in lines)
    bar = dialog.list.horizontalScrollBar()
    assert not bar.isVisible()
    room = dialog.list.viewport().width() - dialog.list.header().sectionPosition(2)
    words = [dialog.fontMetrics().horizontalAdvance(line.text(2)) for line in lines]
    assert sum(width + 8 > room for width in words) < len(words) / 10
    qtbot.keyClicks(dialog.field, "lasso embedding")
    shown = [group.text(0) for group in groups if not group.isHidden()]
    assert shown == ["In Embedding"]
    dialog.close()


def test_every_action_has_a_key_or_a_menu_and_a_tip(window):
    for name, action in window.actions_.by_name.items():
        assert action.text(), name
        assert action.menu() is None
    keys = [key for key, *_ in window.actions_.key_list()]
    assert len(keys) == len(set(keys)) > 20


def test_the_table_of_runs_has_columns_in_a_window_of_its_own(qtbot, opened_window):
    window = opened_window
    header = window.runs.view.header()
    assert header.isHidden()
    window.actions_["run-table"].trigger()
    assert window.run_dock.isFloating()
    qtbot.waitUntil(lambda: not header.isHidden())
    window.run_dock.hide()  # closed by its cross, it comes again
    window.actions_["run-table"].trigger()
    assert window.run_dock.isVisible()
    assert window.run_dock.isFloating()
    window.actions_["run-table"].trigger()
    assert not window.run_dock.isFloating()
    qtbot.waitUntil(header.isHidden)
    window.actions_["run-table"].trigger()
    window.actions_["layout"].trigger()
    assert not window.run_dock.isFloating()


def test_layout_and_recent_runs_are_remembered(qtbot, make_window, digits_run):
    window = make_window()
    with qtbot.waitSignal(window.follower.opened):
        window.open_run(digits_run)
    window.area.show_view("log")
    window.run_dock.hide()
    window.close()
    again = make_window()
    assert again.run_dock.isHidden()
    assert [Path(action.text()) for action in again.actions_.recent.actions()] == [digits_run]
    qtbot.waitUntil(lambda: "log" in again.area.views)


def test_deleting_the_folder_of_the_open_run_keeps_the_window_alive(qtbot, opened_window, digits_run):
    digits_run.rename(digits_run.with_name("gone"))
    opened_window.state.set_step(10)
    qtbot.waitUntil(lambda: opened_window.banner.text != "", timeout=10_000)
    assert opened_window.state.steps() == [10, 20, 30, 40]


def test_slash_searches_and_n_finds_the_nearest_from_any_view(qtbot, opened_window):
    window = opened_window
    qtbot.waitUntil(lambda: window.state.items is not None)
    window.activateWindow()
    window.area.show_view("metrics")
    qtbot.keyClick(window, Qt.Key.Key_Slash)
    view = window.area.views["items"]
    qtbot.waitUntil(view.search.field.hasFocus)
    assert window.area.current == "items"
    qtbot.keyClicks(view.search.field, "id:7/n")
    assert view.search.field.text() == "id:7/n"
    view.search.field.clear()
    window.area.show_view("metrics")
    qtbot.keyClick(window, Qt.Key.Key_N)
    qtbot.waitUntil(lambda: "Select one item" in window.banner.text)
    window.state.select([7])
    qtbot.keyClick(window, Qt.Key.Key_N)
    qtbot.waitUntil(lambda: len(window.state.selection) == 11)
    assert 7 in window.state.selection
    assert window.area.current == "items"


def test_every_view_has_one_tab_however_it_was_laid_out(qtbot, make_window):
    window = make_window()
    titles = sorted(spec.title for spec in VIEW_SPECS)

    def tabs():
        bars = [bar for bar in window.area.findChildren(QTabBar) if bar.isVisible()]
        return sorted(bar.tabText(place) for bar in bars for place in range(bar.count()))

    qtbot.waitUntil(lambda: tabs() == titles)
    window.reset_layout()
    qtbot.waitUntil(lambda: tabs() == titles)
    window.area.docks["log"].setFloating(True)
    qtbot.waitUntil(lambda: tabs() == [title for title in titles if title != "Log"])
    window.area.docks["log"].setFloating(False)
    qtbot.waitUntil(lambda: tabs() == titles)
    window.close()
    window = make_window()
    qtbot.waitUntil(lambda: tabs() == titles)


def test_compare_shows_a_checked_run_or_another_step_beside_the_open_one(
    qtbot, opened_window, digits_run, write_run
):
    opened_window.actions_["compare"].trigger()
    comparison = opened_window.comparison
    qtbot.waitUntil(lambda: comparison.right.state.path == digits_run)
    assert comparison.by.currentData() == "free"
    second = write_run(digits_run.parent, "second", steps=(10, 20))
    opened_window.others.set(second, True)
    opened_window.actions_["compare"].trigger()
    assert opened_window.comparison is comparison
    qtbot.waitUntil(lambda: comparison.right.state.path == second)
    assert comparison.by.currentData() == "step"
    opened_window.deeds.do("compare", digits_run)
    qtbot.waitUntil(lambda: comparison.right.state.path == digits_run)


def test_compare_without_a_run_says_what_to_do(window):
    window.actions_["compare"].trigger()
    assert "Open a run first" in window.banner.text
    assert window.comparison is None


def test_deleting_asks_and_a_trash_that_fails_asks_again(qtbot, opened_window, digits_run, monkeypatch):
    asked = []

    def ask(_parent, name, *, trash, why=""):
        asked.append((trash, why))
        return True

    def refuse(path, *, trash):
        if trash:
            raise RunError("it could not be moved to the trash")
        discard_run(path, trash=False)

    monkeypatch.setattr(rundeeds, "ask_delete", ask)
    monkeypatch.setattr(rundeeds, "has_trash", lambda: True)
    monkeypatch.setattr(rundeeds, "discard_run", refuse)
    opened_window.deeds.do("delete", digits_run)
    qtbot.waitUntil(lambda: not digits_run.exists())
    assert asked == [(True, ""), (False, "it could not be moved to the trash")]
    assert opened_window.state.path is None


def test_duplicate_opens_the_form_with_the_options_of_the_run(qtbot, opened_window, digits_run, monkeypatch):
    asked = []
    monkeypatch.setattr(opened_window, "new_run", lambda recipe, values: asked.append((recipe, values)))
    opened_window.deeds.do("duplicate", digits_run)
    qtbot.waitUntil(lambda: bool(asked))
    recipe, values = asked[0]
    assert recipe == "digits-graph"
    assert (values["epochs"], values["learning_rate"], values["patience"]) == (4, 0.01, None)
    (digits_run / "config.toml").write_text("[run]\nrecipe = 'gone'")
    opened_window.deeds.do("duplicate", digits_run)
    qtbot.waitUntil(lambda: "recipe 'gone', which is not there" in opened_window.banner.text)


def test_notes_are_written_from_the_window(qtbot, opened_window, digits_run, monkeypatch):
    def write(dialog):
        dialog.tags.setText("best,  שלום, best, ")
        dialog.text.setPlainText("line 🦊\n")
        return NotesDialog.DialogCode.Accepted

    monkeypatch.setattr(NotesDialog, "exec", write)
    opened_window.deeds.do("notes", digits_run)
    qtbot.waitUntil(lambda: read_notes(digits_run).tags == ("best", "שלום"))
    assert read_notes(digits_run).text == "line 🦊"
    qtbot.waitUntil(lambda: "best" in opened_window.runs.entries[0].summary.notes.tags)


def test_a_run_of_somebodys_own_script_is_steered(qtbot, window, tmp_path):
    script = tmp_path / "mine.py"
    script.write_text(WATCH)
    process = subprocess.Popen([sys.executable, str(script), str(window.runs.root)])
    try:
        qtbot.waitUntil(lambda: any(e.recipe == "watch" for e in window.runs.entries), timeout=60_000)
        (entry,) = (e for e in window.runs.entries if e.recipe == "watch")
        window.open_run(entry.path)
        state = lambda: window.state.status and window.state.status.state  # noqa: E731
        qtbot.waitUntil(lambda: state() == "running", timeout=20_000)
        assert not window.actions_["checkpoint"].isEnabled()
        assert "own program" in window.actions_["checkpoint"].toolTip()
        window.set_rate("0.25")
        qtbot.waitUntil(lambda: any("0.25" in e.message for e in window.state.events), timeout=20_000)
        for action, expected in (("pause", "paused"), ("resume", "running")):
            window.actions_[action].trigger()
            qtbot.waitUntil(lambda expected=expected: state() == expected, timeout=20_000)
        window.deeds.do("stop", entry.path)
        qtbot.waitUntil(lambda: state() == "stopped", timeout=20_000)
        assert process.wait() == 0
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("recipe", ["watch", "digits-graph"])
def test_what_only_the_author_of_a_run_can_do_is_off_and_says_so(qtbot, window, write_run, recipe):
    writer = write_run(window.runs.root, steps=(10,), close=False)
    config = writer.folder / "config.toml"
    config.write_text(config.read_text().replace("digits-graph", recipe))
    own = recipe == "watch"
    with qtbot.waitSignal(window.follower.opened):
        window.open_run(writer.folder)
    qtbot.waitUntil(lambda: window.actions_["pause"].isEnabled())
    for name in ("checkpoint", "explain"):
        action = window.actions_[name]
        assert action.isEnabled() is not own
        assert ("own program" in action.toolTip()) is own
    offered = {command.text: command for command in window_commands(window)}
    assert ("own program" in offered["Run: Checkpoint now"].hint) is own
    writer.close("stopped")
    qtbot.waitUntil(lambda: not window.actions_["pause"].isEnabled())
    assert window.actions_["resume"].isEnabled() is not own
    assert ("start that again" in window.actions_["resume"].toolTip()) is own


def test_an_explanation_stays_on_screen_until_it_is_there(qtbot, opened_window):
    window, given_up = opened_window, []
    window.launcher.explain = lambda path, item: lambda: given_up.append((path, item))
    window.explain(3)
    assert window.banner.text == "Explaining item 3 …"
    assert window.banner.cancel.isVisible()
    window.launcher.explained.emit(4)  # another that was asked for before
    assert window.banner.text
    window.launcher.explained.emit(3)
    assert not window.banner.text
    window.explain(3)
    window.banner.cancel.click()
    assert given_up == [(window.state.path, 3)]


WATCH = """
import sys, time, torch, mmgraph
model = torch.nn.Linear(2, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
live = mmgraph.watch(model, root=sys.argv[1], optimizer=optimizer)
while not live.should_stop:
    live.step(loss=1.0)
    time.sleep(0.01)
live.close()
"""


def test_neighbours_are_found_of_the_item_under_the_mouse_where_none_is_selected(qtbot, opened_window):
    opened_window.actions_["neighbours"].trigger()
    assert "point at it" in opened_window.banner.text
    opened_window.state.hover(7)
    opened_window.actions_["neighbours"].trigger()
    qtbot.waitUntil(lambda: opened_window.state.near is not None)
    assert opened_window.state.near.rows[0] == 7
    qtbot.waitUntil(lambda: len(opened_window.state.selection) > 1)
    items = opened_window.area.views["items"]  # which was not looked at before
    qtbot.waitUntil(lambda: "nearest to digit 7" in items.caption.text())
    opened_window.banner.dismiss()  # the first Escape would close the message
    qtbot.keyClick(opened_window, Qt.Key.Key_Escape)
    assert opened_window.state.near is None
    qtbot.waitUntil(lambda: items.nearest is None and not items.search.near.isChecked())
    qtbot.waitUntil(lambda: len(items.gallery.rows.rows) == 300)


@pytest.mark.parametrize("name", [spec.name for spec in VIEW_SPECS])
def test_the_keys_of_a_view_work_at_once_when_it_is_shown(qtbot, opened_window, name):
    opened_window.runs.search.setFocus()
    opened_window.actions_[f"view-{name}"].trigger()
    view = opened_window.area.views[name]
    qtbot.waitUntil(lambda: not view.is_pending and not opened_window.follower.is_busy)
    assert view.isAncestorOf(QApplication.focusWidget())
    if not view.message:
        qtbot.waitUntil(lambda: view.focusProxy().hasFocus() and view.focusProxy().isVisible())


def test_a_view_whose_message_has_the_keyboard_gives_it_to_what_comes(qtbot, opened_window):
    view = opened_window.area.show_view("filters")
    qtbot.waitUntil(view.picture.hasFocus)
    view.show_message("Wait a moment.")
    opened_window.area.show_view("filters")
    assert not view.picture.hasFocus()
    view.show_content()
    qtbot.waitUntil(view.picture.hasFocus)


def test_a_click_on_a_tab_gives_its_view_the_keyboard(qtbot, opened_window):
    opened_window.runs.search.setFocus()
    bars = [bar for bar in opened_window.area.findChildren(QTabBar) if bar.isVisible()]
    bar, place = next(
        (bar, place) for bar in bars for place in range(bar.count()) if bar.tabText(place) == "Items"
    )
    qtbot.mouseClick(bar, Qt.MouseButton.LeftButton, pos=bar.tabRect(place).center())
    qtbot.waitUntil(lambda: "items" in opened_window.area.views)
    qtbot.waitUntil(opened_window.area.views["items"].gallery.hasFocus)


def test_after_the_learning_rate_is_set_keys_move_the_steps_again(qtbot, opened_window):
    said = []
    opened_window.bar.set_live(True)
    opened_window.bar.rate_chosen.connect(said.append)
    opened_window.bar.rate.setFocus()
    opened_window.bar.rate.setText("0.5")
    qtbot.keyClick(opened_window.bar.rate, Qt.Key.Key_Return)
    assert said == ["0.5"]
    assert not opened_window.bar.rate.hasFocus()
    qtbot.keyClick(opened_window, Qt.Key.Key_Home)
    qtbot.waitUntil(lambda: opened_window.state.step == 10)


def test_a_run_from_the_queue_takes_the_place_of_the_one_before_it_alone(
    qtbot, opened_window, write_run, tmp_path
):
    looked_at = opened_window.state.path
    first, second = (write_run(tmp_path / "runs", name, steps=(1,)) for name in ("first", "second"))
    opened_window.launcher.began.emit(first)
    assert opened_window.state.path == looked_at
    assert "first from the queue" in opened_window.banner.text
    opened_window.launcher.appeared.emit(first)
    qtbot.waitUntil(lambda: opened_window.state.path == first and opened_window.state.status is not None)
    opened_window.launcher.began.emit(second)
    assert opened_window.state.path == second


def test_resuming_a_finished_run_asks_how_far(qtbot, opened_window, digits_run, monkeypatch):
    asked, resumed = [], []

    def ask(_parent, name, trained):
        asked.append((name, trained))
        return None if len(asked) == 1 else 9

    monkeypatch.setattr(rundeeds, "ask_epochs", ask)
    monkeypatch.setattr(
        opened_window.launcher, "resume", lambda *what: resumed.append(what) or (lambda: None)
    )
    opened_window.deeds.do("resume", digits_run)
    qtbot.waitUntil(lambda: len(asked) == 1)
    assert (asked, resumed, opened_window.banner.text) == ([("digits", 4)], [], "")
    opened_window.deeds.do("resume", digits_run)
    qtbot.waitUntil(lambda: bool(resumed))
    assert resumed == [(digits_run, 9)]
    assert opened_window.banner.text == "Resuming digits …"


def test_resuming_a_run_that_is_gone_says_so(opened_window, digits_run):
    opened_window.deeds.do("resume", digits_run.with_name("gone"))
    assert opened_window.banner.text == "gone cannot be resumed: it was deleted or moved."


def test_how_many_epochs_is_asked_in_words(qtbot, opened_window, monkeypatch):
    seen = []

    def get_int(_parent, title, text, *numbers):
        seen.append((title, text, numbers))
        return 8, True

    monkeypatch.setattr("PySide6.QtWidgets.QInputDialog.getInt", get_int)
    assert ask_epochs(opened_window, "digits", 4) == 8
    assert "finished after 4 epochs" in seen[0][1]
    assert seen[0][2][:2] == (8, 5)
