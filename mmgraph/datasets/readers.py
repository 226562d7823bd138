"""How the files of each format become a data set: a reader per format, imported when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from mmgraph.datasets.catalogue import Manifest

if TYPE_CHECKING:
    from torch_geometric.data import Data

    from mmgraph.datasets.action_videos import ActionVideos
    from mmgraph.datasets.captioned_images import CaptionedImages
    from mmgraph.datasets.clip_collection import ClipCollection
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


@dataclass(frozen=True)
class Source:
    """What a reader reads.

    Args:
        manifest: of the data set.
        folder: where its files lie; they are there, and are what the manifest says.
        options: those that were given, of the right types.
    """

    manifest: Manifest
    folder: Path
    options: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Of the data set."""
        return self.manifest.name

    @property
    def first(self) -> Path:
        """The first file, or the only one."""
        return self.folder / self.manifest.files[0].path

    @property
    def by_suffix(self) -> dict[str, Path]:
        """Files of sets that have one of each kind."""
        return {Path(file.path).suffix: self.folder / file.path for file in self.manifest.files}


def read(source: Source) -> Loaded:
    """The data set that the files are."""
    return READERS[source.manifest.format](source)


def _planetoid(source: Source) -> Data:
    from mmgraph.datasets.planetoid import read_planetoid

    return read_planetoid(source.folder, source.name, **source.options)


def _matlab_network(source: Source) -> Data:
    from mmgraph.datasets.matlab_network import read_matlab_network

    return read_matlab_network(source.first)


def _communities(source: Source) -> Data:
    from mmgraph.datasets.communities import read_communities

    return read_communities(source.by_suffix[".ungraph"], source.by_suffix[".cmty"])


def _attributed_npz(source: Source) -> Data:
    from mmgraph.datasets.attributed_graph import read_attributed_graph

    return read_attributed_graph(source.first, **source.options)


def _karate(source: Source) -> Data:
    from mmgraph.datasets.karate import read_karate

    return read_karate(source.manifest.classes)


def _friendships(source: Source) -> Data:
    from mmgraph.datasets.friendships import read_friendships

    return read_friendships(source.first)


def _graph_text(source: Source) -> GraphDataset:
    from mmgraph.datasets.graph_text import read_graph_text

    return read_graph_text(source.first, source.name, class_names=source.manifest.classes, **source.options)


def _idx(source: Source) -> ImageDataset:
    from mmgraph.datasets.images import read_images

    return read_images(source.folder, source.manifest, source.options.get("split"))


def _digits(source: Source) -> ImageDataset:
    from mmgraph.datasets.digits import read_digits

    return read_digits(source.manifest)


def _omniglot(source: Source) -> ImageCollection:
    from mmgraph.datasets.omniglot import read_omniglot

    files = source.manifest.select("background")
    return read_omniglot([source.folder / file.path for file in files], source.name)


def _class_folders(source: Source) -> ImageCollection:
    from mmgraph.datasets.class_folders import read_class_folders

    return read_class_folders(source.folder, [file.path for file in source.manifest.files], source.name)


def _scored_faces(source: Source) -> ImageCollection:
    from mmgraph.datasets.scored_faces import read_scored_faces

    return read_scored_faces(source.first, source.name)


def _fine_detail(source: Source) -> ImageCollection:
    from mmgraph.datasets.fine_detail import fine_detail

    return fine_detail()


def _paired_features(source: Source) -> PairedFeatures:
    from mmgraph.datasets.paired_features import read_paired_features

    return read_paired_features(source.folder, source.manifest)


def _text(source: Source) -> Text:
    from mmgraph.datasets.text_files import BUILTIN, read_text

    path = BUILTIN / f"{source.name}.txt" if source.manifest.builtin else source.first
    return read_text(path, source.name)


def _gestures(source: Source) -> SequenceDataset:
    from mmgraph.datasets.sequences import read_gestures

    return read_gestures(source.first, source.name, source.manifest.classes)


def _moving_shapes(source: Source) -> ClipCollection:
    from mmgraph.datasets.moving_shapes import moving_shapes

    return moving_shapes()


def _ucf101(source: Source) -> ActionVideos:
    from mmgraph.datasets.action_videos import read_ucf101

    return read_ucf101(source.folder, source.folder / "official_lists", source.name)


def _spoken_digits(source: Source) -> SoundCollection:
    from mmgraph.datasets.spoken_digits import read_spoken_digits

    return read_spoken_digits(source.first, source.name)


def _captioned_photographs(source: Source) -> CaptionedImages:
    from mmgraph.datasets.flickr8k import read_flickr8k

    paths, side = source.by_suffix, source.options.get("side", 96)
    return read_flickr8k(paths[".zip"], paths[".txt"], source.name, side=side)


READERS: dict[str, Callable[[Source], Loaded]] = {
    "planetoid": _planetoid,
    "matlab-network": _matlab_network,
    "communities": _communities,
    "attributed-npz": _attributed_npz,
    "karate": _karate,
    "friendships": _friendships,
    "graph-text": _graph_text,
    "idx": _idx,
    "digits": _digits,
    "omniglot": _omniglot,
    "class-folders": _class_folders,
    "scored-faces": _scored_faces,
    "fine-detail": _fine_detail,
    "paired-features": _paired_features,
    "text": _text,
    "gestures": _gestures,
    "moving-shapes": _moving_shapes,
    "ucf101": _ucf101,
    "spoken-digits": _spoken_digits,
    "captioned-photographs": _captioned_photographs,
}
"""By the format that a manifest names: those of `catalogue.FORMATS`."""
