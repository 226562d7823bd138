from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
import torch
from PIL import Image

from mmgraph.datasets.flickr8k import read_flickr8k
from mmgraph.errors import DatasetCorruptError, InputError


def files(folder: Path, captions: str, sizes: dict[str, tuple[int, int]]) -> tuple[Path, Path]:
    archive = folder / "images.zip"
    with zipfile.ZipFile(archive, "w") as out:
        for name, size in sizes.items():
            content = io.BytesIO()
            Image.new("RGB", size, (200, 10, 10)).save(content, "JPEG")
            out.writestr(f"images/{name}", content.getvalue())
    (folder / "captions.txt").write_text(captions, encoding="utf-8")
    return archive, folder / "captions.txt"


def test_photographs_of_all_sizes_come_square_in_the_order_of_their_names(tmp_path: Path) -> None:
    table = 'image,caption\nb.jpg,A dog .\na.jpg,"Two, or  three"\nb.jpg,Ein Hund läuft\nc.jpg,no such file\n'
    data = read_flickr8k(*files(tmp_path, table, {"b.jpg": (40, 20), "a.jpg": (9, 31)}), "x", side=16)
    assert data.images.shape == (2, 3, 16, 16)
    assert data.names == ("a.jpg", "b.jpg")
    assert data.captions == (("Two, or three",), ("A dog .", "Ein Hund läuft"))
    colour = torch.tensor([200.0, 10.0, 10.0])[:, None, None]
    assert (data.images[1].float() - colour).abs().max() < 12


def test_empty_captions_are_left_out_and_one_of_ten_thousand_words_is_read(tmp_path: Path) -> None:
    long = " ".join(["слово"] * 10_000)
    table = f"image,caption\na.jpg,\na.jpg,   \na.jpg,{long}\nb.jpg,\n"
    data = read_flickr8k(*files(tmp_path, table, {"a.jpg": (9, 9), "b.jpg": (9, 9)}), "x", side=8)
    assert data.names == ("a.jpg",)
    assert data.captions == ((long,),)


def test_damaged_tables_and_archives_are_refused(tmp_path: Path) -> None:
    archive, table = files(tmp_path, "image,caption\na.jpg,one,two\n", {"a.jpg": (8, 8)})
    with pytest.raises(DatasetCorruptError, match=r"Line 2 of .* has 3 fields"):
        read_flickr8k(archive, table, "x")
    table.write_text("image,caption\nz.jpg,nobody\n", encoding="utf-8")
    with pytest.raises(DatasetCorruptError, match="has a sentence"):
        read_flickr8k(archive, table, "x")
    table.write_bytes(b"image,caption\na.jpg,\xff\xfe\n")
    with pytest.raises(DatasetCorruptError, match="not a table of captions"):
        read_flickr8k(archive, table, "x")
    with pytest.raises(InputError, match="at least 1 pixel"):
        read_flickr8k(archive, table, "x", side=0)
