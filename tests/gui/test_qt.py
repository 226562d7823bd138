"""The bindings themselves: a release that loses references ends the process after some ten thousand calls."""

from __future__ import annotations

import sys

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QLabel

CALLS = 500


class Sender(QObject):
    sent = Signal(bool)


def test_calls_keep_their_references_to_none_and_true(qtbot):
    """PySide6 6.12.0 loses one of each per call on Python 3.11."""
    label, sender = QLabel(), Sender()
    qtbot.addWidget(label)
    before = sys.getrefcount(None), sys.getrefcount(True)
    for _ in range(CALLS):
        label.setText("text")
        sender.sent.emit(True)
    after = sys.getrefcount(None), sys.getrefcount(True)
    assert all(late > early - CALLS // 2 for early, late in zip(before, after, strict=True))
