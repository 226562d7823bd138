from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn.utils.rnn import pack_sequence
from torch_geometric.data import Data

from mmgraph.graph import Adjacency, SparseFeatures
from mmgraph.inspection.inputs import Inputs

EDGES = torch.tensor([[0, 1, 2, 3], [1, 2, 3, 4]])


def test_a_tuple_is_spread_a_dict_is_named_anything_else_is_one_argument() -> None:
    x = torch.ones(3)
    assert Inputs.of(x).args == (x,)
    assert Inputs.of((x, 1)).args == (x, 1)
    assert Inputs.of([x]).args == (x,)
    assert Inputs.of({"x": x}).kwargs == {"x": x}
    packed = pack_sequence([x])
    assert Inputs.of(packed).args == (packed,)
    assert Inputs.of(Inputs((x,))).args == (x,)


@pytest.mark.parametrize(
    ("probe", "count"),
    [
        (torch.zeros(7, 3), 7),
        ((torch.zeros(4, 2, 5), torch.zeros(4)), 4),
        ({"input_ids": torch.zeros(2, 9, dtype=torch.long), "mask": torch.ones(2, 9)}, 2),
        ((torch.zeros(2, 5), torch.zeros(2, 9, dtype=torch.long)), 2),
        ((torch.tensor(1.0), torch.zeros(0, 3)), 0),
        ((3, "text"), None),
        ((), None),
        ((torch.randint(50, 900, (2, 8)), torch.zeros(8, 8)), 2),
    ],
)
def test_a_batch_has_an_item_per_row(probe: object, count: int | None) -> None:
    inputs = Inputs.of(probe)
    assert not inputs.is_graph
    assert inputs.count == count
    assert inputs.edge_index is None


@pytest.mark.parametrize(
    "probe",
    [
        (torch.zeros(5, 3), EDGES),
        (EDGES, torch.zeros(5, 3)),
        {"x": torch.zeros(5, 3), "edge_index": EDGES.int()},
        (torch.arange(5), EDGES),
        Data(x=torch.zeros(5, 3), edge_index=EDGES),
        (torch.zeros(5, 3), Adjacency.from_edge_index(EDGES, 5)),
        (SparseFeatures.from_dense(torch.eye(5, 3)), EDGES),
        (SparseFeatures.from_dense(torch.eye(5, 3)), Adjacency.from_edge_index(EDGES, 5)),
    ],
)
def test_the_nodes_of_a_graph_are_its_items(probe: object) -> None:
    inputs = Inputs.of(probe)
    assert inputs.is_graph
    assert inputs.count == 5
    assert inputs.edge_index is not None
    assert inputs.edge_index.tolist() == EDGES.tolist()
    assert inputs.first(2) is inputs


def test_a_sparse_matrix_is_a_graph() -> None:
    matrix = torch.sparse_coo_tensor(EDGES, torch.ones(4), (5, 5), check_invariants=True)
    inputs = Inputs.of((torch.zeros(5, 3), matrix))
    assert inputs.is_graph
    assert inputs.count == 5


def test_sparse_features_are_rows_of_items_and_stay_whole() -> None:
    x = SparseFeatures.from_dense(torch.eye(5))
    inputs = Inputs.of((x,))
    assert not inputs.is_graph
    assert inputs.count == 5
    assert inputs.image is None
    assert inputs.device_kinds == {"cpu"}
    assert inputs.cloned().args == (x,)
    assert inputs.to(torch.device("meta")).args[0].device.type == "meta"


def test_a_graph_without_edges_is_a_graph() -> None:
    inputs = Inputs.of((torch.zeros(5, 3), torch.zeros(2, 0, dtype=torch.long)))
    assert inputs.is_graph
    assert inputs.count == 5


def test_first_cuts_what_has_a_row_per_item() -> None:
    x, mask, scale = torch.arange(12).view(6, 2), torch.ones(6), torch.ones(4, 4)
    inputs = Inputs((x, {"mask": mask, "scale": scale}), {"flag": True}).first(4)
    assert torch.equal(inputs.args[0], x[:4])
    assert inputs.args[1]["mask"].shape == (4,)
    assert inputs.args[1]["scale"] is scale
    assert inputs.kwargs == {"flag": True}
    assert inputs.count == 4


def test_clones_are_apart_and_without_gradient() -> None:
    x = torch.ones(3, 2, requires_grad=True)
    data = Data(x=torch.ones(3, 2), edge_index=EDGES[:, :2])
    copied = Inputs((x, [x])).cloned()
    with torch.no_grad():
        x.zero_()
    assert copied.args[0].sum() == 6
    assert not copied.args[1][0].requires_grad
    graph = Inputs((data,)).cloned()
    data.x.zero_()
    assert graph.args[0].x.sum() == 6


def test_to_moves_every_tensor_and_graph() -> None:
    def devices(inputs: Inputs) -> set[str]:
        x, data, packed = inputs.args
        return {x.device.type, data.x.device.type, packed.data.device.type}

    inputs = Inputs((torch.ones(3, 2), Data(x=torch.ones(3, 2)), pack_sequence([torch.ones(2)])))
    assert devices(inputs) == {"cpu"}
    moved: Tensor = inputs.to(torch.device("meta")).args[0]
    assert moved.device.type == "meta"
    assert devices(inputs) == {"cpu"}


def test_finds_the_argument_that_holds_pictures() -> None:
    image = torch.zeros(2, 3, 8, 8)
    assert Inputs((torch.zeros(2, 5), image)).image is image
    assert Inputs((torch.zeros(2, 5, 8, 8),)).image is None
    assert Inputs((torch.zeros(2, 3, 1, 8),)).image is None
