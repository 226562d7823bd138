"""The likeliest sentences, found by keeping the best few beginnings of each length."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from mmgraph.errors import InputError
from mmgraph.fusion.captioning.decoder import CaptionDecoder


class Sentences(NamedTuple):
    """One sentence per image.

    Shapes:
        words (n, T) int64: the words, then the end word to the right of the end; scores (n,): log-probability divided
        by length^penalty; weights (n, T, L): where was looked before each word.
    """

    words: Tensor
    scores: Tensor
    weights: Tensor


@torch.no_grad()
def beam_search(
    decoder: CaptionDecoder,
    annotations: Tensor,
    *,
    start: int,
    end: int,
    beams: int = 3,
    longest: int = 20,
    length_penalty: float = 1.0,
    never: Sequence[int] = (),
) -> Sentences:
    """Sentences y that maximise log p(y | a) / |y|^penalty, among those whose every beginning stays in the beam.

    |y| counts the end word. A sentence that has not ended after `longest` words is taken as it is.

    Args:
        decoder: in eval mode.
        annotations: of the images.
        start, end: numbers of the words that begin and end a sentence.
        beams: beginnings that are kept; 1 is greedy search.
        longest: most words.
        length_penalty: 0 prefers short sentences, 1 compares by the mean per word.
        never: words that are not said, such as padding.

    Shapes:
        annotations (n, L, D).

    Raises:
        InputError: no beams or no words are wanted.
    """
    if beams < 1 or longest < 1:
        raise InputError(f"Expected at least one beam and one word, but got {beams} and {longest}.")
    count, places = annotations.shape[:2]
    beams = min(beams, decoder.num_words**longest)
    device = annotations.device
    wide = annotations.repeat_interleave(beams, dim=0)
    state = decoder.start(wide)
    words = torch.empty(count, beams, 0, dtype=torch.int64, device=device)
    weights = annotations.new_empty(count, beams, 0, places)
    total = annotations.new_full((count, beams), -torch.inf)
    total[:, 0] = 0  # all beams begin alike, so that only one may count
    length = torch.zeros(count, beams, device=device)
    ended = torch.zeros(count, beams, dtype=torch.bool, device=device)
    last = torch.full((count * beams,), start, dtype=torch.int64, device=device)
    only_end = annotations.new_full((decoder.num_words,), -torch.inf)
    only_end[end] = 0
    barred = annotations.new_zeros(decoder.num_words)
    barred[list(never)] = -torch.inf
    row = torch.arange(count, device=device).unsqueeze(1)
    for _ in range(longest):
        logits, looked, state = decoder.step(wide, last, state)
        gain = (torch.log_softmax(logits, dim=1) + barred).unflatten(0, (count, beams))
        gain = torch.where(ended.unsqueeze(2), only_end, gain)
        reached = total.unsqueeze(2) + gain
        lengths = (length + ~ended).unsqueeze(2)
        ranked = (reached / lengths**length_penalty).flatten(1).topk(beams, dim=1).indices
        beam, word = ranked // decoder.num_words, ranked % decoder.num_words
        total = reached.flatten(1).gather(1, ranked)
        length = lengths.squeeze(2)[row, beam]
        words = torch.cat([words[row, beam], word.unsqueeze(2)], dim=2)
        looked = looked.unflatten(0, (count, beams))
        weights = torch.cat([weights, looked.unsqueeze(2)], dim=2)[row, beam]
        ended = ended[row, beam] | (word == end)
        flat = (row * beams + beam).flatten()
        state = tuple(part[flat] for part in state)
        last = word.flatten()
        if bool(ended.all()):
            break
    scores = total / length**length_penalty
    best = scores.argmax(dim=1)
    chosen = torch.arange(count, device=device), best
    return Sentences(words[chosen], scores[chosen], weights[chosen])
