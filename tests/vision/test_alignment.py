from __future__ import annotations

import numpy as np
import pytest
import torch

from mmgraph.errors import InputError
from mmgraph.vision import align_by_eyes, read_eyes


def faces(eyes, size=(60, 80)):
    """Images dark but for a bright spot at each eye, the left one red and the right one green."""
    y, x = np.mgrid[: size[0], : size[1]]
    pictures = np.zeros((len(eyes), 3, *size), np.float32)
    for row, points in enumerate(eyes):
        for colour, (px, py) in enumerate(points):
            pictures[row, colour] = np.exp(-((x - float(px)) ** 2 + (y - float(py)) ** 2) / 8)
    return torch.from_numpy(pictures)


def brightest(picture):
    """Centre of brightness, x and y."""
    y, x = torch.meshgrid(*(torch.arange(length) for length in picture.shape), indexing="ij")
    weight = picture.clamp(min=0) ** 2
    return [float((some * weight).sum() / weight.sum()) for some in (x, y)]


EYES = torch.tensor(
    [[[30.0, 20.0], [50.0, 22.0]], [[40.0, 15.0], [40.0, 45.0]], [[55.0, 30.0], [25.0, 40.0]]],
    dtype=torch.float64,
)


@pytest.mark.parametrize("size", [None, 48, (40, 64)])
def test_eyes_come_to_lie_where_they_shall(size):
    made = align_by_eyes(faces(EYES), EYES, size)
    height, width = made.shape[2:]
    assert (height, width) == {None: (60, 80), 48: (48, 48), (40, 64): (40, 64)}[size]
    for picture in made:
        assert brightest(picture[0]) == pytest.approx([0.3 * width - 0.5, 0.4 * height - 0.5], abs=0.3)
        assert brightest(picture[1]) == pytest.approx([0.7 * width - 0.5, 0.4 * height - 0.5], abs=0.3)


def test_eyes_in_place_leave_the_image_as_it_is():
    given = torch.rand(2, 1, 20, 30, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    eyes = torch.tensor([[0.3 * 30 - 0.5, 0.4 * 20 - 0.5], [0.7 * 30 - 0.5, 0.4 * 20 - 0.5]]).expand(2, 2, 2)
    assert torch.allclose(align_by_eyes(given, eyes), given, atol=1e-6)


def test_any_source_of_landmarks_serves():
    given = (faces(EYES) * 255).to(torch.uint8)
    seen = []

    def detector(images):
        seen.append(images)
        return EYES

    made = align_by_eyes(given, detector, 48)
    assert seen[0] is given
    assert made.dtype == torch.uint8
    assert torch.equal(made, align_by_eyes(given, EYES, 48))


def test_a_table_of_landmarks(tmp_path):
    path = tmp_path / "eyes.csv"
    rows = [",".join(map(str, points.flatten().tolist())) for points in EYES]
    path.write_text("left_x,left_y,right_x,right_y,file\n" + "".join(f"{row},a.jpg\n" for row in rows))
    assert torch.equal(read_eyes(path, 3), EYES)
    with pytest.raises(InputError, match="3 rows, but there are 4 images"):
        read_eyes(path, 4)
    path.write_text("left_x,left_y,right_x\n1,2,3\n")
    with pytest.raises(InputError, match="no column 'right_y'"):
        read_eyes(path, 1)
    for wrong in ("1,2,3,x\n", "1,2,3\n"):
        path.write_text("left_x,left_y,right_x,right_y\n" + wrong)
        with pytest.raises(InputError, match="does not hold the eyes"):
            read_eyes(path, 1)
    with pytest.raises(InputError, match="does not hold the eyes"):
        read_eyes(tmp_path / "absent.csv", 1)
    path.write_text("left_x,left_y,right_x,right_y\n")
    assert read_eyes(path, 0).shape == (0, 2, 2)


def test_what_does_not_fit_says_why():
    given = faces(EYES)
    with pytest.raises(InputError, match=r"\(3, 2, 2\), but got \(2, 2, 2\)"):
        align_by_eyes(given, EYES[:2])
    with pytest.raises(InputError, match="images \\(n, channels"):
        align_by_eyes(given[0], EYES)
    blind = EYES.clone()
    blind[1, 1] = blind[1, 0]
    with pytest.raises(InputError, match="image 1 has"):
        align_by_eyes(given, blind)
    blind[1, 1] = float("nan")
    with pytest.raises(InputError, match="image 1 has"):
        align_by_eyes(given, blind)
    with pytest.raises(InputError, match="two different positions"):
        align_by_eyes(given, EYES, positions=((0.5, 0.5), (0.5, 0.5)))
