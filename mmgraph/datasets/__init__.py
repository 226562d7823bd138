"""Real data sets by name: manifests → verified files → tensors.

`load("cora")` is all that most code needs. What there is and where it lies is in `mmgraph.datasets.catalogue`,
which needs neither PyTorch nor a network; `mmgraph.datasets.fetch` brings the files.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias, cast, overload

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
    from mmgraph.datasets.sequences import SequenceDataset
    from mmgraph.datasets.spoken_digits import SoundCollection
    from mmgraph.datasets.text_files import Text

    Loaded: TypeAlias = (
        Data
        | ImageDataset
        | ImageCollection
        | CaptionedImages
        | GraphDataset
        | PairedFeatures
        | ClipCollection
        | ActionVideos
        | SoundCollection
        | SequenceDataset
        | Text
    )

__all__ = ["load"]

_OPTIONS: dict[str, dict[str, type]] = {
    "planetoid": {"features": bool, "normalize_features": bool},
    "matlab-network": {},
    "communities": {},
    "attributed-npz": {"normalize_features": bool},
    "karate": {},
    "friendships": {},
    "graph-text": {"node_features": str},
    "idx": {"split": str},
    "digits": {},
    "omniglot": {},
    "class-folders": {},
    "scored-faces": {},
    "paired-features": {},
    "text": {},
    "gestures": {},
    "moving-shapes": {},
    "ucf101": {},
    "spoken-digits": {},
    "captioned-photographs": {"side": int},
    "fine-detail": {},
}


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
    features = bool(options.get("features", True))
    part = "background" if found.format == "omniglot" else split if features else "graph"
    folder = fetch(name, part=part, progress=progress)
    if found.format == "planetoid":
        from mmgraph.datasets.planetoid import read_planetoid

        normalize = bool(options.get("normalize_features"))
        return read_planetoid(folder, name, features=features, normalize_features=normalize)
    if found.format == "matlab-network":
        from mmgraph.datasets.matlab_network import read_matlab_network

        return read_matlab_network(folder / found.files[0].path)
    if found.format == "communities":
        from mmgraph.datasets.communities import read_communities

        paths = {Path(file.path).suffix: folder / file.path for file in found.files}
        return read_communities(paths[".ungraph"], paths[".cmty"])
    if found.format == "attributed-npz":
        from mmgraph.datasets.attributed_graph import read_attributed_graph

        return read_attributed_graph(
            folder / found.files[0].path, normalize_features=bool(options.get("normalize_features"))
        )
    if found.format == "karate":
        from mmgraph.datasets.karate import read_karate

        return read_karate(found.classes)
    if found.format == "friendships":
        from mmgraph.datasets.friendships import read_friendships

        return read_friendships(folder / found.files[0].path)
    if found.format == "idx":
        from mmgraph.datasets.images import read_images

        return read_images(folder, found, split)
    if found.format == "graph-text":
        from mmgraph.datasets.graph_text import read_graph_text

        return read_graph_text(
            folder / found.files[0].path,
            name,
            class_names=found.classes,
            node_features=cast("str | None", options.get("node_features")),
        )
    if found.format == "omniglot":
        from mmgraph.datasets.omniglot import read_omniglot

        return read_omniglot([folder / file.path for file in found.select("background")], name)
    if found.format == "class-folders":
        from mmgraph.datasets.class_folders import read_class_folders

        return read_class_folders(folder, [file.path for file in found.files], name)
    if found.format == "scored-faces":
        from mmgraph.datasets.scored_faces import read_scored_faces

        return read_scored_faces(folder / found.files[0].path, name)
    if found.format == "paired-features":
        from mmgraph.datasets.paired_features import read_paired_features

        return read_paired_features(folder, found)
    if found.format == "text":
        from mmgraph.datasets.text_files import BUILTIN, read_text

        return read_text(BUILTIN / f"{name}.txt" if found.builtin else folder / found.files[0].path, name)
    if found.format == "moving-shapes":
        from mmgraph.datasets.moving_shapes import moving_shapes

        return moving_shapes()
    if found.format == "ucf101":
        from mmgraph.datasets.action_videos import read_ucf101

        return read_ucf101(folder, folder / "official_lists", name)
    if found.format == "spoken-digits":
        from mmgraph.datasets.spoken_digits import read_spoken_digits

        return read_spoken_digits(folder / found.files[0].path, name)
    if found.format == "captioned-photographs":
        from mmgraph.datasets.flickr8k import read_flickr8k

        paths = {Path(file.path).suffix: folder / file.path for file in found.files}
        side = cast("int", options.get("side", 96))
        return read_flickr8k(paths[".zip"], paths[".txt"], name, side=side)
    if found.format == "fine-detail":
        from mmgraph.datasets.fine_detail import fine_detail

        return fine_detail()
    if found.format == "gestures":
        from mmgraph.datasets.sequences import read_gestures

        return read_gestures(folder / found.files[0].path, name, found.classes)
    from mmgraph.datasets.digits import read_digits

    return read_digits(found)
