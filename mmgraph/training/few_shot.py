"""The task of telling classes apart that were never trained on, from a few examples of each."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mmgraph.errors import InputError
from mmgraph.inspection import Capture
from mmgraph.inspection.inputs import Inputs
from mmgraph.metric import (
    Distance,
    EpisodeSampler,
    Siamese,
    episode_accuracy,
    episode_loss,
    mean_and_interval,
)
from mmgraph.metric.episodes import Episode
from mmgraph.runs import ItemSet, Snapshot
from mmgraph.training.pair_distances import distance_histogram
from mmgraph.training.siamese import SiameseTask
from mmgraph.vision import channels_innermost

MOST_PAIRS_OF = 1000
"""The histogram compares so many items of a part with each other at most."""

Augment = Callable[[Tensor, torch.Generator], Tensor]


@dataclass(frozen=True)
class EpisodePlan:
    """How many episodes of what size.

    Args:
        train_ways: classes of a training episode.
        shots: examples of each class.
        queries: other items of each class.
        episodes: of an epoch.
        ways: classes of an episode to validate or test on.
        validation_episodes, test_episodes: to validate and to test on.
    """

    train_ways: int = 60
    shots: int = 1
    queries: int = 3
    episodes: int = 100
    ways: int = 20
    validation_episodes: int = 200
    test_episodes: int = 1000


@dataclass(frozen=True, eq=False)
class Trial:
    """A fixed episode: examples, and pictures to be named.

    Shapes:
        support (ways · shots, …), queries (m, …) uint8, support_labels (ways · shots,), answers (m,).
    """

    support: Tensor
    support_labels: Tensor
    queries: Tensor
    answers: Tensor


class FewShot(SiameseTask):
    """Learn from episodes of some classes, and sort items of others by the nearest mean of a few examples.

    Validation and test have classes of their own. Without a validation part nothing is chosen by it: the weights at
    the end are tested. In the test each embedding is the mean over several views of its picture: the picture itself and
    transformed ones; the test says what one view alone gives too.

    Args:
        model: a Siamese network over images.
        images: uint8 pictures of each part, "train", "test" and perhaps "validation".
        labels: classes of each part.
        plan: of the episodes.
        items: the pictures the model is looked at with; their pixels are `probe`.
        probe: uint8 pictures, as rows of `items`.
        capture: what else to look at in the encoder.
        augment: makes other views of normalised pictures; None leaves them as they are.
        views: of each picture in the test; more than one need `augment`.
        trials: fixed episodes to test on besides.
        temperature: of the loss.
        every_role: whether each item is in turn example and question.
        seed: of the episodes and the augmentation.

    Shapes:
        images (n, height, width) or (n, channels, height, width) uint8; labels (n,) int64.

    Raises:
        InputError: a part is missing or empty or has too few classes or items, or images and labels do not fit.
    """

    monitor = "validation/accuracy"
    forward_images = 500

    def __init__(
        self,
        model: Siamese,
        images: Mapping[str, Tensor],
        labels: Mapping[str, Tensor],
        plan: EpisodePlan,
        *,
        items: ItemSet,
        probe: Tensor,
        capture: Capture,
        augment: Augment | None = None,
        views: int = 1,
        trials: Sequence[Trial] = (),
        temperature: float = 1.0,
        every_role: bool = True,
        seed: int = 0,
    ) -> None:
        for part in ("train", "test", *images):
            count = len(images.get(part, ()))
            if count == 0 or count != len(labels[part]):
                raise InputError(
                    f"The {part} part needs as many labels as images, and at least one; it has {count} images."
                )
        if views < 1 or (views > 1 and augment is None):
            raise InputError(f"Expected one view, or an augmentation that makes {views}.")
        super().__init__(model, images, labels, items=items, probe=probe, capture=capture)
        self._plan, self._trials = plan, tuple(trials)
        self._augment, self._views, self._seed = augment, views, seed
        self._temperature, self._every_role = temperature, every_role
        self._histograms: dict[str, Snapshot] = {}
        self._sampler = EpisodeSampler(
            labels["train"], ways=plan.train_ways, shots=plan.shots, queries=plan.queries, seed=seed
        )
        # What is tested on does not depend on the seed of the training.
        counts = {"validation": plan.validation_episodes, "test": plan.test_episodes}
        self._episodes: dict[str, list[Episode]] = {
            part: list(
                EpisodeSampler(
                    labels[part], ways=plan.ways, shots=plan.shots, queries=plan.queries, seed=1
                ).episodes(counts[part])
            )
            for part in images
            if part != "train"
        }
        self.batches_per_epoch = plan.episodes

    @property
    def distance(self) -> Distance:
        """The distance that episodes are sorted by."""
        return self.model.distance

    def batches(self, epoch: int, start: int = 0) -> Iterator[tuple[Tensor, torch.Generator]]:
        """Rows of an episode, class by class, and what its augmentation draws with; both depend on the seed, the epoch
        and the position."""
        plan = self._plan
        for position in range(start, self.batches_per_epoch):
            number = epoch * self.batches_per_epoch + position
            episode = self._sampler.episode(number)
            rows = torch.cat(
                [
                    episode.support.view(plan.train_ways, plan.shots),
                    episode.query.view(plan.train_ways, plan.queries),
                ],
                dim=1,
            )
            generator = torch.Generator().manual_seed((self._seed * 1_000_003 + number + 1) % 2**63)
            yield rows.to(self._probe.device), generator

    def loss(self, batch: tuple[Tensor, torch.Generator]) -> tuple[Tensor, Mapping[str, Tensor]]:
        """The prototypical loss of an episode, and the share of its questions answered rightly."""
        rows, generator = batch
        images = self.normalise(self._images["train"][rows.flatten()])
        if self._augment is not None:
            images = self._augment(images, generator)
        vectors: Tensor = self.model(channels_innermost(images))
        loss, accuracy = episode_loss(
            vectors.float().view(*rows.shape, -1),
            shots=self._plan.shots,
            distance=self.distance,
            temperature=self._temperature,
            every_role=self._every_role,
        )
        return loss, {"accuracy": accuracy}

    def evaluate(self, split: str = "validation") -> dict[str, float]:
        """Accuracy of the episodes of a part with half its 95 % interval; in the test also that of one view alone, and
        of the fixed trials."""
        if split not in self._episodes:
            return {}
        self.model.eval()
        with torch.no_grad():
            vectors = self.embed(self._images[split])
            self._histograms[split] = self._histogram(split, vectors)
            plain = self._sort(split, vectors)
            if split != "test":
                return {f"{split}/accuracy": plain[0], f"{split}/interval": plain[1]}
            accuracy, interval = self._sort(split, self.embed(self._images[split], self._views))
            found = {
                "accuracy": accuracy,
                "interval": interval,
                "accuracy-one-view": plain[0],
                **self._judge_trials(),
            }
        return {f"test/{name}": value for name, value in found.items()}

    def embed(self, images: Tensor, views: int = 1) -> Tensor:
        """Vectors of uint8 pictures, computed in batches; the mean over several views."""
        generator = torch.Generator().manual_seed(1)
        vectors = []
        for part in images.split(self.forward_images):
            pictures = self.normalise(part)
            total = self.model(channels_innermost(pictures))
            if self._augment is not None:
                for _ in range(views - 1):
                    total = total + self.model(channels_innermost(self._augment(pictures, generator)))
            vectors.append(total / views)
        return torch.cat(vectors)

    def probe(self) -> list[Snapshot]:
        """Vectors of pictures of classes never trained on, what the encoder sees, and how far pairs are apart."""
        return [*self.look(Inputs((self.normalise(self._probe),))), *self._histograms.values()]

    def _sort(self, split: str, vectors: Tensor) -> tuple[float, float]:
        """Mean accuracy over the episodes of a part, and half its interval."""
        # Small products, thousands of them: the CPU is faster at these than a GPU is at being asked.
        vectors, distance = vectors.float().cpu(), copy.deepcopy(self.distance).cpu()
        found = [
            episode_accuracy(
                vectors[episode.support],
                episode.support_labels,
                vectors[episode.query],
                episode.query_labels,
                distance=distance,
            )
            for episode in self._episodes[split]
        ]
        return mean_and_interval(found)

    def _judge_trials(self) -> dict[str, float]:
        if not self._trials:
            return {}
        numbers = {}
        device = self._probe.device
        for name, views in (("trials", self._views), ("trials-one-view", 1)):
            found = [
                episode_accuracy(
                    self.embed(trial.support.to(device), views),
                    trial.support_labels.to(device),
                    self.embed(trial.queries.to(device), views),
                    trial.answers.to(device),
                    distance=self.distance,
                )
                for trial in self._trials
            ]
            numbers[name], numbers[f"{name}-interval"] = mean_and_interval(found)
        return numbers

    def _histogram(self, split: str, vectors: Tensor) -> Snapshot:
        labels = self._labels[split]
        some = torch.arange(len(vectors))[:: -(-len(vectors) // MOST_PAIRS_OF)].to(labels.device)
        first, second = torch.triu_indices(len(some), len(some), 1, device=labels.device)
        between = self.distance.matrix(vectors[some])[first, second]
        return distance_histogram(split, between, labels[some[first]] == labels[some[second]])
