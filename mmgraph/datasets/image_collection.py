"""Images of many kinds with few of each, or with a score each: what metric learning works on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mmgraph.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, eq=False)
class ImageCollection:
    """Images in one part; whoever uses them says which classes are learned from and which are met later.

    Args:
        images: all of one size.
        labels: the class of each.
        class_names: of the labels.
        groups: the larger kind that each class belongs to, such as the alphabet of a letter.
        group_names: of the groups; none where classes have no groups.
        scores: a number per image, such as an age; None where there is none.
        true_scores: what the scores would be without error, where that is known, as of generated images.

    Shapes:
        images (n, height, width) or (n, 3, height, width) uint8, labels (n,) int64, groups (classes,) int64,
        scores and true_scores (n,) float32.

    Raises:
        InputError: shapes, types or labels do not fit together.
    """

    name: str
    images: Tensor
    labels: Tensor
    class_names: tuple[str, ...]
    groups: Tensor
    group_names: tuple[str, ...] = ()
    scores: Tensor | None = None
    true_scores: Tensor | None = None

    def __post_init__(self) -> None:
        import torch

        colours = self.images.dim() == 4 and self.images.size(1) == 3
        if self.images.dtype != torch.uint8 or not (self.images.dim() == 3 or colours):
            raise InputError(
                f"The images of '{self.name}' must be uint8 of shape (n, height, width) or (n, 3, height, width), not "
                f"{self.images.dtype} of shape {tuple(self.images.shape)}."
            )
        for what, values, count in (
            ("labels", self.labels, len(self.class_names)),
            ("groups", self.groups, len(self.group_names) or 1),
        ):
            expected = len(self.images) if what == "labels" else len(self.class_names)
            if values.dtype != torch.int64 or values.shape != (expected,):
                raise InputError(
                    f"The {what} of '{self.name}' must be int64 of shape ({expected},), not {values.dtype} of shape "
                    f"{tuple(values.shape)}."
                )
            if len(values) and not 0 <= int(values.min()) <= int(values.max()) < count:
                raise InputError(f"The {what} of '{self.name}' must lie in 0 to {count - 1}.")
        for scores in (self.scores, self.true_scores):
            if scores is not None and scores.shape != self.labels.shape:
                raise InputError(f"'{self.name}' must have one score per image, not {tuple(scores.shape)}.")

    def of_groups(self, *names: str) -> Tensor:
        """Rows of the images of these groups.

        Raises:
            InputError: there is no such group.
        """
        import torch

        missing = set(names) - set(self.group_names)
        if missing:
            raise InputError(
                f"'{self.name}' has the groups {', '.join(self.group_names)}, not {min(missing)}."
            )
        wanted = torch.tensor([self.group_names.index(name) for name in names], dtype=torch.int64)
        return torch.nonzero(torch.isin(self.groups[self.labels], wanted)).flatten()
