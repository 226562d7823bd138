from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch_geometric.data import Data

from mmgraph.errors import InputError
from mmgraph.inspection.inputs import Inputs
from mmgraph.inspection.probe_items import pictures, probe_items


def test_images_get_thumbnails_and_labels(images: Tensor) -> None:
    items = probe_items(Inputs((images,)), labels=torch.arange(20) % 3, class_names=["a", "b", "c"])
    assert items is not None
    assert items.thumbnails is not None
    assert items.thumbnails.shape == (20, 10, 10)
    assert items.labels is not None
    assert items.labels.tolist() == [i % 3 for i in range(20)]
    assert items.class_names == ("a", "b", "c")
    assert items.noun == "image"


def test_data_objects_bring_labels_and_splits(graph: tuple[Tensor, Tensor]) -> None:
    x, edges = graph
    mask = torch.zeros(30, dtype=torch.bool)
    train, test = mask.clone(), mask.clone()
    train[:5], test[20:] = True, True
    data = Data(x=x, edge_index=edges, y=torch.arange(30) % 4, train_mask=train, test_mask=test)
    items = probe_items(Inputs((data,)))
    assert items is not None
    assert items.labels is not None
    assert items.labels.tolist() == [i % 4 for i in range(30)]
    assert items.splits is not None
    assert items.splits.tolist() == [0] * 5 + [-1] * 15 + [2] * 10
    assert items.split_names == ("train", "validation", "test")
    assert items.noun == "node"


def test_targets_that_are_no_classes_are_left_out(graph: tuple[Tensor, Tensor]) -> None:
    x, edges = graph
    items = probe_items(Inputs((Data(x=x, edge_index=edges, y=torch.rand(30, 2)),)))
    assert items is not None
    assert items.labels is None


def test_unknown_items_have_numbers_only(tokens: Tensor) -> None:
    items = probe_items(Inputs((tokens,)), class_names=["unused"])
    assert items is not None
    assert items.ids is not None
    assert items.ids.tolist() == list(range(6))
    assert items.labels is None
    assert items.thumbnails is None
    assert probe_items(Inputs((1,))) is None


@pytest.mark.parametrize("labels", [[1, 2], np.zeros(6), torch.zeros(6, 2, dtype=torch.long), ["a"] * 6])
def test_labels_that_do_not_fit(labels: Any, tokens: Tensor) -> None:
    with pytest.raises(InputError, match="6 whole numbers, one per item"):
        probe_items(Inputs((tokens,)), labels=labels)


def test_thumbnails_that_do_not_fit(tokens: Tensor) -> None:
    with pytest.raises(InputError, match="5 thumbnails and 6 items"):
        probe_items(Inputs((tokens,)), thumbnails=np.zeros((5, 4, 4), np.uint8))


def test_pictures_of_bytes_and_unit_values_are_as_they_are() -> None:
    values = torch.arange(2 * 3 * 4 * 5, dtype=torch.uint8).view(2, 3, 4, 5)
    expected = values.permute(0, 2, 3, 1).numpy()
    np.testing.assert_array_equal(pictures(values), expected)
    np.testing.assert_array_equal(pictures(values / 255), expected)


def test_pictures_of_normalised_images_use_the_whole_range() -> None:
    grey = torch.rand(4, 1, 6, 6)
    grey[0, 0, 0, 0], grey[0, 0, 0, 1] = 0, 1
    found = pictures((grey - 0.13) / 0.31)
    np.testing.assert_allclose(found, grey[:, 0].numpy() * 255, atol=0.51)


def test_pictures_of_anything_else() -> None:
    assert pictures(torch.zeros(0, 3, 4, 4)).shape == (0, 4, 4, 3)
    assert pictures(torch.full((1, 1, 4, 4), 7.0)).max() == 0
    assert pictures(torch.full((1, 1, 4, 4), float("nan"))).max() == 0
    assert pictures(torch.rand(2, 3, 200, 100)).shape == (2, 64, 32, 3)
