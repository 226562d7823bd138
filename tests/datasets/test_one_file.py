from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from mmgraph.datasets.one_file import read_image, read_like
from mmgraph.errors import InputError


def test_a_picture_of_the_right_size_stays_as_it_is(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (9, 7, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    assert (read_like(tmp_path / "a.png", (3, 9, 7)) == pixels.transpose(2, 0, 1)).all()
    grey = np.asarray(Image.fromarray(pixels).convert("L"))
    assert (read_like(tmp_path / "a.png", (9, 7)) == grey).all()
    assert (read_like(tmp_path / "a.png", (1, 9, 7))[0] == grey).all()


def test_the_middle_fills_the_picture(tmp_path):
    wide = np.zeros((10, 30), dtype=np.uint8)
    wide[:, 10:20] = 255
    Image.fromarray(wide).save(tmp_path / "a.png")
    assert (read_image(tmp_path / "a.png", (10, 10), grey=True) == 255).all()


def test_a_photograph_is_turned_upright_and_transparency_is_white(tmp_path):
    picture = Image.new("RGB", (8, 4))
    turned = picture.getexif()
    turned[0x0112] = 6
    picture.save(tmp_path / "turned.jpg", exif=turned)
    assert read_image(tmp_path / "turned.jpg", (8, 4), grey=False).shape == (3, 8, 4)
    Image.new("RGBA", (4, 4), (0, 0, 0, 0)).save(tmp_path / "clear.png")
    assert (read_image(tmp_path / "clear.png", (4, 4), grey=True) == 255).all()


def test_an_image_is_a_clip_of_equal_frames(tmp_path):
    Image.new("L", (6, 6), 9).save(tmp_path / "a.png")
    clip = read_like(tmp_path / "a.png", (5, 1, 6, 6))
    assert clip.shape == (5, 1, 6, 6)
    assert (clip == 9).all()


def test_a_video_is_read_as_a_clip(tmp_path):
    av = pytest.importorskip("av")
    with av.open(str(tmp_path / "a.mp4"), "w") as file:
        stream = file.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 32
        for _ in range(6):
            file.mux(
                stream.encode(av.VideoFrame.from_ndarray(np.full((32, 32, 3), 200, np.uint8), format="rgb24"))
            )
        file.mux(stream.encode(None))
    for channels in (1, 3):
        clip = read_like(tmp_path / "a.mp4", (4, channels, 16, 16))
        assert clip.shape == (4, channels, 16, 16)
        assert np.abs(clip.astype(int) - 200).max() < 8


def huge_png(width: int, height: int) -> bytes:
    """The head of a PNG that says it is large; nothing of it needs to be there."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"\0" * 64))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(("width", "height"), [(10_000, 10_000), (100_000, 100_000)])
def test_a_hundred_megapixels_are_refused_before_they_are_unpacked(tmp_path, width, height):
    (tmp_path / "huge.png").write_bytes(huge_png(width, height))
    with pytest.raises(InputError, match=r"huge\.png"):
        read_like(tmp_path / "huge.png", (28, 28))


def test_a_large_jpeg_is_shrunk_while_it_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr("mmgraph.datasets.one_file.MOST_PIXELS", 100_000)
    Image.new("RGB", (1600, 1600), (250, 250, 250)).save(tmp_path / "large.jpg")
    assert (read_like(tmp_path / "large.jpg", (28, 28)) > 240).all()


@pytest.mark.parametrize("content", [b"", b"no image", huge_png(50, 50)[:60]])
def test_what_is_no_image_is_said(tmp_path, content):
    (tmp_path / "bad.png").write_bytes(content)
    with pytest.raises(InputError, match=r"bad\.png"):
        read_like(tmp_path / "bad.png", (28, 28))


def test_a_cut_file_a_missing_file_and_a_broken_video_are_said(tmp_path):
    whole = io.BytesIO()
    Image.effect_noise((64, 64), 50).save(whole, "png")
    (tmp_path / "cut.png").write_bytes(whole.getvalue()[:500])
    (tmp_path / "bad.mp4").write_bytes(b"no video at all")
    with pytest.raises(InputError, match=r"cut\.png"):
        read_like(tmp_path / "cut.png", (28, 28))
    with pytest.raises(InputError, match=r"missing\.png"):
        read_like(tmp_path / "missing.png", (28, 28))
    with pytest.raises(InputError, match=r"bad\.mp4"):
        read_like(tmp_path / "bad.mp4", (4, 3, 16, 16))


@pytest.mark.parametrize(
    ("name", "shape", "said"),
    [
        ("a.wav", (1, 9, 7), "'a.wav' is a sound, and this model is given images."),
        ("a.MP3", (4, 3, 9, 7), "'a.MP3' is a sound, and this model is given clips or images."),
        ("a.mp4", (9, 7), "'a.mp4' is a clip, and this model is given images."),
    ],
)
def test_a_sound_or_a_clip_is_called_so_rather_than_a_broken_image(tmp_path, name, shape, said):
    (tmp_path / name).write_bytes(b"RIFF")
    with pytest.raises(InputError) as told:
        read_like(tmp_path / name, shape)
    assert str(told.value) == said


def test_a_gif_is_an_image_too(tmp_path):
    Image.new("L", (7, 9), 3).save(tmp_path / "a.gif")
    assert (read_like(tmp_path / "a.gif", (9, 7)) == 3).all()
