"""Distances between videos, from lists of similar and dissimilar ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from mmgraph.errors import ConfigError
from mmgraph.inspection import Capture
from mmgraph.metric import Distance, MetricLoss, Siamese, read_pairs
from mmgraph.metric.selection import all_pairs
from mmgraph.recipes.action_clips import PEOPLE, read_actions
from mmgraph.recipes.metric_learning import MetricLearningConfig
from mmgraph.runs import ItemSet
from mmgraph.training.clip_variation import ClipVariation
from mmgraph.training.frame_strip import contact_sheets
from mmgraph.training.metric_learning import PAIR_LOSSES
from mmgraph.training.video_pairs import VideoPairLearning
from mmgraph.vision import ConvEncoder, FrameEncoder, MotionEncoder, TwoStream

if TYPE_CHECKING:
    from mmgraph.metric.distances import DistanceKind
    from mmgraph.metric.metric_loss import LossKind

STACK = 3
"""Differences of frames that the motion stream sees at once."""


def build_videos(config: MetricLearningConfig) -> VideoPairLearning:
    """Videos of UCF101 in three parts, a list of pairs of the training part, and two-stream branches."""
    if config.loss not in PAIR_LOSSES:
        raise ConfigError(
            f"Listed pairs of videos need the loss {' or '.join(PAIR_LOSSES)}, not {config.loss}."
        )
    parts = read_actions(config.frames, config.image_size, config.seed)
    if config.pair_list is None:
        pairs = all_pairs(parts.labels["train"])
    else:
        pairs = read_pairs(config.pair_list, {name: row for row, name in enumerate(parts.names["train"])})
    encoder = TwoStream(
        FrameEncoder(_images(config, 3)),
        MotionEncoder(FrameEncoder(_images(config, 3 * STACK), stack=STACK)),
    )
    distance = Distance(cast("DistanceKind", config.distance), normalize=config.normalize)
    loss = MetricLoss(cast("LossKind", config.loss), distance=distance, margin=config.margin)
    probe, labels = parts.clips["test"][: config.probe_images], parts.labels["test"][: config.probe_images]
    items = ItemSet(
        labels=labels.numpy(),
        class_names=parts.class_names,
        thumbnails=contact_sheets(probe.permute(0, 1, 3, 4, 2).numpy()),
        texts=parts.names["test"][: config.probe_images],
        noun="video",
        clips=parts.shown_clips(config.probe_images),
        sounds=parts.shown_sounds(config.probe_images),
    )
    return VideoPairLearning(
        Siamese(encoder, loss=loss),
        parts.clips,
        parts.labels,
        pairs,
        items=items,
        probe=probe,
        capture=Capture(encoder, kinds=("filters", "feature_maps")),
        pairs_per_batch=config.pairs_per_batch,
        variation=ClipVariation(max(STACK + 1, config.frames // 2), PEOPLE),
        seed=config.seed,
    )


def _images(config: MetricLearningConfig, in_channels: int) -> ConvEncoder:
    channels = (config.filters, 2 * config.filters, 2 * config.filters)
    return ConvEncoder(
        in_channels, channels, config.embedding // 2, config.image_size, batch_norm=True, everywhere=True
    )
