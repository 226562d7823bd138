"""Tasks that give every node of a graph a vector, and how good the vectors are."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NoReturn, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from mmgraph.errors import InputError
from mmgraph.graph.embeddings.evaluation import FRACTIONS, label_fractions, split_accuracy
from mmgraph.graph.embeddings.training import WalkTraining
from mmgraph.graph.embeddings.walk_loss import Table, neighbour_loss, rows_of
from mmgraph.runs import ItemSet, Snapshot
from mmgraph.training.task import Task


class Judge(Protocol):
    """What is made of an embedding on a part of the data."""

    def __call__(self, embedding: NDArray[np.float32], split: str) -> dict[str, float]:
        """Numbers such as {"test/accuracy": …}."""


class SplitJudge:
    """Accuracy of a logistic regression that is learned on the training nodes.

    Shapes:
        labels (N,), splits (N,) bool each.
    """

    def __init__(self, labels: NDArray[np.int64], splits: Mapping[str, NDArray[np.bool_]]) -> None:
        self._labels, self._splits = labels, splits

    def __call__(self, embedding: NDArray[np.float32], split: str) -> dict[str, float]:
        """Accuracy on a part of the nodes."""
        train, asked = self._splits["train"], self._splits[split]
        return {f"{split}/accuracy": split_accuracy(embedding, self._labels, train, asked)}


class FractionJudge:
    """Mean macro- and micro-F1 over random splits with a share of the nodes labelled; there is no validation part.

    Args:
        labels: which node has which label.
        fractions: shares of the nodes that are labelled.
        repeats: splits for each share.

    Shapes:
        labels (N, L).
    """

    def __init__(
        self, labels: NDArray[np.bool_], fractions: Sequence[float] = FRACTIONS, repeats: int = 10
    ) -> None:
        self._labels, self._fractions, self._repeats = labels, tuple(fractions), repeats

    def __call__(self, embedding: NDArray[np.float32], split: str) -> dict[str, float]:
        """F1 for each share, named by its per cent, such as "test/macro_f1_50"; nothing but at the end."""
        if split != "test":
            return {}
        found = {}
        for score in label_fractions(embedding, self._labels, self._fractions, self._repeats):
            percent = f"{100 * score.fraction:g}"
            found[f"test/macro_f1_{percent}"] = float(np.mean(score.macro))
            found[f"test/micro_f1_{percent}"] = float(np.mean(score.micro))
        return found


class EmbeddingTables(nn.Module):
    """The vectors of the nodes, and those that nodes are predicted with; changed in place, without gradients.

    Shapes:
        embedding, context (N, d).
    """

    def __init__(self, embedding: NDArray[np.float32]) -> None:
        super().__init__()
        self.embedding = nn.Parameter(torch.from_numpy(embedding.copy()), requires_grad=False)
        self.context = nn.Parameter(torch.zeros_like(self.embedding), requires_grad=False)

    def trained(self, batched: bool) -> tuple[Table, Table]:
        """Both tables, to be changed in place: as tensors for batches, else as arrays."""
        if batched:
            return self.embedding.data, self.context.data
        return self.embedding.numpy(), self.context.numpy()

    def vectors(self) -> NDArray[np.float32]:
        """The vectors of the nodes, (N, d)."""
        return rows_of(self.embedding)


class NodeEmbedding(Task):
    """What all tasks share whose result is a vector per node: the judgement at the end, and the probe.

    Args:
        judge: what is made of the embedding.
        items: what the nodes are.
        constants: snapshots that never change, such as the graph.
    """

    monitor = ""
    """Nothing decides what is best: the last vectors count."""

    def __init__(self, judge: Judge, items: ItemSet, constants: Sequence[Snapshot] = ()) -> None:
        self._judge, self._items, self._constants = judge, items, list(constants)

    @abstractmethod
    def embedding(self) -> NDArray[np.float32]:
        """The vectors as they are, (N, d)."""

    def evaluate(self, split: str = "validation") -> dict[str, float]:
        """What a linear classifier makes of the vectors."""
        return self._judge(self.embedding(), split)

    def items(self) -> ItemSet:
        """The nodes."""
        return self._items

    def probe(self) -> list[Snapshot]:
        """The vectors as they are."""
        return [Snapshot("embedding", "embedding", self.embedding(), items=self._items.name)]

    def constants(self) -> list[Snapshot]:
        """The graph."""
        return self._constants


class WalkEmbedding(NodeEmbedding):
    """Skip-gram over random walks; an epoch starts one walk at every node.

    A batch is one block of walks per thread. With one thread a run depends on its seed alone, and goes on exactly
    where it was stopped; several train the same vectors without locks (Hogwild). On a GPU it trains in batches.

    Args:
        training: what to walk on, and how.
        initial: the vectors to begin with.
        judge, items, constants: as for NodeEmbedding.

    Shapes:
        initial (N, d).
    """

    def __init__(
        self,
        training: WalkTraining,
        initial: NDArray[np.float32],
        judge: Judge,
        items: ItemSet,
        constants: Sequence[Snapshot] = (),
    ) -> None:
        super().__init__(judge, items, constants)
        self._tables = EmbeddingTables(initial)
        self.model = self._tables
        self._training, self._threads = training, training.how.threads
        self.batches_per_epoch = -(-training.blocks_per_pass // self._threads)

    def batches(self, epoch: int, start: int = 0) -> Iterator[list[NDArray[np.int64]]]:
        """The numbers of the walks of some blocks."""
        order = self._training.order(epoch)
        for first in range(start * self._threads, self._training.blocks_per_pass, self._threads):
            last = min(first + self._threads, self._training.blocks_per_pass)
            yield [self._training.block(order, epoch, position) for position in range(first, last)]

    def own_step(self, batch: list[NDArray[np.int64]], learning_rate: float) -> Mapping[str, float]:
        """Walk and train; the loss is that of neighbours in these walks before."""
        x, y = self._tables.trained(self._training.how.batched)
        walks = [np.empty((len(numbers), self._training.how.walk_length), np.int32) for numbers in batch]
        for numbers, some in zip(batch, walks, strict=True):
            self._training.walk(numbers, some)
        loss = neighbour_loss(x, y, walks[0], self._training.how.negatives, int(batch[0][0]))
        if not np.isfinite(loss):
            return {"loss": loss}

        def train(block: tuple[NDArray[np.int32], NDArray[np.int64]]) -> int:
            return self._training.train(*block, learning_rate, x, y)

        blocks = list(zip(walks, batch, strict=True))
        if len(blocks) == 1:
            train(blocks[0])
        else:
            with ThreadPoolExecutor(len(blocks), thread_name_prefix="skip-gram") as pool:
                list(pool.map(train, blocks))
        return {"loss": loss}

    def loss(self, batch: object) -> NoReturn:
        """Not used: the task takes its own steps."""
        raise InputError("An embedding from walks has no gradient: it takes its own steps.")

    def embedding(self) -> NDArray[np.float32]:
        """The vectors as they are, (N, d)."""
        return self._tables.vectors()


class SolvedEmbedding(NodeEmbedding):
    """Vectors that are computed at once, such as eigenvectors; one batch of one epoch.

    Args:
        solve: computes the vectors (N, d).
        shape: of the vectors.
        judge, items, constants: as for NodeEmbedding.
    """

    def __init__(
        self,
        solve: Callable[[], NDArray[np.float32]],
        shape: tuple[int, int],
        judge: Judge,
        items: ItemSet,
        constants: Sequence[Snapshot] = (),
    ) -> None:
        super().__init__(judge, items, constants)
        self._tables = EmbeddingTables(np.zeros(shape, np.float32))
        self.model = self._tables
        self._solve = solve

    def batches(self, epoch: int, start: int = 0) -> Iterator[None]:
        """The one batch there is: the graph."""
        yield None

    def own_step(self, batch: None, learning_rate: float) -> Mapping[str, float]:
        """Compute the vectors."""
        self._tables.embedding.copy_(torch.from_numpy(self._solve()))
        return {}

    def loss(self, batch: object) -> NoReturn:
        """Not used: the task takes its own step."""
        raise InputError("An embedding that is solved for has no gradient: it takes its own step.")

    def embedding(self) -> NDArray[np.float32]:
        """The vectors as they are, (N, d)."""
        return self._tables.vectors()
