from __future__ import annotations

import pytest
import torch

from mmgraph.errors import InputError
from mmgraph.graph import Adjacency, RelationalGCNConv, SparseFeatures


def relations(edge_index):
    """Some of three relations for every edge; a fourth is never used."""
    return (edge_index[0] * 2 + edge_index[1] + torch.arange(edge_index.size(1))) % 3


@pytest.mark.parametrize("num_bases", [None, 1, 2])
@pytest.mark.parametrize("given", ["edge_index", "Adjacency"])
def test_outputs_and_gradients_equal_torch_geometric(pyg, edges, dtype, compare, tolerance, num_bases, given):
    edge_index, num_nodes = edges
    relation = relations(edge_index)
    torch.manual_seed(0)
    ours = RelationalGCNConv(5, 3, 4, num_bases=num_bases).to(dtype)
    torch.nn.init.normal_(ours.bias)
    theirs = pyg.nn.RGCNConv(5, 3, 4, num_bases=num_bases).to(dtype)
    with torch.no_grad():
        theirs.weight.copy_(ours.weight.mT)
        theirs.root.copy_(ours.weight_root.T)
        theirs.bias.copy_(ours.bias)
        if num_bases:
            theirs.comp.copy_(ours.coefficients)
    x = torch.randn(num_nodes, 5, dtype=dtype, generator=torch.Generator().manual_seed(1), requires_grad=True)
    graph = edge_index if given == "edge_index" else Adjacency.from_edge_index(edge_index, num_nodes)
    ours_at, theirs_at = [x, ours.bias], [x, theirs.bias]
    if num_bases:
        ours_at.append(ours.coefficients)
        theirs_at.append(theirs.comp)
    compare(ours(x, graph, relation), theirs(x, edge_index, relation), ours_at, theirs_at)
    got = torch.autograd.grad(ours(x, graph, relation).sum(), [ours.weight, ours.weight_root])
    wanted = torch.autograd.grad(
        theirs(x, edge_index, relation).sum(), [theirs.weight, theirs.root], allow_unused=True
    )
    for mine, other in zip(got, wanted, strict=True):
        torch.testing.assert_close(mine, torch.zeros_like(mine) if other is None else other.mT, **tolerance)


@pytest.mark.parametrize("num_bases", [None, 2])
def test_gradients_are_the_derivatives(num_bases):
    torch.manual_seed(0)
    conv = RelationalGCNConv(3, 2, 2, num_bases=num_bases).double()
    edge_index, relation = torch.tensor([[0, 1, 2, 0, 0], [1, 2, 0, 1, 1]]), torch.tensor([0, 1, 1, 0, 1])
    x = torch.randn(3, 3, dtype=torch.float64, requires_grad=True)

    def output(x, *parameters):
        names = [name for name, _ in conv.named_parameters()]
        given = dict(zip(names, parameters, strict=True))
        return torch.func.functional_call(conv, given, (x, edge_index, relation))

    assert torch.autograd.gradcheck(output, (x, *conv.parameters()))


@pytest.mark.parametrize("num_bases", [None, 2])
def test_renaming_nodes_and_sparse_features(num_bases):
    torch.manual_seed(0)
    conv = RelationalGCNConv(6, 2, 3, num_bases=num_bases).double()
    edge_index = torch.tensor([[0, 1, 2, 2, 5, 3, 3], [1, 0, 1, 2, 0, 1, 1]])
    relation, x = relations(edge_index), torch.eye(6, dtype=torch.float64)
    expected = conv(x, edge_index, relation)
    torch.testing.assert_close(conv(SparseFeatures.from_dense(x), edge_index, relation), expected)
    renamed, shuffled = torch.randperm(6), torch.randperm(7)
    moved = torch.empty_like(x)
    moved[renamed] = x
    y = conv(moved, renamed[edge_index[:, shuffled]], relation[shuffled])
    torch.testing.assert_close(y[renamed], expected)


@pytest.mark.parametrize("num_bases", [None, 2])
def test_no_edges_and_no_nodes(num_bases):
    conv = RelationalGCNConv(4, 2, 3, num_bases=num_bases)
    nothing, none = torch.empty(2, 0, dtype=torch.int64), torch.empty(0, dtype=torch.int64)
    torch.testing.assert_close(conv(torch.eye(4), nothing, none), conv.weight_root.T + conv.bias)
    assert conv(torch.empty(0, 4), nothing, none).shape == (0, 2)


@pytest.mark.parametrize(
    ("relation", "message"),
    [
        (torch.tensor([0]), r"one relation per edge, \(2,\), but got \(1,\)"),
        (torch.tensor([0.0, 1.0]), "integers, but got torch.float32"),
        (torch.tensor([0, 2]), "≥ 0 and < 2, but they go from 0 to 2"),
        (torch.tensor([-1, 0]), "from -1 to 0"),
        (None, "got NoneType"),
    ],
)
def test_bad_input_is_refused(relation, message):
    conv = RelationalGCNConv(3, 2, 2)
    with pytest.raises(InputError, match=message):
        conv(torch.ones(2, 3), torch.tensor([[0, 1], [1, 0]]), relation)


def test_bad_arguments_are_refused():
    with pytest.raises(InputError, match="at least 1 relation"):
        RelationalGCNConv(3, 2, 0)
    with pytest.raises(InputError, match="at least 1 basis"):
        RelationalGCNConv(3, 2, 2, num_bases=0)


@pytest.mark.parametrize("num_bases", [None, 2])
def test_relations_are_sorted_once_and_again_when_they_change(num_bases):
    torch.manual_seed(0)
    conv, x = RelationalGCNConv(3, 2, 2, num_bases=num_bases), torch.randn(3, 3)
    edge_index, relation = torch.tensor([[0, 1, 2, 0], [1, 2, 0, 1]]), torch.tensor([0, 1, 1, 0])
    graph = Adjacency.from_edge_index(edge_index, 3)
    conv(x, graph, relation)
    kept = graph.relational(relation, 2)
    assert graph.relational(relation, 2) is kept
    assert graph.relational(relation.clone(), 2) is not kept
    relation[3] = 1
    changed = conv(x, graph, relation)
    assert torch.equal(changed, conv(x, edge_index, relation))
    assert graph.relational(relation, 2).relation.tolist() != kept.relation.tolist()
    with pytest.raises(InputError, match="from 0 to 1"):
        graph.relational(relation, 1)
