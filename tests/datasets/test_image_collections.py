from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from mmgraph.datasets import catalogue, load
from mmgraph.datasets.class_folders import read_class_folders
from mmgraph.datasets.image_collection import ImageCollection
from mmgraph.datasets.omniglot import read_omniglot, read_trials
from mmgraph.datasets.scored_faces import read_scored_faces
from mmgraph.errors import DatasetCorruptError, DatasetMissingError, InputError

REAL = os.environ.get("MMGRAPH_DATA", "")


def picture(value: int, size: tuple[int, int] = (105, 105), mode: str = "L", kind: str = "PNG") -> bytes:
    stream = io.BytesIO()
    Image.fromarray(np.full((*size, 3) if mode == "RGB" else size, value, dtype=np.uint8)).save(stream, kind)
    return stream.getvalue()


def archive(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as zipped:
        for name, content in files.items():
            zipped.writestr(name, content)
    return path


def test_alphabets_in_several_archives_are_read_once(tmp_path: Path) -> None:
    first = {f"a/Greek/c{c}/{c}_{d}.png": picture(10 * c + d) for c in (1, 2) for d in (1, 2)}
    second = {name.replace("a/", "b/", 1): content for name, content in first.items()}
    second["b/Old_Script/c1/9_1.png"] = picture(200)
    found = read_omniglot([archive(tmp_path / "1.zip", first), archive(tmp_path / "2.zip", second)], "tiny")
    assert found.class_names == ("Greek c1", "Greek c2", "Old Script c1")
    assert found.group_names == ("Greek", "Old Script")
    assert found.labels.tolist() == [0, 0, 1, 1, 2]
    assert found.groups.tolist() == [0, 0, 1]
    assert found.images[:, 0, 0].tolist() == [244, 243, 234, 233, 55]
    assert found.of_groups("Old Script").tolist() == [4]
    with pytest.raises(InputError, match="Klingon"):
        found.of_groups("Klingon")


def test_trials_name_drawings(tmp_path: Path) -> None:
    files = {
        f"run01/{part}/{i}.png": picture(10 * i + (part == "test"))
        for i in range(3)
        for part in ("test", "training")
    }
    files["run01/class_labels.txt"] = (
        b"run01/test/0.png run01/training/2.png\nrun01/test/1.png run01/training/0.png\n"
    )
    (trial,) = read_trials(archive(tmp_path / "runs.zip", files))
    assert trial.support[:, 0, 0].tolist() == [255, 235]
    assert trial.queries[:, 0, 0].tolist() == [254, 244]
    assert trial.answers.tolist() == [1, 0]
    files["run01/class_labels.txt"] = b"run01/test/0.png run01/training/7.png\n"
    with pytest.raises(DatasetCorruptError, match="not there"):
        read_trials(archive(tmp_path / "broken.zip", files))


@pytest.mark.parametrize(
    "files",
    [{}, {"a/b/c/d.png": b"no image"}, {"a/b/c/d.png": picture(1, (9, 9))}, {"d.png": picture(1)}],
)
def test_a_damaged_archive(tmp_path: Path, files: dict[str, bytes]) -> None:
    with pytest.raises(DatasetCorruptError):
        read_omniglot([archive(tmp_path / "x.zip", files)], "tiny")


def test_no_archive(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(b"PK not really")
    with pytest.raises(DatasetCorruptError, match="archive"):
        read_omniglot([tmp_path / "x.zip"], "tiny")


def test_folders_come_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    files = [f"s{c}/{d}.pgm" for c in (10, 2) for d in (10, 9)]
    for file in files:
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_bytes(picture(int(file[1:].split("/")[0]), (4, 3), kind="PPM"))
    found = read_class_folders(tmp_path, files, "faces")
    assert found.class_names == ("s2", "s10")
    assert found.images.shape == (4, 4, 3)
    assert found.images[:, 0, 0].tolist() == [2, 2, 10, 10]
    (tmp_path / "s2/9.pgm").write_bytes(picture(1, (4, 4), kind="PPM"))
    with pytest.raises(DatasetCorruptError, match=r"4 × 4 pixels, not 3 × 4"):
        read_class_folders(tmp_path, files, "faces")
    (tmp_path / "s2/9.pgm").unlink()
    with pytest.raises(DatasetMissingError):
        read_class_folders(tmp_path, files, "faces")


def test_ages_are_read_from_names(tmp_path: Path) -> None:
    files = {
        "crop/31_1_0_20170110183726390.jpg.chip.jpg": picture(9, (200, 200), "RGB", "JPEG"),
        "crop/7_0_2_20170110183726390.jpg": picture(8, (200, 200), "RGB", "JPEG"),
        "crop/readme.jpg": b"",
    }
    found = read_scored_faces(archive(tmp_path / "faces.zip", files), "faces")
    assert found.images.shape == (2, 3, 200, 200)
    assert sorted(found.scores.tolist()) == [7, 31]
    assert [found.class_names[label] for label in found.labels] == ["30 to 39", "0 to 9"]


def test_a_collection_checks_what_it_is_given() -> None:
    images, labels = torch.zeros(2, 4, 4, dtype=torch.uint8), torch.tensor([0, 1])
    groups = torch.zeros(2, dtype=torch.int64)
    ImageCollection("ok", images, labels, ("a", "b"), groups)
    for change in (
        {"images": images.float()},
        {"images": images[None]},
        {"labels": labels + 1},
        {"labels": labels[:1]},
        {"groups": groups[:1]},
        {"groups": groups + 1},
        {"scores": torch.zeros(3)},
    ):
        given = {"images": images, "labels": labels, "class_names": ("a", "b"), "groups": groups} | change
        with pytest.raises(InputError):
            ImageCollection("bad", **given)


def test_a_file_that_nobody_offers_must_be_put_there(publish: Callable[..., Path]) -> None:
    publish("faces", {"a.zip": b"x"}, format="scored-faces")
    path = catalogue.MANIFESTS / "faces.toml"
    text = "\n".join('url = ""' if line.startswith("url") else line for line in path.read_text().splitlines())
    path.write_text(text)
    with pytest.raises(DatasetMissingError, match="nobody offers it"):
        load("faces")


@pytest.mark.data
@pytest.mark.skipif(not REAL, reason="$MMGRAPH_DATA is not set")
def test_the_real_collections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MMGRAPH_DATA", REAL)
    letters = load("omniglot")
    assert letters.images.shape == (4840, 105, 105)
    assert len(letters.group_names) == 8
    assert torch.bincount(letters.labels).unique().tolist() == [20]
    faces = load("orl-faces")
    assert faces.images.shape == (400, 112, 92)
    assert torch.bincount(faces.labels).tolist() == [10] * 40
    ages = load("utkface")
    assert len(ages.images) == 1956
    assert float(ages.scores.mean()) == pytest.approx(29.4, abs=0.1)
    trials = read_trials(Path(REAL, "omniglot/one-shot-classification/all_runs.zip"))
    assert len(trials) == 20
    assert all(trial.support.shape == trial.queries.shape == (20, 105, 105) for trial in trials)
