from __future__ import annotations

import numpy as np
import pytest
import torch

from mmgraph.datasets.image_collection import ImageCollection
from mmgraph.errors import ConfigError, InputError, UnknownNameError
from mmgraph.recipes import launch
from mmgraph.recipes.few_shot.parts import named_groups, reduced, split_groups, with_rotated_classes
from mmgraph.runs import RunReader

SMALL = {"epochs": 2, "episodes": 10, "test_episodes": 100, "device": "cpu", "threads": 1}


def curve(folder, tag="train/loss"):
    with RunReader(folder) as reader:
        return reader.series(tag).value.tolist()


def letters():
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(256, (60, 6, 6), generator=generator, dtype=torch.uint8)
    labels = torch.arange(6).repeat(10)
    groups = torch.tensor([0, 0, 1, 1, 2, 2])
    names = tuple(f"letter {number}" for number in range(6))
    return ImageCollection("letters", images, labels, names, groups, ("Greek", "Latin", "Hán"))


def test_it_learns_to_tell_digits_apart_that_it_has_never_seen(tmp_path):
    folder, result = launch.train("few-shot", SMALL | {"epochs": 6, "episodes": 40}, runs=tmp_path)
    assert result.metrics["test/accuracy"] > 0.5  # of five, by chance 0.2
    assert 0 < result.metrics["test/interval"] < 0.05
    assert result.metrics["test/accuracy-one-view"] > 0.4
    with RunReader(folder) as reader:
        assert len(reader.series("validation/interval").value) == 6
        vectors = reader.load(reader.snapshots(kind="embedding")[-1])
        layers = {info.layer for info in reader.snapshots(kind="matrix") if "histograms" not in info.layer}
        items = reader.items()
        last = [info for info in reader.snapshots(kind="matrix") if info.layer == "distances/validation"][-1]
        apart = reader.load(last)
    assert layers == {"distances/validation"}
    assert vectors.array.shape == (300, 128)
    assert items.thumbnails.shape == (300, 16, 16)
    assert set(items.class_names) <= set("56789")
    np.testing.assert_allclose(apart.array.sum(axis=1), 1, atol=1e-5)


def test_a_resumed_run_is_the_uninterrupted_run(tmp_path):
    whole, first = launch.train("few-shot", SMALL | {"epochs": 3, "schedule": "constant"}, runs=tmp_path)
    part, _ = launch.train("few-shot", SMALL | {"schedule": "constant"}, runs=tmp_path)
    _, second = launch.resume(part, {"epochs": 3})
    assert curve(part) == curve(whole)
    assert curve(part, "validation/accuracy") == curve(whole, "validation/accuracy")
    assert first.metrics["test/accuracy"] == second.metrics["test/accuracy"]


def test_what_was_none_is_none_when_resumed(tmp_path):
    options = SMALL | {"validate_on": None, "epochs": 1, "views": 1}
    folder, _ = launch.train("few-shot", options, runs=tmp_path)
    launch.resume(folder, {"epochs": 2})
    with RunReader(folder) as reader:
        assert "validation/accuracy" not in reader.tags()


@pytest.mark.parametrize(
    "options",
    [
        {"distance": "cosine", "temperature": 0.05},
        {"distance": "l2", "shots": 3, "queries": 2},
        {"every_role": False, "rotated_classes": False, "train_ways": 5},
        {"validate_on": None, "views": 1},
        {"image_size": 8, "filters": 8},
    ],
)
def test_every_way_trains(tmp_path, options):
    folder, result = launch.train("few-shot", SMALL | options, runs=tmp_path)
    assert result.metrics["test/accuracy"] > 0.25
    with RunReader(folder) as reader:
        assert ("validation/accuracy" in reader.tags()) == ("validate_on" not in options)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"train_on": "0, 1, 5"}, ConfigError, "'5' is in train and in test"),
        ({"validate_on": "5, 6"}, ConfigError, "'5' is in test and in validation"),
        ({"test_on": "5, 5"}, ConfigError, "named once"),
        ({"test_on": "5, ten"}, UnknownNameError, "ten"),
        ({"ways": 6}, InputError, "at least 6 classes"),
        ({"train_ways": 21}, InputError, "at least 21 classes"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_recorded(tmp_path, options, error, message):
    with pytest.raises(error, match=message):
        launch.train("few-shot", SMALL | options, runs=tmp_path)
    assert not list(tmp_path.iterdir())


def test_groups_are_named_in_any_case():
    assert named_groups(" latin,HÁN", letters()) == ("Latin", "Hán")


def test_parts_share_no_class():
    parts = split_groups(letters(), "Greek", "Latin", "Hán")
    assert {part: sorted(set(labels.tolist())) for part, labels in parts.labels.items()} == {
        "train": [0, 1],
        "test": [4, 5],
        "validation": [2, 3],
    }
    assert "validation" not in split_groups(letters(), "Greek", None, "Hán").labels


def test_validation_and_test_on_the_same_group_share_no_drawing():
    collection = letters()
    parts = split_groups(collection, "Greek", "Hán, Latin", "Latin, Hán")
    found = [{bytes(image.numpy()) for image in parts.images[part]} for part in ("validation", "test")]
    assert len(found[0]) == len(found[1]) == 20
    assert not found[0] & found[1]


def test_rotated_classes():
    images, labels = with_rotated_classes(letters().images, letters().labels, 6)
    assert labels.tolist()[60:66] == [6, 7, 8, 9, 10, 11]
    assert len(labels.unique()) == 24
    assert torch.equal(images[60], letters().images[0].T.flip(0))


def test_reduced_keeps_the_mean():
    images = letters().images
    assert reduced(images, 6) is images
    smaller = reduced(images, 3)
    assert smaller.shape == (60, 3, 3)
    assert abs(float(smaller.float().mean() - images.float().mean())) < 3


@pytest.mark.data
def test_omniglot_is_tested_on_unknown_alphabets_and_on_the_official_trials(real_data, tmp_path):
    options = {"dataset": "omniglot", "epochs": 1, "episodes": 15, "train_ways": 20, "filters": 8, "views": 2}
    folder, result = launch.train("few-shot", SMALL | options, runs=tmp_path)
    assert result.metrics["test/accuracy"] > 0.15  # of twenty, by chance 0.05
    assert result.metrics["test/trials"] > 0.15
    with RunReader(folder) as reader:
        assert all(name.startswith("Japanese (katakana)") for name in reader.items().class_names)
