"""Recurrent layers over time: several of them, in one direction or both, over sequences of any lengths."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from mmgraph.errors import InputError
from mmgraph.sequence.cell import CellKind, RecurrentCell, State, check_state
from mmgraph.sequence.steps import run_steps


class Recurrent(nn.Module):
    """Recurrent layers over time; the cells are `RecurrentCell`.

    h_t = cell(x_t, h_{t−1}), and of a layer after the first x_t is the h_t of the one below, of both directions

    Plain RNNs and LSTMs run in torch's kernels with the weights of our cells, the variants, and LSTMs over sequences of
    several lengths, in ours. All compute in the
    number format of their weights, also inside `torch.autocast`.

    Args:
        inputs: numbers in each step of a sequence.
        hidden: numbers in the state, for each direction.
        kind: "rnn", "lstm" or "gru".
        layers: how many, one above the other.
        bidirectional: whether a second cell in each layer goes from the last step to the first.
        dropout: share of the numbers between layers that is zeroed in training.
        peephole, coupled: of an LSTM, as in `RecurrentCell`.

    Shapes:
        x (batch, time, inputs) → output (batch, time, directions · hidden), state (layers · directions, batch, hidden)
        each, in the order of `torch.nn.LSTM`.

    Raises:
        InputError: a size is below 1, dropout is not from 0 to below 1, or as for `RecurrentCell`.

    Source: Schuster & Paliwal, Bidirectional Recurrent Neural Networks, 1997.
    """

    def __init__(
        self,
        inputs: int,
        hidden: int,
        kind: CellKind = "lstm",
        *,
        layers: int = 1,
        bidirectional: bool = False,
        dropout: float = 0.0,
        peephole: bool = False,
        coupled: bool = False,
    ) -> None:
        super().__init__()
        if layers < 1 or not 0 <= dropout < 1:
            raise InputError(
                f"Expected at least one layer and a dropout from 0 to below 1, but got {layers} and {dropout:g}."
            )
        self.inputs, self.hidden, self.kind, self.layers = inputs, hidden, kind, layers
        self.directions = 2 if bidirectional else 1
        self.dropout = dropout
        self.is_plain = kind != "gru" and not peephole and not coupled
        below = [inputs] + [self.directions * hidden] * (layers - 1)
        self.cells = nn.ModuleList(
            RecurrentCell(size, hidden, kind, peephole=peephole, coupled=coupled)
            for size in below
            for _ in range(self.directions)
        )

    @property
    def outputs(self) -> int:
        """Numbers in each step of the output."""
        return self.directions * self.hidden

    def initial(self, batch: int) -> State:
        """Zeros to begin with.

        Shapes:
            (layers · directions, batch, hidden) each.
        """
        return tuple(part.expand(len(self.cells), -1, -1).clone() for part in self._cell(0).initial(batch))

    def forward(
        self, x: Tensor, state: State | None = None, lengths: Tensor | None = None
    ) -> tuple[Tensor, State]:
        """Output of every step, and the state after the last one.

        Args:
            x: sequences, padded to one length.
            state: to begin with; zeros by default.
            lengths: steps of each sequence. What comes after them is never looked at, is zero in the output, and the
                state is that after a sequence's own last step.

        Shapes:
            lengths (batch,) int64.

        Raises:
            InputError: shapes do not fit, there are no steps, or a length is not from 1 to the steps of x.
        """
        self._check(x, lengths)
        state = self._checked(state, len(x))
        if lengths is not None:
            packed = pack_padded_sequence(x, lengths.cpu(), batch_first=True, enforce_sorted=False)
            output, state = self.packed(packed, state)
            return pad_packed_sequence(output, batch_first=True, total_length=x.size(1))[0], state
        if self.is_plain:
            with torch.autocast(x.device.type, enabled=False):
                return self._in_torch(x.to(self._weight.dtype), None, state)
        batch, time = len(x), x.size(1)
        rows, state = self._in_steps(x.transpose(0, 1).flatten(0, 1), [batch] * time, state)
        return rows.unflatten(0, (time, batch)).transpose(0, 1), state

    def packed(self, x: PackedSequence, state: State | None = None) -> tuple[PackedSequence, State]:
        """As `forward`, of packed sequences; the state is in the order of the batch before packing.

        Raises:
            InputError: shapes do not fit.
        """
        data, sizes, order, back = x
        state = self._checked(state, int(sizes[0]))
        if order is not None:
            state = tuple(part.index_select(1, order) for part in state)
        # Of packed sequences torch's LSTM takes twice the time of ours on a CPU.
        if self.is_plain and not (self.kind == "lstm" and data.device.type == "cpu"):
            with torch.autocast(data.device.type, enabled=False):
                output, state = self._in_torch(data.to(self._weight.dtype), sizes, state)
        else:
            output, state = self._in_steps(data, sizes.tolist(), state)
        if back is not None:
            state = tuple(part.index_select(1, back) for part in state)
        return PackedSequence(output, sizes, order, back), state

    def gates(
        self, x: Tensor, state: State | None = None, *, layer: int = -1, reverse: bool = False
    ) -> dict[str, Tensor]:
        """Every gate of one layer at every step, with "hidden" and, of an LSTM, "cell"; to look at.

        Args:
            x: sequences of one length.
            state: to begin with; zeros by default.
            layer: which one; the last by default.
            reverse: of the cell that goes from the last step to the first.

        Shapes:
            (batch, time, hidden) each.

        Raises:
            InputError: shapes do not fit, or there is no such layer or direction.
        """
        if not -self.layers <= layer < self.layers or (reverse and self.directions == 1):
            raise InputError(
                f"Expected a layer from 0 to {self.layers - 1} of {self.directions} direction(s), but got layer "
                f"{layer}{' in reverse' if reverse else ''}."
            )
        self._check(x, None)
        state = self._checked(state, len(x))
        layer %= self.layers
        for below in range(layer):
            x = torch.cat([self._hidden(x, state, below, direction) for direction in self._directions], dim=2)
        return self._gates(x, state, layer, int(reverse))

    def _hidden(self, x: Tensor, state: State, layer: int, direction: int) -> Tensor:
        return self._gates(x, state, layer, direction)["hidden"]

    def _gates(self, x: Tensor, state: State, layer: int, direction: int) -> dict[str, Tensor]:
        number = layer * self.directions + direction
        cell, now = self._cell(number), tuple(part[number] for part in state)
        found = []
        for step in x.flip(1).unbind(1) if direction else x.unbind(1):
            found.append(cell.gates(step, now))
            now = (found[-1]["hidden"], found[-1]["cell"]) if self.kind == "lstm" else (found[-1]["hidden"],)
        if direction:
            found.reverse()
        return {name: torch.stack([step[name] for step in found], dim=1) for name in found[0]}

    def _in_torch(self, x: Tensor, sizes: Tensor | None, state: State) -> tuple[Tensor, State]:
        """All layers in torch's kernel, that of `torch.nn.LSTM` and `torch.nn.RNN`."""
        weights = []
        for number in range(len(self.cells)):
            cell = self._cell(number)
            # torch adds two biases; the second stays zero.
            weights += [cell.weight_x, cell.weight_h, cell.bias, torch.zeros_like(cell.bias)]
        layers = (weights, True, self.layers, self.dropout, self.training, self.directions == 2)
        found: tuple[Tensor, ...]
        if self.kind == "rnn" and sizes is None:
            found = torch.rnn_tanh(x, state[0], *layers, True)
        elif self.kind == "rnn":
            found = torch.rnn_tanh(x, cast("Tensor", sizes), state[0], *layers)
        elif sizes is None:
            found = torch.lstm(x, state, *layers, True)
        else:
            found = torch.lstm(x, sizes, state, *layers)
        output, *last = found
        return output, tuple(last)

    def _in_steps(self, rows: Tensor, sizes: list[int], state: State) -> tuple[Tensor, State]:
        """All layers in our kernels."""
        lasts: list[State] = []
        with torch.autocast(rows.device.type, enabled=False):
            rows = rows.to(self._weight.dtype)
            for layer in range(self.layers):
                if layer:
                    rows = F.dropout(rows, self.dropout, self.training)
                outputs = []
                for direction in self._directions:
                    number = layer * self.directions + direction
                    begin = tuple(part[number] for part in state)
                    output, last = run_steps(self._cell(number), rows, sizes, begin, direction == 1)
                    outputs.append(output)
                    lasts.append(last)
                rows = outputs[0] if len(outputs) == 1 else torch.cat(outputs, dim=1)
        return rows, tuple(torch.stack(parts) for parts in zip(*lasts, strict=True))

    @property
    def _directions(self) -> range:
        return range(self.directions)

    @property
    def _weight(self) -> Tensor:
        return self._cell(0).weight_h

    def _cell(self, number: int) -> RecurrentCell:
        return cast("RecurrentCell", self.cells[number])

    def _check(self, x: Tensor, lengths: Tensor | None) -> None:
        if x.dim() != 3 or x.size(2) != self.inputs or 0 in x.shape[:2]:
            raise InputError(
                f"Expected x of shape (batch, time, {self.inputs}) with at least one sequence and one step, but got "
                f"{tuple(x.shape)}."
            )
        if lengths is None:
            return
        if lengths.shape != (len(x),) or lengths.is_floating_point():
            raise InputError(
                f"Expected a whole number of steps for each of {len(x)} sequences, but got {lengths}."
            )
        if int(lengths.min()) < 1 or int(lengths.max()) > x.size(1):
            raise InputError(
                f"Expected lengths from 1 to {x.size(1)}, but got lengths from {int(lengths.min())} to "
                f"{int(lengths.max())}; leave empty sequences out."
            )

    def _checked(self, state: State | None, batch: int) -> State:
        if state is None:
            return self.initial(batch)
        check_state(state, self.kind, (len(self.cells), batch, self.hidden))
        return tuple(state)

    def extra_repr(self) -> str:
        """What `print(layer)` says of it, besides its cells."""
        return f"layers={self.layers}, directions={self.directions}, dropout={self.dropout:g}"


def detached(state: State) -> State:
    """The state with no gradients behind it: where back-propagation through time is cut.

    Source: Williams & Peng 1990, truncated back-propagation through time.
    """
    return tuple(part.detach() for part in state)
