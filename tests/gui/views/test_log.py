from __future__ import annotations

import pytest

from mmgraph.runs import RunWriter
from mmgraph_gui.views.log import LogView


@pytest.fixture
def view(qtbot, opened, show_view):
    view = show_view(LogView)
    qtbot.waitUntil(lambda: view.events.rowCount() == 2)
    return view


def messages(view: LogView) -> list[str]:
    return [event.message for event in view.events.shown]


def test_lists_events_and_options(view):
    assert messages(view) == ["training began", "a warning to filter by"]
    assert view.events.data(view.events.index(1, 1)) == "40"
    sections = [view.config.topLevelItem(i).text(0) for i in range(view.config.topLevelItemCount())]
    assert sections == ["run", "options", "environment"]
    options = view.config.topLevelItem(1)
    shown = {options.child(i).text(0): options.child(i).text(1) for i in range(options.childCount())}
    assert shown == {"epochs": "4", "learning_rate": "0.01", "hidden": "16"}


def test_level_and_search_filter(qtbot, view):
    view.level.setCurrentText("Warnings and errors")
    qtbot.waitUntil(lambda: messages(view) == ["a warning to filter by"])
    assert view.count.text() == "1 of 2 events"
    view.level.setCurrentText("Errors")
    qtbot.waitUntil(lambda: messages(view) == [])
    view.level.setCurrentText("Everything")
    view.search.setText("BEGAN")
    qtbot.waitUntil(lambda: messages(view) == ["training began"])


def test_new_events_are_added(qtbot, context, show_view, tmp_path):
    run = RunWriter.create(tmp_path, "live", {})
    with qtbot.waitSignal(context.follower.opened):
        context.follower.open(run.folder)
    view = show_view(LogView)
    for number in range(3):
        run.event(f"event {number}")
    qtbot.waitUntil(lambda: messages(view) == ["event 0", "event 1", "event 2"])
    run.close("finished")


def test_warning_is_drawn_in_its_colour(view, theme, has_colour):
    assert has_colour(view.list, theme.palette.warning, 40)


def test_table_has_what_is_listed(view):
    columns, rows = view.table()
    assert columns == ("time", "step", "level", "kind", "message")
    assert [row[2:] for row in rows] == [
        ("info", "log", "training began"),
        ("warning", "log", "a warning to filter by"),
    ]


def test_without_a_run_it_says_so(context, show_view):
    assert show_view(LogView).message == "Open a run to read its log."


def test_an_empty_list_says_what_will_stand_there(qtbot, context, show_view, tmp_path):
    run = RunWriter.create(tmp_path, "quiet", {})
    with qtbot.waitSignal(context.follower.opened):
        context.follower.open(run.folder)
    view = show_view(LogView)
    qtbot.waitUntil(lambda: view.nothing.text().endswith("Nothing has happened yet."))
    assert view.nothing.width() <= view.list.viewport().width()
    run.event("now")
    qtbot.waitUntil(lambda: view.nothing.text() == "")
    view.search.setText("never")
    qtbot.waitUntil(lambda: view.nothing.text() == "No event is of this level and has these words.")
    run.close("finished")


def test_a_run_in_which_nothing_happened_says_so(qtbot, context, show_view, tmp_path):
    run = RunWriter.create(tmp_path, "quiet", {})
    run.close("finished")
    with qtbot.waitSignal(context.follower.opened):
        context.follower.open(run.folder)
    view = show_view(LogView)
    qtbot.waitUntil(lambda: view.nothing.text().endswith("Nothing of the kind happened in this run."))
