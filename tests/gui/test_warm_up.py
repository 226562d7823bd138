from __future__ import annotations

import logging
from typing import Any

from mmgraph_gui.views import Context
from mmgraph_gui.warm_up import WarmUp


def test_what_is_compiled_is_said_and_no_handler_is_left(qtbot: Any, context: Context) -> None:
    logger = logging.getLogger("mmgraph")
    before = list(logger.handlers)
    warm_up = WarmUp(context.follower)
    told: list[str] = []
    warm_up.said.connect(told.append)
    warm_up.start()
    logger.warning("something else")
    logger.warning("Compiling kernels: this takes some seconds")
    qtbot.waitUntil(lambda: not context.follower.is_busy, timeout=60_000)
    qtbot.waitUntil(lambda: logger.handlers == before)
    assert set(told) == {"Preparing to draw: compiling takes some seconds, once …"}
