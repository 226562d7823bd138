from __future__ import annotations

import pytest
from PySide6.QtCore import QPointF, QRectF

from mmgraph_gui.drawing.cells import Cells

AREA = QRectF(10, 20, 60, 40)


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (40, 7)])
def test_the_middle_of_every_cell_is_in_that_cell(shape: tuple[int, int]) -> None:
    cells = Cells(AREA, *shape)
    for row in range(shape[0]):
        for column in range(shape[1]):
            assert cells.at(cells.box(row, column).center()) == (row, column)


def test_cells_fill_the_area_and_end_with_it() -> None:
    cells = Cells(AREA, 2, 3)
    assert cells.box(0, 0) == QRectF(10, 20, 20, 20)
    assert cells.box(1, 2).bottomRight() == AREA.bottomRight()
    assert cells.at(AREA.bottomRight()) == (1, 2)  # its edge belongs to the last cell
    for outside in (QPointF(9, 30), QPointF(30, 61)):
        assert cells.at(outside) is None


def test_without_cells_there_is_none_at_a_place() -> None:
    assert Cells(AREA, 0, 0).at(AREA.center()) is None
    assert Cells(AREA, 0, 3).at(AREA.center()) is None
    assert Cells(QRectF(), 2, 2).at(QPointF(0, 0)) is None
