"""Which classes are learned from and which are met later."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from mmgraph.datasets.image_collection import ImageCollection
from mmgraph.errors import ConfigError, UnknownNameError


@dataclass(frozen=True, eq=False)
class Parts:
    """Drawings and classes of each part.

    Shapes:
        images (n, height, width) uint8, labels (n,) int64, into the class names of the collection.
    """

    images: dict[str, Tensor]
    labels: dict[str, Tensor]


def named_groups(text: str, collection: ImageCollection) -> tuple[str, ...]:
    """The groups that a list such as "Greek, latin" names.

    Raises:
        UnknownNameError: there is no such group.
        ConfigError: none is named, or one twice.
    """
    known = {name.lower(): name for name in collection.group_names}
    found = []
    for word in (word.strip() for word in text.split(",")):
        if word.lower() not in known:
            raise UnknownNameError.of(f"group of '{collection.name}'", word, collection.group_names)
        found.append(known[word.lower()])
    if len(set(found)) < len(found):
        raise ConfigError(f"Each group is named once, not as in '{text}'.")
    return tuple(found)


def split_groups(collection: ImageCollection, train_on: str, validate_on: str | None, test_on: str) -> Parts:
    """Drawings of disjoint groups; where validation and test name the same groups, each has half of the drawings.

    Raises:
        UnknownNameError: there is no such group.
        ConfigError: a group is on two sides.
    """
    names = {"train": named_groups(train_on, collection), "test": named_groups(test_on, collection)}
    if validate_on is not None:
        names["validation"] = named_groups(validate_on, collection)
    rows = {part: collection.of_groups(*groups) for part, groups in names.items()}
    if validate_on is not None and set(names["validation"]) == set(names["test"]):
        rows["validation"], rows["test"] = rows["test"][::2], rows["test"][1::2]
        del names["validation"]
    seen: dict[str, str] = {}
    for part, groups in names.items():
        for group in groups:
            if group in seen:
                raise ConfigError(
                    f"'{group}' is in {seen[group]} and in {part}: what is tested on is not learned from, so name it "
                    f"once."
                )
            seen[group] = part
    return Parts(
        {part: collection.images[some] for part, some in rows.items()},
        {part: collection.labels[some] for part, some in rows.items()},
    )


def with_rotated_classes(images: Tensor, labels: Tensor, classes: int) -> tuple[Tensor, Tensor]:
    """Drawings turned by 0, 90, 180 and 270 degrees, each turn as classes of its own.

    Shapes:
        images (n, size, size), labels (n,) from 0 to classes − 1: (4n, size, size), (4n,).
    """
    turned = torch.cat([torch.rot90(images, turns, (-2, -1)) for turns in range(4)])
    return turned, torch.cat([labels + turns * classes for turns in range(4)])


def reduced(images: Tensor, size: int) -> Tensor:
    """Drawings at another size, each pixel the mean of those it covers.

    Shapes:
        images (n, height, width) uint8: (n, size, size) uint8.
    """
    if images.shape[1:] == (size, size):
        return images
    resized = torch.nn.functional.interpolate(
        images.unsqueeze(1).float(), (size, size), mode="bilinear", antialias=True, align_corners=False
    )
    return resized.squeeze(1).round().clamp(0, 255).to(torch.uint8)
