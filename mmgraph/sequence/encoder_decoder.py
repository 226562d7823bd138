"""From one sequence of tokens to another of a different length."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mmgraph.errors import InputError
from mmgraph.sequence.attention import AttentionKind, SequenceAttention
from mmgraph.sequence.cell import CellKind, State
from mmgraph.sequence.recurrent import Recurrent


class EncoderDecoder(nn.Module):
    """Reads one sequence of tokens and writes another.

        S, s = encoder(source)                 in both directions
        h_t = decoder(y_{t−1}, h_{t−1}),       h_0 = tanh(B s)
        c_t = Σ_s α_ts S_s                     with attention
        p(y_t) = softmax(V tanh(W [h_t, c_t]))

    Args:
        source: tokens of the vocabulary that is read.
        target: tokens of the vocabulary that is written.
        hidden: numbers in the state of the decoder; each direction of the encoder has half.
        begin, end: numbers of the tokens of the target before its first and after its last.
        embedding: numbers in the vector of a token.
        kind, layers: of the recurrent layers of both.
        attention: as in `SequenceAttention`; None to hand over s alone.
        dropout: share of the numbers zeroed in training.

    Shapes:
        source (batch, time) int64, lengths (batch,), written (batch, steps) int64: logits (batch, steps, target).

    Raises:
        InputError: hidden is odd, or begin or end is no token of the target.

    Source: Sutskever, Vinyals & Le 2014; Bahdanau, Cho & Bengio 2015.
    Differs: attention looks with the state after a step, as in Luong, Pham & Manning 2015, so that all steps of a known
    target are computed at once; that paper's input feeding is left out.
    """

    def __init__(
        self,
        source: int,
        target: int,
        hidden: int = 128,
        *,
        begin: int,
        end: int,
        embedding: int = 64,
        kind: CellKind = "lstm",
        layers: int = 1,
        attention: AttentionKind | None = "additive",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if hidden < 2 or hidden % 2 or not (0 <= begin < target and 0 <= end < target):
            raise InputError(
                f"Expected an even number of hidden numbers and begin and end below {target}, but got {hidden}, "
                f"{begin} and {end}."
            )
        self.begin, self.end, self.kind = begin, end, kind
        self.source_embedding = nn.Embedding(source, embedding)
        self.target_embedding = nn.Embedding(target, embedding)
        self.encoder = Recurrent(
            embedding, hidden // 2, kind, layers=layers, bidirectional=True, dropout=dropout
        )
        self.decoder = Recurrent(embedding, hidden, kind, layers=layers, dropout=dropout)
        self.bridge = nn.Linear(hidden, hidden)
        self.attends = None if attention is None else SequenceAttention(hidden, hidden, attention)
        self.combine = nn.Linear(hidden if attention is None else 2 * hidden, hidden)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(hidden, target)

    def forward(
        self,
        source: Tensor,
        lengths: Tensor,
        written: Tensor,
        *,
        teacher_forcing: float = 1.0,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Logits of each token of the target, given those before it.

        Args:
            source: padded to one length.
            lengths: tokens of each source.
            written: the target without its end; "begin" is put before it.
            teacher_forcing: how often a step is given the true token before it, and else the likeliest one of its own
                (scheduled sampling); 1 is computed in one go.
            generator: what chooses with; torch's own by default.

        Raises:
            InputError: shapes do not fit, or the share is not from 0 to 1.

        Source: Williams & Zipser 1989 (teacher forcing); Bengio et al., Scheduled Sampling, 2015.
        """
        if not 0 <= teacher_forcing <= 1:
            raise InputError(f"Expected a teacher_forcing from 0 to 1, but got {teacher_forcing}.")
        memory, mask, state = self._read(source, lengths)
        given = torch.cat([written.new_full((len(written), 1), self.begin), written], dim=1)
        if teacher_forcing == 1:
            return self._write(given, memory, mask, state)[0]
        true = torch.rand(given.shape, generator=generator).to(given.device) < teacher_forcing
        token, logits = given[:, :1], []
        for step in range(given.size(1)):
            answer, state = self._write(token, memory, mask, state)
            logits.append(answer)
            if step + 1 < given.size(1):
                token = torch.where(
                    true[:, step : step + 1], given[:, step + 1 : step + 2], answer.argmax(dim=2)
                )
        return torch.cat(logits, dim=1)

    @torch.no_grad()
    def generate(self, source: Tensor, lengths: Tensor, steps: int) -> tuple[Tensor, Tensor]:
        """The likeliest token, step after step, until "end" or for so many steps.

        Shapes:
            tokens (batch, steps), which are "end" after the end, and how many come before it (batch,).
        """
        memory, mask, state = self._read(source, lengths)
        tokens = source.new_full((len(source), steps), self.end)
        token = source.new_full((len(source), 1), self.begin)
        done = torch.zeros(len(source), dtype=torch.bool, device=source.device)
        for step in range(steps):
            answer, state = self._write(token, memory, mask, state)
            token = answer.argmax(dim=2).masked_fill(done[:, None], self.end)
            tokens[:, step] = token[:, 0]
            done |= token[:, 0] == self.end
            if bool(done.all()):
                break
        is_end = tokens == self.end
        return tokens, torch.where(is_end.any(dim=1), is_end.int().argmax(dim=1), steps)

    def attention(self, source: Tensor, lengths: Tensor, written: Tensor) -> Tensor:
        """What each step of the decoder looks at, of every written token and the end after it.

        Shapes:
            (batch, steps + 1, time).

        Raises:
            InputError: the network has no attention.
        """
        weights = self.vectors_and_attention(source, lengths, written)[1]
        if weights is None:
            raise InputError("Expected a network with attention, but attention is None.")
        return weights

    def vectors_and_attention(
        self, source: Tensor, lengths: Tensor, written: Tensor
    ) -> tuple[Tensor, Tensor | None]:
        """What `encode` and `attention` give, None without attention; all layers run, and each once."""
        memory, mask, state = self._read(source, lengths)
        given = torch.cat([written.new_full((len(written), 1), self.begin), written], dim=1)
        output, _ = self.decoder(self.dropout(self.target_embedding(given)), state)
        weights = None if self.attends is None else self.attends.attention(output, memory, mask)
        self._tokens(output, None if weights is None else weights @ memory)
        return state[0][-1], weights

    def encode(self, source: Tensor, lengths: Tensor) -> Tensor:
        """One vector of each source, which the decoder begins with.

        Shapes:
            (batch, hidden).
        """
        return self._read(source, lengths)[2][0][-1]

    def _read(self, source: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor, State]:
        memory, state = self.encoder(self.dropout(self.source_embedding(source)), lengths=lengths)
        mask = torch.arange(source.size(1), device=source.device) < lengths.to(source.device)[:, None]
        layers = (part.unflatten(0, (-1, 2)).transpose(1, 2).flatten(2) for part in state)
        return memory, mask, tuple(torch.tanh(self.bridge(part)) for part in layers)

    def _write(self, tokens: Tensor, memory: Tensor, mask: Tensor, state: State) -> tuple[Tensor, State]:
        output, state = self.decoder(self.dropout(self.target_embedding(tokens)), state)
        context = None if self.attends is None else self.attends(output, memory, mask)
        return self._tokens(output, context), state

    def _tokens(self, output: Tensor, context: Tensor | None) -> Tensor:
        """Logits of each step, of what the decoder gives and what attention found for it."""
        known = output if context is None else torch.cat([output, context], dim=2)
        logits: Tensor = self.head(self.dropout(torch.tanh(self.combine(known))))
        return logits
