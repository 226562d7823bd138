"""Faces brought into one position by their eyes."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from mmgraph.errors import InputError

EYES = ((0.3, 0.4), (0.7, 0.4))
"""Where the left and the right eye of the picture come to lie, as shares of width and height."""

Landmarks = Callable[[Tensor], Tensor]
"""Images (n, channels, height, width) to eyes (n, 2, 2): left and right, x and y, in pixels."""


def align_by_eyes(
    images: Tensor,
    eyes: Tensor | Landmarks,
    size: int | tuple[int, int] | None = None,
    *,
    positions: Sequence[Sequence[float]] = EYES,
) -> Tensor:
    """Turn, scale and shift each image so that its eyes lie where they shall.

    The similarity of the plane that carries two points p₁, p₂ to q₁, q₂ is, in complex numbers,
    q = a p + b with a = (q₂ − q₁) / (p₂ − p₁) and b = q₁ − a p₁.

    Args:
        images: of faces; uint8 stays uint8.
        eyes: where they are, or a detector that says so.
        size: height and width of what is made; that of the images by default.
        positions: (x, y) of the left and the right eye afterwards, as shares of width and height. Left is the one with
            the smaller x.

    Shapes:
        images (n, channels, height, width), eyes (n, 2, 2) with (x, y) in pixels, (0, 0) the centre of the first pixel:
        (n, channels, *size).

    Raises:
        InputError: shapes that do not fit, eyes that are not finite or lie at one point.
    """
    if images.dim() != 4:
        raise InputError(f"Expected images (n, channels, height, width), but got {tuple(images.shape)}.")
    points = eyes if isinstance(eyes, Tensor) else eyes(images)
    if points.shape != (len(images), 2, 2):
        raise InputError(
            f"Expected two eyes with x and y for each of {len(images)} images, ({len(images)}, 2, 2), but got "
            f"{tuple(points.shape)}."
        )
    points = points.to(images.device, torch.float64)
    apart = (points[:, 1] - points[:, 0]).norm(dim=1)
    wrong = torch.nonzero(~(torch.isfinite(apart) & (apart > 0))).flatten()
    if len(wrong):
        raise InputError(
            f"Expected two eyes at finite places apart from each other, but image {int(wrong[0])} has "
            f"{points[int(wrong[0])].tolist()}; leave out images without a face."
        )
    height, width = images.shape[2:]
    rows, columns = (height, width) if size is None else (size, size) if isinstance(size, int) else size
    target = torch.tensor(positions, dtype=torch.float64, device=images.device)
    if target.shape != (2, 2) or bool((target[0] == target[1]).all()):
        raise InputError(f"Expected two different positions with x and y, but got {positions}.")
    target = target * torch.tensor([columns, rows], device=images.device) - 0.5
    # What is needed is where in the image each pixel of the result comes from: from target to eyes.
    source, wanted = (torch.view_as_complex(some.contiguous()) for some in (points, target))
    turn = (source[:, 1] - source[:, 0]) / (wanted[1] - wanted[0])
    shift = source[:, 0] - turn * wanted[0]
    y, x = torch.meshgrid(
        torch.arange(rows, device=images.device), torch.arange(columns, device=images.device), indexing="ij"
    )
    from_ = turn.view(-1, 1, 1) * torch.complex(x.double(), y.double()) + shift.view(-1, 1, 1)
    grid = torch.stack([(2 * from_.real + 1) / width - 1, (2 * from_.imag + 1) / height - 1], dim=3)
    pixels = images if images.is_floating_point() else images.float()
    moved = F.grid_sample(pixels, grid.to(pixels), padding_mode="border", align_corners=False)
    return moved if images.is_floating_point() else moved.round().clamp(0, 255).to(images.dtype)


def read_eyes(path: Path | str, count: int) -> Tensor:
    """Eyes from a CSV file with the columns left_x, left_y, right_x, right_y, a row per image in their order.

    Args:
        path: of the file; other columns are not read.
        count: images there are.

    Shapes:
        (count, 2, 2) float64.

    Raises:
        InputError: the file cannot be read, lacks a column, has another number of rows, or something that is no number.
    """
    names = ("left_x", "left_y", "right_x", "right_y")
    try:
        with open(path, newline="", encoding="utf-8") as file:
            table = list(csv.DictReader(file))
        values = [[float(row[name]) for name in names] for row in table]
    except KeyError as error:
        raise InputError(f"'{path}' has no column {error}; it needs {', '.join(names)}.") from error
    except (OSError, TypeError, ValueError, csv.Error) as error:
        raise InputError(f"'{path}' does not hold the eyes of images: {error}.") from error
    if len(values) != count:
        raise InputError(f"'{path}' has {len(values)} rows, but there are {count} images.")
    return torch.tensor(values, dtype=torch.float64).reshape(count, 2, 2)
