from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch_geometric.nn import GATConv as TorchGATConv
from torch_geometric.nn import GATv2Conv, GCNConv, TransformerConv

from mmgraph.graph import GNN, Adjacency, GATConv
from mmgraph.inspection import Capture, Limits
from mmgraph.runs import Snapshot


def attention(
    model: nn.Module, *inputs: Any, limits: Limits | None = None, **kwargs: Any
) -> dict[str, Snapshot]:
    capture = Capture(model, kinds=("attention",), limits=limits or Limits())
    found = {snapshot.layer: snapshot for snapshot in capture.capture(*inputs, **kwargs)}
    assert capture.remarks == ()
    return found


class Dot(nn.Module):
    """Calls scaled_dot_product_attention as it is told."""

    def forward(self, q: Tensor, k: Tensor, v: Tensor, **options: Any) -> Tensor:
        return F.scaled_dot_product_attention(q, k, v, **options)


def by_hand(q: Tensor, k: Tensor, mask: Tensor | None = None, scale: float | None = None) -> Tensor:
    weights = torch.zeros(*q.shape[:-1], k.shape[-2])
    for place in np.ndindex(*q.shape[:-2]):
        scores = q[place] @ k[place].T * (1 / math.sqrt(q.shape[-1]) if scale is None else scale)
        if mask is not None:
            scores = scores + mask.expand(*q.shape[:-2], *scores.shape)[place]
        weights[place] = scores.exp() / scores.exp().sum(-1, keepdim=True)
    return weights


def qkv(*shape: int, keys: int | None = None, dtype: torch.dtype = torch.float32) -> tuple[Tensor, ...]:
    generator = torch.Generator().manual_seed(1)
    other = (*shape[:-2], keys or shape[-2], shape[-1])
    return tuple(torch.randn(size, generator=generator).to(dtype) for size in (shape, other, other))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_plain_dot_product(dtype: torch.dtype) -> None:
    q, k, v = qkv(3, 2, 5, 4, keys=7, dtype=dtype)
    found = attention(Dot(), q, k, v)["model"]
    assert found.axes == ("items", "heads", "queries", "keys")
    assert found.array.dtype == np.float32
    assert found.items == "items"
    assert found.extras["rows"].tolist() == [0, 1, 2]
    np.testing.assert_allclose(found.array, by_hand(q.float(), k.float()), atol=1e-6)


def test_causal_dot_product_looks_only_back() -> None:
    q, k, v = qkv(2, 2, 5, 4)
    found = attention(Dot(), q, k, v, is_causal=True)["model"].array
    mask = torch.full((5, 5), -torch.inf).triu(1)
    np.testing.assert_allclose(found, by_hand(q, k, mask), atol=1e-6)
    assert (np.triu(found, 1) == 0).all()


def test_causal_with_more_keys_than_queries_is_aligned_as_in_torch() -> None:
    q, k, v = qkv(1, 1, 3, 4, keys=6)
    found = torch.from_numpy(attention(Dot(), q, k, v, is_causal=True)["model"].array)
    torch.testing.assert_close(found @ v, F.scaled_dot_product_attention(q, k, v, is_causal=True))


@pytest.mark.parametrize("shape", [(5, 6), (1, 6), (2, 1, 5, 6), (2, 3, 5, 6), (1, 3, 5, 6), (3, 5, 6)])
@pytest.mark.parametrize("boolean", [True, False])
def test_masks_of_every_shape(shape: tuple[int, ...], boolean: bool) -> None:
    q, k, v = qkv(2, 3, 5, 4, keys=6)
    mask = torch.randn(shape, generator=torch.Generator().manual_seed(3))
    if boolean:
        mask = mask > -0.5
        mask[..., 0] = True
    found = torch.from_numpy(attention(Dot(), q, k, v, attn_mask=mask)["model"].array)
    torch.testing.assert_close(found @ v, F.scaled_dot_product_attention(q, k, v, attn_mask=mask))


def test_scale_and_grouped_queries() -> None:
    q, _, _ = qkv(2, 6, 5, 4)
    _, k, v = qkv(2, 2, 5, 4)
    found = torch.from_numpy(attention(Dot(), q, k, v, scale=0.3, enable_gqa=True)["model"].array)
    assert found.shape == (2, 6, 5, 5)
    torch.testing.assert_close(found @ v.repeat_interleave(3, 1), Dot()(q, k, v, scale=0.3, enable_gqa=True))
    np.testing.assert_allclose(found, by_hand(q, k.repeat_interleave(3, 1), scale=0.3), atol=1e-6)


def test_a_query_that_sees_nothing_attends_to_nothing() -> None:
    q, k, v = qkv(1, 1, 2, 4)
    mask = torch.tensor([[True, True], [False, False]])
    found = attention(Dot(), q, k, v, attn_mask=mask)["model"].array
    assert found[0, 0, 1].tolist() == [0, 0]


def test_three_dimensions_are_items_or_heads() -> None:
    q, k, v = qkv(3, 5, 4)
    as_items = attention(Dot(), q, k, v)["model"]
    assert as_items.array.shape == (3, 1, 5, 5)

    class OneItem(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return F.scaled_dot_product_attention(q, k, v) + x.sum()

    as_heads = attention(OneItem(), torch.zeros(2))["model"]
    assert as_heads.axes == ("heads", "queries", "keys")
    np.testing.assert_allclose(as_heads.array, as_items.array[:, 0])


def test_long_sequences_are_thinned_and_say_so() -> None:
    q, k, v = qkv(2, 2, 40, 4)
    found = attention(Dot(), q, k, v, is_causal=True, limits=Limits(values=2 * 10 * 10))["model"]
    assert found.array.shape == (1, 2, 10, 10)
    assert dict(found.notes) == {
        "shown": 1, "of": 2, "queries_shown": 10, "queries_of": 40, "keys_shown": 10, "keys_of": 40,
    }  # fmt: skip
    rows, columns = found.extras["queries"], found.extras["keys"]
    mask = torch.full((40, 40), -torch.inf).triu(1)
    whole = by_hand(q[:1], k[:1], mask).numpy()
    np.testing.assert_allclose(found.array, whole[:, :, rows][..., columns], atol=1e-6)


def test_named_after_the_module_that_is_running(transformer: Callable[[], nn.Module], tokens: Tensor) -> None:
    found = attention(transformer(), tokens)
    assert set(found) == {"layer.self_attn", "attention"}
    assert found["attention"].array.shape == (4, 4, 7, 7)
    np.testing.assert_allclose(found["attention"].array.sum(-1), 1, atol=1e-5)


def test_second_map_of_a_module_has_a_number() -> None:
    class Twice(nn.Module):
        def forward(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
            once = F.scaled_dot_product_attention(q, k, v)
            return F.scaled_dot_product_attention(once, v, k)

    assert set(attention(Twice(), *qkv(2, 2, 3, 4))) == {"model", "model#2"}


# -- nn.MultiheadAttention -----------------------------------------------------------------------------------


class Multihead(nn.Module):
    """An attention layer that is called as it is told, and notes what it got back."""

    def __init__(self, **options: Any) -> None:
        super().__init__()
        self.layer = nn.MultiheadAttention(8, 2, **options)
        self.got: Any = None

    def forward(self, q: Tensor, k: Tensor, v: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        self.got = self.layer(q, k, v, *args, **kwargs)
        return self.got[0]


@pytest.mark.parametrize(
    "options", [{"batch_first": True}, {}, {"batch_first": True, "bias": False, "kdim": 8}]
)
@pytest.mark.parametrize("call", [{}, {"need_weights": False}, {"average_attn_weights": False}])
def test_multihead_weights_are_its_own_and_the_caller_gets_what_it_asked_for(
    options: dict[str, Any], call: dict[str, Any]
) -> None:
    torch.manual_seed(0)
    model = Multihead(**options).eval()
    q, k, v = qkv(3, 5, 8, keys=6)
    if not options.get("batch_first"):
        q, k, v = (x.transpose(0, 1) for x in (q, k, v))
    expected = model.layer(q, k, v, average_attn_weights=False)[1].detach()
    plain = model.layer(q, k, v, **call)
    found = attention(model, q, k, v, **call)["layer"]
    np.testing.assert_allclose(found.array, expected[:4], atol=1e-6)
    torch.testing.assert_close(model.got[0], plain[0])
    assert (model.got[1] is None) == (plain[1] is None)
    if plain[1] is not None:
        torch.testing.assert_close(model.got[1], plain[1])


def test_multihead_with_positional_masks() -> None:
    torch.manual_seed(0)
    model = Multihead(batch_first=True).eval()
    q, k, v = qkv(5, 4, 8)
    padding = torch.zeros(5, 4, dtype=torch.bool)
    padding[:, 3] = True
    mask = torch.randn(10, 4, 4)
    expected = model.layer(q, k, v, padding.float().masked_fill(padding, -torch.inf), True, mask, False)[1]
    found = attention(model, q, k, v, padding.float().masked_fill(padding, -torch.inf), False, mask)["layer"]
    assert dict(found.notes) == {"shown": 4, "of": 5}
    np.testing.assert_allclose(found.array, expected[:4].detach(), atol=1e-6)
    assert (found.array[..., 3] == 0).all()


def test_multihead_without_a_batch() -> None:
    model = Multihead().eval()
    q, k, v = qkv(4, 8)
    found = attention(model, q, k, v)["layer"]
    assert found.axes == ("heads", "queries", "keys")
    expected = model.layer(q, k, v, average_attn_weights=False)[1].detach()
    np.testing.assert_allclose(found.array, expected, atol=1e-6)


def test_multihead_on_long_sequences_is_thinned() -> None:
    torch.manual_seed(0)
    model = Multihead(batch_first=True).eval()
    q, _, _ = qkv(2, 30, 8)
    causal = nn.Transformer.generate_square_subsequent_mask(30)
    expected = model.layer(q, q, q, attn_mask=causal, average_attn_weights=False)[1].detach().numpy()
    found = attention(
        model, q, q, q, attn_mask=causal, is_causal=True, need_weights=False, limits=Limits(values=2 * 36)
    )["layer"]
    rows, columns = found.extras["queries"], found.extras["keys"]
    assert found.array.shape == (1, 2, 6, 6)
    np.testing.assert_allclose(found.array, expected[:1][:, :, rows][..., columns], atol=1e-6)


def test_multihead_extra_keys_are_left_out() -> None:
    model = Multihead(batch_first=True, add_bias_kv=True, add_zero_attn=True).eval()
    q, k, v = qkv(2, 3, 8, keys=5)
    assert attention(model, q, k, v)["layer"].array.shape == (2, 2, 3, 5)


@pytest.mark.parametrize("training", [True, False])
def test_encoder_and_decoder_layers_of_torch(training: bool) -> None:
    model = nn.Transformer(8, 2, 2, 1, 16, batch_first=True).train(training)
    source, target = torch.randn(3, 6, 8), torch.randn(3, 4, 8)
    padding = torch.zeros(3, 6, dtype=torch.bool)
    padding[0, 4:] = True
    found = attention(model, source, target, src_key_padding_mask=padding)
    assert {name: snapshot.array.shape[1:] for name, snapshot in found.items()} == {
        "encoder.layers.0.self_attn": (2, 6, 6),
        "encoder.layers.1.self_attn": (2, 6, 6),
        "decoder.layers.0.self_attn": (2, 4, 4),
        "decoder.layers.0.multihead_attn": (2, 4, 6),
    }
    assert (found["encoder.layers.0.self_attn"].array[0, ..., 4:] == 0).all()


# -- graph layers ----------------------------------------------------------------------------------------------


class Wrapped(nn.Module):
    def __init__(self, conv: nn.Module) -> None:
        super().__init__()
        self.conv = conv

    def forward(self, x: Tensor, graph: Any, **kwargs: Any) -> Tensor:
        return self.conv(x, graph, **kwargs)


@pytest.mark.parametrize(
    "conv",
    [
        TorchGATConv(5, 4, heads=3),
        GATv2Conv(5, 4, heads=3, concat=False),
        TransformerConv(5, 4, heads=3),
        TorchGATConv(5, 4, heads=3, add_self_loops=False),
    ],
)
def test_torch_geometric_layers_give_weights_per_edge(conv: nn.Module, graph: tuple[Tensor, Tensor]) -> None:
    x, edges = graph
    expected_edges, expected = conv(x, edges, return_attention_weights=True)[1]
    found = attention(Wrapped(conv), x, edges)["conv"]
    assert found.axes == ("heads", "edges")
    assert found.items == "items"
    assert found.extras["edge_index"].dtype == np.int32
    assert found.extras["edge_index"].tolist() == expected_edges.tolist()
    np.testing.assert_allclose(found.array, expected.detach().T, atol=1e-6)


@pytest.mark.parametrize("as_adjacency", [True, False])
def test_our_layers_give_weights_per_edge(as_adjacency: bool, graph: tuple[Tensor, Tensor]) -> None:
    x, edges = graph
    conv = GATConv(5, 4, heads=3)
    structure = Adjacency.from_edge_index(edges, 30) if as_adjacency else edges
    expected_edges, expected = conv.attention(x, structure)
    found = attention(Wrapped(conv), x, structure)["conv"]
    assert found.extras["edge_index"].tolist() == expected_edges.tolist()
    np.testing.assert_allclose(found.array, expected.detach().T, atol=1e-6)
    into = np.zeros((3, 30))
    for head in range(3):
        np.add.at(into[head], found.extras["edge_index"][1], found.array[head])
    np.testing.assert_allclose(into, 1, atol=1e-5)


def test_a_network_of_graph_layers_is_asked_layer_by_layer(graph: tuple[Tensor, Tensor]) -> None:
    found = attention(GNN(5, 4, 3, num_layers=3, conv="gat", heads=2), *graph)
    assert {name: len(snapshot.array) for name, snapshot in found.items()} == {
        "convs.0": 2, "convs.1": 2, "convs.2": 1,
    }  # fmt: skip


def test_layers_without_attention_give_none(graph: tuple[Tensor, Tensor]) -> None:
    assert attention(GNN(5, 4, 3, conv="gcn"), *graph) == {}
    assert attention(Wrapped(GCNConv(5, 4)), *graph) == {}


def test_many_edges_are_thinned_and_say_so(graph: tuple[Tensor, Tensor]) -> None:
    x, edges = graph
    conv = TransformerConv(5, 4, heads=2)
    whole = attention(Wrapped(conv), x, edges)["conv"]
    found = attention(Wrapped(conv), x, edges, limits=Limits(values=60))["conv"]
    assert found.array.shape == (2, 30)
    assert dict(found.notes) == {"edges_shown": 30, "edges_of": 90}
    np.testing.assert_allclose(found.array, whole.array[:, ::3])
    assert found.extras["edge_index"].tolist() == whole.extras["edge_index"][:, ::3].tolist()


def test_a_layer_that_cannot_tell_is_remarked_on_and_the_rest_is_kept(graph: tuple[Tensor, Tensor]) -> None:
    class Mute(TransformerConv):
        def forward(self, x: Tensor, edge_index: Tensor, return_attention_weights: Any = None) -> Tensor:
            if return_attention_weights:
                raise ValueError("not today")
            return super().forward(x, edge_index)

    capture = Capture(Wrapped(Mute(5, 4)), kinds=("attention", "prediction"))
    assert [snapshot.kind for snapshot in capture.capture(*graph)] == ["prediction"]
    assert capture.remarks == ("The attention of 'conv' could not be read (ValueError: not today).",)
