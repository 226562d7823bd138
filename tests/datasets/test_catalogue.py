from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mmgraph.datasets import catalogue
from mmgraph.errors import ConfigError, UnknownNameError

EXPECTED = (
    "blogcatalog",
    "citeseer",
    "cora",
    "cornell5",
    "dblp",
    "dblp-authors",
    "digits",
    "enzymes",
    "fashion-mnist",
    "fine-detail",
    "flickr8k",
    "fsdd",
    "hand-gestures",
    "imdb-binary",
    "karate",
    "mnist",
    "moving-shapes",
    "mutag",
    "omniglot",
    "orl-faces",
    "ppi",
    "proteins",
    "pubmed",
    "reed98",
    "sonnets",
    "tinyshakespeare",
    "ucf101",
    "utkface",
    "wikipedia-crossmodal",
)


def put(root: Path, folder: str, contents: dict[str, bytes]) -> Path:
    (root / folder).mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (root / folder / name).write_bytes(content)
    return root


def test_the_catalogue_is_complete() -> None:
    assert catalogue.names() == EXPECTED


@pytest.mark.parametrize("name", EXPECTED)
def test_every_manifest_says_what_users_need(name: str) -> None:
    found = catalogue.manifest(name)
    assert found.name == name
    assert all((found.title, found.task, found.summary, found.licence, found.citation, found.homepage))
    assert found.format in catalogue.FORMATS
    assert len({file.path for file in found.files}) == len(found.files)
    assert all(not file.url or file.url.endswith("/" + file.path) for file in found.files)
    assert found.bytes == sum(file.bytes for file in found.files)


@pytest.mark.parametrize("name", ["cora", "citeseer", "pubmed"])
def test_a_planetoid_set_has_its_eight_files(name: str) -> None:
    suffixes = ("x", "y", "tx", "ty", "allx", "ally", "graph", "test.index")
    found = catalogue.manifest(name)
    assert {file.path for file in found.files} == {f"ind.{name}.{s}" for s in suffixes}
    assert {file.path for file in found.select("features")} == {
        f"ind.{name}.{s}" for s in ("x", "tx", "allx")
    }
    assert len(found.select("graph")) == 5


def test_parts() -> None:
    mnist = catalogue.manifest("mnist")
    assert mnist.parts == ("train", "test")
    assert mnist.select() == mnist.files
    assert [file.path[:4] for file in mnist.select("test")] == ["t10k", "t10k"]
    assert catalogue.manifest("blogcatalog").parts == ()
    with pytest.raises(UnknownNameError, match=r"no part of data set 'mnist' 'tests'.*Did you mean 'test'"):
        mnist.select("tests")


@pytest.mark.parametrize("function", [catalogue.manifest, catalogue.locate, catalogue.status])
def test_unknown_name(function: Callable[[str], object]) -> None:
    with pytest.raises(UnknownNameError, match=r"no data set 'coro'\. Did you mean 'cora'"):
        function("coro")
    with pytest.raises(UnknownNameError):
        function("../cora")


def test_needs_neither_torch_nor_a_network_library() -> None:
    heavy = ("torch", "numpy", "requests", "pooch", "sklearn", "scipy")
    script = (
        "import sys; from mmgraph.datasets import catalogue\n"
        "for name in catalogue.names(): catalogue.status(name)\n"
        f"print([module for module in {heavy} if module in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_search_order(publish: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    contents = {"a": b"1", "b": b"22"}
    publish("letters", contents, folder="shared_letters")
    assert catalogue.locate("letters") is None
    assert catalogue.status("letters") == "not here; 0.0 MB to download"

    user = put(catalogue.user_root(), "shared_letters", contents)
    second = put(tmp_path / "second", "shared_letters", contents)
    first = put(tmp_path / "first", "shared_letters", contents)
    expected = [first, second, user]
    monkeypatch.setenv(
        "MMGRAPH_DATA", os.pathsep.join([str(first), "", str(tmp_path / "absent"), str(second)])
    )
    for root in expected:
        here = catalogue.locate("letters")
        assert here is not None
        assert here.complete
        assert here.folder == root / "shared_letters"
        assert catalogue.status("letters") == f"ready in {here.folder}"
        (root / "shared_letters" / "a").unlink()

    here = catalogue.locate("letters")
    assert here is not None
    assert not here.complete
    assert here.folder == first / "shared_letters"
    assert [file.path for file in here.present] == ["b"]
    assert [file.path for file in here.missing] == ["a"]
    assert catalogue.status("letters") == f"1 of 2 files in {here.folder}; missing: a"


def test_the_folder_that_holds_more_is_preferred(
    publish: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    contents = {"a": b"1", "b": b"22", "c": b"333"}
    publish("letters", contents)
    poor = put(tmp_path / "poor", "letters", {"a": b"1"})
    rich = put(tmp_path / "rich", "letters", {"a": b"1", "b": b"22"})
    monkeypatch.setenv("MMGRAPH_DATA", f"{poor}{os.pathsep}{rich}")
    here = catalogue.locate("letters")
    assert here is not None
    assert here.folder == rich / "letters"


def test_one_part_is_located_alone(publish: Callable[..., Path]) -> None:
    publish("letters", {"a": b"1", "b": b"22"}, parts={"a": "train", "b": "test"})
    put(catalogue.user_root(), "letters", {"b": b"22"})
    test, train, both = (catalogue.locate("letters", part) for part in ("test", "train", None))
    assert test is not None
    assert test.complete
    assert train is None
    assert both is not None
    assert not both.complete


def test_a_file_of_the_wrong_size_is_named(publish: Callable[..., Path]) -> None:
    publish("letters", {"a": b"1", "b": b"22"})
    folder = put(catalogue.user_root(), "letters", {"a": b"1", "b": b"2"}) / "letters"
    here = catalogue.locate("letters")
    assert here is not None
    assert [file.path for file in here.wrong_size] == ["b"]
    assert catalogue.status("letters") == f"damaged: {folder / 'b'} has 1 bytes instead of 2"


def test_built_in_set_is_always_there() -> None:
    here = catalogue.locate("digits")
    assert here is not None
    assert here.complete
    assert here.folder.name == "sklearn"
    assert catalogue.status("digits") == "comes with scikit-learn"


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"format": "tar"}, "format is 'tar'"),
        ({"folder": "../elsewhere"}, "not the name of one folder"),
        ({"colour": "red"}, "colour"),
        ({"files": []}, "either files or builtin"),
        ({"builtin": "scikit-learn"}, "either files or builtin"),
    ],
)
def test_a_manifest_that_breaks_a_rule(
    publish: Callable[..., Path], change: dict[str, object], complaint: str
) -> None:
    publish("letters", {"a": b"1"}, **change)
    with pytest.raises(ConfigError, match=complaint):
        catalogue.manifest("letters")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"path": "../a"}, "leads out"),
        ({"path": "/etc/passwd"}, "leads out"),
        ({"sha256": ""}, "sha256 of 'a'"),
        ({"sha256": "A" * 64}, "sha256 of 'a'"),
        ({"bytes": 0}, "bytes of 'a'"),
        ({"bytes": "1"}, "not supported between"),
        ({"url": "file:///etc/passwd"}, "url of 'a'"),
        ({"mirror": "https://example.org"}, "mirror"),
    ],
)
def test_a_file_entry_that_breaks_a_rule(
    publish: Callable[..., Path], change: dict[str, object], complaint: str
) -> None:
    entry = {"path": "a", "sha256": "0" * 64, "bytes": 1, "url": "https://example.org/a"} | change
    publish("letters", {}, files=[entry])
    with pytest.raises(ConfigError, match=complaint):
        catalogue.manifest("letters")


def test_a_manifest_that_is_not_toml(publish: Callable[..., Path]) -> None:
    (publish("letters", {"a": b"1"}) / "letters.toml").write_text("title = ")
    with pytest.raises(ConfigError, match="'letters' cannot be used"):
        catalogue.manifest("letters")
