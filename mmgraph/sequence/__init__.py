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
    from mmgraph.sequence.tokens import Tokenizer
    from mmgraph.sequence.truncation import text_windows
    from mmgraph.sequence.vocabulary import Vocabulary

__all__ = [
    "EncoderDecoder",
    "LanguageModel",
    "LengthBuckets",
    "Recurrent",
    "RecurrentCell",
    "RecurrentModel",
    "SequenceAttention",
    "Tokenizer",
    "Vocabulary",
    "detached",
    "filtered",
    "pad",
    "text_windows",
]

_HOME = {
    "EncoderDecoder": "encoder_decoder",
    "LanguageModel": "language_model",
    "LengthBuckets": "bucketing",
    "Recurrent": "recurrent",
    "RecurrentCell": "cell",
    "RecurrentModel": "patterns",
    "SequenceAttention": "attention",
    "Tokenizer": "tokens",
    "Vocabulary": "vocabulary",
    "detached": "recurrent",
    "filtered": "language_model",
    "pad": "bucketing",
    "text_windows": "truncation",
}

__getattr__, __dir__ = lazy_names(__name__, _HOME)
