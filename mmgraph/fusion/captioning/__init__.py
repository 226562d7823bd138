"""Sentences about images: annotation vectors, decoders that attend to them, beam search."""

from __future__ import annotations

from mmgraph.fusion.captioning.annotations import Annotations
from mmgraph.fusion.captioning.beam_search import Sentences, beam_search
from mmgraph.fusion.captioning.captioner import Captioner
from mmgraph.fusion.captioning.decoder import CaptionDecoder, Decoded
from mmgraph.fusion.captioning.recurrent_decoder import RecurrentDecoder
from mmgraph.fusion.captioning.transformer_decoder import TransformerDecoder

__all__ = [
    "Annotations",
    "CaptionDecoder",
    "Captioner",
    "Decoded",
    "RecurrentDecoder",
    "Sentences",
    "TransformerDecoder",
    "beam_search",
]
