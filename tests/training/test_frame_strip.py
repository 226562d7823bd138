from __future__ import annotations

import numpy as np

from mmgraph.training.frame_strip import contact_sheets, frame_strips


def numbered(frames: int) -> np.ndarray:
    """Two clips whose pixels are the number of the frame, the second 100 brighter."""
    clip = np.broadcast_to(np.arange(frames, dtype=np.uint8)[:, None, None, None], (frames, 16, 6, 3))
    return np.stack([clip, clip + 100])


def test_four_frames_in_a_square() -> None:
    sheets = contact_sheets(numbered(10))
    assert sheets.shape == (2, 32, 12, 3)
    assert [int(sheets[1, y, x, 0]) for y, x in ((0, 0), (0, 11), (31, 0), (31, 11))] == [100, 103, 106, 109]
    assert contact_sheets(numbered(1)).max(axis=(1, 2, 3)).tolist() == [0, 100]


def test_frames_and_what_is_thought_at_each() -> None:
    predictions = np.zeros((2, 15, 3), np.float32)
    predictions[0, :, 1] = 1
    predictions[1, -1, 0] = 0.5
    strips = frame_strips(numbered(15), predictions, np.array([1, 2]))
    assert strips.shape == (2, 16 + 3 * 3, 8 * 6, 3)
    assert strips[0, 0, ::6, 0].tolist() == [0, 2, 4, 6, 8, 10, 12, 14]
    bars = strips[:, 16::3]
    assert bars[0, 1, 0].tolist() == [230, 159, 0]
    assert bars[1, 0, -1].tolist() == [127, 127, 127]
    assert bars[1, 0, 0].tolist() == [0, 0, 0]
    assert bars[0, [0, 2]].max() == 0


def test_fewer_frames_than_are_shown() -> None:
    strips = frame_strips(numbered(3), np.ones((2, 3, 2), np.float32), np.array([0, 1]))
    assert strips.shape == (2, 16 + 2 * 3, 18, 3)
