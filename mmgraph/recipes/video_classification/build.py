"""The task of the recipe `video-classification`."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from torch import nn

from mmgraph.datasets.log_mel import LogMel
from mmgraph.datasets.moving_shapes import FRAME_RATE, moving_shapes
from mmgraph.errors import ConfigError
from mmgraph.fusion import VideoFusion
from mmgraph.inspection import Capture
from mmgraph.recipes.action_clips import PEOPLE, ClipParts, read_actions
from mmgraph.recipes.video_classification import VideoClassificationConfig
from mmgraph.runs import ItemSet
from mmgraph.training.clip_variation import ClipVariation
from mmgraph.training.frame_strip import contact_sheets
from mmgraph.training.video_classification import VideoClassification
from mmgraph.vision import (
    Conv3dEncoder,
    ConvEncoder,
    FrameEncoder,
    FrameLSTM,
    MotionEncoder,
    PlaceEncoder,
    SoundEncoder,
    TwoStream,
    VideoClassifier,
)

if TYPE_CHECKING:
    from mmgraph.fusion.modalities import Strategy
    from mmgraph.vision.frame_lstm import Read
    from mmgraph.vision.two_stream import Motion

BANDS = 48
"""Of pitch, in the pictures of sounds."""


def build(config: VideoClassificationConfig) -> VideoClassification:
    """Clips in three parts, and a network over them."""
    if config.dataset == "moving-shapes":
        parts = _shapes(config)
    else:
        parts = read_actions(config.frames, config.image_size, config.seed)
    hears = config.model in ("fusion", "sound") and parts.sounds is not None
    if config.model == "sound" and not hears:
        raise ConfigError(f"The clips of '{config.dataset}' do not all have a sound: choose another model.")
    model = classifier(config, len(parts.class_names), parts.sample_rate if hears else None)
    probe, labels = parts.clips["test"][: config.probe_clips], parts.labels["test"][: config.probe_clips]
    items = ItemSet(
        labels=labels.numpy(),
        class_names=parts.class_names,
        thumbnails=contact_sheets(probe.permute(0, 1, 3, 4, 2).numpy()),
        noun="clip",
        clips=parts.shown_clips(config.probe_clips),
        sounds=parts.shown_sounds(config.probe_clips),
    )
    window = None if config.window is None else min(config.window, config.frames)
    return VideoClassification(
        model,
        parts.clips,
        parts.labels,
        class_names=parts.class_names,
        items=items,
        probe=probe,
        capture=Capture(model),
        batch_size=config.batch_size,
        variation=ClipVariation(window, PEOPLE if config.augment else None),
        sounds=parts.sounds if hears else None,
        sample_rate=parts.sample_rate if hears else 0,
        alone=config.alone,
        seed=config.seed,
    )


def classifier(
    config: VideoClassificationConfig, num_classes: int, sample_rate: int | None = None
) -> VideoClassifier | VideoFusion:
    """The network that the options name; one that hears takes sounds of a sample rate."""
    if config.model in ("fusion", "sound"):
        streams: dict[str, nn.Module] = {}
        if config.model == "fusion":
            streams |= {"appearance": FrameEncoder(_images(config, 3)), "motion": _motion(config)}
        if sample_rate is not None:
            mel = LogMel(sample_rate, BANDS, window_seconds=0.064, hop_seconds=0.02)
            filters = _channels(config)[:2]
            streams["sound"] = SoundEncoder(mel, filters, config.features, dropout=config.dropout)
        return VideoFusion(
            streams,
            dict.fromkeys(streams, config.features),
            num_classes,
            strategy=cast("Strategy", config.strategy),
            dim=config.features,
        )
    both = 2 if config.model == "two-stream" else 1
    return VideoClassifier(_encoder(config), both * config.features, num_classes)


def _encoder(config: VideoClassificationConfig) -> nn.Module:
    if config.model == "conv3d":
        return Conv3dEncoder(3, _channels(config), config.features, dropout=config.dropout)
    if config.model == "cnn-lstm":
        frames: PlaceEncoder | ConvEncoder = (
            PlaceEncoder(3, (config.filters, 2 * config.filters))
            if config.places
            else _images(config, 3, everywhere=False)
        )
        return FrameLSTM(
            frames,
            frames.out_features,
            config.features,
            config.features,
            read=cast("Read", config.read),
            changes=config.places,
        )
    if config.model == "two-stream":
        return TwoStream(FrameEncoder(_images(config, 3)), _motion(config))
    if config.model == "motion":
        return _motion(config)
    return FrameEncoder(_images(config, 3), frames="middle" if config.model == "single-frame" else "all")


def _motion(config: VideoClassificationConfig) -> MotionEncoder:
    channels, motion = 3 if config.motion == "difference" else 2, cast("Motion", config.motion)
    if config.motion_network == "conv3d":
        encoder: nn.Module = Conv3dEncoder(
            channels, _channels(config), config.features, dropout=config.dropout
        )
    else:
        network = _images(config, channels * config.stack)
        encoder = FrameEncoder(network, channels, stack=config.stack)
    return MotionEncoder(encoder, motion=motion)


def _images(config: VideoClassificationConfig, in_channels: int, *, everywhere: bool = True) -> ConvEncoder:
    """Only what reads frame after frame needs to know where things are; a stack sees motion itself."""
    return ConvEncoder(
        in_channels,
        _channels(config),
        config.features,
        config.image_size,
        batch_norm=True,
        everywhere=everywhere,
        dropout=config.dropout,
    )


def _channels(config: VideoClassificationConfig) -> tuple[int, int, int]:
    return config.filters, 2 * config.filters, 4 * config.filters


def _shapes(config: VideoClassificationConfig) -> ClipParts:
    made = moving_shapes(config.clips, frames=config.frames, size=config.image_size, seed=config.seed)
    first, second = config.clips * 60 // 100, config.clips * 75 // 100
    ends = {"train": (0, first), "validation": (first, second), "test": (second, config.clips)}
    return ClipParts(
        {part: made.clips[start:end] for part, (start, end) in ends.items()},
        {part: made.labels[start:end] for part, (start, end) in ends.items()},
        made.class_names,
        {part: tuple(f"clip {row}" for row in range(start, end)) for part, (start, end) in ends.items()},
        FRAME_RATE,
        None
        if made.sounds is None
        else {part: made.sounds[start:end] for part, (start, end) in ends.items()},
        made.sample_rate,
    )
