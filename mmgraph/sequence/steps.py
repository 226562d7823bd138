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
    starts = [0]
    for size in sizes[:-1]:
        starts.append(starts[-1] + size)
    steps = list(zip(starts, sizes, strict=True))
    steps = steps[::-1] if reverse else steps
    weights = (cell.weight_x, cell.weight_h, cell.bias)
    if cell.kind == "gru":
        hidden, last = _GRUSteps.apply(x, *state, *weights, steps)  # type: ignore[no-untyped-call]
        return hidden, (last,)
    hidden, *lasts = _LSTMSteps.apply(x, *state, *weights, cell.weight_c, cell.coupled, steps)  # type: ignore[no-untyped-call]
    return hidden, tuple(lasts)


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
        steps: list[tuple[int, int]],
    ) -> tuple[Tensor, Tensor, Tensor]:
        n, size_h = len(x), h0.size(1)
        gates = torch.addmm(bias, x, weight_x.t())
        # Gates before the candidate are i and f, or f alone; o comes after it.
        early = gates.size(1) - 2 * size_h
        to_gates = weight_h.t().contiguous()
        sights = () if weight_c is None else tuple(part.t().contiguous() for part in weight_c.split(early))
        hidden, cells, squashed = (x.new_empty(n, size_h) for _ in range(3))
        h_before, c_before = x.new_empty(n, size_h), x.new_empty(n, size_h)
        h, c = (
            h0.clone(memory_format=torch.contiguous_format),
            c0.clone(memory_format=torch.contiguous_format),
        )
        for start, size in steps:
            rows = slice(start, start + size)
            gate, h_row, c_row = gates[rows], h_before[rows].copy_(h[:size]), c_before[rows].copy_(c[:size])
            gate.addmm_(h_row, to_gates)
            sigmas, candidate, output = gate[:, :early], gate[:, early:-size_h], gate[:, -size_h:]
            if sights:
                sigmas.addmm_(c_row, sights[0])
            sigmas.sigmoid_()
            candidate.tanh_()
            cell = cells[rows]
            if coupled:
                torch.lerp(candidate, c_row, sigmas, out=cell)
            else:
                torch.mul(c_row, sigmas[:, size_h:], out=cell).addcmul_(sigmas[:, :size_h], candidate)
            if sights:
                output.addmm_(cell, sights[1])
            output.sigmoid_()
            torch.tanh(cell, out=squashed[rows])
            torch.mul(output, squashed[rows], out=hidden[rows])
            h[:size].copy_(hidden[rows])
            c[:size].copy_(cell)
        ctx.coupled, ctx.steps, ctx.early = coupled, steps, early
        ctx.save_for_backward(
            x,
            weight_x,
            weight_h,
            weight_c,
            gates,
            squashed,
            h_before,
            c_before,
            None if weight_c is None else cells,
        )
        return hidden, h, c

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
            torch.mul(c_before - candidate, forget, out=grads[:, :early]).mul_(write)
        else:
            write = gates[:, :size_h]
            torch.mul(candidate, write, out=grads[:, :size_h]).mul_(1 - write)
            torch.mul(c_before, forget, out=grads[:, size_h:early]).mul_(1 - forget)
        torch.mul(write, 1 - candidate.square(), out=grads[:, early:-size_h])
        torch.mul(squashed, output, out=grads[:, -size_h:]).mul_(1 - output)
        through_h = output * (1 - squashed.square())
        before_output = grads[:, :-size_h].unflatten(1, (-1, size_h))

        dh, dc = (
            grad_h.clone(memory_format=torch.contiguous_format),
            grad_c.clone(memory_format=torch.contiguous_format),
        )
        for start, size in reversed(ctx.steps):
            rows = slice(start, start + size)
            dh_row, dc_row = dh[:size], dc[:size]
            dh_row.add_(grad_hidden[rows])
            grads[rows, -size_h:].mul_(dh_row)
            dc_row.addcmul_(dh_row, through_h[rows])
            if weight_c is not None:
                dc_row.addmm_(grads[rows, -size_h:], weight_c[early:])
            before_output[rows].mul_(dc_row.unsqueeze(1))
            dc_row.mul_(forget[rows])
            if weight_c is not None:
                dc_row.addmm_(grads[rows, :early], weight_c[:early])
            torch.mm(grads[rows], weight_h, out=dh_row)
        grad_weight_c = None
        if weight_c is not None:
            grad_weight_c = torch.cat([grads[:, :early].t() @ c_before, grads[:, -size_h:].t() @ cells])
        grad_x = grads @ weight_x if ctx.needs_input_grad[0] else None
        weight_grads = (grads.t() @ x, grads.t() @ h_before, grads.sum(0), grad_weight_c)
        return grad_x, dh, dc, *weight_grads, None, None


class _GRUSteps(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        h0: Tensor,
        weight_x: Tensor,
        weight_h: Tensor,
        bias: Tensor,
        steps: list[tuple[int, int]],
    ) -> tuple[Tensor, Tensor]:
        n, size_h = len(x), h0.size(1)
        gates = torch.addmm(bias, x, weight_x.t())
        to_sigmas, to_candidate = (
            weight_h[: 2 * size_h].t().contiguous(),
            weight_h[2 * size_h :].t().contiguous(),
        )
        hidden, h_before, kept = (x.new_empty(n, size_h) for _ in range(3))
        h = h0.clone(memory_format=torch.contiguous_format)
        for start, size in steps:
            rows = slice(start, start + size)
            gate, h_row = gates[rows], h_before[rows].copy_(h[:size])
            sigmas, candidate = gate[:, : 2 * size_h], gate[:, 2 * size_h :]
            sigmas.addmm_(h_row, to_sigmas).sigmoid_()
            torch.mul(sigmas[:, :size_h], h_row, out=kept[rows])
            candidate.addmm_(kept[rows], to_candidate).tanh_()
            torch.lerp(h_row, candidate, sigmas[:, size_h:], out=hidden[rows])
            h[:size].copy_(hidden[rows])
        ctx.steps = steps
        ctx.save_for_backward(x, weight_x, weight_h, gates, h_before, kept)
        return hidden, h

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_hidden: Tensor, grad_h: Tensor) -> tuple[Tensor | None, ...]:
        x, weight_x, weight_h, gates, h_before, kept = ctx.saved_tensors
        size_h = h_before.size(1)
        reset, update, candidate = gates.chunk(3, dim=1)
        # First how far each gate moves h (or r∘h, for the reset gate); in the loop times the gradient there.
        grads = torch.empty_like(gates)
        torch.mul(kept, 1 - reset, out=grads[:, :size_h])
        torch.mul(candidate - h_before, update, out=grads[:, size_h : 2 * size_h]).mul_(1 - update)
        torch.mul(update, 1 - candidate.square(), out=grads[:, 2 * size_h :])
        stays = 1 - update
        moving = grads[:, size_h:].unflatten(1, (2, size_h))
        from_sigmas, from_candidate = weight_h[: 2 * size_h], weight_h[2 * size_h :]

        dh = grad_h.clone(memory_format=torch.contiguous_format)
        d_kept = torch.empty_like(dh)
        for start, size in reversed(ctx.steps):
            rows = slice(start, start + size)
            dh_row, d_kept_row = dh[:size], d_kept[:size]
            dh_row.add_(grad_hidden[rows])
            moving[rows].mul_(dh_row.unsqueeze(1))
            torch.mm(grads[rows, 2 * size_h :], from_candidate, out=d_kept_row)
            grads[rows, :size_h].mul_(d_kept_row)
            dh_row.mul_(stays[rows]).addcmul_(d_kept_row, reset[rows])
            dh_row.addmm_(grads[rows, : 2 * size_h], from_sigmas)
        grad_weight_h = torch.cat([grads[:, : 2 * size_h].t() @ h_before, grads[:, 2 * size_h :].t() @ kept])
        grad_x = grads @ weight_x if ctx.needs_input_grad[0] else None
        return grad_x, dh, grads.t() @ x, grad_weight_h, grads.sum(0), None
