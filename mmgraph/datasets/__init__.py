"""Real data sets by name: manifests → verified files → tensors.

`load("cora")` is all that most code needs. What there is and where it lies is in `mmgraph.datasets.catalogue`,
which needs neither PyTorch nor a network; `mmgraph.datasets.fetch` brings the files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, cast, overload

from mmgraph.datasets import catalogue
from mmgraph.errors import ConfigError, UnknownNameError

if TYPE_CHECKING:
    from torch_geometric.data import Data

    from mmgraph.datasets.fetch import Progress
    from mmgraph.datasets.images import ImageDataset

__all__ = ["load"]

_OPTIONS: dict[str, dict[str, type]] = {
    "planetoid": {"normalize_features": bool},
    "idx": {"split": str},
    "digits": {},
}


@overload
def load(
    name: Literal["cora", "citeseer", "pubmed"],
    *,
    progress: Progress | None = None,
    normalize_features: bool = False,
) -> Data: ...
@overload
def load(
    name: Literal["mnist", "fashion-mnist"],
    *,
    progress: Progress | None = None,
    split: Literal["train", "test"] = ...,
) -> ImageDataset: ...
@overload
def load(name: Literal["digits"], *, progress: Progress | None = None) -> ImageDataset: ...
@overload
def load(name: str, *, progress: Progress | None = None, **options: object) -> Data | ImageDataset: ...


def load(name: str, *, progress: Progress | None = None, **options: object) -> Data | ImageDataset:
    """A data set ready for training; its files are found or downloaded, and verified.

    Args:
        name: one of `catalogue.names()`.
        progress: called as `progress(file, bytes_done, bytes_total)` while a file is downloaded.
        **options: `normalize_features=True` (citation graphs) divides each feature row by its sum;
            `split='train'` or `'test'` (MNIST, Fashion-MNIST) needs and reads that part only.

    Returns:
        A `torch_geometric.data.Data` for a citation graph, an `ImageDataset` for images.

    Raises:
        UnknownNameError: there is no data set, option or part of that name.
        ConfigError: an option has a wrong type.
        DatasetMissingError: a file is not here and could not be downloaded.
        DatasetCorruptError: a file does not match its checksum or its format.
    """
    found = catalogue.manifest(name)
    known = _OPTIONS[found.format]
    for option, value in options.items():
        if option not in known:
            raise UnknownNameError.of(f"option of data set '{name}'", option, known)
        if not isinstance(value, known[option]):
            raise ConfigError(
                f"Option '{option}' of data set '{name}' must be a {known[option].__name__}, not {value!r}."
            )

    from mmgraph.datasets.fetch import fetch

    split = cast("str | None", options.get("split"))
    folder = fetch(name, part=split, progress=progress)
    if found.format == "planetoid":
        from mmgraph.datasets.planetoid import read_planetoid

        return read_planetoid(folder, name, normalize_features=bool(options.get("normalize_features")))
    if found.format == "idx":
        from mmgraph.datasets.images import read_images

        return read_images(folder, found, split)
    from mmgraph.datasets.digits import read_digits

    return read_digits(found)
