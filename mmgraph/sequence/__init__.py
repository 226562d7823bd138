"""Sequences: recurrent cells and layers, patterns over time, text.

Names are imported when they are first used, so `import mmgraph.sequence` costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mmgraph.lazy_names import lazy_names

if TYPE_CHECKING:
    from mmgraph.sequence.attention import SequenceAttention
    from mmgraph.sequence.bucketing import LengthBuckets, pad
    from mmgraph.sequence.cell import RecurrentCell
    from mmgraph.sequence.encoder_decoder import EncoderDecoder
    from mmgraph.sequence.language_model import LanguageModel, filtered
    from mmgraph.sequence.patterns import RecurrentModel
    from mmgraph.sequence.recurrent import Recurrent, detached
    from mmgraph.sequence.text_encoders import HuggingFaceEncoder, TextCNN, TextTransformer
    from mmgraph.sequence.text_features import TextFeatures
    from mmgraph.sequence.tokens import Tokenizer
    from mmgraph.sequence.truncation import text_windows
    from mmgraph.sequence.vocabulary import Vocabulary

__all__ = [
    "EncoderDecoder",
    "HuggingFaceEncoder",
    "LanguageModel",
    "LengthBuckets",
    "Recurrent",
    "RecurrentCell",
    "RecurrentModel",
    "SequenceAttention",
    "TextCNN",
    "TextFeatures",
    "TextTransformer",
    "Tokenizer",
    "Vocabulary",
    "detached",
    "filtered",
    "pad",
    "text_windows",
]

_HOME = {
    "EncoderDecoder": "encoder_decoder",
    "HuggingFaceEncoder": "text_encoders",
    "LanguageModel": "language_model",
    "LengthBuckets": "bucketing",
    "Recurrent": "recurrent",
    "RecurrentCell": "cell",
    "RecurrentModel": "patterns",
    "SequenceAttention": "attention",
    "TextCNN": "text_encoders",
    "TextFeatures": "text_features",
    "TextTransformer": "text_encoders",
    "Tokenizer": "tokens",
    "Vocabulary": "vocabulary",
    "detached": "recurrent",
    "filtered": "language_model",
    "pad": "bucketing",
    "text_windows": "truncation",
}

__getattr__, __dir__ = lazy_names(__name__, _HOME)
