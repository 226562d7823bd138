"""Recurrent language models: how likely every token is to come next."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mmgraph.errors import InputError
from mmgraph.sequence.cell import CellKind, State
from mmgraph.sequence.recurrent import Recurrent


class LanguageModel(nn.Module):
    """The next token, given all before it.

    p(x_{t+1} | x_1 … x_t) = softmax(V h_t + b),  h_t = recurrent(E[x_t], h_{t−1})

    Args:
        vocabulary: how many tokens there are.
        hidden: numbers in the state of a layer.
        embedding: numbers in the vector of a token.
        kind, layers, peephole, coupled: as in `Recurrent`.
        dropout: share of the numbers zeroed in training, between layers and before V.
        tied: whether V is E, after one more matrix from hidden to embedding numbers where those differ.

    Shapes:
        tokens (batch, time) int64 → logits (batch, time, vocabulary), state as in `Recurrent`.

    Raises:
        InputError: a size is below 1.

    Source: Mikolov et al., Recurrent neural network based language model, 2010; Press & Wolf 2017 (tied weights).
    """

    def __init__(
        self,
        vocabulary: int,
        hidden: int = 256,
        *,
        embedding: int = 64,
        kind: CellKind = "lstm",
        layers: int = 1,
        dropout: float = 0.0,
        tied: bool = False,
        peephole: bool = False,
        coupled: bool = False,
    ) -> None:
        super().__init__()
        if vocabulary < 1 or embedding < 1:
            raise InputError(
                f"Expected at least one token and one number for each, but got {vocabulary}, {embedding}."
            )
        self.embedding = nn.Embedding(vocabulary, embedding)
        self.recurrent = Recurrent(
            embedding, hidden, kind, layers=layers, dropout=dropout, peephole=peephole, coupled=coupled
        )
        self.dropout = nn.Dropout(dropout)
        self.narrow = (
            nn.Linear(hidden, embedding, bias=False) if tied and hidden != embedding else nn.Identity()
        )
        self.head = nn.Linear(embedding if tied else hidden, vocabulary)
        if tied:
            # Logits of order 1 from the start: torch draws embeddings of variance 1.
            nn.init.normal_(self.embedding.weight, std=embedding**-0.5)
            self.head.weight = self.embedding.weight

    def initial(self, batch: int) -> State:
        """Zeros to begin with."""
        return self.recurrent.initial(batch)

    def forward(self, tokens: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Logits of the token after each, and the state after the last.

        Raises:
            InputError: there are no tokens.
        """
        output, state = self.recurrent(self.embedding(tokens), state)
        logits: Tensor = self.head(self.narrow(self.dropout(output)))
        return logits, state

    @torch.no_grad()
    def generate(
        self,
        prompt: Tensor,
        length: int,
        *,
        temperature: float = 1.0,
        top_k: int | None = None,
        nucleus: float | None = None,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Tokens that go on from a prompt, drawn one after the other from `filtered` probabilities.

        Args:
            prompt: at least one token.
            length: how many to draw.
            temperature, top_k, nucleus: as in `filtered`.
            generator: what to draw with; torch's own by default.

        Shapes:
            prompt (tokens,): (length,) int64.

        Raises:
            InputError: the prompt is empty, or as for `filtered`.
        """
        if prompt.dim() != 1 or not len(prompt):
            raise InputError(f"Expected a prompt of at least one token, but got shape {tuple(prompt.shape)}.")
        training = self.training
        self.eval()
        drawn = prompt.new_empty(max(length, 0))
        logits, state = self(prompt[None])
        for place in range(len(drawn)):
            chances = F.softmax(filtered(logits[0, -1], temperature, top_k, nucleus), dim=0)
            # Drawn on the CPU, so that one seed gives one text on every device.
            drawn[place] = torch.multinomial(chances.cpu(), 1, generator=generator)
            logits, state = self(drawn[place].view(1, 1), state)
        self.train(training)
        return drawn


def filtered(
    logits: Tensor, temperature: float = 1.0, top_k: int | None = None, nucleus: float | None = None
) -> Tensor:
    """Logits to draw from: sharpened, and −∞ for what is never drawn.

    ℓ / T; of these the k largest; of these the fewest whose probabilities add up to p at least

    Args:
        logits: of the next token.
        temperature: T; below 1 the likely becomes likelier, and 0 leaves the likeliest alone.
        top_k: k; none keeps all.
        nucleus: p; none keeps all.

    Shapes:
        (…, vocabulary) both.

    Raises:
        InputError: T is negative, k is below 1, or p is not above 0 and at most 1.

    Source: Fan et al. 2018 (top-k); Holtzman et al., The Curious Case of Neural Text Degeneration, 2020 (nucleus).
    """
    if not temperature >= 0 or (top_k is not None and top_k < 1) or not (nucleus is None or 0 < nucleus <= 1):
        raise InputError(
            f"Expected a temperature of at least 0, top_k of at least 1 and nucleus above 0 up to 1, but got "
            f"{temperature}, {top_k} and {nucleus}."
        )
    if temperature == 0:
        temperature, top_k = 1.0, 1
    logits = logits / temperature
    order = logits.argsort(dim=-1, descending=True, stable=True)
    ranked = logits.gather(-1, order)
    kept = torch.ones_like(ranked, dtype=torch.bool)
    if top_k is not None:
        kept[..., top_k:] = False
    if nucleus is not None:
        chances = F.softmax(ranked.masked_fill(~kept, -torch.inf), dim=-1)
        kept &= chances.cumsum(dim=-1) - chances < nucleus
    return logits.masked_fill(~torch.empty_like(kept).scatter_(-1, order, kept), -torch.inf)
