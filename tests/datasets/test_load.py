from __future__ import annotations

import gzip
import os
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from mmgraph.datasets import catalogue, load
from mmgraph.datasets.images import ImageDataset
from mmgraph.errors import ConfigError, DatasetMissingError, UnknownNameError

# torch_geometric uses torch.jit.script while it is imported.
pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.script:DeprecationWarning")

REAL = os.environ.get("MMGRAPH_DATA", "")


def idx(*sizes: int) -> bytes:
    count = torch.tensor(sizes).prod().item()
    return gzip.compress(bytes([0, 0, 8, len(sizes)]) + struct.pack(f">{len(sizes)}I", *sizes) + bytes(count))


IMAGES = {
    "train-images-idx3-ubyte.gz": idx(3, 4, 5),
    "train-labels-idx1-ubyte.gz": idx(3),
    "t10k-images-idx3-ubyte.gz": idx(2, 4, 5),
    "t10k-labels-idx1-ubyte.gz": idx(2),
}
PARTS = {name: "train" if name.startswith("train") else "test" for name in IMAGES}


def test_a_citation_graph_from_download_to_tensors(
    publish: Callable[..., Path], citation_graph: Callable[..., Any]
) -> None:
    truth = citation_graph("tiny")
    publish("tiny", truth.files, format="planetoid", folder="planetoid")
    steps: list[tuple[str, int, int]] = []
    data = load("tiny", progress=lambda *step: steps.append(step))
    assert torch.equal(data.x, torch.from_numpy(truth.x))
    assert {step[0] for step in steps} == set(truth.files)
    normalised = load("tiny", normalize_features=True)
    assert float(normalised.x.sum(dim=1).max()) == pytest.approx(1)


def test_images_from_download_to_tensors(publish: Callable[..., Path]) -> None:
    publish("pictures", IMAGES, parts=PARTS, classes=["only"])
    data = load("pictures")
    assert isinstance(data, ImageDataset)
    assert (data.name, data.class_names) == ("pictures", ("only",))
    assert (data.train_images.shape, data.test_images.shape) == ((3, 4, 5), (2, 4, 5))


def test_a_missing_part_is_not_needed_for_the_other(publish: Callable[..., Path], mirror: Any) -> None:
    publish("pictures", IMAGES, parts=PARTS, classes=["only"])
    del mirror.contents["train-images-idx3-ubyte.gz"]
    assert len(load("pictures", split="test").test_images) == 2
    with pytest.raises(DatasetMissingError, match=r"train-images-idx3-ubyte\.gz of data set 'pictures'"):
        load("pictures")


def test_digits() -> None:
    assert len(load("digits").train_images) == 1797


@pytest.mark.parametrize(
    ("name", "options", "error", "words"),
    [
        ("coro", {}, UnknownNameError, "Did you mean 'cora'"),
        ("cora", {"normalise_features": True}, UnknownNameError, "Did you mean 'normalize_features'"),
        ("cora", {"split": "test"}, UnknownNameError, "no option of data set 'cora' 'split'"),
        ("digits", {"split": "test"}, UnknownNameError, "no option of data set 'digits' 'split'"),
        ("cora", {"normalize_features": "yes"}, ConfigError, "must be a bool, not 'yes'"),
        ("mnist", {"split": 3}, ConfigError, "must be a str, not 3"),
        ("mnist", {"split": "tests"}, UnknownNameError, "Did you mean 'test'"),
    ],
)
def test_bad_requests(name: str, options: dict[str, Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        load(name, **options)


def test_importing_is_light() -> None:
    script = "import sys, mmgraph.datasets; print('torch' in sys.modules, 'numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False False"


@pytest.fixture
def real_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MMGRAPH_DATA", REAL)


@pytest.mark.data
@pytest.mark.skipif(not REAL, reason="$MMGRAPH_DATA is not set")
@pytest.mark.usefixtures("real_data")
class TestRealData:
    def location(self, name: str, part: str | None = None) -> catalogue.Location:
        found = catalogue.locate(name, part)
        if found is None or not found.complete:
            pytest.skip(f"$MMGRAPH_DATA does not hold all of {name}")
        return found

    def test_cora(self) -> None:
        self.location("cora")
        data = load("cora")
        sizes = dict(zip(catalogue.manifest("cora").classes, data.y.bincount().tolist(), strict=True))
        # Class sizes as published by Sen et al. show that the names are in the right order.
        assert sizes == {
            "Theory": 351,
            "Reinforcement learning": 217,
            "Genetic algorithms": 418,
            "Neural networks": 818,
            "Probabilistic methods": 426,
            "Case based": 298,
            "Rule learning": 180,
        }

    def test_citeseer(self) -> None:
        self.location("citeseer")
        sizes = load("citeseer").y.bincount().tolist()
        names = catalogue.manifest("citeseer").classes
        # Sen et al. count 249 papers on artificial intelligence; 15 more are the nodes without any features.
        assert sizes == [249 + 15, 590, 668, 701, 596, 508]
        assert [name.split()[0] for name in names] == [
            "Artificial",
            "Machine",
            "Information",
            "Databases",
            "Agents",
            "Human-computer",
        ]

    def test_fashion_mnist(self) -> None:
        self.location("fashion-mnist")
        data = load("fashion-mnist")
        assert data.train_images.shape == (60000, 28, 28)
        assert data.train_labels.bincount().tolist() == [6000] * 10
        assert data.test_labels.bincount().tolist() == [1000] * 10
        assert float(data.train_images.float().mean()) / 255 == pytest.approx(0.2860, abs=5e-5)

    def test_mnist_test_part(self) -> None:
        self.location("mnist", "test")
        data = load("mnist", split="test")
        assert data.test_images.shape == (10000, 28, 28)
        assert data.test_labels.bincount().tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
        assert len(data.train_images) == 0

    @pytest.mark.parametrize(("name", "file"), [("pubmed", "ind.pubmed.allx"), ("mnist", "train-images")])
    def test_an_absent_file_is_named(self, name: str, file: str, monkeypatch: pytest.MonkeyPatch) -> None:
        here = catalogue.locate(name)
        if here is None or here.complete or file not in here.missing[0].path:
            pytest.skip(f"$MMGRAPH_DATA does not lack {file} of {name}")
        # A proxy that nothing listens at: no request leaves this machine.
        monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
        with pytest.raises(DatasetMissingError, match=file) as caught:
            load(name)
        assert str(here.folder) in str(caught.value)
