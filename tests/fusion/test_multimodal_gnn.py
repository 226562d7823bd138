from __future__ import annotations

import pytest
import torch
from torch import nn

from mmgraph.errors import InputError
from mmgraph.fusion import Fusion
from mmgraph.fusion.multimodal_gnn import MultimodalGNN
from mmgraph.graph import GNN, Adjacency

EDGES = torch.tensor([[0, 1, 1, 2, 3, 4], [1, 0, 2, 1, 4, 3]])


def network(strategy: str = "gated", conv: str = "gcn") -> MultimodalGNN:
    torch.manual_seed(0)
    encoders = {"image": nn.Linear(3, 4), "words": nn.Linear(5, 4)}
    fusion = Fusion(encoders, {"image": 4, "words": 4}, 6, strategy=strategy, dim=8)  # type: ignore[arg-type]
    return MultimodalGNN(fusion, GNN(6, 7, 3, conv=conv)).eval()  # type: ignore[arg-type]


def inputs() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return {
        "image": torch.randn(5, 3, generator=generator),
        "words": torch.randn(5, 5, generator=generator),
    }


def test_it_is_the_fusion_and_then_the_network() -> None:
    model, graph = network(), Adjacency.from_edge_index(EDGES, 5)
    expected = model.gnn(model.fusion(inputs()).relu(), graph)
    torch.testing.assert_close(model(inputs(), graph), expected)
    torch.testing.assert_close(model(inputs(), EDGES), expected)


def test_what_a_missing_modality_holds_changes_nothing_here_nor_at_neighbours() -> None:
    model = network()
    present = {"image": torch.tensor([False, True, True, True, True])}
    other = inputs()
    other["image"][0] = 1e6
    torch.testing.assert_close(model(inputs(), EDGES, present), model(other, EDGES, present))


def test_messages_go_along_edges_alone() -> None:
    model, other = network(), inputs()
    other["words"][3] += 1
    one, two = model(inputs(), EDGES), model(other, EDGES)
    torch.testing.assert_close(one[:3], two[:3])
    assert not torch.allclose(one[4], two[4])


def test_gates_say_what_contributes() -> None:
    model = network("gated")
    shares = model.contributions(inputs(), EDGES, {"words": torch.tensor([True, True, False, True, True])})
    assert shares.method == "weights"
    assert torch.isnan(shares.values[2, 1])
    torch.testing.assert_close(shares.values.nansum(1), torch.ones(5))


def test_without_gates_a_modality_is_hidden_everywhere() -> None:
    model = network("early").train()
    present = {"words": torch.tensor([True, True, False, True, True])}
    shares = model.contributions(inputs(), EDGES, present)
    assert shares.method == "leave-one-out"
    assert model.training
    model.eval()
    told = model(inputs(), EDGES, present).log_softmax(1)
    answer = told.argmax(1, keepdim=True)
    words_only = model(
        inputs(), EDGES, {"image": torch.tensor([False, False, True, False, False]), **present}
    )
    less = words_only.log_softmax(1).gather(1, answer)
    expected = (told.gather(1, answer) - less).squeeze(1)
    torch.testing.assert_close(shares.values[[0, 1, 3, 4], 0], expected[[0, 1, 3, 4]])


def test_a_fusion_must_answer_with_what_the_network_takes() -> None:
    with pytest.raises(InputError, match="answers with 6"):
        MultimodalGNN(network().fusion, GNN(5, 7, 3))
