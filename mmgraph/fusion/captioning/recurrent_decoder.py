"""A recurrent network that looks at a part of the image before each word."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor, nn

from mmgraph.errors import InputError, UnknownNameError
from mmgraph.fusion.captioning.decoder import CaptionDecoder, Decoded, State

Attention = Literal["soft", "hard", "none"]


class RecurrentDecoder(CaptionDecoder):
    """An LSTM over words with attention over annotation vectors.

    eₜᵢ = v · tanh(Wₐ aᵢ + Wₕ hₜ₋₁ + W_y E yₜ₋₁)        αₜ = softmax(eₜ)
    soft:  zₜ = Σᵢ αₜᵢ aᵢ        hard:  zₜ = aₛ with s drawn from αₜ        none:  αₜᵢ = 1 / L
    hₜ = LSTM([E yₜ₋₁, zₜ], hₜ₋₁)  with zₜ ← zₜ · sigmoid(w · hₜ₋₁)
    p(yₜ) = softmax(L₀ tanh(E yₜ₋₁ + Lₕ hₜ + L_z zₜ))

    h₀ and c₀ come from the mean annotation vector by a layer each. Hard attention draws in training, and for half of
    the sentences takes the expected vector instead; else the soft vector stands for the draw.

    Args:
        num_words: size of the vocabulary.
        features: numbers per annotation vector.
        hidden: numbers of the state.
        embedding: numbers per word.
        attention: "soft", "hard" or "none".
        dropout: probability with which a number before the last layer is dropped in training.

    Shapes:
        annotations (n, L, features), words (n, T) int64: see `Decoded`.

    Raises:
        UnknownNameError: there is no such attention.
        InputError: a size is below 1, or the dropout no probability.

    Source: Xu et al., "Show, Attend and Tell", ICML 2015, sections 3.1.2 and 4. Differs: W_y, by which the word just
    said has a say in where to look next. Without it attention is a word late: of a red and a blue thing it looks at
    both when it is to name the shape of the "red" one.
    """

    def __init__(
        self,
        num_words: int,
        features: int,
        hidden: int = 128,
        embedding: int = 64,
        *,
        attention: Attention = "soft",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if attention not in get_args(Attention):
            raise UnknownNameError.of("attention", attention, get_args(Attention))
        if min(num_words, features, hidden, embedding) < 1 or not 0 <= dropout <= 1:
            raise InputError(
                f"Expected positive sizes and a dropout from 0 to 1, but got {num_words} words, {features} features, "
                f"{hidden} hidden, {embedding} per word and dropout {dropout}."
            )
        self.num_words, self.kind = num_words, attention
        self.embed = nn.Embedding(num_words, embedding)
        self.first_hidden, self.first_cell = nn.Linear(features, hidden), nn.Linear(features, hidden)
        self.of_place, self.of_state = nn.Linear(features, hidden, bias=False), nn.Linear(hidden, hidden)
        self.of_word = nn.Linear(embedding, hidden, bias=False)
        self.score = nn.Linear(hidden, 1, bias=False)
        self.gate = nn.Linear(hidden, 1)
        self.cell = nn.LSTMCell(embedding + features, hidden)
        self.from_hidden, self.from_context = nn.Linear(hidden, embedding), nn.Linear(features, embedding)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(embedding, num_words)

    def forward(self, annotations: Tensor, words: Tensor) -> Decoded:
        state, embedded, keys = self.start(annotations), self.embed(words), self.of_place(annotations)
        expected = torch.rand(len(words), 1, device=words.device) < 0.5 if self._draws else None
        states, contexts, weights, chosen = [], [], [], []
        for before in embedded.unbind(1):
            alpha = self._weights(keys, state[0], before)
            taken = alpha
            if expected is not None:
                place = torch.multinomial(alpha.detach(), 1)
                drawn = torch.zeros_like(alpha).scatter_(1, place, 1.0)
                taken = torch.where(expected, alpha, drawn)
                told = alpha.gather(1, place).clamp_min(1e-12).log().squeeze(1)
                chosen.append(torch.where(expected.squeeze(1), torch.zeros_like(told), told))
            context = self._context(annotations, taken, state[0])
            state = self.cell(torch.cat([before, context], dim=1), state)
            states.append(state[0])
            contexts.append(context)
            weights.append(alpha)
        logits = self._words(embedded, torch.stack(states, 1), torch.stack(contexts, 1))
        return Decoded(logits, torch.stack(weights, 1), torch.stack(chosen, 1) if chosen else None)

    def start(self, annotations: Tensor) -> State:
        mean = annotations.mean(dim=1)
        return torch.tanh(self.first_hidden(mean)), torch.tanh(self.first_cell(mean))

    def step(self, annotations: Tensor, words: Tensor, state: State) -> tuple[Tensor, Tensor, State]:
        before = self.embed(words)
        alpha = self._weights(self.of_place(annotations), state[0], before)
        context = self._context(annotations, alpha, state[0])
        state = self.cell(torch.cat([before, context], dim=1), state)
        return self._words(before, state[0], context), alpha, state

    @property
    def _draws(self) -> bool:
        return self.kind == "hard" and self.training

    def _weights(self, keys: Tensor, hidden: Tensor, before: Tensor) -> Tensor:
        if self.kind == "none":
            return keys.new_full(keys.shape[:2], 1 / keys.size(1))
        asked = (self.of_state(hidden) + self.of_word(before)).unsqueeze(1)
        scores = self.score(torch.tanh(keys + asked)).squeeze(2)
        return torch.softmax(scores, dim=1)

    def _context(self, annotations: Tensor, weights: Tensor, hidden: Tensor) -> Tensor:
        mixed = torch.bmm(weights.unsqueeze(1), annotations).squeeze(1)
        return torch.sigmoid(self.gate(hidden)) * mixed

    def _words(self, before: Tensor, hidden: Tensor, context: Tensor) -> Tensor:
        joined = torch.tanh(before + self.from_hidden(hidden) + self.from_context(context))
        logits: Tensor = self.output(self.dropout(joined))
        return logits
