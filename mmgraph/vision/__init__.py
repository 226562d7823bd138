"""Networks for images and video. Names are imported when they are first used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mmgraph.lazy_names import lazy_names

if TYPE_CHECKING:
    from mmgraph.vision.alignment import align_by_eyes, read_eyes
    from mmgraph.vision.augmentation import Augmentation
    from mmgraph.vision.conv3d import Conv3dEncoder
    from mmgraph.vision.conv_network import ConvNetwork
    from mmgraph.vision.conv_spec import TINY_DARKNET, ConvSpec
    from mmgraph.vision.convnet import ConvEncoder
    from mmgraph.vision.frame_encoder import FrameEncoder
    from mmgraph.vision.frame_lstm import FrameLSTM
    from mmgraph.vision.growth import deepen, widen
    from mmgraph.vision.lenet import LeNet
    from mmgraph.vision.memory_order import channels_innermost
    from mmgraph.vision.place_encoder import PlaceEncoder
    from mmgraph.vision.sound_encoder import SoundEncoder
    from mmgraph.vision.two_stream import MotionEncoder, TwoStream
    from mmgraph.vision.video_classifier import VideoClassifier

__all__ = [
    "TINY_DARKNET",
    "Augmentation",
    "Conv3dEncoder",
    "ConvEncoder",
    "ConvNetwork",
    "ConvSpec",
    "FrameEncoder",
    "FrameLSTM",
    "LeNet",
    "MotionEncoder",
    "PlaceEncoder",
    "SoundEncoder",
    "TwoStream",
    "VideoClassifier",
    "align_by_eyes",
    "channels_innermost",
    "deepen",
    "read_eyes",
    "widen",
]

_HOME = {
    "VideoClassifier": "video_classifier",
    "TwoStream": "two_stream",
    "MotionEncoder": "two_stream",
    "FrameLSTM": "frame_lstm",
    "PlaceEncoder": "place_encoder",
    "SoundEncoder": "sound_encoder",
    "FrameEncoder": "frame_encoder",
    "Conv3dEncoder": "conv3d",
    "Augmentation": "augmentation",
    "align_by_eyes": "alignment",
    "channels_innermost": "memory_order",
    "read_eyes": "alignment",
    "TINY_DARKNET": "conv_spec",
    "ConvEncoder": "convnet",
    "ConvNetwork": "conv_network",
    "ConvSpec": "conv_spec",
    "LeNet": "lenet",
    "deepen": "growth",
    "widen": "growth",
}

__getattr__, __dir__ = lazy_names(__name__, _HOME)
