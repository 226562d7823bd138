"""One image or clip of a person's own, made into the form that a model was trained on. The file may be hostile."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from mmgraph.datasets.image_files import MOST_BYTES
from mmgraph.datasets.one_sound import is_sound
from mmgraph.errors import DatasetError, InputError

if TYPE_CHECKING:
    from PIL import Image

Pixels = npt.NDArray[np.uint8]

MOST_PIXELS = 1 << 26
"""Of an image that has to be unpacked whole; larger JPEG files are shrunk while they are read."""
CLIPS = (".avi", ".gif", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".webm")


def is_clip(path: Path | str) -> bool:
    """Whether the name of a file says that it moves."""
    return Path(path).suffix.lower() in CLIPS


def read_like(path: Path | str, shape: tuple[int, ...]) -> Pixels:
    """The middle of an image or clip, scaled to the form of a data set: an image becomes a clip of equal frames.

    Args:
        path: of a file in any format that Pillow or FFmpeg know.
        shape: (height, width) grey, (channels, height, width), or (frames, channels, height, width).

    Shapes:
        as `shape`, uint8.

    Raises:
        InputError: the file cannot be read, is no image or clip, or too large.
    """
    path = Path(path)
    _check_kind(path, clips=len(shape) == 4)
    try:
        if len(shape) == 4 and is_clip(path):
            return _clip(path, shape)
        picture = read_image(path, (shape[-2], shape[-1]), grey=len(shape) == 2 or shape[-3] == 1)
    except DatasetError as error:
        raise InputError(str(error)) from error
    like: Pixels = np.broadcast_to(picture.reshape(shape[-3:] if len(shape) > 2 else shape), shape).copy()
    return like


def _check_kind(path: Path, *, clips: bool) -> None:
    """What is plainly something else is called by its name, rather than an image that is broken."""
    moves = is_clip(path) and path.suffix.lower() != ".gif"
    if is_sound(path) or (moves and not clips):
        raise InputError(
            f"'{path.name}' is a {'sound' if is_sound(path) else 'clip'}, and this model is given "
            f"{'clips or images' if clips else 'images'}."
        )


def read_image(path: Path | str, size: tuple[int, int], *, grey: bool) -> Pixels:
    """The middle of an image, scaled so that it fills `size`.

    Shapes:
        (height, width), or (3, height, width) in colour, uint8.

    Raises:
        InputError: the file cannot be read, is no image, or too large.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    path, (height, width) = Path(path), size
    try:
        if path.stat().st_size > MOST_BYTES:
            raise InputError(
                f"'{path.name}' is larger than {MOST_BYTES >> 20} MB, more than is read of an image."
            )
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"'{path}' cannot be read ({error.strerror}).") from error
    try:
        with warnings.catch_warnings():
            # How large is too large is decided here, before anything is unpacked.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content)) as image:
                image.draft("L" if grey else "RGB", (width * 2, height * 2))
                _check_size(image, path.name)
                upright = ImageOps.exif_transpose(image)
                scaled = ImageOps.fit(_opaque(upright, "L" if grey else "RGB"), (width, height))
                pixels: Pixels = np.asarray(scaled, dtype=np.uint8)
    except InputError:
        raise
    except UnidentifiedImageError as error:  # which names an object of ours
        raise InputError(
            f"'{path.name}' is not an image that can be read: nothing in it is of a format that is known."
        ) from error
    except (
        Image.DecompressionBombError,
        OSError,
        ValueError,
        SyntaxError,
        MemoryError,
    ) as error:
        raise InputError(f"'{path.name}' is not an image that can be read ({error}).") from error
    return pixels if grey else np.ascontiguousarray(pixels.transpose(2, 0, 1))


def _check_size(image: Image.Image, name: str) -> None:
    if image.width * image.height > MOST_PIXELS:
        raise InputError(
            f"'{name}' has {image.width:,} × {image.height:,} pixels, more than {MOST_PIXELS / 1e6:.0f} million: "
            f"make it smaller first."
        )


def _opaque(image: Image.Image, mode: str) -> Image.Image:
    """Without transparency: on white, as it is seen on paper."""
    from PIL import Image

    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        front = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", front.size, "white"), front)
    return image.convert(mode)


def _clip(path: Path, shape: tuple[int, ...]) -> Pixels:
    from mmgraph.datasets.frame_sampling import FrameSampling
    from mmgraph.datasets.video_file import read_video

    frames, channels, height, width = shape
    video = read_video(path, sampling=FrameSampling(strategy="uniform", count=frames), size=(height, width))
    clip = video.frames.transpose(0, 3, 1, 2)
    if channels == 1:
        # Luma of BT.601, as Pillow has it.
        weights = np.array([0.299, 0.587, 0.114], dtype=np.float32)
        clip = np.rint(np.tensordot(clip, weights, axes=(1, 0)))[:, None].astype(np.uint8)
    return np.ascontiguousarray(clip)
