from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from mmgraph.datasets.motion import optical_flow
from mmgraph.errors import InputError, UnknownNameError
from mmgraph.vision import (
    Conv3dEncoder,
    ConvEncoder,
    FrameEncoder,
    FrameLSTM,
    MotionEncoder,
    PlaceEncoder,
    TwoStream,
    VideoClassifier,
)
from mmgraph.vision.clips import stretched

CLIPS = torch.rand(2, 6, 3, 16, 16, generator=torch.Generator().manual_seed(0))


def images(in_channels: int = 3, features: int = 5) -> ConvEncoder:
    torch.manual_seed(1)
    return ConvEncoder(in_channels, (4, 4), features, 16)


def encoders() -> dict[str, nn.Module]:
    torch.manual_seed(2)
    return {
        "conv3d": Conv3dEncoder(3, (4, 6), 5),
        "frames": FrameEncoder(images()),
        "stacks": FrameEncoder(images(9), stack=3),
        "middle": FrameEncoder(images(), frames="middle"),
        "lstm-last": FrameLSTM(images(), 5, 7, 5),
        "lstm-every": FrameLSTM(images(), 5, 7, 5, read="every"),
        "lstm-attention": FrameLSTM(images(), 5, 7, 5, read="attention"),
        "lstm-changes": FrameLSTM(PlaceEncoder(3, (2, 4)), 12, 7, 5, read="every", changes=True),
        "difference": MotionEncoder(FrameEncoder(images(6), stack=2)),
        "flow": MotionEncoder(FrameEncoder(images(2), 2), motion="flow"),
    }


@pytest.mark.parametrize("name", encoders())
def test_every_encoder_gives_a_vector_for_a_clip_and_learns(name: str) -> None:
    encoder = encoders()[name]
    vectors = encoder(CLIPS)
    assert vectors.shape == (2, 5)
    vectors.square().sum().backward()
    gradients = [parameter.grad for parameter in encoder.parameters()]
    assert all(gradient is not None and bool(torch.isfinite(gradient).all()) for gradient in gradients)
    assert any(float(gradient.abs().max()) > 0 for gradient in gradients if gradient is not None)


@pytest.mark.parametrize("name", [name for name in encoders() if name not in ("lstm-last", "lstm-attention")])
def test_the_vector_of_a_clip_is_the_mean_of_its_moments(name: str) -> None:
    encoder = encoders()[name].eval()
    assert torch.allclose(encoder(CLIPS), encoder.steps(CLIPS).mean(1), atol=1e-6)


def test_moments_of_each() -> None:
    expected = {"conv3d": 3, "frames": 6, "stacks": 4, "middle": 1, "difference": 4, "flow": 5}
    expected |= {"lstm-last": 6, "lstm-every": 6, "lstm-attention": 6, "lstm-changes": 6}
    assert {name: encoder.steps(CLIPS).size(1) for name, encoder in encoders().items()} == expected


def test_stacks_put_frames_side_by_side_as_channels() -> None:
    seen: list[torch.Tensor] = []

    class Look(nn.Module):
        def forward(self, pictures: torch.Tensor) -> torch.Tensor:
            seen.append(pictures)
            return pictures.mean((2, 3))

    FrameEncoder(Look(), stack=2)(CLIPS)
    assert torch.equal(seen[0][3], torch.cat([CLIPS[0, 3], CLIPS[0, 4]]))
    assert torch.equal(seen[0][5 + 1], torch.cat([CLIPS[1, 1], CLIPS[1, 2]]))
    FrameEncoder(Look(), frames="middle")(CLIPS)
    assert torch.equal(seen[1], CLIPS[:, 2])


def test_a_frame_encoder_does_not_know_the_order_and_the_others_do() -> None:
    backwards = CLIPS.flip(1)
    for name, encoder in encoders().items():
        encoder.eval()
        same = torch.allclose(encoder(CLIPS), encoder(backwards), atol=1e-5)
        assert same == (name == "frames"), name


def test_the_last_states_have_seen_the_whole_clip() -> None:
    lstm = FrameLSTM(images(), 5, 7, 5)
    states, last = lstm.states(CLIPS)
    assert torch.equal(last, torch.cat([states[:, -1, :7], states[:, 0, 7:]], 1))
    one_by_one = torch.cat([lstm(clip.unsqueeze(0)) for clip in CLIPS])
    assert torch.allclose(lstm(CLIPS), one_by_one, atol=1e-6)


@torch.no_grad()
def test_attention_weighs_the_moments_one_after_the_other() -> None:
    lstm = FrameLSTM(images(), 5, 7, 5, read="attention").eval()
    first, _, last = lstm.attends  # type: ignore[misc]
    states, _ = lstm.states(CLIPS)
    weights, vectors = lstm.attention(CLIPS), lstm(CLIPS)
    assert weights.shape == (2, 6)
    for clip in range(2):
        scores = [
            sum(
                float(last.weight[0, unit])
                * math.tanh(float(first.weight[unit] @ states[clip, frame] + first.bias[unit]))
                for unit in range(7)
            )
            for frame in range(6)
        ]
        raised = [math.exp(score) for score in scores]
        expected = [value / sum(raised) for value in raised]
        assert weights[clip].tolist() == pytest.approx(expected, abs=1e-5)
        mixed = sum(share * lstm.output(states[clip, frame]) for frame, share in enumerate(expected))
        assert torch.allclose(vectors[clip], mixed, atol=1e-5)
    assert torch.allclose(vectors, (weights.unsqueeze(2) * lstm.steps(CLIPS)).sum(1), atol=1e-6)
    assert lstm.attention(CLIPS[:, :1]).tolist() == [[1.0], [1.0]]
    with pytest.raises(InputError, match="reads 'every'"):
        FrameLSTM(images(), 5, read="every").attention(CLIPS)


def test_changes_begin_with_none_and_are_velocity_wherever_something_moves() -> None:
    seen: list[torch.Tensor] = []
    lstm = FrameLSTM(images(), 5, 7, 5, changes=True).eval()
    lstm.lstm.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    lstm(CLIPS)
    features = lstm.network(CLIPS.flatten(0, 1)).unflatten(0, (2, 6))
    assert float(seen[0][:, 0].detach().abs().max()) == 0
    torch.testing.assert_close(seen[0][:, 1:], features.diff(dim=1))
    assert lstm(CLIPS[:, :1]).shape == (2, 5)


def test_motion_is_what_is_asked_for_and_has_no_gradient() -> None:
    clips = CLIPS.clone().requires_grad_()
    flow = MotionEncoder(FrameEncoder(images(2), 2), motion="flow").moving(clips)
    assert torch.equal(flow, optical_flow(CLIPS))
    assert not flow.requires_grad
    still = CLIPS[:, :1].expand(-1, 6, -1, -1, -1)
    assert float(MotionEncoder(FrameEncoder(images())).moving(still).abs().max()) == 0


def test_two_streams_side_by_side() -> None:
    appearance, motion = FrameEncoder(images()), MotionEncoder(FrameEncoder(images(6), stack=2))
    both = TwoStream(appearance, motion).eval()
    assert torch.equal(both(CLIPS), torch.cat([appearance(CLIPS), motion(CLIPS)], 1))
    steps = both.steps(CLIPS)
    assert steps.shape == (2, 6, 10)
    assert torch.equal(steps[:, :, :5], appearance.steps(CLIPS))
    nearest = [0, 1, 1, 2, 3, 3]
    assert torch.equal(steps[:, :, 5:], motion.steps(CLIPS)[:, nearest])


def test_clips_of_another_length_and_size() -> None:
    encoder = Conv3dEncoder(3, (4, 6), 5)
    for shape in ((1, 1, 3, 4, 4), (2, 9, 3, 17, 31), (1, 16, 3, 8, 8)):
        assert encoder(torch.zeros(shape)).shape == (shape[0], 5)


def test_stretching() -> None:
    steps = torch.arange(3.0).view(1, 3, 1)
    assert stretched(steps, 3).flatten().tolist() == [0, 1, 2]
    assert stretched(steps, 6).flatten().tolist() == [0, 0, 1, 1, 2, 2]
    assert stretched(steps, 1).flatten().tolist() == [1]
    assert stretched(steps, 2).flatten().tolist() == [0, 2]


@pytest.mark.parametrize("name", ["frames", "lstm-every", "conv3d"])
def test_a_class_for_the_clip_is_the_mean_over_its_frames(name: str) -> None:
    model = VideoClassifier(encoders()[name], 5, 4).eval()
    frames = model.per_frame(CLIPS)
    assert frames.shape == (2, 6, 4)
    assert torch.allclose(frames.mean(1), model(CLIPS), atol=1e-5)


def test_bad_requests() -> None:
    for make in (
        lambda: Conv3dEncoder(3, ()),
        lambda: Conv3dEncoder(0),
        lambda: Conv3dEncoder(kernel_size=2),
        lambda: Conv3dEncoder(dropout=1.5),
        lambda: FrameEncoder(images(), stack=0),
        lambda: FrameLSTM(images(), 5, 0),
        lambda: VideoClassifier(images(), 5, 0),
    ):
        with pytest.raises(InputError, match="Expected"):
            make()
    for make in (
        lambda: Conv3dEncoder(activation="step"),
        lambda: FrameEncoder(images(), frames="first"),  # type: ignore[arg-type]
        lambda: FrameLSTM(images(), 5, read="first"),  # type: ignore[arg-type]
        lambda: MotionEncoder(images(), motion="blur"),  # type: ignore[arg-type]
    ):
        with pytest.raises(UnknownNameError, match="There is no"):
            make()


@pytest.mark.parametrize("name", encoders())
def test_clips_that_do_not_fit(name: str) -> None:
    encoder = encoders()[name]
    bad = [CLIPS[0], CLIPS[:, :, :1], (255 * CLIPS).byte(), CLIPS[:, :0]]
    if name in ("stacks", "difference", "flow"):
        bad.append(CLIPS[:, :1])
    if name == "conv3d":
        bad.append(CLIPS[..., :3, :3])
    for clips in bad:
        with pytest.raises(InputError, match="Expected clips"):
            encoder(clips)
