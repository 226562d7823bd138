"""Variants of the LSTM, and the GRU, over all steps at once, with their gradients written out.

What does not depend on the step before is one matrix product over all steps: W_x x, and the gradients of all weights.
A step is left with its products with h (and C), and few operators on its rows. Items are rows sorted by length,
step after step, as in `torch.nn.utils.rnn.PackedSequence`: step t has the rows of the sequences that are that long.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from mmgraph.sequence.cell import RecurrentCell, State


def run_steps(
    cell: RecurrentCell, x: Tensor, sizes: list[int], state: State, reverse: bool
) -> tuple[Tensor, State]:
    """The hidden state after every step, and the state after the last step of each sequence.

    Args:
        cell: an LSTM or a GRU.
        x: rows of all steps.
        sizes: rows of each step; never more than in the step before.
        state: to begin with.
        reverse: from the last step to the first.

    Shapes:
        x (rows, inputs), state (batch, hidden) each: (rows, hidden) and (batch, hidden) each.
    """
    weights = (cell.weight_x, cell.weight_h, cell.bias)
    if cell.kind == "gru":
        hidden, last = _GRUSteps.apply(x, *state, *weights, sizes, reverse)  # type: ignore[no-untyped-call]
        return hidden, (last,)
    hidden, *lasts = _LSTMSteps.apply(x, *state, *weights, cell.weight_c, cell.coupled, sizes, reverse)  # type: ignore[no-untyped-call]
    return hidden, tuple(lasts)


class _Steps:
    """The rows of each step, in the order in which steps are computed."""

    def __init__(self, sizes: list[int], reverse: bool) -> None:
        self.in_time = sizes
        self.turn = -1 if reverse else 1
        self.sizes = sizes[:: self.turn]

    def of(self, rows: Tensor) -> tuple[Tensor, ...]:
        """The rows of each step; views, all made in one call, which is most of what slicing them would cost."""
        found: tuple[Tensor, ...] = rows.split(self.in_time)
        return found[:: self.turn]

    def starting(self, before: Tensor | None, initial: Tensor, size: int) -> Tensor:
        """The state that a step starts from: that of the step before, and the initial one of sequences that begin."""
        if before is None:
            return initial[:size]
        if len(before) >= size:
            return before if len(before) == size else before[:size]
        return torch.cat([before, initial[len(before) : size]])

    def last(self, rows: tuple[Tensor, ...]) -> Tensor:
        """Of each sequence the row of its last step, from all rows by step."""
        parts: list[Tensor] = []
        covered = 0
        for step in reversed(rows):
            if len(step) > covered:
                parts.append(step[covered:])
                covered = len(step)
        return torch.cat(parts)

    def before(self, starts: list[Tensor]) -> Tensor:
        """What steps started from, as rows in the order of time."""
        return torch.cat(starts[:: self.turn])


class _LSTMSteps(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        h0: Tensor,
        c0: Tensor,
        weight_x: Tensor,
        weight_h: Tensor,
        bias: Tensor,
        weight_c: Tensor | None,
        coupled: bool,
        sizes: list[int],
        reverse: bool,
    ) -> tuple[Tensor, Tensor, Tensor]:
        n, size_h = len(x), h0.size(1)
        steps = _Steps(sizes, reverse)
        gates = torch.addmm(bias, x, weight_x.t())
        # Gates before the candidate are i and f, or f alone; o comes after it.
        early = gates.size(1) - 2 * size_h
        to_gates = weight_h.t().contiguous()
        sights = None if weight_c is None else weight_c.t().contiguous()
        seen: Tensor | None = None
        hidden, cells, squashed = (x.new_empty(n, size_h) for _ in range(3))
        hiddens = steps.of(hidden)
        h_starts, c_starts = [], []
        h: Tensor | None = None
        c: Tensor | None = None
        for gate, sigmas, write, forget, candidate, output, cell, squash, out in zip(
            steps.of(gates),
            steps.of(gates[:, :early]),
            steps.of(gates[:, :size_h]),
            steps.of(gates[:, early - size_h : early]),
            steps.of(gates[:, early:-size_h]),
            steps.of(gates[:, -size_h:]),
            steps.of(cells),
            steps.of(squashed),
            hiddens,
            strict=True,
        ):
            h, c = steps.starting(h, h0, len(gate)), steps.starting(c, c0, len(gate))
            h_starts.append(h)
            c_starts.append(c)
            gate.addmm_(h, to_gates)
            if sights is not None:
                if seen is not None and len(seen) >= len(gate):
                    sigmas.add_(seen[: len(gate), :early])
                else:
                    sigmas.addmm_(c, sights[:, :early])
            sigmas.sigmoid_()
            candidate.tanh_()
            if coupled:
                torch.lerp(candidate, c, sigmas, out=cell)
            else:
                torch.mul(c, forget, out=cell).addcmul_(write, candidate)
            if sights is not None:
                # What all gates see of a cell: the output gate of this step, and the others of the next.
                seen = torch.mm(cell, sights)
                output.add_(seen[:, early:])
            output.sigmoid_()
            torch.tanh(cell, out=squash)
            torch.mul(output, squash, out=out)
            h, c = out, cell
        ctx.coupled, ctx.steps, ctx.early = coupled, steps, early
        ctx.save_for_backward(
            x,
            weight_x,
            weight_h,
            weight_c,
            gates,
            squashed,
            steps.before(h_starts),
            steps.before(c_starts),
            None if weight_c is None else cells,
        )
        return hidden, steps.last(hiddens), steps.last(steps.of(cells))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_hidden: Tensor, grad_h: Tensor, grad_c: Tensor) -> tuple[Tensor | None, ...]:
        x, weight_x, weight_h, weight_c, gates, squashed, h_before, c_before, cells = ctx.saved_tensors
        size_h, early = squashed.size(1), ctx.early
        candidate, output, forget = (
            gates[:, early:-size_h],
            gates[:, -size_h:],
            gates[:, early - size_h : early],
        )
        # First how far each gate moves C (or h, for the output gate); in the loop times the gradient there.
        grads = torch.empty_like(gates)
        if ctx.coupled:
            write = 1 - forget
            _sigmoid(c_before - candidate, forget, grads[:, :early])
        else:
            write = gates[:, :size_h]
            _sigmoid(candidate, write, grads[:, :size_h])
            _sigmoid(c_before, forget, grads[:, size_h:early])
        _tanh(write, candidate, grads[:, early:-size_h])
        _sigmoid(squashed, output, grads[:, -size_h:])
        through_h = _tanh(output, squashed, torch.empty_like(squashed))

        dh, dc = (
            grad_h.clone(memory_format=torch.contiguous_format),
            grad_c.clone(memory_format=torch.contiguous_format),
        )
        steps: _Steps = ctx.steps
        dh_row, dc_row = dh, dc
        for grad_out, grad, grad_early, grad_output, before_output, kept, through in zip(
            *(
                reversed(steps.of(rows))
                for rows in (
                    grad_hidden,
                    grads,
                    grads[:, :early],
                    grads[:, -size_h:],
                    grads[:, :-size_h].unflatten(1, (-1, size_h)),
                    forget,
                    through_h,
                )
            ),
            strict=True,
        ):
            if len(grad) != len(dh_row):
                dh_row, dc_row = dh[: len(grad)], dc[: len(grad)]
            dh_row.add_(grad_out)
            grad_output.mul_(dh_row)
            dc_row.addcmul_(dh_row, through)
            if weight_c is not None:
                dc_row.addmm_(grad_output, weight_c[early:])
            before_output.mul_(dc_row.unsqueeze(1))
            dc_row.mul_(kept)
            if weight_c is not None:
                dc_row.addmm_(grad_early, weight_c[:early])
            torch.mm(grad, weight_h, out=dh_row)
        grad_weight_c = None
        if weight_c is not None:
            grad_weight_c = torch.cat([grads[:, :early].t() @ c_before, grads[:, -size_h:].t() @ cells])
        grad_x = grads @ weight_x if ctx.needs_input_grad[0] else None
        weight_grads = (grads.t() @ x, grads.t() @ h_before, grads.sum(0), grad_weight_c)
        return grad_x, dh, dc, *weight_grads, None, None, None


class _GRUSteps(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        h0: Tensor,
        weight_x: Tensor,
        weight_h: Tensor,
        bias: Tensor,
        sizes: list[int],
        reverse: bool,
    ) -> tuple[Tensor, Tensor]:
        n, size_h = len(x), h0.size(1)
        steps = _Steps(sizes, reverse)
        gates = torch.addmm(bias, x, weight_x.t())
        to_sigmas, to_candidate = (
            weight_h[: 2 * size_h].t().contiguous(),
            weight_h[2 * size_h :].t().contiguous(),
        )
        hidden, kept = x.new_empty(n, size_h), x.new_empty(n, size_h)
        hiddens = steps.of(hidden)
        starts = []
        h: Tensor | None = None
        for sigmas, reset, update, candidate, stay, out in zip(
            steps.of(gates[:, : 2 * size_h]),
            steps.of(gates[:, :size_h]),
            steps.of(gates[:, size_h : 2 * size_h]),
            steps.of(gates[:, 2 * size_h :]),
            steps.of(kept),
            hiddens,
            strict=True,
        ):
            h = steps.starting(h, h0, len(out))
            starts.append(h)
            sigmas.addmm_(h, to_sigmas).sigmoid_()
            torch.mul(reset, h, out=stay)
            candidate.addmm_(stay, to_candidate).tanh_()
            torch.lerp(h, candidate, update, out=out)
            h = out
        ctx.steps = steps
        ctx.save_for_backward(x, weight_x, weight_h, gates, steps.before(starts), kept)
        return hidden, steps.last(hiddens)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_hidden: Tensor, grad_h: Tensor) -> tuple[Tensor | None, ...]:
        x, weight_x, weight_h, gates, h_before, kept = ctx.saved_tensors
        size_h = h_before.size(1)
        reset, update, candidate = gates.chunk(3, dim=1)
        # First how far each gate moves h (or r∘h, for the reset gate); in the loop times the gradient there.
        grads = torch.empty_like(gates)
        _sigmoid(h_before, reset, grads[:, :size_h])
        _sigmoid(candidate - h_before, update, grads[:, size_h : 2 * size_h])
        _tanh(update, candidate, grads[:, 2 * size_h :])
        stays = 1 - update
        from_sigmas, from_candidate = weight_h[: 2 * size_h], weight_h[2 * size_h :]

        dh = grad_h.clone(memory_format=torch.contiguous_format)
        d_kept = torch.empty_like(dh)
        steps: _Steps = ctx.steps
        dh_row, d_kept_row = dh, d_kept
        for grad_out, grad_sigmas, grad_reset, moving, grad_candidate, stay, resets in zip(
            *(
                reversed(steps.of(rows))
                for rows in (
                    grad_hidden,
                    grads[:, : 2 * size_h],
                    grads[:, :size_h],
                    grads[:, size_h:].unflatten(1, (2, size_h)),
                    grads[:, 2 * size_h :],
                    stays,
                    reset,
                )
            ),
            strict=True,
        ):
            if len(grad_out) != len(dh_row):
                dh_row, d_kept_row = dh[: len(grad_out)], d_kept[: len(grad_out)]
            dh_row.add_(grad_out)
            moving.mul_(dh_row.unsqueeze(1))
            torch.mm(grad_candidate, from_candidate, out=d_kept_row)
            grad_reset.mul_(d_kept_row)
            dh_row.mul_(stay).addcmul_(d_kept_row, resets)
            dh_row.addmm_(grad_sigmas, from_sigmas)
        grad_weight_h = torch.cat([grads[:, : 2 * size_h].t() @ h_before, grads[:, 2 * size_h :].t() @ kept])
        grad_x = grads @ weight_x if ctx.needs_input_grad[0] else None
        return grad_x, dh, grads.t() @ x, grad_weight_h, grads.sum(0), None, None


def _sigmoid(slope: Tensor, value: Tensor, out: Tensor) -> Tensor:
    """slope ∘ y ∘ (1 − y) of y = σ(x), in one pass."""
    found: Tensor = torch.ops.aten.sigmoid_backward.grad_input(slope, value, grad_input=out)
    return found


def _tanh(slope: Tensor, value: Tensor, out: Tensor) -> Tensor:
    """slope ∘ (1 − y²) of y = tanh x, in one pass."""
    found: Tensor = torch.ops.aten.tanh_backward.grad_input(slope, value, grad_input=out)
    return found
