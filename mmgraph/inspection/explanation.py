"""Which edges and features a graph network's answer about a node or pair hangs on, through torch_geometric.explain."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import torch
from torch import Tensor, nn
from torch_geometric.explain import Explainer, Explanation, GNNExplainer
from torch_geometric.explain.algorithm import ExplainerAlgorithm
from torch_geometric.explain.algorithm.utils import clear_masks, set_masks
from torch_geometric.nn import MessagePassing
from torch_geometric.utils import k_hop_subgraph

from mmgraph.errors import InputError, UnknownNameError
from mmgraph.graph import Adjacency, SparseFeatures
from mmgraph.graph.edge_masking import masked_edges
from mmgraph.inspection.undisturbed import unwrapped
from mmgraph.runs import Snapshot

if TYPE_CHECKING:
    from mmgraph.graph.sparse_features import Features

Method = Literal["gnnexplainer", "integrated-gradients"]
METHODS: tuple[str, ...] = get_args(Method)

EXPLAINER_LEARNING_RATE = 0.1
"""Ten times the default of torch_geometric, with which weights are still near where they started after 200 epochs."""


class EdgeWeights(MessagePassing):  # type: ignore[misc]
    """Where the explainers of torch_geometric leave the weights of edges; it sends nothing."""


class Explainable(nn.Module):
    """A network of our layers, as the explainers of torch_geometric want it.

        explainer = Explainer(Explainable(model), GNNExplainer(), edge_mask_type="object", …)

    They leave the weights of edges in each torch_geometric layer they find; the one here passes them on to ours.

    Args:
        model: (x, graph) → one row of scores per node, or (x, graph, pairs) → scores of each pair; layers of
            torch_geometric may be among its own. Then it takes an edge_index, and `edge_weight` where edges weigh.
        item_shape: of what each node brings, where that is no vector; the explainers see it flat.
        pairs: that are asked about; None for nodes.
        inputs: further inputs of the model, by keyword.

    Shapes:
        x (nodes, features), edge_index (2, E), pairs (2, n): as the model.

    Raises:
        InputError: edges weigh, but the model has layers of torch_geometric and takes no `edge_weight`.
    """

    def __init__(
        self,
        model: nn.Module,
        item_shape: tuple[int, ...] | None = None,
        *,
        pairs: Tensor | None = None,
        inputs: Mapping[str, Tensor] | None = None,
    ) -> None:
        super().__init__()
        self.model = model
        self.item_shape, self.pairs, self.inputs = item_shape, pairs, dict(inputs or {})
        self.messages = EdgeWeights()
        self.reads_edge_index = any(isinstance(module, MessagePassing) for module in model.modules())

    def forward(self, x: Tensor, edge_index: Tensor, graph: Adjacency | None = None) -> Tensor:
        """The scores; `graph` holds weights of the edges, in the order of edge_index."""
        if self.item_shape is not None:
            x = x.unflatten(1, self.item_shape)
        mask = self.messages._edge_mask
        if mask is None:
            return self.scores(x, edge_index, graph)
        with masked_edges(edge_index, mask.sigmoid() if self.messages._apply_sigmoid else mask):
            return self.scores(x, edge_index, graph)

    def scores(self, x: Features, edge_index: Tensor, graph: Adjacency | None = None) -> Tensor:
        """A row per node or pair; a single score s of a pair becomes (0, s), as softmax takes it."""
        given: Any = edge_index
        inputs = dict(self.inputs)
        if not self.reads_edge_index:
            given = Adjacency.from_edge_index(edge_index, len(x)) if graph is None else graph
        elif graph is not None and (weight := graph.to_edge_index()[1]) is not None:
            if "edge_weight" not in inspect.signature(self.model.forward).parameters:
                raise InputError(
                    f"Expected a model that takes edge_weight, for edges of this graph weigh and layers of "
                    f"torch_geometric see no Adjacency, but {type(self.model).__name__} does not: add the argument, or "
                    f"explain the graph without weights."
                )
            inputs["edge_weight"] = weight
        found: Tensor = self.model(x, given, *(() if self.pairs is None else (self.pairs,)), **inputs)
        return torch.stack([torch.zeros_like(found), found], dim=1) if found.dim() == 1 else found


class IntegratedGradients(ExplainerAlgorithm):  # type: ignore[misc]
    """What each edge and feature adds to a score on the way from nothing to everything.

    aₖ = zₖ ∫₀¹ ∂f(αz)/∂zₖ dα,  z the features and the weights of the edges; Σₖ aₖ = f(z) − f(0)

    Edges start without messages, features at zero. The integral is a sum over the middles of equal steps.

    Args:
        steps: of the integral.

    Source: Sundararajan, Taly & Yan, "Axiomatic attribution for deep networks", ICML 2017.
    """

    def __init__(self, steps: int = 32) -> None:
        super().__init__()
        self.steps = steps

    def forward(
        self,
        model: nn.Module,
        x: Tensor,
        edge_index: Tensor,
        *,
        target: Tensor,
        index: Any = None,
        **kwargs: Any,
    ) -> Explanation:
        """Attributions of features (as node_mask) and edges (as edge_mask)."""
        kind = self.explainer_config.node_mask_type
        by_feature, by_edge = torch.zeros_like(x), x.new_zeros(edge_index.size(1))
        for step in range(self.steps):
            share = (step + 0.5) / self.steps
            moved = (x if kind is None else x * share).detach().requires_grad_()
            weight = x.new_full((edge_index.size(1),), share).requires_grad_()
            weigh_edges(model, edge_index, weight)
            try:
                score = _score(model(moved, edge_index, **kwargs), target, index)
            finally:
                clear_masks(model)
            of_x, of_edges = torch.autograd.grad(score, (moved, weight), materialize_grads=True)
            by_feature += of_x / self.steps
            by_edge += of_edges / self.steps
        by_feature = by_feature * x
        if kind is not None and kind.value == "common_attributes":
            by_feature = by_feature.sum(0, keepdim=True)
        elif kind is not None and kind.value == "object":
            by_feature = by_feature.sum(1, keepdim=True)
        has_edges = self.explainer_config.edge_mask_type is not None
        return Explanation(
            node_mask=None if kind is None else by_feature, edge_mask=by_edge if has_edges else None
        )

    def supports(self) -> bool:
        """Whether the explainer's settings can be met: all but other return types than scores can."""
        return True


@dataclass(frozen=True)
class NodeExplanation:
    """What a network's answer about one node, or one pair of nodes, hangs on.

    Args:
        node: which node, or pair.
        target: the class that is explained.
        probability: the network's own probability of that class.
        methods: of METHODS, in the order of the rows below.
        edge_index: the edges that can have an influence, by the numbers of the graph's nodes.
        edges: which of the graph's edges these are, in the order they were given in.
        edge_weight: how much each matters: 0 to 1 from GNNExplainer, a signed share of the score from integrated
            gradients.
        feature_weight: the same of the features, over all nodes in reach; of pixels where nodes are images.
        answer: the target in a word; empty where it is a class of the items.

    Shapes:
        edge_index (2, k), edges (k,), edge_weight (methods, k), feature_weight (methods, features).
    """

    node: int | tuple[int, int]
    target: int
    probability: float
    methods: tuple[str, ...]
    edge_index: Tensor
    edges: Tensor
    edge_weight: Tensor
    feature_weight: Tensor
    answer: str = ""

    def snapshot(self, items: str | None = None) -> Snapshot:
        """For a run folder: one head per method, each scaled to a largest magnitude of 1."""
        scale = self.edge_weight.abs().amax(1, keepdim=True) if self.edge_weight.numel() else 1
        shown = self.edge_weight.abs() / torch.where(torch.as_tensor(scale) > 0, scale, 1)
        return Snapshot(
            "attention",
            "explanation of "
            + (str(self.node) if isinstance(self.node, int) else "{} – {}".format(*self.node)),
            shown.float().cpu().numpy(),
            axes=("heads", "edges"),
            items=items,
            extras={
                "edge_index": self.edge_index.int().cpu().numpy(),
                "feature_weight": self.feature_weight.float().cpu().numpy(),
            },
            notes={
                "explains": self.node if isinstance(self.node, int) else list(self.node),
                "target": self.target,
                "probability": self.probability,
                "heads": list(self.methods),
                **({"answer": self.answer} if self.answer else {}),
            },
        )


def explain(
    model: nn.Module,
    x: Features,
    graph: Adjacency | Tensor,
    node: int | tuple[int, int],
    *,
    inputs: Mapping[str, Tensor] | None = None,
    edge_inputs: Mapping[str, Tensor] | None = None,
    methods: tuple[str, ...] = METHODS,
    target: int | None = None,
    epochs: int = 100,
    steps: int = 32,
    seed: int = 0,
) -> NodeExplanation:
    """Explain a network's answer about one node or pair, on the part of the graph that can have an influence.

    The model is copied first, so that nothing of it changes, and its random numbers are its own.

    Args:
        model: (x, graph) → scores of the classes of each node, or (x, graph, pairs) → those of each pair, or one
            score by which it is a link; of our layers, of torch_geometric's, or both.
        x: features of all nodes.
        graph: `edge_index` or `Adjacency`.
        node: whose answer; two nodes for a pair.
        inputs: what else the model takes, by keyword.
        edge_inputs: what else it takes with a row per edge, by keyword, in the order of the edges of the graph.
        methods: "gnnexplainer" learns weights of edges and features that keep the answer with as few as possible;
            "integrated-gradients" adds up gradients.
        target: the class to explain, of a single score 1 for a link and 0 for none; the one the network chooses by
            default.
        epochs: of GNNExplainer.
        steps: of integrated gradients.
        seed: of GNNExplainer's first weights.

    Shapes:
        x (nodes, features), or (nodes, …) for an encoder.

    Raises:
        InputError: there is no such node or class, no layer of the model sends messages along edges, or it cannot
            take the weights of the graph.
        UnknownNameError: there is no such method.

    Source: Ying et al., "GNNExplainer", NeurIPS 2019; Sundararajan, Taly & Yan, ICML 2017.
    """
    whole = Adjacency.of(graph, len(x))
    ends = [node] if isinstance(node, int) else list(node)
    for end in ends:
        if not 0 <= end < len(x):
            raise InputError(f"Expected a node from 0 to {len(x) - 1}, but got {end}.")
    if not methods:
        raise InputError(f"Expected at least one method of explanation: {', '.join(METHODS)}.")
    for method in methods:
        if method not in METHODS:
            raise UnknownNameError.of("method of explanation", method, METHODS)
    edge_index, weight = whole.to_edge_index()
    of_pair = not isinstance(node, int)
    per_edge = dict(edge_inputs or {})
    explained = Explainable(
        copy.deepcopy(unwrapped(model)).requires_grad_(False).eval(),
        pairs=torch.tensor(ends, device=edge_index.device)[:, None] if of_pair else None,
        inputs={**(inputs or {}), **per_edge},
    )
    scores, reach = _answer(explained, x, whole, 0 if of_pair else ends[0])
    if target is None:
        target = int(scores.argmax())
    if not 0 <= target < len(scores):
        raise InputError(f"Expected a class from 0 to {len(scores) - 1}, but got {target}.")
    # One ring more than messages travel, so that the degrees at the rim stay what they are.
    nodes, local, centre, inside = k_hop_subgraph(
        ends, reach + 1, edge_index, relabel_nodes=True, num_nodes=len(x)
    )
    features = (x.to_dense() if isinstance(x, SparseFeatures) else x).index_select(0, nodes).detach()
    if features.dim() > 2:
        explained.item_shape = tuple(features.shape[1:])
        features = features.flatten(1)
    near = Adjacency.from_edge_index(local, len(nodes), None if weight is None else weight[inside].detach())
    explained.inputs |= {name: rows[inside] for name, rows in per_edge.items()}
    if of_pair:
        explained.pairs = centre[:, None]
    targets = torch.full((1 if of_pair else len(nodes),), target, device=features.device)
    index = 0 if of_pair else int(centre)
    by_edge, by_feature = [], []
    for method in methods:
        explainer = Explainer(
            explained,
            GNNExplainer(epochs=epochs, lr=EXPLAINER_LEARNING_RATE)
            if method == "gnnexplainer"
            else IntegratedGradients(steps),
            explanation_type="phenomenon",
            node_mask_type="common_attributes",
            edge_mask_type="object",
            model_config={"mode": "multiclass_classification", "task_level": "node", "return_type": "raw"},
        )
        with torch.random.fork_rng(devices=[]), torch.enable_grad():
            torch.manual_seed(seed)
            found = explainer(features, local, target=targets, index=index, graph=near)
        by_edge.append(found.edge_mask.detach())
        by_feature.append(found.node_mask.detach().flatten())
    return NodeExplanation(
        node,
        target,
        float(scores.softmax(0)[target]),
        tuple(methods),
        edge_index[:, inside],
        torch.nonzero(inside).flatten(),
        torch.stack(by_edge),
        torch.stack(by_feature),
    )


def weigh_edges(model: nn.Module, edge_index: Tensor, weight: Tensor) -> None:
    """Weigh the messages along the edges in a model that torch_geometric can explain, until `clear_masks`."""
    for module in model.modules():
        if isinstance(module, MessagePassing):
            # GNNExplainer leaves a parameter there, which would be put in the place of the weight, without its history.
            module._parameters.pop("_edge_mask", None)
    set_masks(model, weight, edge_index, apply_sigmoid=False)


def _score(scores: Tensor, target: Tensor, index: Any) -> Tensor:
    if index is not None:
        scores, target = scores[index], target[index]
    return scores.gather(-1, target.unsqueeze(-1)).sum()


def _answer(explained: Explainable, x: Features, graph: Adjacency, row: int) -> tuple[Tensor, int]:
    """The scores in a row, and how many edges away another node may be that has an influence on them."""
    edge_index, _ = graph.to_edge_index()
    features: Any = x.to_dense() if isinstance(x, SparseFeatures) and explained.reads_edge_index else x
    with (
        torch.no_grad(),
        masked_edges(edge_index, torch.ones(edge_index.size(1), device=edge_index.device)) as mask,
    ):
        scores = explained.scores(features, edge_index, graph)[row]
    theirs = sum(isinstance(module, MessagePassing) for module in explained.model.modules())
    if mask.products + theirs == 0:
        raise InputError(
            f"Expected a model whose layers send messages along edges, but {type(explained.model).__name__} has none."
        )
    return scores, mask.products + theirs
