from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
import scipy.sparse
import torch

from mmgraph.errors import InputError
from mmgraph.graph import GNN, Adjacency, GATConv, GCNConv, SparseFeatures, propagate
from mmgraph.graph.convolutions.catalogue import Convolution
from mmgraph.graph.sparse_features import dropout, linear

SHAPES = {
    "wide": (6, 9),
    "tall": (9, 4),
    "square": (5, 5),
    "one node": (1, 7),
    "one channel": (7, 1),
    "no nodes": (0, 3),
}
EDGES = torch.tensor([[0, 1, 1, 2, 3, 4], [1, 0, 2, 1, 0, 4]])


def words(shape: tuple[int, int], dtype: torch.dtype = torch.float32, share: float = 0.4) -> torch.Tensor:
    """Features with zeros, an empty last row and an empty first column where there is more than one."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(shape, dtype=dtype, generator=generator)
    x *= torch.rand(shape, generator=generator) < share
    if min(shape) > 1:
        x[-1] = 0
        x[:, 0] = 0
    return x


@pytest.fixture(params=SHAPES)
def x(request, dtype) -> torch.Tensor:
    return words(SHAPES[request.param], dtype)


def test_there_and_back(x):
    sparse = SparseFeatures.from_dense(x)
    assert torch.equal(sparse.to_dense(), x)
    assert sparse.pattern.num_entries == int((x != 0).sum())
    assert (sparse.shape, len(sparse), sparse.dim()) == (x.shape, len(x), 2)
    assert [sparse.size(0), sparse.size(-1)] == list(x.shape)
    assert (sparse.dtype, sparse.device) == (x.dtype, x.device)
    assert sparse.density == pytest.approx(float((x != 0).sum()) / max(x.numel(), 1))
    assert torch.equal(sparse.to_torch().to_dense(), x)


@pytest.mark.parametrize("layout", [torch.sparse_coo, torch.sparse_csr, torch.sparse_csc])
def test_from_every_layout_of_torch(x, layout):
    assert torch.equal(SparseFeatures.from_torch(x.to_sparse(layout=layout)).to_dense(), x)


@pytest.mark.parametrize("layout", ["coo", "csr", "csc", "lil", "dok"])
def test_from_every_format_of_scipy(layout):
    x = words((6, 4), torch.float64)
    for kind in (scipy.sparse.coo_array, scipy.sparse.coo_matrix):
        sparse = SparseFeatures.from_scipy(kind(x.numpy()).asformat(layout))
        assert torch.equal(sparse.to_dense(), x)


def test_equal_entries_add_up_before_they_can_be_dropped():
    row, col, value = [1, 1, 0, 1], [2, 2, 0, 2], [1.0, 2.0, 5.0, 4.0]
    coo = torch.sparse_coo_tensor(
        torch.tensor([row, col]), torch.tensor(value), (2, 3), check_invariants=True
    )
    csr = scipy.sparse.csr_array(([5.0, 1.0, 2.0, 4.0], [0, 2, 2, 2], [0, 1, 4]), shape=(2, 3))
    for sparse in (
        SparseFeatures.from_torch(coo),
        SparseFeatures.from_scipy(scipy.sparse.coo_array((value, (row, col)), shape=(2, 3))),
        SparseFeatures.from_scipy(csr),
    ):
        assert sparse.value.tolist() == [5.0, 7.0]
        assert sparse.to_dense().tolist() == [[5.0, 0.0, 0.0], [0.0, 0.0, 7.0]]
    assert csr.nnz == 4


@pytest.mark.parametrize("kind", [np.int8, np.int64, np.uint8, np.bool_])
def test_counts_become_numbers_of_the_default_type(kind):
    sparse = SparseFeatures.from_scipy(scipy.sparse.csr_array(np.eye(3, 4, dtype=kind)))
    assert sparse.dtype == torch.float32
    assert torch.equal(sparse.to_dense(), torch.eye(3, 4))


def test_moving_keeps_what_it_can():
    sparse = SparseFeatures.from_dense(words((6, 9)))
    assert sparse.to("cpu") is sparse
    assert sparse.to(torch.float32) is sparse
    double = sparse.to(torch.float64)
    assert double.dtype == torch.float64
    assert double.pattern is sparse.pattern
    moved = sparse.to(torch.device("meta"))
    assert moved.device.type == moved.pattern.col.device.type == "meta"
    assert moved.shape == (6, 9)


def test_product_and_gradients_equal_the_dense_ones(x, dtype, tolerance):
    generator = torch.Generator().manual_seed(1)
    weight = torch.randn(3, x.size(1), dtype=dtype, generator=generator, requires_grad=True)
    grad = torch.randn(len(x), 3, dtype=dtype, generator=generator)
    sparse = SparseFeatures.from_dense(x)
    value = sparse.value.clone().requires_grad_()
    dense = x.clone().requires_grad_()

    ours = linear(sparse.with_value(value), weight)
    theirs = torch.nn.functional.linear(dense, weight)
    torch.testing.assert_close(ours, theirs, **tolerance)
    got = torch.autograd.grad(ours, (weight, value), grad)
    wanted = torch.autograd.grad(theirs, (weight, dense), grad)
    torch.testing.assert_close(got[0], wanted[0], **tolerance)
    torch.testing.assert_close(got[1], wanted[1][sparse.pattern.row, sparse.pattern.col], **tolerance)


def test_first_and_second_derivatives():
    sparse = SparseFeatures.from_dense(words((4, 6), torch.float64))
    weight = torch.randn(
        2, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(1), requires_grad=True
    )
    value = sparse.value.clone().requires_grad_()

    def product(value: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        return linear(sparse.with_value(value), weight)

    assert torch.autograd.gradcheck(product, (value, weight))
    assert torch.autograd.gradgradcheck(product, (value, weight))


def test_gradients_reach_the_dense_tensor_where_it_is_not_zero():
    x = torch.tensor([[0.0, 2.0], [3.0, 0.0]], requires_grad=True)
    linear(SparseFeatures.from_dense(x), torch.tensor([[5.0, 7.0]])).sum().backward()
    assert x.grad.tolist() == [[0.0, 7.0], [5.0, 0.0]]


@pytest.mark.parametrize("shape", [(4, 3), (0, 3), (4, 1)])
def test_all_zero(shape):
    sparse = SparseFeatures.from_dense(torch.zeros(shape))
    weight = torch.ones(2, shape[1], requires_grad=True)
    y = linear(dropout(sparse, 0.5), weight)
    assert torch.equal(y, torch.zeros(shape[0], 2))
    y.sum().backward()
    assert torch.equal(weight.grad, torch.zeros(2, shape[1]))
    assert sparse.density == 0


@pytest.mark.parametrize("half", [torch.float16, torch.bfloat16])
def test_half_precision_is_summed_in_float32(half):
    # 300 ones: bfloat16 alone would stop counting at 256.
    weight = torch.ones(2, 300, dtype=half, requires_grad=True)
    y = linear(SparseFeatures.from_dense(torch.ones(1, 300, dtype=half)), weight)
    assert y.dtype == half
    assert y.tolist() == [[300.0, 300.0]]
    y.sum().backward()
    assert weight.grad.dtype == half


def test_memory_is_that_of_the_entries():
    # 2,000,000 × 100,000 would take 800 GB.
    matrix = scipy.sparse.coo_array(([1.0, 2.0], ([0, 1_999_999], [99_999, 0])), shape=(2_000_000, 100_000))
    weight = torch.ones(1, 100_000, dtype=torch.float64, requires_grad=True)
    sparse = SparseFeatures.from_scipy(matrix)
    linear(dropout(sparse, 0.0), weight).sum().backward()
    assert weight.grad.sum() == 3.0


@pytest.mark.parametrize("p", [0.0, 0.3, 0.5, 0.9, 1.0])
def test_dropout_drops_its_share_and_keeps_the_mean(p):
    sparse = SparseFeatures.from_dense(torch.full((200, 100), 3.0))
    torch.manual_seed(0)
    value = dropout(sparse, p).value
    kept = value[value != 0]
    # Five standard deviations of the share.
    assert 1 - len(kept) / len(value) == pytest.approx(p, abs=5 * (p * (1 - p) / len(value)) ** 0.5)
    torch.testing.assert_close(kept, torch.full_like(kept, 3 / (1 - p) if p < 1 else 0.0), rtol=1e-4, atol=0)


def test_dropout_is_independent_in_every_call_and_repeats_under_one_seed():
    sparse = SparseFeatures.from_dense(words((40, 30)))
    torch.manual_seed(3)
    first, second = dropout(sparse, 0.5), dropout(sparse, 0.5)
    torch.manual_seed(3)
    assert torch.equal(dropout(sparse, 0.5).value, first.value)
    assert not torch.equal(first.value, second.value)
    assert first.pattern is sparse.pattern
    assert dropout(sparse, 0.5, training=False) is sparse


def test_dropout_passes_gradients_where_it_keeps():
    sparse = SparseFeatures.from_dense(words((40, 30)))
    value = sparse.value.clone().requires_grad_()
    torch.manual_seed(0)
    dropped = dropout(sparse.with_value(value), 0.5).value
    dropped.sum().backward()
    torch.testing.assert_close(value.grad, torch.where(dropped != 0, 2.0, 0.0))


def layers() -> list[torch.nn.Module]:
    torch.manual_seed(0)
    return [
        GCNConv(7, 3),
        GCNConv(7, 12),
        GCNConv(7, 3, normalization="row"),
        GATConv(7, 3, heads=2),
        GATConv(7, 3, heads=2, concat=False),
        GNN(7, 4, 3, dropout=0.0),
        GNN(7, 4, 3, num_layers=1),
        GNN(7, 4, 3, conv="gat", dropout=0.0),
    ]


@pytest.mark.parametrize("layer", layers(), ids=lambda layer: f"{type(layer).__name__}({layer.extra_repr()})")
def test_layers_give_the_same_as_with_dense_features(layer, dtype, tolerance):
    layer = layer.to(dtype).eval()
    x = words((5, 7), dtype)
    graph = Adjacency.from_edge_index(EDGES, 5)
    parameters = list(layer.parameters())
    expected = layer(x, graph)
    grad = torch.randn(expected.shape, dtype=dtype, generator=torch.Generator().manual_seed(2))
    wanted = torch.autograd.grad(expected, parameters, grad)
    for given in (graph, EDGES):
        ours = layer(SparseFeatures.from_dense(x), given)
        torch.testing.assert_close(ours, expected, **tolerance)
        for mine, other in zip(torch.autograd.grad(ours, parameters, grad), wanted, strict=True):
            torch.testing.assert_close(mine, other, **tolerance)


def test_embedding_and_attention_equal_those_of_dense_features():
    torch.manual_seed(0)
    x, graph = words((5, 7)), Adjacency.from_edge_index(EDGES, 5)
    sparse = SparseFeatures.from_dense(x)
    for num_layers in (1, 2):
        model = GNN(7, 4, 3, num_layers, conv="gat").eval()
        torch.testing.assert_close(model.embed(sparse, graph), model.embed(x, graph))
        maps, expected = model.attention(sparse, graph), model.attention(x, graph)
        assert list(maps) == list(expected)
        for name, (edge_index, alpha) in maps.items():
            assert torch.equal(edge_index, expected[name][0])
            torch.testing.assert_close(alpha, expected[name][1])


def test_the_network_drops_sparse_features_before_the_first_layer():
    sparse = SparseFeatures.from_dense(words((5, 7)))
    model = GNN(7, 4, 3, num_layers=1, dropout=1.0)
    assert torch.equal(model(sparse, EDGES), torch.zeros(5, 3))
    assert not torch.equal(model.eval()(sparse, EDGES), torch.zeros(5, 3))


def test_a_network_learns_from_sparse_features():
    torch.manual_seed(0)
    labels = torch.arange(60) % 3
    x = torch.zeros(60, 30)
    x[torch.arange(60), labels * 10 + torch.randint(10, (60,))] = 1
    ring = torch.arange(60)
    graph = Adjacency.from_edge_index(torch.stack([ring, (ring + 3) % 60]), 60)
    sparse, model = SparseFeatures.from_dense(x), GNN(30, 8, 3)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    for _ in range(60):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(sparse, graph), labels).backward()
        optimizer.step()
    assert torch.equal(model.eval()(sparse, graph).argmax(1), labels)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SparseFeatures.from_dense(torch.ones(3)), r"shape \(3,\)"),
        (lambda: SparseFeatures.from_dense(torch.ones(3, 2, dtype=torch.int64)), "floating-point"),
        (lambda: SparseFeatures.from_dense(torch.eye(3).to_sparse()), "sparse_coo: use from_torch"),
        (lambda: SparseFeatures.from_dense([[1.0]]), "got list"),
        (lambda: SparseFeatures.from_torch(torch.eye(3)), "strided: use from_dense"),
        (lambda: SparseFeatures.from_torch(torch.eye(3).to_sparse(1)), "dense blocks"),
        (lambda: SparseFeatures.from_torch(torch.eye(3, dtype=torch.int64).to_sparse()), "floating-point"),
        (lambda: SparseFeatures.from_torch(torch.ones(2, 2, 2).to_sparse()), r"shape \(2, 2, 2\)"),
        (lambda: SparseFeatures.from_scipy(torch.eye(3)), "got Tensor"),
        (lambda: SparseFeatures.from_scipy(scipy.sparse.csr_array(np.eye(2) * 1j)), "real numbers"),
        (
            lambda: SparseFeatures.from_dense(torch.eye(3)).with_value(torch.ones(2)),
            r"\(3,\), but got \(2,\)",
        ),
        (lambda: SparseFeatures.from_dense(torch.eye(3)).to(torch.int64), "floating-point"),
    ],
)
def test_what_is_no_features_is_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_layers_refuse_what_does_not_fit():
    sparse = SparseFeatures.from_dense(words((5, 7)))
    with pytest.raises(InputError, match=r"features \(num_nodes, 6\), but got \(5, 7\)"):
        GCNConv(6, 3)(sparse, EDGES)
    with pytest.raises(InputError, match=r"features \(num_nodes, 6\), but got \(5, 7\)"):
        GNN(6, 4, 3)(sparse, EDGES)
    with pytest.raises(InputError, match=r"SparseFeatures\.from_torch"):
        GATConv(7, 3)(sparse.to_dense().to_sparse(), EDGES)
    with pytest.raises(InputError, match="got csr_array"):
        GNN(7, 4, 3)(scipy.sparse.csr_array(np.eye(5, 7)), EDGES)
    with pytest.raises(InputError, match="4 nodes and the features have 5 rows"):
        GCNConv(7, 3)(sparse, Adjacency.from_edge_index(EDGES[:, :4], 4))
    with pytest.raises(InputError, match=r"torch\.float64 on cpu and torch\.float32 on cpu"):
        GCNConv(7, 3)(sparse.to(torch.float64), EDGES)
    with pytest.raises(InputError, match=r"weight \(out_channels, 7\), but got \(3, 6\)"):
        linear(sparse, torch.ones(3, 6))
    with pytest.raises(InputError, match="got SparseFeatures: multiply them with a weight first"):
        propagate(Adjacency.from_edge_index(EDGES, 5), sparse)


def test_rows_of_some_nodes_in_their_order():
    x = torch.tensor([[0.0, 1, 2], [0, 0, 0], [3, 0, 4], [0, 5, 0]])
    sparse = SparseFeatures.from_dense(x.requires_grad_())
    for nodes in ([2, 0, 1], [3], [2, 2, 1], []):
        rows = torch.tensor(nodes, dtype=torch.int64)
        chosen = sparse.rows(rows)
        assert torch.equal(chosen.to_dense(), x[rows])
        weight = torch.arange(6.0).view(2, 3)
        torch.testing.assert_close(linear(chosen, weight), x[rows] @ weight.T)
    (gradient,) = torch.autograd.grad(sparse.rows(torch.tensor([2, 2])).value.sum(), x)
    assert torch.equal(gradient, torch.tensor([[0.0, 0, 0], [0, 0, 0], [2, 0, 2], [0, 0, 0]]))
    for wrong in ([4], [-1]):
        with pytest.raises(InputError, match="node indices"):
            sparse.rows(torch.tensor(wrong))
    with pytest.raises(InputError, match="node numbers"):
        sparse.rows(torch.tensor([True, False, False, True]))


@pytest.mark.parametrize("conv", sorted(set(get_args(Convolution)) - {"edge", "rgcn"}))
def test_every_network_takes_them_under_autocast(conv):
    torch.manual_seed(0)
    x, edge_index = torch.randn(6, 5).relu(), torch.tensor([[0, 1, 2, 3, 4, 5], [1, 0, 3, 2, 5, 4]])
    model = GNN(5, 4, 3, conv=conv, heads=2).eval()
    expected = model(x, edge_index)
    with torch.autocast("cpu", dtype=torch.float16):
        logits = model(SparseFeatures.from_dense(x), edge_index)
    torch.testing.assert_close(logits.float(), expected, rtol=0.05, atol=0.02)
