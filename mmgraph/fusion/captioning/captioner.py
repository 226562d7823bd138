"""Images to sentences, and what there is to learn from."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mmgraph.errors import InputError
from mmgraph.fusion.captioning.annotations import Annotations
from mmgraph.fusion.captioning.beam_search import Sentences, beam_search
from mmgraph.fusion.captioning.decoder import CaptionDecoder, Decoded

REINFORCE, ENTROPY, MEMORY = 1.0, 0.002, 0.9


class Captioner(nn.Module):
    """Annotation vectors of an image, and a decoder that makes a sentence of them.

    loss = −[Σₜ log p(yₜ) − λ Σᵢ (τ − Σₜ αₜᵢ)²] / T    over all words of a batch, with τ = T / L of each sentence

    The second sum (doubly stochastic attention) has every place looked at about as much as any other. Where places
    are drawn (hard attention), − (log p(y) − b) Σₜ log αₜₛ − 0.002 Σₜ H(αₜ) is added, where b is a moving average of
    log p(y). With a second decoder that learns the sentences from their end (bidirectional), both search, and the
    sentence with the higher score is taken.

    Args:
        annotate: images to annotation vectors.
        decoder: annotation vectors and words to the next word.
        start, end, pad: numbers of the words that begin, end and fill up a sentence.
        unknown: number that all words without one share; it is learned, but never said.
        backward: the decoder that learns from the end.
        doubly_stochastic: λ.

    Shapes:
        images (n, channels, height, width); sentences (n, T + 1) int64: start, words, end, padding.

    Raises:
        InputError: two of the special words are one, or the decoders have other words.

    Source: Xu et al., "Show, Attend and Tell", ICML 2015, equations 11 to 14; Wang et al., "Image captioning with deep
    bidirectional LSTMs", ACM MM 2016. Differs: sums are divided by the number of words; τ is 1 in the paper, which a
    sentence with fewer words than places cannot reach.
    """

    baseline: Tensor

    def __init__(
        self,
        annotate: Annotations,
        decoder: CaptionDecoder,
        *,
        start: int,
        end: int,
        pad: int,
        unknown: int | None = None,
        backward: CaptionDecoder | None = None,
        doubly_stochastic: float = 0.0,
    ) -> None:
        super().__init__()
        if len({start, end, pad}) < 3 or not all(0 <= word < decoder.num_words for word in (start, end, pad)):
            raise InputError(
                f"Expected three different words from 0 to {decoder.num_words - 1} to begin, end and fill up a "
                f"sentence, but got {start}, {end} and {pad}."
            )
        if backward is not None and backward.num_words != decoder.num_words:
            raise InputError(
                f"Both decoders need the same words, but have {decoder.num_words} and {backward.num_words}."
            )
        self.annotate, self.decoder, self.backward_decoder = annotate, decoder, backward
        self.start, self.end, self.pad = start, end, pad
        self.never = (start, pad) if unknown is None else (start, pad, unknown)
        self.doubly_stochastic = doubly_stochastic
        self.register_buffer("baseline", torch.zeros(()))

    def forward(self, images: Tensor, sentences: Tensor) -> Decoded:
        """What the decoder says after each word of the sentences."""
        decoded: Decoded = self.decoder(self.annotate(images), sentences[:, :-1])
        return decoded

    def loss(self, images: Tensor, sentences: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Loss of a batch, and the share of words that were foretold."""
        return self.loss_from(self.annotate(images), sentences)

    def loss_from(self, annotations: Tensor, sentences: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """The same where the images are annotated already."""
        loss, foretold = self._loss(self.decoder, annotations, sentences)
        if self.backward_decoder is not None:
            other, _ = self._loss(self.backward_decoder, annotations, self.reverse(sentences))
            loss = loss + other
        return loss, {"word-accuracy": foretold}

    def describe(
        self, images: Tensor, *, beams: int = 3, longest: int = 20, length_penalty: float = 1.0
    ) -> Sentences:
        """The likeliest sentence per image, without the start word."""
        return self.describe_from(
            self.annotate(images), beams=beams, longest=longest, length_penalty=length_penalty
        )

    def describe_from(
        self, annotations: Tensor, *, beams: int = 3, longest: int = 20, length_penalty: float = 1.0
    ) -> Sentences:
        """The same where the images are annotated already."""

        def search(decoder: CaptionDecoder) -> Sentences:
            return beam_search(
                decoder,
                annotations,
                start=self.start,
                end=self.end,
                beams=beams,
                longest=longest,
                length_penalty=length_penalty,
                never=self.never,
            )

        found = search(self.decoder)
        if self.backward_decoder is None:
            return found
        other = search(self.backward_decoder)
        return _better(found, self._turned(other), self.end)

    def reverse(self, sentences: Tensor) -> Tensor:
        """The same sentences with their words from last to first; start, end and padding stay."""
        lengths = ((sentences != self.pad) & (sentences != self.end)).sum(dim=1, keepdim=True) - 1
        place = torch.arange(sentences.size(1), device=sentences.device).expand_as(sentences)
        turned = torch.where((place >= 1) & (place <= lengths), lengths + 1 - place, place)
        return sentences.gather(1, turned)

    def _loss(self, decoder: CaptionDecoder, annotations: Tensor, sentences: Tensor) -> tuple[Tensor, Tensor]:
        decoded: Decoded = decoder(annotations, sentences[:, :-1])
        targets = sentences[:, 1:]
        real = targets != self.pad
        words = real.sum()
        nll = F.cross_entropy(
            decoded.logits.flatten(0, 1), targets.flatten(), ignore_index=self.pad, reduction="none"
        ).view_as(targets)
        loss = nll.sum()
        weights = decoded.weights * real.unsqueeze(2)
        if self.doubly_stochastic:
            even = real.sum(dim=1, keepdim=True) / weights.size(2)
            loss = loss + self.doubly_stochastic * (even - weights.sum(dim=1)).square().sum()
        if decoded.chosen is not None:
            loss = loss + self._drawing(nll.detach().sum(dim=1), decoded.chosen * real, weights)
        foretold = ((decoded.logits.detach().argmax(dim=2) == targets) & real).sum() / words
        return loss / words, foretold

    def _drawing(self, nll: Tensor, chosen: Tensor, weights: Tensor) -> Tensor:
        """What teaches the places drawn: those that went before likelier sentences become likelier."""
        reward = -nll - self.baseline
        self.baseline.mul_(MEMORY).add_((1 - MEMORY) * -nll.mean())
        entropy = -(weights * weights.clamp_min(1e-12).log()).sum()
        return -REINFORCE * (reward * chosen.sum(dim=1)).sum() - ENTROPY * entropy

    def _turned(self, found: Sentences) -> Sentences:
        """Sentences found from their end, in reading order."""
        lengths = (found.words != self.end).sum(dim=1, keepdim=True)
        place = torch.arange(found.words.size(1), device=found.words.device).expand_as(found.words)
        turned = torch.where(place < lengths, lengths - 1 - place, place)
        weights = found.weights.gather(1, turned.unsqueeze(2).expand_as(found.weights))
        return Sentences(found.words.gather(1, turned), found.scores, weights)


def _better(one: Sentences, other: Sentences, end: int) -> Sentences:
    """Of two answers per image the one with the higher score."""
    length = max(one.words.size(1), other.words.size(1))

    def wide(found: Sentences) -> tuple[Tensor, Tensor]:
        more = length - found.words.size(1)
        return F.pad(found.words, (0, more), value=end), F.pad(found.weights, (0, 0, 0, more))

    first = one.scores >= other.scores
    (words, weights), (other_words, other_weights) = wide(one), wide(other)
    return Sentences(
        torch.where(first.unsqueeze(1), words, other_words),
        torch.where(first, one.scores, other.scores),
        torch.where(first[:, None, None], weights, other_weights),
    )
