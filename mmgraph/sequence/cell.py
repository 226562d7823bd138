"""One step of a recurrent network: plain, LSTM and GRU, with peepholes and coupled gates."""

from __future__ import annotations

import math
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mmgraph.errors import InputError, UnknownNameError

CellKind = Literal["rnn", "lstm", "gru"]

State = tuple[Tensor, ...]
"""What is handed from step to step: (hidden, cell) of an LSTM, (hidden,) of the others."""

_GATES = {
    "rnn": ("candidate",),
    "lstm": ("input", "forget", "candidate", "output"),
    "gru": ("reset", "update", "candidate"),
}


class RecurrentCell(nn.Module):
    """One step of a recurrent network.

        rnn   h′ = tanh(W [h, x] + b)
        lstm  f = σ(W_f [h, x] + b_f),  i = σ(W_i [h, x] + b_i),  o = σ(W_o [h, x] + b_o)
              C̃ = tanh(W_C [h, x] + b_C),  C′ = f∘C + i∘C̃,  h′ = o∘tanh C′
        gru   r = σ(W_r [h, x] + b_r),  z = σ(W_z [h, x] + b_z)
              h̃ = tanh(W [r∘h, x] + b),  h′ = (1 − z)∘h + z∘h̃

    With `peephole` the gates see the cell state, through full matrices: f = σ(W_f [C, h, x] + b_f), i likewise, and
    o = σ(W_o [C′, h, x] + b_o). With `coupled` an LSTM forgets only where it writes: C′ = f∘C + (1 − f)∘C̃.

    Args:
        inputs: numbers in x.
        hidden: numbers in h.
        kind: "rnn", "lstm" or "gru".
        peephole: whether the gates of an LSTM see its cell state.
        coupled: whether the input gate of an LSTM is 1 − f.

    Shapes:
        x (batch, inputs), h and C (batch, hidden); weight_x (gates · hidden, inputs), bias (gates · hidden,),
        weight_h (gates · hidden, hidden), weight_c (peeping gates · hidden, hidden).

    Raises:
        InputError: a size below 1, or peepholes or coupled gates of something that is no LSTM.

    Source: Elman 1990; Hochreiter & Schmidhuber 1997 with the forget gate of Gers, Schmidhuber & Cummins 2000; Cho et
    al. 2014.
    Differs: torch.nn.GRU applies the reset after the matrix product, tanh(W x + b + r∘(U h + b′)), and its z is our
    1 − z; its weights cannot be taken over. Peepholes of Gers & Schmidhuber 2000 are diagonal matrices. There is one
    bias for each gate, where torch adds two.
    """

    def __init__(
        self,
        inputs: int,
        hidden: int,
        kind: CellKind = "lstm",
        *,
        peephole: bool = False,
        coupled: bool = False,
    ) -> None:
        super().__init__()
        if kind not in get_args(CellKind):
            raise UnknownNameError.of("kind of recurrent cell", kind, get_args(CellKind))
        if inputs < 1 or hidden < 1:
            raise InputError(f"Expected sizes of at least 1, but got inputs = {inputs}, hidden = {hidden}.")
        if kind != "lstm" and (peephole or coupled):
            raise InputError(f"Expected kind = lstm with peepholes or coupled gates, but got {kind}.")
        self.inputs, self.hidden, self.kind = inputs, hidden, kind
        self.peephole, self.coupled = peephole, coupled
        self.gate_names = tuple(name for name in _GATES[kind] if not (coupled and name == "input"))
        rows = len(self.gate_names) * hidden
        self.weight_x = nn.Parameter(torch.empty(rows, inputs))
        self.weight_h = nn.Parameter(torch.empty(rows, hidden))
        self.bias = nn.Parameter(torch.empty(rows))
        peeping = len(self.gate_names) - 1
        self.weight_c = nn.Parameter(torch.empty(peeping * hidden, hidden)) if peephole else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Weights and biases uniform in ±1/√hidden."""
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -1 / math.sqrt(self.hidden), 1 / math.sqrt(self.hidden))

    def initial(self, batch: int) -> State:
        """Zeros to begin with.

        Shapes:
            (batch, hidden) each.
        """
        return tuple(
            self.weight_h.new_zeros(batch, self.hidden) for _ in range(2 if self.kind == "lstm" else 1)
        )

    def forward(self, x: Tensor, state: State | None = None) -> State:
        """The next state.

        Raises:
            InputError: x or the state does not have the sizes of the cell.
        """
        found = self.gates(x, state)
        return (found["hidden"], found["cell"]) if self.kind == "lstm" else (found["hidden"],)

    def gates(self, x: Tensor, state: State | None = None) -> dict[str, Tensor]:
        """Every gate of a step, and the state after it as "hidden" and "cell".

        Shapes:
            (batch, hidden) each.

        Raises:
            InputError: x or the state does not have the sizes of the cell.
        """
        if x.dim() != 2 or x.size(1) != self.inputs:
            raise InputError(f"Expected x of shape (batch, {self.inputs}), but got {tuple(x.shape)}.")
        state = self.initial(len(x)) if state is None else state
        check_state(state, self.kind, (len(x), self.hidden))
        x_part = F.linear(x, self.weight_x, self.bias)
        if self.kind == "gru":
            return self._gru(x_part, state[0])
        if self.kind == "rnn":
            hidden = torch.tanh(x_part + F.linear(state[0], self.weight_h))
            return {"candidate": hidden, "hidden": hidden}
        return self._lstm(x_part, *state)

    def _gru(self, x_part: Tensor, h: Tensor) -> dict[str, Tensor]:
        x_reset, x_update, x_candidate = x_part.chunk(3, dim=1)
        u_reset, u_update, u_candidate = self.weight_h.chunk(3)
        reset = torch.sigmoid(x_reset + F.linear(h, u_reset))
        update = torch.sigmoid(x_update + F.linear(h, u_update))
        candidate = torch.tanh(x_candidate + F.linear(reset * h, u_candidate))
        hidden = (1 - update) * h + update * candidate
        return {"reset": reset, "update": update, "candidate": candidate, "hidden": hidden}

    def _lstm(self, x_part: Tensor, h: Tensor, c: Tensor) -> dict[str, Tensor]:
        total = x_part + F.linear(h, self.weight_h)
        before = dict(zip(self.gate_names, total.chunk(len(self.gate_names), dim=1), strict=True))
        peeping = [name for name in self.gate_names if name != "candidate"]
        sights = (
            dict(zip(peeping, self.weight_c.chunk(len(peeping)), strict=True))
            if self.weight_c is not None
            else {}
        )

        def gate(name: str, cell: Tensor) -> Tensor:
            seen = F.linear(cell, sights[name]) if sights else 0.0
            return torch.sigmoid(before[name] + seen)

        forget, candidate = gate("forget", c), torch.tanh(before["candidate"])
        write = 1 - forget if self.coupled else gate("input", c)
        cell = forget * c + write * candidate
        output = gate("output", cell)
        return {
            "input": write,
            "forget": forget,
            "candidate": candidate,
            "output": output,
            "cell": cell,
            "hidden": output * torch.tanh(cell),
        }

    def extra_repr(self) -> str:
        """What `print(cell)` says of it."""
        variants = [name for name in ("peephole", "coupled") if getattr(self, name)]
        return ", ".join([f"{self.inputs}, {self.hidden}, kind={self.kind}", *variants])


def check_state(state: State, kind: CellKind, shape: tuple[int, ...]) -> None:
    """Refuse a state that does not fit.

    Raises:
        InputError: not one tensor of that shape for a state (two for an LSTM).
    """
    names = ("hidden", "cell") if kind == "lstm" else ("hidden",)
    shapes = [tuple(part.shape) for part in state]
    if shapes != [shape] * len(names):
        raise InputError(f"Expected a state ({', '.join(names)}) of shape {shape} each, but got {shapes}.")
