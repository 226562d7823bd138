from __future__ import annotations

import pytest
import torch

from mmgraph.datasets.log_mel import LogMel
from mmgraph.errors import InputError, UnknownNameError
from mmgraph.fusion import VideoFusion
from mmgraph.vision import ConvEncoder, FrameEncoder, MotionEncoder, SoundEncoder

CLIPS = torch.rand(3, 6, 3, 16, 16, generator=torch.Generator().manual_seed(0))
SOUNDS = torch.randn(3, 960, generator=torch.Generator().manual_seed(1))
FEATURES = {"appearance": 5, "motion": 4, "sound": 6}


def model(strategy: str = "late") -> VideoFusion:
    torch.manual_seed(0)
    streams = {
        "appearance": FrameEncoder(ConvEncoder(3, (4, 4), 5, 16)),
        "motion": MotionEncoder(FrameEncoder(ConvEncoder(6, (4, 4), 4, 16), stack=2)),
        "sound": SoundEncoder(LogMel(4000, 16), (3, 4), 6),
    }
    return VideoFusion(streams, FEATURES, 7, strategy=strategy, dim=8).eval()  # type: ignore[arg-type]


@pytest.mark.parametrize("strategy", ["early", "late", "gated", "attention", "low_rank"])
def test_it_is_the_fusion_of_what_the_streams_give(strategy: str) -> None:
    both = model(strategy)
    vectors = {
        "appearance": both.streams["appearance"](CLIPS),
        "motion": both.streams["motion"](CLIPS),
        "sound": both.streams["sound"](SOUNDS),
    }
    torch.testing.assert_close(both(CLIPS, SOUNDS), both.fusion(vectors))
    together, alone = both.together_and_alone(CLIPS, SOUNDS)
    torch.testing.assert_close(together, both(CLIPS, SOUNDS))
    torch.testing.assert_close(alone["motion"], both.fusion({"motion": vectors["motion"]}))


def test_clips_without_sound_are_judged_by_what_is_seen() -> None:
    both = model()
    silent = both(CLIPS)
    heard = torch.tensor([True, False, True])
    broken = SOUNDS.clone()
    broken[1] = 1e6
    some = both(CLIPS, broken, heard)
    torch.testing.assert_close(some[1], silent[1])
    torch.testing.assert_close(some[[0, 2]], both(CLIPS, SOUNDS)[[0, 2]])


def test_a_sound_without_a_clip_is_judged_by_what_is_heard() -> None:
    both = model()
    torch.testing.assert_close(both(None, SOUNDS), both.together_and_alone(CLIPS, SOUNDS)[1]["sound"])


def test_each_frame_is_the_fusion_of_its_moments() -> None:
    both = model()
    frames = both.per_frame(CLIPS, SOUNDS)
    assert frames.shape == (3, 6, 7)
    motion = both.streams["motion"].steps(CLIPS)
    sound = both.streams["sound"].steps(SOUNDS)
    first = {"appearance": both.streams["appearance"].steps(CLIPS)[:, 0], "motion": motion[:, 0]}
    # Frame 0 of 6 lasts from moment 0 to 7 / 6, and its middle lies in the first of 7 moments.
    assert sound.size(1) == 7
    torch.testing.assert_close(frames[:, 0], both.fusion(first | {"sound": sound[:, 0]}))
    assert both.per_frame(CLIPS).shape == (3, 6, 7)


def test_contributions_of_streams_change_nothing() -> None:
    both = model().train()
    before = {name: value.clone() for name, value in both.state_dict().items()}
    found = both.contributions(CLIPS, SOUNDS, torch.tensor([True, False, True]))
    assert found.names == ("appearance", "motion", "sound")
    assert found.values.isnan().tolist() == [[False] * 3, [False, False, True], [False] * 3]
    assert both.training
    assert all(torch.equal(before[name], value) for name, value in both.state_dict().items())


def test_bad_requests() -> None:
    with pytest.raises(UnknownNameError, match="fusion strategy"):
        model("loud")
    with pytest.raises(InputError, match="as many items"):
        model()(CLIPS, SOUNDS[:2])
    with pytest.raises(InputError, match="Expected sound"):
        model()(CLIPS, SOUNDS.view(3, 2, 480))
    with pytest.raises(InputError, match="at least one encoder"):
        VideoFusion({}, {}, 7)
    with pytest.raises(UnknownNameError, match="modality"):
        VideoFusion({"motion": model().streams["motion"]}, {"motion": 4}, 7)(
            CLIPS, present=torch.ones(3).bool()
        )
