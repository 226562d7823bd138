"""What the items of a probe are: labels, splits and thumbnails."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from mmgraph.errors import InputError
from mmgraph.inspection.inputs import Inputs
from mmgraph.runs import ItemSet

_SPLITS = ("train", "validation", "test")
_MASKS = ("train_mask", "val_mask", "test_mask")


def probe_items(
    inputs: Inputs,
    *,
    labels: Any = None,
    class_names: Sequence[str] = (),
    thumbnails: npt.NDArray[np.uint8] | Literal["auto"] | None = "auto",
) -> ItemSet | None:
    """Describe the items of a probe; labels and splits of a torch_geometric `Data` are found by themselves.

    Args:
        labels: class of each item.
        thumbnails: pictures; "auto" makes them from inputs that are images.

    Shapes:
        labels (items,), thumbnails (items, height, width) or (items, height, width, 3).

    Returns:
        None where the inputs do not tell how many items there are.

    Raises:
        InputError: labels or thumbnails do not fit the items.
    """
    count = inputs.count
    if count is None:
        return None
    data = next((value for value in inputs if hasattr(value, "edge_index") and hasattr(value, "x")), None)
    classes = _classes(
        getattr(data, "y", None) if labels is None else labels, count, given=labels is not None
    )
    splits = _splits(data, count)
    if isinstance(thumbnails, str):
        image = inputs.image
        thumbnails = None if image is None or len(image) != count else pictures(image)
    elif thumbnails is not None and len(thumbnails) != count:
        raise InputError(f"There are {len(thumbnails)} thumbnails and {count} items in the probe.")
    return ItemSet(
        ids=np.arange(count, dtype=np.int64),
        labels=classes,
        class_names=tuple(class_names) if classes is not None else (),
        splits=splits,
        split_names=_SPLITS if splits is not None else (),
        thumbnails=thumbnails,
        noun="node" if inputs.is_graph else "image" if thumbnails is not None else "item",
    )


def pictures(image: Tensor, side: int = 64) -> npt.NDArray[np.uint8]:
    """Grey or RGB pictures from the images a network sees, whatever their normalisation.

    Values that are uint8 or lie in 0 … 1 are taken as they are; otherwise each channel is stretched from its
    smallest to its largest value over the batch. Larger images are averaged down to `side` pixels.

    Shapes:
        image (n, 1 or 3, height, width): (n, height, width) or (n, height, width, 3) uint8.
    """
    values = image.detach().float()
    if image.dtype == torch.uint8:
        values = values / 255
    else:
        values = values.nan_to_num(0.0, 0.0, 0.0)
        if values.numel() and (values.min() < 0 or values.max() > 1):
            low, high = values.amin((0, 2, 3), keepdim=True), values.amax((0, 2, 3), keepdim=True)
            values = (values - low) / (high - low).clamp_min(torch.finfo(torch.float32).tiny)
    height, width = values.shape[2:]
    if (longest := max(height, width)) > side and values.numel():
        size = (max(1, height * side // longest), max(1, width * side // longest))
        values = F.adaptive_avg_pool2d(values, size)
    pixels: npt.NDArray[np.uint8] = (values * 255).round().to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
    return np.ascontiguousarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)


def _classes(labels: Any, count: int, *, given: bool) -> npt.NDArray[np.int64] | None:
    if labels is None:
        return None
    values = np.asarray(labels.detach().cpu() if isinstance(labels, Tensor) else labels)
    if values.shape == (count,) and values.dtype.kind in "iub":
        return values.astype(np.int64)
    if not given:
        return None  # a Data object may carry targets of any form
    raise InputError(
        f"labels are {count} whole numbers, one per item of the probe, not {values.dtype} of shape {values.shape}. "
        "Give probe= and labels= of the same length."
    )


def _splits(data: Any, count: int) -> npt.NDArray[np.int64] | None:
    masks = [getattr(data, name, None) for name in _MASKS]
    splits = np.full(count, -1, dtype=np.int64)
    for number, mask in enumerate(masks):
        if isinstance(mask, Tensor) and mask.dtype == torch.bool and mask.shape == (count,):
            splits[mask.cpu().numpy()] = number
    return splits if (splits >= 0).any() else None
