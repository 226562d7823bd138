"""The task of finding the links of a graph that were held back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mmgraph.errors import InputError
from mmgraph.graph.link_split import LinkSplit, Part
from mmgraph.graph.negative_sampling import NegativeSampler
from mmgraph.graph.networks.decoders import DotDecoder
from mmgraph.graph.networks.graph_autoencoder import GraphAutoencoder
from mmgraph.inspection import Capture
from mmgraph.inspection.draft import Limits
from mmgraph.inspection.recorder import embedding_draft
from mmgraph.runs import ItemSet, Snapshot
from mmgraph.training.classification import confusion
from mmgraph.training.task import Task

if TYPE_CHECKING:
    from mmgraph.graph import Adjacency, SparseFeatures

CLASSES = ("no link", "link")
_BINS = 20


class Adopted(GraphAutoencoder):
    """Somebody's own encoder; two of its vectors are as likely linked as their product is large."""

    def __init__(self, encoder: nn.Module) -> None:
        nn.Module.__init__(self)
        self.variational, self.encoder, self.decoder = False, encoder, DotDecoder()


def ranking_scores(scores: Tensor, is_link: Tensor) -> dict[str, float]:
    """How well scores tell links from other pairs.

    auc: share of (link, other pair) in which the link scores higher, ties counting half.
    ap: Σ_k (R_k − R_{k−1}) P_k over thresholds, with precision P and recall R.

    Shapes:
        scores (n,), is_link (n,) bool.
    """
    from sklearn.metrics import average_precision_score, roc_auc_score

    truth, values = is_link.cpu().numpy(), scores.double().cpu().numpy()
    if not np.isfinite(values).all():
        return {"auc": float("nan"), "ap": float("nan")}
    return {
        "auc": float(roc_auc_score(truth, values)),
        "ap": float(average_precision_score(truth, values)),
    }


class LinkPrediction(Task):
    """Tell the links of a graph from pairs of nodes that are none.

    loss = ½ (mean over links of −log p + mean over other pairs of −log(1 − p)) + KL / num_nodes

    The links are the ones of the adjacency matrix: each twice, and with `self_links` every node with itself. In every
    step as many pairs are drawn as there are training links. They avoid the training links only: to avoid those held
    back as well would tell the model which they are. Messages go along training links alone.

    Args:
        model: what encodes nodes and decodes pairs.
        features: what each node brings, dense or sparse.
        split: the links of each part.
        items: what the nodes are.
        capture: what to look at in the encoder, given features and graph; None for nothing.
        constants: snapshots that never change, such as the graph.
        seed: of the pairs that are drawn.
        self_links: whether every node counts as linked to itself in the loss, as in the paper; never in the scores.

    Shapes:
        features (num_nodes, in_channels).

    Raises:
        InputError: features and graph do not fit, or the training links leave no pair to draw.

    Source: Kipf and Welling, Variational Graph Auto-Encoders, NeurIPS workshop 2016.
    Differs: the paper goes over all pairs and weighs links up; the expected loss is the same.
    """

    monitor = "validation/auc"

    def __init__(
        self,
        model: GraphAutoencoder,
        features: Tensor | SparseFeatures,
        split: LinkSplit,
        *,
        items: ItemSet,
        capture: Capture | None = None,
        constants: Sequence[Snapshot] = (),
        seed: int = 0,
        self_links: bool = True,
    ) -> None:
        if len(features) != split.graph.num_nodes:
            raise InputError(
                f"Expected one row of features per node, but the graph has {split.graph.num_nodes} nodes and the "
                f"features have {len(features)} rows."
            )
        self.model: GraphAutoencoder = model
        self._features, self._graph = features, split.graph
        self._messages: Adjacency | Tensor = split.graph
        self._links, self._non_links = dict(split.links), dict(split.non_links)
        self._items, self._capture, self._constants = items, capture, list(constants)
        self._layers = Capture(model, kinds=())
        self._seed, self._self_links = seed, self_links
        self._sampler = NegativeSampler(self._links["train"], split.graph.num_nodes)
        self._matrices: dict[str, tuple[Tensor, Tensor]] = {}

    def to(self, device: torch.device) -> None:
        """Move model, features, graph and pairs to a device."""
        self.model.to(device)
        self._features, self._graph = self._features.to(device), self._graph.to(device)
        self._messages = self._messages.to(device)
        self._links = {part: pairs.to(device) for part, pairs in self._links.items()}
        self._non_links = {part: pairs.to(device) for part, pairs in self._non_links.items()}

    def adopt(self, model: nn.Module) -> None:
        """Try somebody's own encoder: (features (nodes, …), `edge_index`) → vectors (nodes, …)."""
        self.model = Adopted(model)
        self._capture, self._layers = Capture(model, kinds=("filters", "attention")), Capture(model, kinds=())
        # As every other library hands them over, for the model may be written with any of them.
        self._features = self._features if isinstance(self._features, Tensor) else self._features.to_dense()
        self._messages = self._graph.edge_index

    @property
    def shown(self) -> nn.Module:
        """The model, or somebody's own encoder by the names that it gives its layers."""
        return self.model.encoder if isinstance(self.model, Adopted) else self.model

    def batches(self, epoch: int, start: int = 0) -> Iterator[Tensor]:
        """The one batch there is: the pairs that are no links, by the seed and the epoch alone."""
        links = self._links["train"]
        generator = torch.Generator().manual_seed((self._seed * 1_000_003 + epoch) % 2**63)
        yield self._sampler.sample(links.size(1), generator).to(links.device)

    def loss(self, batch: Tensor) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Cross-entropy over links and as many other pairs, and what keeps the vectors near the prior."""
        encoding = self.model.encode(self._features, self._messages)
        z = encoding.sample()
        links, others = (self.model.decode(z, pairs) for pairs in (self._links["train"], batch))
        entries = links
        if self._self_links:
            nodes = torch.arange(len(z), device=z.device)
            entries = torch.cat([links, links, self.model.decode(z, torch.stack([nodes, nodes]))])
        loss = (F.softplus(-entries).mean() + F.softplus(others).mean()) / 2
        right = ((links.detach() > 0).float().mean() + (others.detach() <= 0).float().mean()) / 2
        if encoding.log_std is None:
            return loss, {"accuracy": right}
        divergence = encoding.divergence()
        return loss + divergence / self._graph.num_nodes, {
            "accuracy": right,
            "divergence": divergence.detach(),
        }

    def evaluate(self, split: str = "validation") -> dict[str, float]:
        """Loss, AUC and average precision on links that were held back and as many other pairs."""
        part: Part = "test" if split == "test" else "validation"
        pairs = torch.cat([self._non_links[part], self._links[part]], dim=1)
        is_link = torch.arange(pairs.size(1), device=pairs.device) >= self._non_links[part].size(1)
        self.model.eval()
        with torch.no_grad():
            scores = self.model(self._features, self._messages, pairs).float()
            loss = F.binary_cross_entropy_with_logits(scores, is_link.float())
            bins = (scores.sigmoid() * _BINS).nan_to_num().long().clamp(0, _BINS - 1)
            histogram = torch.bincount(is_link * _BINS + bins, minlength=2 * _BINS).reshape(2, _BINS)
            self._matrices[part] = confusion((scores > 0).long(), is_link.long(), 2), histogram
        ranking = ranking_scores(scores, is_link)
        return {f"{part}/{name}": value for name, value in {"loss": float(loss), **ranking}.items()}

    def items(self) -> ItemSet:
        """What the nodes are."""
        return self._items

    def constants(self) -> list[Snapshot]:
        """The graph."""
        return self._constants

    def activations(self) -> list[Snapshot]:
        """Of the encoder."""
        return self._layers.spread()

    def probe(self) -> list[Snapshot]:
        """The vectors of the nodes, what the encoder attends to, and how the held-back pairs were scored."""
        was_training = self.model.training
        self.model.eval()
        with torch.no_grad(), self._layers.sampling():
            z = self.model.encode(self._features, self._messages).mean
        self.model.train(was_training)
        snapshots = []
        if (vectors := embedding_draft("z", z, len(z), Limits())) is not None:
            vectors.items = self._items.name
            snapshots.append(vectors.snapshot())
        if self._capture is not None:
            snapshots += self._capture.capture(self._features, self._messages)
        for part, (counts, histogram) in self._matrices.items():
            snapshots.append(
                Snapshot(
                    "matrix", f"confusion/{part}", counts.cpu().numpy(), notes={"classes": list(CLASSES)}
                )
            )
            notes = {"rows": list(CLASSES), "columns": "probability of a link"}
            shares = (histogram / histogram.sum(1, keepdim=True)).float().cpu().numpy()
            edges = np.linspace(0, 1, _BINS + 1, dtype=np.float32)
            snapshots.append(
                Snapshot("matrix", f"scores/{part}", shares, extras={"edges": edges}, notes=notes)
            )
        return snapshots

    def explain(self, item: int) -> list[Snapshot]:
        """What the likeliest link hangs on that the node does not have in the training graph."""
        count = self._graph.num_nodes
        if not 0 <= item < count:
            raise InputError(f"Expected a node from 0 to {count - 1}, but got {item}.")
        pairs = torch.stack([torch.full((count,), item), torch.arange(count)]).to(self._links["train"].device)
        was_training = self.model.training
        self.model.eval()
        with torch.no_grad():
            scores = self.model(self._features, self._messages, pairs).float()
        self.model.train(was_training)
        links = self._links["train"]
        known = torch.cat([links[1, links[0] == item], links[0, links[1] == item], pairs[0, :1]])
        scores[known] = -torch.inf
        if not bool(scores.isfinite().any()):
            raise InputError(f"Node {item} is linked with all others, so there is no link to look for.")
        return self.explain_pair(item, int(scores.argmax()))

    def explain_pair(self, first: int, second: int) -> list[Snapshot]:
        """The edges and features that the score of a pair hangs on."""
        from mmgraph.inspection.explanation import explain  # torch_geometric.explain takes a second to import

        found = explain(self.model, self._features, self._messages, (first, second))
        return [replace(found, answer=CLASSES[found.target]).snapshot(self._items.name)]
