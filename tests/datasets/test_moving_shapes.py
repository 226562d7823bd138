from __future__ import annotations

import pytest
import torch
from sklearn.linear_model import LogisticRegression

from mmgraph.datasets import load
from mmgraph.datasets.clip_collection import ClipCollection
from mmgraph.datasets.log_mel import LogMel
from mmgraph.datasets.motion import optical_flow
from mmgraph.datasets.moving_shapes import CLASSES, moving_shapes
from mmgraph.errors import InputError


@pytest.fixture(scope="module")
def shapes() -> ClipCollection:
    return moving_shapes(320, size=24, seed=1)


def accuracy(features: torch.Tensor, labels: torch.Tensor) -> float:
    """Of a linear classifier on the second half, trained on the first."""
    half = len(labels) // 2
    model = LogisticRegression(C=0.1, max_iter=300).fit(features[:half].numpy(), labels[:half].numpy())
    return float(model.score(features[half:].numpy(), labels[half:].numpy()))


def test_a_seed_says_it_all() -> None:
    one, again, other = (moving_shapes(20, frames=3, size=16, seed=seed) for seed in (5, 5, 6))
    assert torch.equal(one.clips, again.clips)
    assert torch.equal(one.sounds, again.sounds)
    assert not torch.equal(one.clips, other.clips)
    assert one.clips.shape == (20, 3, 3, 16, 16)
    assert one.sounds.shape == (20, 480)
    assert one.labels.tolist() == [i % 8 for i in range(20)]


def test_a_single_frame_says_nothing(shapes: ClipCollection) -> None:
    for frame in (0, 8, 15):
        pixels = shapes.clips[:, frame].float().flatten(1) / 255
        assert accuracy(pixels, shapes.labels) < 1 / len(CLASSES) + 0.08


def test_motion_tells_the_straight_ways_apart(shapes: ClipCollection) -> None:
    straight = shapes.labels < 4
    clips = shapes.clips[straight].float() / 255
    flow = optical_flow(clips).clamp(-4, 4)
    weight = (clips[:, 1:] - clips[:, :-1]).abs().amax(2, keepdim=True)
    mean = (flow * weight).sum((1, 3, 4)) / weight.sum((1, 3, 4))
    expected = torch.tensor([[1, 0], [-1, 0], [0, -1], [0, 1]])[shapes.labels[straight]]
    right = (mean * expected).sum(1) > (mean * (1 - expected.abs())).abs().sum(1)
    assert float(right.float().mean()) > 0.9


def test_sound_tells_height_and_size_alone(shapes: ClipCollection) -> None:
    assert shapes.sounds is not None
    pictures = LogMel(shapes.sample_rate, 20, window_seconds=0.05, hop_seconds=0.04)(shapes.sounds)
    pitch = pictures.argmax(2).float().squeeze(1)
    rise = (pitch.diff(dim=1).clamp(-3, 3)).mean(1)
    means = [float(rise[shapes.labels == label].mean()) for label in range(8)]
    assert means[2] > 0.15
    assert means[3] < -0.15
    assert max(abs(means[label]) for label in (0, 1, 6, 7)) < 0.1
    pair = shapes.labels < 2
    assert accuracy(pitch[pair], shapes.labels[pair]) < 0.65


@pytest.mark.parametrize(("clips", "frames", "size"), [(0, 4, 16), (1, 1, 8), (65, 2, 9)])
def test_few_and_odd(clips: int, frames: int, size: int) -> None:
    made = moving_shapes(clips, frames=frames, size=size)
    assert made.clips.shape == (clips, frames, 3, size, size)


def test_more_clips_begin_with_the_same() -> None:
    assert torch.equal(
        moving_shapes(128, frames=2, size=8).clips[:64], moving_shapes(64, frames=2, size=8).clips
    )


def test_bad_requests() -> None:
    for bad in ({"clips": -1}, {"frames": 0}, {"size": 7}, {"sample_rate": 0}):
        with pytest.raises(InputError, match="Expected at least"):
            moving_shapes(**bad)


def test_it_is_in_the_catalogue() -> None:
    data = load("moving-shapes")
    assert data.clips.shape == (1200, 16, 3, 32, 32)
    assert data.class_names == CLASSES


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"clips": torch.zeros(2, 3, 3, 4, 4)}, "uint8"),
        ({"clips": torch.zeros(2, 3, 1, 4, 4, dtype=torch.uint8)}, "uint8 of shape"),
        ({"labels": torch.tensor([0])}, "labels"),
        ({"labels": torch.tensor([0, 2])}, "0 to 1"),
        ({"sounds": torch.zeros(1, 5)}, "sounds"),
        ({"sample_rate": 0}, "sample rate"),
    ],
)
def test_what_does_not_fit_together(change: dict[str, object], words: str) -> None:
    parts = {
        "clips": torch.zeros(2, 3, 3, 4, 4, dtype=torch.uint8),
        "labels": torch.tensor([0, 1]),
        "class_names": ("a", "b"),
        "sounds": torch.zeros(2, 5),
        "sample_rate": 10,
    }
    with pytest.raises(InputError, match=words):
        ClipCollection("clips", **(parts | change))  # type: ignore[arg-type]
