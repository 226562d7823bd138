from __future__ import annotations

import pytest
import torch

from mmgraph.errors import InputError, UnknownNameError
from mmgraph.graph import JumpingKnowledge


@pytest.mark.parametrize("mode", ["cat", "max", "lstm"])
@pytest.mark.parametrize("num_layers", [1, 2, 3])
def test_outputs_and_gradients_equal_torch_geometric(pyg, dtype, compare, mode, num_layers):
    torch.manual_seed(0)
    ours = JumpingKnowledge(mode, 4, num_layers).to(dtype)
    theirs = pyg.nn.JumpingKnowledge(mode, 4, num_layers).to(dtype)
    pairs = []
    if mode == "lstm":
        theirs.lstm.load_state_dict(ours.lstm.state_dict())
        theirs.att.load_state_dict(ours.score.state_dict())
        pairs = [
            *zip(ours.lstm.parameters(), theirs.lstm.parameters(), strict=True),
            *zip(ours.score.parameters(), theirs.att.parameters(), strict=True),
        ]
    layers = [torch.randn(5, 4, dtype=dtype, requires_grad=True) for _ in range(num_layers)]
    compare(
        ours(layers),
        theirs(layers),
        [*layers, *(mine for mine, _ in pairs)],
        [*layers, *(other for _, other in pairs)],
    )
    assert ours(layers).shape == (5, ours.out_channels)


@pytest.mark.parametrize("mode", ["cat", "max", "lstm"])
def test_no_nodes(mode):
    joined = JumpingKnowledge(mode, 4, 2)
    assert joined([torch.empty(0, 4)] * 2).shape == (0, joined.out_channels)


def test_bad_input_is_refused():
    with pytest.raises(UnknownNameError, match="way to join layers 'mean'"):
        JumpingKnowledge("mean", 4, 2)
    with pytest.raises(InputError, match="at least 1 layer"):
        JumpingKnowledge("cat", 4, 0)
    with pytest.raises(InputError, match="each direction of the LSTM"):
        JumpingKnowledge("lstm", 1, 1)
    joined = JumpingKnowledge("cat", 4, 2)
    with pytest.raises(InputError, match=r"Expected 2 layers \(num_nodes, 4\), but got 1"):
        joined([torch.ones(3, 4)])
    with pytest.raises(InputError, match=r"got 2 of \(3, 4\), \(3, 5\)"):
        joined([torch.ones(3, 4), torch.ones(3, 5)])
    with pytest.raises(InputError, match="layers of the same nodes"):
        joined([torch.ones(3, 4), torch.ones(2, 4)])
