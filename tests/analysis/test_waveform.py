from __future__ import annotations

import numpy as np
import pytest

from mmgraph.analysis import envelope, wave_picture
from mmgraph.errors import InputError


def test_no_peak_is_lost() -> None:
    samples = np.zeros(100_003, np.int16)
    samples[77_777], samples[12] = 9000, -7000
    swing = envelope(samples, 50)
    assert swing.shape == (50, 2)
    assert swing[:, 1].max() == 9000
    assert swing[0].tolist() == [-7000, 0]
    parts = [100_003 * i // 50 for i in range(51)]
    for i in range(50):
        part = samples[parts[i] : parts[i + 1]]
        assert swing[i].tolist() == [part.min(), part.max()]


def test_short_and_silent_sound() -> None:
    assert envelope(np.array([1.0, -2.0]), 10).tolist() == [[1, 1], [-2, -2]]
    assert envelope(np.zeros(0), 10).shape == (0, 2)
    with pytest.raises(InputError):
        envelope(np.zeros((2, 2)), 10)
    picture = wave_picture(np.zeros(100), 20, 9)
    assert picture[4].tolist() == [255] * 20
    assert picture[0].max() == 0
    assert wave_picture(np.zeros(0), 20, 9).max() == 0


def test_the_loudest_moment_fills_the_height() -> None:
    samples = np.sin(np.arange(1000) * 2.0) * np.linspace(0, 1, 1000)
    picture = wave_picture(samples, 96, 48)
    filled = (picture > 0).sum(axis=0)
    assert filled[-6:].max() >= 24
    assert filled[:5].max() < 8
