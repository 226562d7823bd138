"""The task of classifying the nodes of a graph whose parts lie with several processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.parallel import DistributedDataParallel

from mmgraph.errors import InputError
from mmgraph.graph.networks.gnn import GNN
from mmgraph.graph.partitioning.exchange import DistributedGraph
from mmgraph.graph.partitioning.shard import GraphShard
from mmgraph.runs import ItemSet, Snapshot
from mmgraph.training.classification import confusion
from mmgraph.training.distribution import World
from mmgraph.training.optimizers import decayed_groups
from mmgraph.training.task import Task


class PartitionedNodeClassification(Task):
    """Each process has the nodes of one part, their features and labels; the weights are the same everywhere.

    L = (1/n) Σ_r Σ_{i ∈ part r} ℓᵢ, with n the training nodes of all parts

    Loss, gradients and evaluation are those of the whole graph in one process, with all neighbours. Dropout is drawn
    by each process for its own nodes, from (seed, epoch, rank).

    Args:
        model: the same weights in every process.
        features: of the nodes of this part.
        shard: the part.
        labels: of the nodes of this part.
        splits: which nodes of this part belong to "train", "validation" and "test"; there may be none.
        world: the processes.
        class_names: a name per class.
        items: all nodes of the graph.
        seed: of dropout.
        undecayed: names of parameters that take no weight decay.
        constants: snapshots that never change.

    Shapes:
        features (num_own, channels), labels (num_own,), splits (num_own,) bool each.

    Raises:
        InputError: the network normalises over batches, or a part of the data is empty in all processes.

    Source: Li et al., PyTorch Distributed, VLDB 2020 (gradients averaged while they arrive).
    """

    is_shared = True

    def __init__(
        self,
        model: GNN,
        features: Tensor,
        shard: GraphShard,
        labels: Tensor,
        splits: Mapping[str, Tensor],
        world: World,
        *,
        class_names: Sequence[str],
        items: ItemSet,
        seed: int = 0,
        undecayed: Callable[[str], bool] = lambda name: False,
        constants: Sequence[Snapshot] = (),
    ) -> None:
        if any(isinstance(module, nn.BatchNorm1d) for module in model.modules()):
            raise InputError(
                "Expected a network without batch normalisation, whose statistics each process would have of its own: "
                "use norm = layer."
            )
        self.model, self.class_names = model, tuple(class_names)
        self._features, self._graph, self._labels = features, DistributedGraph(shard), labels
        self._splits, self._world, self._items, self._seed = dict(splits), world, items, seed
        self._undecayed, self._constants = undecayed, list(constants)
        self._confusions: dict[str, Tensor] = {}
        counts = torch.tensor([int(mask.sum()) for mask in splits.values()])
        dist.all_reduce(counts, group=world.control)
        self._counts = dict(zip(splits, counts.tolist(), strict=True))
        for split, count in self._counts.items():
            if count == 0:
                raise InputError(f"Expected nodes in the {split} part, but no process has any.")

    def to(self, device: torch.device) -> None:
        """Move all of this process to a device; weights become those of rank 0."""
        self.model.to(device)
        self._features, self._labels = self._features.to(device), self._labels.to(device)
        self._graph = self._graph.to(device)
        self._splits = {split: mask.to(device) for split, mask in self._splits.items()}
        self._replica = DistributedDataParallel(self.model)

    def parameter_groups(self, weight_decay: float) -> list[dict[str, Any]]:
        """Parameters with and without weight decay."""
        return decayed_groups(self.model, weight_decay, self._undecayed)

    def batches(self, epoch: int, start: int = 0) -> Iterator[None]:
        """The one batch there is: the graph. Inside `fit` the state of torch's generators is its own."""
        torch.manual_seed((self._seed * 1_000_003 + epoch * self._world.size + self._world.rank) % 2**63)
        yield None

    def loss(self, batch: None) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Cross-entropy and accuracy of the training nodes of all parts; gradients flow from those of this one."""
        mask, count = self._splits["train"], self._counts["train"]
        logits, labels = self._replica(self._features, self._graph)[mask], self._labels[mask]
        # The replicas' gradients are averaged, so each counts as often as there are processes.
        mine = F.cross_entropy(logits, labels, reduction="sum") * (self._world.size / count)
        hits = (logits.detach().argmax(dim=1) == labels).sum()
        sums = torch.stack([mine.detach() / self._world.size, hits.to(mine) / count])
        dist.all_reduce(sums)
        return mine + (sums[0] - mine.detach()), {"accuracy": sums[1]}

    def evaluate(self, split: str = "validation") -> dict[str, float]:
        """Loss and accuracy on a part of the data, over all processes."""
        self.model.eval()
        mask = self._splits[split]
        with torch.no_grad():
            logits, labels = self.model(self._features, self._graph)[mask], self._labels[mask]
            loss = F.cross_entropy(logits, labels, reduction="sum").double()
            counts = confusion(logits.argmax(dim=1), labels, len(self.class_names))
            dist.all_reduce(loss)
            dist.all_reduce(counts)
        self._confusions[split] = counts
        total = self._counts[split]
        return {
            f"{split}/loss": float(loss) / total,
            f"{split}/accuracy": float(counts.diagonal().sum()) / total,
        }

    def items(self) -> ItemSet:
        """All nodes of the graph."""
        return self._items

    def probe(self) -> list[Snapshot]:
        """The confusion matrices; no process has the outputs of all nodes."""
        notes = {"classes": list(self.class_names)}
        return [
            Snapshot("matrix", f"confusion/{split}", counts.cpu().numpy(), notes=notes)
            for split, counts in self._confusions.items()
        ]

    def constants(self) -> list[Snapshot]:
        """Snapshots that never change."""
        return self._constants
