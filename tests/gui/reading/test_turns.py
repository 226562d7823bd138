"""One thing is drawn per turn of the event loop."""

from PySide6.QtCore import QCoreApplication, QTimer
from pytestqt.qtbot import QtBot

from mmgraph_gui.reading.turns import Turns


def test_the_event_loop_turns_between_two_that_draw(qtbot: QtBot) -> None:
    turns, seen = Turns(), []
    ticks = QTimer(interval=0)
    ticks.timeout.connect(lambda: seen.append("tick"))
    ticks.start()
    for name in "abc":
        turns.take(name, lambda name=name: seen.append(name))
    qtbot.waitUntil(lambda: "c" in seen)
    ticks.stop()
    assert [name for name in seen if name != "tick"] == ["a", "b", "c"]
    for earlier, later in ("ab", "bc"):
        assert "tick" in seen[seen.index(earlier) : seen.index(later)]


def test_under_one_key_the_latest_is_drawn_in_the_place_of_the_first(qtbot: QtBot) -> None:
    turns, seen = Turns(), []
    for key, text in (("a", "old"), ("b", "b"), ("a", "new")):
        turns.take(key, lambda text=text: seen.append(text))
    assert turns.waits("a")
    qtbot.waitUntil(lambda: len(seen) == 2)
    assert seen == ["new", "b"]
    assert not turns.waits("a")


def test_what_is_dropped_or_comes_after_closing_is_not_drawn(qtbot: QtBot) -> None:
    turns, seen = Turns(), []
    turns.take("a", lambda: seen.append("a"))
    turns.take("b", lambda: seen.append("b"))
    turns.drop("a")
    turns.drop("never there")
    qtbot.waitUntil(lambda: bool(seen))
    turns.take("c", lambda: seen.append("c"))
    turns.close()
    for _ in range(5):
        QCoreApplication.processEvents()
    assert seen == ["b"]


def test_one_that_fails_does_not_keep_the_others_from_drawing(qtbot: QtBot) -> None:
    turns, seen = Turns(), []

    def fail() -> None:
        raise ValueError("no")

    with qtbot.captureExceptions() as failures:
        turns.take("a", fail)
        turns.take("b", lambda: seen.append("b"))
        qtbot.waitUntil(lambda: bool(seen))
    assert [kind for kind, *_ in failures] == [ValueError]


def test_what_draws_may_ask_for_another_turn(qtbot: QtBot) -> None:
    turns, seen = Turns(), []

    def again() -> None:
        seen.append(len(seen))
        if len(seen) < 3:
            turns.take("a", again)

    turns.take("a", again)
    qtbot.waitUntil(lambda: len(seen) == 3)
