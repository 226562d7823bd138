"""Seconds of forward and backward of our recurrent layers, beside torch.nn.LSTM with as many numbers.

    python benchmarks/sequence_cells.py [--only 64x32x128x256] [--pairs 12] [--block 0.25] [--threads 1]

A shape is steps × batch × inputs × hidden. Blocks of ours and of torch.nn.LSTM alternate in one process; a ratio is
the Hodges-Lehmann estimate over pairs of blocks with its 95 % interval, of processor time with one thread, which other
programs disturb less, and of the clock with more. The target is torch.nn.LSTM × 1.2 for the plain LSTM, × 1.6 for
the variants, which do more: peepholes add 3 matrices hidden × hidden to 4.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import torch
from paired import compare
from torch import nn

from mmgraph.sequence import Recurrent

SHAPES = ((64, 32, 128, 256), (64, 64, 64, 512), (128, 16, 64, 128), (35, 20, 200, 200))
LAYERS: dict[str, dict[str, Any]] = {
    "lstm": {},
    "lstm, lengths": {},
    "lstm, coupled": {"coupled": True},
    "lstm, peepholes": {"peephole": True},
    "lstm, peepholes, coupled": {"peephole": True, "coupled": True},
    "gru": {"kind": "gru"},
    "rnn": {"kind": "rnn"},
}
LIMITS = {"lstm": 1.2, "lstm, lengths": 1.2}
VARIANT_LIMIT = 1.6


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="*", help="shapes, as 64x32x128x256")
    parser.add_argument("--layers", nargs="*", choices=LAYERS, default=list(LAYERS))
    parser.add_argument("--pairs", type=int, default=12)
    parser.add_argument("--block", type=float, default=0.25)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    print(f"torch {torch.__version__}, {given.threads} thread(s), float32, forward + backward\n")
    print(
        f"{'steps × batch × in × hidden':28} {'layer':26} {'nn.LSTM ms':>10}  ratio [95 %]            limit"
    )
    for shape in SHAPES:
        if given.only and "x".join(map(str, shape)) not in given.only:
            continue
        for name in given.layers:
            torch.manual_seed(0)
            steps = step_of(shape, name, LAYERS[name])
            found = compare(*steps, pairs=given.pairs, block_seconds=given.block)
            ratio = found.cpu if given.threads == 1 else found.wall
            limit = LIMITS.get(name, VARIANT_LIMIT)
            print(
                f"{' × '.join(map(str, shape)):28} {name:26} {found.step_seconds * 1e3:10.1f}  "
                f"{ratio.estimate:.2f} [{ratio.low:.2f}, {ratio.high:.2f}]   {limit}  "
                f"{'pass' if ratio.estimate <= limit else 'FAIL'}",
                flush=True,
            )


def step_of(
    shape: tuple[int, int, int, int], name: str, options: dict[str, Any]
) -> tuple[Callable[[], None], Callable[[], None]]:
    """One forward and backward of torch's layer, and one of ours."""
    time, batch, inputs, hidden = shape
    peer, ours = nn.LSTM(inputs, hidden, batch_first=True), Recurrent(inputs, hidden, **options)
    x = torch.randn(batch, time, inputs)
    lengths = torch.randint(time // 4, time + 1, (batch,)) if name.endswith("lengths") else None

    def theirs() -> None:
        peer.zero_grad()
        if lengths is None:
            output, _ = peer(x)
        else:
            packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
            output = nn.utils.rnn.pad_packed_sequence(peer(packed)[0], batch_first=True)[0]
        output.sum().backward()

    def own() -> None:
        ours.zero_grad()
        ours(x, lengths=lengths)[0].sum().backward()

    return theirs, own


if __name__ == "__main__":
    main()
