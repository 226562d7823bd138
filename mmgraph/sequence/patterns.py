"""From sequences or vectors to answers: one-to-one, one-to-many, many-to-one and aligned many-to-many."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor, nn

from mmgraph.errors import InputError, UnknownNameError
from mmgraph.sequence.cell import CellKind
from mmgraph.sequence.recurrent import Recurrent

Pattern = Literal["one-to-one", "one-to-many", "many-to-one", "many-to-many"]


class RecurrentModel(nn.Module):
    """A recurrent network and a linear layer on what it has read.

        one-to-one    y = V h_1                 of a vector
        one-to-many   y_t = V h_t, x_t = x      a vector that enters every step
        many-to-one   y = V [h_T, h′_1]         the last state of each direction
        many-to-many  y_t = V h_t               an answer for every step

    What reads all before it answers, many-to-many of another length, is `EncoderDecoder`.

    Args:
        inputs: numbers in a vector, or in each step.
        hidden: numbers in the state, for each direction.
        outputs: numbers in an answer.
        pattern: which of the four.
        kind, layers, bidirectional, peephole, coupled: as in `Recurrent`.
        dropout: share of the numbers zeroed in training, between layers and before V.

    Shapes:
        x (batch, inputs) of patterns that begin with one, else (batch, time, inputs) → answers (batch, outputs) of
        patterns that end with one, else (batch, time, outputs).

    Raises:
        UnknownNameError: there is no such pattern.

    Source: Goodfellow, Bengio & Courville, Deep Learning, 2016, section 10.2.
    """

    def __init__(
        self,
        inputs: int,
        hidden: int,
        outputs: int,
        pattern: Pattern = "many-to-one",
        *,
        kind: CellKind = "lstm",
        layers: int = 1,
        bidirectional: bool = False,
        dropout: float = 0.0,
        peephole: bool = False,
        coupled: bool = False,
    ) -> None:
        super().__init__()
        if pattern not in get_args(Pattern):
            raise UnknownNameError.of("pattern", pattern, get_args(Pattern))
        self.pattern = pattern
        self.recurrent = Recurrent(
            inputs,
            hidden,
            kind,
            layers=layers,
            bidirectional=bidirectional,
            dropout=dropout,
            peephole=peephole,
            coupled=coupled,
        )
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(self.recurrent.outputs, outputs)

    def forward(self, x: Tensor, lengths: Tensor | None = None, steps: int | None = None) -> Tensor:
        """The answers.

        Args:
            x: vectors, or sequences padded to one length.
            lengths: steps of each sequence; answers of the steps after them mean nothing.
            steps: how many answers of one-to-many.

        Raises:
            InputError: shapes do not fit, or steps are missing or asked for where the pattern has none.
        """
        answers: Tensor = self.head(self.dropout(self.read(x, lengths, steps)))
        return answers

    def read(self, x: Tensor, lengths: Tensor | None = None, steps: int | None = None) -> Tensor:
        """What V works on: of patterns that end with one, the vector of each item.

        Shapes:
            as the answers, with directions · hidden numbers.
        """
        if (steps is not None) != (self.pattern == "one-to-many"):
            raise InputError(
                f"Expected steps with one-to-many and only there, but got {steps} with {self.pattern}."
            )
        if self.pattern.startswith("one"):
            if x.dim() != 2 or lengths is not None:
                raise InputError(
                    f"Expected vectors of shape (batch, inputs) and no lengths, but got {tuple(x.shape)}."
                )
            x = x[:, None].expand(-1, steps or 1, -1)
            if steps is not None and steps < 1:
                raise InputError(f"Expected at least one step, but got {steps}.")
        output: Tensor
        output, state = self.recurrent(x, lengths=lengths)
        if self.pattern.endswith("many"):
            return output
        # Of the uppermost layer each direction's own end, whatever the lengths.
        return torch.cat(list(state[0][-self.recurrent.directions :]), dim=1)
