"""Real data sets by name: manifests → verified files → tensors.

`load("cora")` is all that most code needs. What there is and where it lies is in `mmgraph.datasets.catalogue`,
which needs neither PyTorch nor a network; `mmgraph.datasets.fetch` brings the files.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, cast, overload

from mmgraph.datasets import catalogue
from mmgraph.errors import ConfigError, UnknownNameError

if TYPE_CHECKING:
    from torch_geometric.data import Data

    from mmgraph.datasets.action_videos import ActionVideos
    from mmgraph.datasets.captioned_images import CaptionedImages
    from mmgraph.datasets.clip_collection import ClipCollection
    from mmgraph.datasets.fetch import Progress
    from mmgraph.datasets.graphs import GraphDataset
    from mmgraph.datasets.image_collection import ImageCollection
    from mmgraph.datasets.images import ImageDataset
    from mmgraph.datasets.paired_features import PairedFeatures
    from mmgraph.datasets.readers import Loaded
    from mmgraph.datasets.sequences import SequenceDataset
    from mmgraph.datasets.spoken_digits import SoundCollection
    from mmgraph.datasets.text_files import Text

__all__ = ["load"]


@overload
def load(
    name: Literal["cora", "citeseer", "pubmed"],
    *,
    progress: Progress | None = None,
    features: bool = True,
    normalize_features: bool = False,
) -> Data: ...
@overload
def load(
    name: Literal["dblp"], *, progress: Progress | None = None, normalize_features: bool = False
) -> Data: ...
@overload
def load(
    name: Literal["blogcatalog", "cornell5", "dblp-authors", "karate", "ppi", "reed98"],
    *,
    progress: Progress | None = None,
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
def load(
    name: Literal["mutag", "proteins", "enzymes", "imdb-binary"],
    *,
    progress: Progress | None = None,
    node_features: Literal["tags", "degree", "ones"] = ...,
) -> GraphDataset: ...
@overload
def load(
    name: Literal["fine-detail", "omniglot", "orl-faces", "utkface"], *, progress: Progress | None = None
) -> ImageCollection: ...
@overload
def load(name: Literal["wikipedia-crossmodal"], *, progress: Progress | None = None) -> PairedFeatures: ...
@overload
def load(name: Literal["hand-gestures"], *, progress: Progress | None = None) -> SequenceDataset: ...
@overload
def load(name: Literal["sonnets", "tinyshakespeare"], *, progress: Progress | None = None) -> Text: ...
@overload
def load(name: Literal["moving-shapes"], *, progress: Progress | None = None) -> ClipCollection: ...
@overload
def load(name: Literal["ucf101"], *, progress: Progress | None = None) -> ActionVideos: ...
@overload
def load(name: Literal["fsdd"], *, progress: Progress | None = None) -> SoundCollection: ...
@overload
def load(
    name: Literal["flickr8k"], *, progress: Progress | None = None, side: int = ...
) -> CaptionedImages: ...
@overload
def load(name: str, *, progress: Progress | None = None, **options: object) -> Loaded: ...


def load(name: str, *, progress: Progress | None = None, **options: object) -> Loaded:
    """A data set ready for training; its files are found or downloaded, and verified.

    Args:
        name: one of `catalogue.names()`.
        progress: called as `progress(file, bytes_done, bytes_total)` while a file is downloaded.
        **options: `features=False` (citation graphs) needs and reads the graph, the labels and the split only;
            `normalize_features=True` (citation graphs) divides each feature row by its sum;
            `split='train'` or `'test'` (MNIST, Fashion-MNIST) needs and reads that part only;
            `side=96` (photographs with sentences) is the height and width they are resized to;
            `node_features='tags'`, `'degree'` or `'ones'` (many graphs) says what the nodes bring.

    Returns:
        A `torch_geometric.data.Data` for a graph, a `GraphDataset` for many graphs, an `ImageDataset` for images, an
        `ImageCollection` for images of many kinds or with scores; of Omniglot the background set; `CaptionedImages` for
        images with sentences; `PairedFeatures` for images with texts; a `ClipCollection` for clips in memory,
        `ActionVideos` for video files, a `SoundCollection` for sounds, a `Text` for a text,
        a `SequenceDataset` for sequences.
        Where a node may have several labels, `y` is a bool matrix (nodes, labels).

    Raises:
        UnknownNameError: there is no data set, option or part of that name.
        ConfigError: an option has a wrong type.
        DatasetMissingError: a file is not here and could not be downloaded.
        DatasetCorruptError: a file does not match its checksum or its format.
    """
    found = catalogue.manifest(name)
    known = catalogue.FORMATS[found.format]
    for option, value in options.items():
        if option not in known:
            raise UnknownNameError.of(f"option of data set '{name}'", option, known)
        if not isinstance(value, known[option]):
            raise ConfigError(
                f"Option '{option}' of data set '{name}' must be a {known[option].__name__}, not {value!r}."
            )

    from mmgraph.datasets.fetch import fetch
    from mmgraph.datasets.readers import Source, read

    folder = fetch(name, part=_part(found.format, options), progress=progress)
    return read(Source(found, folder, options))


def _part(kind: str, options: Mapping[str, object]) -> str | None:
    """Which part of the files is needed; None for all."""
    if kind == "omniglot":
        return "background"
    if options.get("features") is False:
        return "graph"
    return cast("str | None", options.get("split"))
