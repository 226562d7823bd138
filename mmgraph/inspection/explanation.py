"""Which edges and features a graph network's answer about one node hangs on, through torch_geometric.explain."""

from __future__ import annotations

import copy
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
        model: (x, graph) → one row of scores per node; layers of torch_geometric may be among its own.

        item_shape: of what each node brings, where that is no vector; the explainers see it flat.

    Shapes:
        x (nodes, features), edge_index (2, E): as the model.
    """

    def __init__(self, model: nn.Module, item_shape: tuple[int, ...] | None = None) -> None:
        super().__init__()
        self.model = model
        self.item_shape = item_shape
        self.messages = EdgeWeights()
        self.reads_edge_index = any(isinstance(module, MessagePassing) for module in model.modules())

    def forward(self, x: Tensor, edge_index: Tensor, graph: Adjacency | None = None) -> Tensor:
        """The scores; `graph` holds weights of the edges, in the order of edge_index."""
        if self.item_shape is not None:
            x = x.unflatten(1, self.item_shape)
        given: Any = edge_index
        if not self.reads_edge_index:
            given = Adjacency.from_edge_index(edge_index, len(x)) if graph is None else graph
        mask = self.messages._edge_mask
        scores: Tensor
        if mask is None:
            scores = self.model(x, given)
            return scores
        with masked_edges(edge_index, mask.sigmoid() if self.messages._apply_sigmoid else mask):
            scores = self.model(x, given)
        return scores


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
    """What a network's answer about one node hangs on.

    Args:
        node: which node.
        target: the class that is explained.
        probability: the network's own probability of that class.
        methods: of METHODS, in the order of the rows below.
        edge_index: the edges that can have an influence, by the numbers of the graph's nodes.
        edges: which of the graph's edges these are, in the order they were given in.
        edge_weight: how much each matters: 0 to 1 from GNNExplainer, a signed share of the score from integrated
            gradients.
        feature_weight: the same of the features, over all nodes in reach; of pixels where nodes are images.

    Shapes:
        edge_index (2, k), edges (k,), edge_weight (methods, k), feature_weight (methods, features).
    """

    node: int
    target: int
    probability: float
    methods: tuple[str, ...]
    edge_index: Tensor
    edges: Tensor
    edge_weight: Tensor
    feature_weight: Tensor

    def snapshot(self, items: str | None = None) -> Snapshot:
        """For a run folder: one head per method, each scaled to a largest magnitude of 1."""
        scale = self.edge_weight.abs().amax(1, keepdim=True) if self.edge_weight.numel() else 1
        shown = self.edge_weight.abs() / torch.where(torch.as_tensor(scale) > 0, scale, 1)
        return Snapshot(
            "attention",
            f"explanation of {self.node}",
            shown.float().cpu().numpy(),
            axes=("heads", "edges"),
            items=items,
            extras={
                "edge_index": self.edge_index.int().cpu().numpy(),
                "feature_weight": self.feature_weight.float().cpu().numpy(),
            },
            notes={
                "explains": self.node,
                "target": self.target,
                "probability": self.probability,
                "heads": list(self.methods),
            },
        )


def explain(
    model: nn.Module,
    x: Features,
    graph: Adjacency | Tensor,
    node: int,
    *,
    methods: tuple[str, ...] = METHODS,
    target: int | None = None,
    epochs: int = 100,
    steps: int = 32,
    seed: int = 0,
) -> NodeExplanation:
    """Explain a network's answer about one node, on the part of the graph that can have an influence.

    The model is copied first, so that nothing of it changes, and its random numbers are its own.

    Args:
        model: (x, graph) → scores of the classes; of our layers, of torch_geometric's, or both.
        x: features of all nodes.
        graph: `edge_index` or `Adjacency`.
        node: whose answer.
        methods: "gnnexplainer" learns weights of edges and features that keep the answer with as few as possible;
            "integrated-gradients" adds up gradients.
        target: the class to explain; the one the network chooses by default.
        epochs: of GNNExplainer.
        steps: of integrated gradients.
        seed: of GNNExplainer's first weights.

    Shapes:
        x (nodes, features), or (nodes, …) for an encoder.

    Raises:
        InputError: there is no such node or class, or no layer of the model sends messages along edges.
        UnknownNameError: there is no such method.

    Source: Ying et al., "GNNExplainer", NeurIPS 2019; Sundararajan, Taly & Yan, ICML 2017.
    """
    whole = Adjacency.of(graph, len(x))
    if not 0 <= node < len(x):
        raise InputError(f"Expected a node from 0 to {len(x) - 1}, but got {node}.")
    if not methods:
        raise InputError(f"Expected at least one method of explanation: {', '.join(METHODS)}.")
    for method in methods:
        if method not in METHODS:
            raise UnknownNameError.of("method of explanation", method, METHODS)
    explained = Explainable(copy.deepcopy(unwrapped(model)).requires_grad_(False).eval())
    edge_index, weight = whole.to_edge_index()
    scores, reach = _answer(explained, x, whole, node)
    if target is None:
        target = int(scores.argmax())
    if not 0 <= target < len(scores):
        raise InputError(f"Expected a class from 0 to {len(scores) - 1}, but got {target}.")
    # One ring more than messages travel, so that the degrees at the rim stay what they are.
    nodes, local, center, inside = k_hop_subgraph(
        node, reach + 1, edge_index, relabel_nodes=True, num_nodes=len(x)
    )
    features = (x.to_dense() if isinstance(x, SparseFeatures) else x).index_select(0, nodes).detach()
    if features.dim() > 2:
        explained.item_shape = tuple(features.shape[1:])
        features = features.flatten(1)
    near = Adjacency.from_edge_index(local, len(nodes), None if weight is None else weight[inside].detach())
    targets = torch.full((len(nodes),), target, device=features.device)
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
            found = explainer(features, local, target=targets, index=int(center), graph=near)
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


def _answer(explained: Explainable, x: Features, graph: Adjacency, node: int) -> tuple[Tensor, int]:
    """The scores of a node, and how many edges away another node may be that has an influence on them."""
    edge_index, _ = graph.to_edge_index()
    features: Any = x.to_dense() if isinstance(x, SparseFeatures) and explained.reads_edge_index else x
    given = edge_index if explained.reads_edge_index else graph
    with (
        torch.no_grad(),
        masked_edges(edge_index, torch.ones(edge_index.size(1), device=edge_index.device)) as mask,
    ):
        scores = explained.model(features, given)[node]
    theirs = sum(isinstance(module, MessagePassing) for module in explained.model.modules())
    if mask.products + theirs == 0:
        raise InputError(
            f"Expected a model whose layers send messages along edges, but {type(explained.model).__name__} has none."
        )
    return scores, mask.products + theirs
