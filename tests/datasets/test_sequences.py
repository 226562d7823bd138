from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

from mmgraph import datasets
from mmgraph.datasets.sequences import CURVES, draw_curves, read_gestures
from mmgraph.errors import DatasetCorruptError, InputError

REAL = Path(os.environ.get("MMGRAPH_DATA", "").split(os.pathsep)[0])
ROW = "1," + ",".join(str(number / 100) for number in range(32))


@pytest.mark.data
@pytest.mark.skipif(
    not (REAL / "hand_gesture_points").is_dir(), reason="$MMGRAPH_DATA has no folder hand_gesture_points"
)
def test_the_real_gestures(monkeypatch) -> None:
    monkeypatch.setenv("MMGRAPH_DATA", str(REAL))
    found = datasets.load("hand-gestures")
    assert found.sequences.shape == (5296, 16, 2)
    assert torch.bincount(found.labels).tolist() == [1481, 1234, 1279, 1302]
    assert not found.sequences[:, 0].any()
    assert found.class_names[1] == "clockwise"


def test_a_row_is_a_class_and_its_points(tmp_path) -> None:
    path = tmp_path / "points.csv"
    path.write_text(f"{ROW}\n{ROW.replace('1,', '0,', 1)}\n")
    found = read_gestures(path, "own", ("a", "b"))
    assert found.labels.tolist() == [1, 0]
    assert found.lengths.tolist() == [16, 16]
    assert len(found) == 2
    torch.testing.assert_close(found.sequences[0, :2], torch.tensor([[0.0, 0.01], [0.02, 0.03]]))


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "no rows"),
        ("1,2,3", "row 1 has class 1 and 2 coordinates"),
        (f"{ROW}\n{ROW.replace('1,', '2,', 1)}", "row 2 has class 2"),
        ("a" + ROW, "row 1 is not of numbers"),
        (ROW.replace("0.05", "nan"), "not finite"),
    ],
)
def test_damaged_rows_are_refused(tmp_path, text, error) -> None:
    path = tmp_path / "points.csv"
    path.write_text(text)
    with pytest.raises(DatasetCorruptError, match=error):
        read_gestures(path, "own", ("a", "b"))


def test_curves_repeat_with_the_seed_and_begin_at_zero() -> None:
    found = draw_curves(61, seed=3)
    again = draw_curves(61, seed=3)
    assert torch.equal(found.sequences, again.sequences)
    assert torch.equal(found.lengths, again.lengths)
    assert not torch.equal(found.sequences, draw_curves(61).sequences)
    assert not found.sequences[:, 0].any()
    assert found.sequences.isfinite().all()
    assert torch.bincount(found.labels, minlength=len(CURVES)).tolist() == [11, 10, 10, 10, 10, 10]
    for track, length in zip(found.sequences, found.lengths.tolist(), strict=True):
        assert not track[length:].any()
        assert track[1:length].any()
    assert 16 <= int(found.lengths.min()) < int(found.lengths.max()) <= 40


def test_circles_turn_the_way_they_are_named() -> None:
    found = draw_curves(120)
    for kind, sign in (("clockwise", -1), ("counter-clockwise", 1)):
        for row in torch.nonzero(found.labels == CURVES.index(kind)).flatten().tolist():
            points = found.sequences[row, : int(found.lengths[row])].double()
            steps = points.diff(dim=0)
            cross = steps[:-1, 0] * steps[1:, 1] - steps[:-1, 1] * steps[1:, 0]
            assert float(cross.sum()) * sign > 0


def test_bad_input_is_refused() -> None:
    for arguments in ({"count": 0}, {"count": 3, "shortest": 3}, {"count": 3, "shortest": 9, "longest": 8}):
        with pytest.raises(InputError, match="at least one curve"):
            draw_curves(**arguments)
