from __future__ import annotations

import json

import numpy as np
import pytest
from PySide6.QtCore import QPointF

from mmgraph_gui.kept.look_notes import noted, read_look
from mmgraph_gui.views.embedding.view import EmbeddingLook
from mmgraph_gui.views.metrics import MetricsLook
from mmgraph_gui.views.model.view import ModelLook
from mmgraph_gui.views.picture import PictureLook
from mmgraph_gui.views.points.plane_look import PlaneLook

PLANE = PlaneLook(1.0, 2.5, 3.0, (0.25, 0.5, 2.0))


@pytest.mark.parametrize(
    ("kind", "look"),
    [
        (PlaneLook | None, None),
        (PlaneLook | None, PLANE),
        (PictureLook, (2.0, QPointF(0.5, 0.25))),
        (MetricsLook, MetricsLook("epoch", True, False, (1.0, 4.0), {"loss": (0.0, 1.5)})),
        (MetricsLook, MetricsLook("step", False, False, None, {})),
        (ModelLook, ModelLook("conv1", "weights", (1.5, QPointF(3, 4)))),
    ],
)
def test_what_is_read_is_what_was_noted(kind, look):
    assert read_look(kind, json.loads(json.dumps(noted(look)))) == look


def test_rotations_are_read_too():
    look = EmbeddingLook(3, np.eye(3), PLANE, False)
    read = read_look(EmbeddingLook, json.loads(json.dumps(noted(look))))
    assert (read.dimensions, read.plane, read.aligned) == (3, PLANE, False)
    np.testing.assert_array_equal(read.rotation, np.eye(3))


@pytest.mark.parametrize(
    ("kind", "note"),
    [
        (PlaneLook | None, []),
        (PlaneLook | None, {"x": 1.0}),
        (PlaneLook | None, {**noted(PLANE), "span": float("nan")}),
        (PlaneLook | None, {**noted(PLANE), "share": [1, 2]}),
        (PictureLook, [1.0]),
        (PictureLook, ["a", [0, 0]]),
        (MetricsLook, {**noted(MetricsLook("step", False, False, None, {})), "log_x": 1}),
        (EmbeddingLook, {"dimensions": 2, "rotation": [["a"]], "plane": None, "aligned": False}),
    ],
)
def test_damaged_notes_are_refused(kind, note):
    with pytest.raises(ValueError):  # noqa: PT011
        read_look(kind, note)
