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
import scipy.io
import torch
from scipy import sparse

from mmgraph.datasets import catalogue, load
from mmgraph.datasets.images import ImageDataset
from mmgraph.datasets.readers import READERS
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


def test_the_graph_without_its_features(
    publish: Callable[..., Path], citation_graph: Callable[..., Any], mirror: Any
) -> None:
    truth = citation_graph("tiny")
    features = ("ind.tiny.x", "ind.tiny.tx", "ind.tiny.allx")
    parts = {name: "features" if name in features else "graph" for name in truth.files}
    publish("tiny", truth.files, parts=parts, format="planetoid")
    whole = load("tiny")
    for name in features:
        del mirror.contents[name]
        (catalogue.user_root() / "tiny" / name).unlink()
    graph = load("tiny", features=False)
    assert (graph.x, graph.num_nodes) == (None, whole.num_nodes)
    for key in ("edge_index", "y", "train_mask", "val_mask", "test_mask"):
        assert torch.equal(graph[key], whole[key])
    with pytest.raises(ConfigError, match="nothing else to normalise"):
        load("tiny", features=False, normalize_features=True)


@pytest.mark.parametrize("order", [1, -1])
def test_a_graph_with_communities_from_download_to_tensors(publish: Callable[..., Path], order: int) -> None:
    files = {"g.ungraph": b"0 1\n1 2\n", "g.cmty": b"0 1\n2\n"}
    publish("tiny", dict(list(files.items())[::order]), format="communities")
    data = load("tiny")
    assert data.y.int().tolist() == [[1, 0], [1, 0], [0, 1]]
    assert data.edge_index.t().tolist() == [[1, 0], [0, 1], [2, 1], [1, 2]]


def test_a_matlab_network_from_download_to_tensors(publish: Callable[..., Path], tmp_path: Path) -> None:
    pair = sparse.csc_matrix([[0.0, 1.0], [1.0, 0.0]])
    scipy.io.savemat(tmp_path / "g.mat", {"network": pair, "group": pair})
    publish("tiny", {"g.mat": (tmp_path / "g.mat").read_bytes()}, format="matlab-network")
    assert load("tiny").y.tolist() == [[False, True], [True, False]]


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
        ("cora", {"features": 1}, ConfigError, "must be a bool, not 1"),
        ("ppi", {"features": False}, UnknownNameError, "no option of data set 'ppi' 'features'"),
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

    def test_pubmed_without_its_features(self) -> None:
        self.location("pubmed", "graph")
        data = load("pubmed", features=False)
        assert (data.num_nodes, data.num_edges) == (19717, 2 * 44324)
        assert data.y.bincount().tolist() == [4103, 7739, 7875]
        assert [int(data[mask].sum()) for mask in ("train_mask", "val_mask", "test_mask")] == [60, 500, 1000]

    @pytest.mark.parametrize(
        ("name", "shape"), [("blogcatalog", (10312, 39)), ("dblp-authors", (51264, 60)), ("ppi", (3890, 50))]
    )
    def test_several_labels(self, name: str, shape: tuple[int, int]) -> None:
        self.location(name)
        data = load(name)
        assert tuple(data.y.shape) == shape
        assert data.y.dtype == torch.bool

    def test_dblp(self) -> None:
        self.location("dblp")
        data = load("dblp", normalize_features=True)
        assert tuple(data.x.shape) == (17716, 1639)
        assert data.num_edges == 2 * 52867
        assert data.y.bincount().tolist() == [7920, 5645, 1982, 2169]
        sums = data.x.sum(dim=1)
        assert torch.allclose(sums[sums > 0], torch.ones(int((sums > 0).sum())))

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


def test_the_karate_club_comes_with_networkx() -> None:
    data = load("karate")
    assert (data.num_nodes, data.num_edges) == (34, 2 * 78)
    assert data.y.bincount().tolist() == [17, 17]
    assert (int(data.y[0]), int(data.y[33])) == (0, 1)
    assert data.edge_weight.sum() == 2 * 231
    assert catalogue.manifest("karate").classes == ("Mr. Hi", "Officer")


def test_every_format_that_a_manifest_may_name_has_a_reader():
    assert set(READERS) == set(catalogue.FORMATS)
