"""Words that look at the words before them and at the image."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from mmgraph.errors import InputError
from mmgraph.fusion.captioning.decoder import CaptionDecoder, Decoded, State


class TransformerDecoder(CaptionDecoder):
    """Masked self-attention over words, then attention over annotation vectors, then a perceptron; in every layer.

    x ← x + SelfAttention(norm(x));  x ← x + Attention(norm(x), a, a);  x ← x + W₂ gelu(W₁ norm(x))

    The weights of `Decoded` are those of the last layer over the annotations, averaged over heads.

    Args:
        num_words: size of the vocabulary.
        features: numbers per annotation vector.
        width: numbers per word; a multiple of `heads`.
        layers, heads: how many.
        dropout: probability with which a number is dropped in training.
        longest: most words of a sentence.

    Shapes:
        annotations (n, L, features), words (n, T) int64 with T ≤ longest: see `Decoded`.

    Raises:
        InputError: a size is out of range, or a sentence is too long.

    Source: Vaswani et al., "Attention is all you need", NeurIPS 2017. Differs: layers are normalised at their inputs
    and positions are learned.
    """

    def __init__(
        self,
        num_words: int,
        features: int,
        width: int = 128,
        *,
        layers: int = 2,
        heads: int = 4,
        dropout: float = 0.0,
        longest: int = 64,
    ) -> None:
        super().__init__()
        if min(num_words, features, width, layers, heads, longest) < 1 or width % heads:
            raise InputError(
                f"Expected positive sizes and a width that is a multiple of the heads, but got {num_words} words, "
                f"{features} features, width {width}, {layers} layers, {heads} heads and at most {longest} words."
            )
        if not 0 <= dropout <= 1:
            raise InputError(f"Expected a dropout from 0 to 1, but got {dropout}.")
        self.num_words, self.longest = num_words, longest
        self.embed = nn.Embedding(num_words, width)
        self.position = nn.Parameter(torch.randn(longest, width) * 0.02)
        self.layers = nn.ModuleList(_Layer(width, features, heads, dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.output = nn.Linear(width, num_words)

    def forward(self, annotations: Tensor, words: Tensor) -> Decoded:
        count = words.size(1)
        if count > self.longest:
            raise InputError(f"Expected at most {self.longest} words per sentence, but got {count}.")
        x = self.embed(words) + self.position[:count]
        later = torch.ones(count, count, dtype=torch.bool, device=words.device).triu(1)
        weights = annotations
        for layer in self.layers:
            x, weights = layer(x, annotations, later)
        return Decoded(self.output(self.norm(x)), weights)

    def start(self, annotations: Tensor) -> State:
        return (torch.empty(len(annotations), 0, dtype=torch.int64, device=annotations.device),)

    def step(self, annotations: Tensor, words: Tensor, state: State) -> tuple[Tensor, Tensor, State]:
        said = torch.cat([state[0], words.unsqueeze(1)], dim=1)
        decoded = self(annotations, said)
        return decoded.logits[:, -1], decoded.weights[:, -1], (said,)


class _Layer(nn.Module):
    def __init__(self, width: int, features: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.self_norm, self.image_norm, self.norm = (nn.LayerNorm(width) for _ in range(3))
        self.words = nn.MultiheadAttention(width, heads, dropout, batch_first=True)
        self.heads = heads
        self.query, self.key = nn.Linear(width, width), nn.Linear(features, width)
        self.value, self.mix = nn.Linear(features, width), nn.Linear(width, width)
        self.perceptron = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width), nn.Dropout(dropout)
        )

    def forward(self, x: Tensor, annotations: Tensor, later: Tensor) -> tuple[Tensor, Tensor]:
        normed = self.self_norm(x)
        x = x + self.words(normed, normed, normed, attn_mask=later, need_weights=False)[0]
        seen, weights = self._look(self.image_norm(x), annotations)
        x = x + seen
        return x + self.perceptron(self.norm(x)), weights.mean(dim=1)

    def _look(self, x: Tensor, annotations: Tensor) -> tuple[Tensor, Tensor]:
        """Attention over annotations with its weights (n, heads, T, L), which fused kernels do not give."""
        query, key, value = (
            part.unflatten(2, (self.heads, -1)).transpose(1, 2)
            for part in (self.query(x), self.key(annotations), self.value(annotations))
        )
        weights = torch.softmax(query @ key.transpose(2, 3) / math.sqrt(query.size(-1)), dim=-1)
        return self.mix((weights @ value).transpose(1, 2).flatten(2)), weights
