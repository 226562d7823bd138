"""The task of giving images a score: first which are alike, by pairs, then how much, by regression."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mmgraph.analysis import correlation
from mmgraph.errors import InputError
from mmgraph.inspection import Capture
from mmgraph.inspection.inputs import Inputs
from mmgraph.inspection.undisturbed import undisturbed
from mmgraph.metric import ClassBalancedSampler, score_bins, score_pair_loss
from mmgraph.runs import ItemSet, Snapshot
from mmgraph.training.encoded_pictures import EncodedPictures
from mmgraph.training.growth import Growth
from mmgraph.vision import Augmentation

MOST_PAIRS_OF = 500
"""The distance of pairs is compared with their scores for so many items at most."""
CELLS = 16
"""Rows and columns of the picture of predicted against recorded scores."""

RegressionLoss = Literal["huber", "squared"]


class ScoringModel(nn.Module):
    """Vectors of an encoder, and a score in standard units that is linear in them.

    Shapes:
        images (n, channels, height, width): (n,).
    """

    def __init__(self, encoder: nn.Module, features: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = nn.Linear(features, 1)
        # Regression begins with the mean score for every image.
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, images: Tensor) -> Tensor:
        scores: Tensor = self.head(self.encoder(images)).squeeze(1)
        return scores


class OwnScores(nn.Module):
    """Somebody's own model of scores, which gives them as they are recorded.

    Shapes:
        images (n, channels, height, width): (n,), in standard units.

    Raises:
        InputError: it gives something else than one number for each image.
    """

    def __init__(self, model: nn.Module, centre: float, scale: float) -> None:
        super().__init__()
        self.model, self._centre, self._scale = model, centre, scale

    def forward(self, images: Tensor) -> Tensor:
        scores = self.model(images)
        if not isinstance(scores, Tensor) or scores.numel() != len(images):
            found = tuple(scores.shape) if isinstance(scores, Tensor) else type(scores).__name__
            raise InputError(f"Expected a score for each of {len(images)} images, but got {found}.")
        return (scores.flatten() - self._centre) / self._scale


@dataclass(frozen=True, eq=False)
class ScoredImages:
    """One part of the data.

    Shapes:
        images (n, channels, height, width) uint8, scores (n,) floating.

    Raises:
        InputError: no images, or not one finite score for each.
    """

    images: Tensor
    scores: Tensor

    def __post_init__(self) -> None:
        fits = self.images.dim() == 4 and self.images.dtype == torch.uint8 and len(self.images) > 0
        if not fits or self.scores.shape != (len(self.images),):
            raise InputError(
                f"Expected uint8 images (n, channels, height, width) with a score each, but got {self.images.dtype} "
                f"{tuple(self.images.shape)} and scores {tuple(self.scores.shape)}."
            )
        if not bool(torch.isfinite(self.scores).all()):
            raise InputError("Expected finite scores, but some are NaN or infinite.")

    def to(self, device: torch.device) -> ScoredImages:
        """The same on a device."""
        return ScoredImages(self.images.to(device), self.scores.to(device))


class ImageScoring(EncodedPictures):
    """Siamese pre-training on similar and dissimilar scores, then regression of the score.

    In the first `pretrain_epochs` the encoder learns from pairs of all training images (`score_pair_loss`); after them
    encoder and head learn the scores of `labelled`, in standard units. Batches are balanced over the bins of scores in
    both, and every image is changed by the augmentation when it is met.

    Args:
        model: encoder and head.
        parts: "pairs" to learn alikeness from, "train" with scores, "validation" and "test".
        items: the pictures the model is looked at with; their pixels are `probe`.
        probe: uint8 pictures, as rows of `items`.
        capture: what else to look at in the encoder.
        augmentation: of training images, in standard units.
        pretrain_epochs: epochs on pairs.
        bins: of scores.
        margin, weighted: of `score_pair_loss`.
        loss: "huber" or "squared".
        delta: errors beyond it count linearly (Huber).
        batch_size: images of a batch.
        batches: of an epoch, in both phases.
        growth: how the encoder grows.
        rate_share: of the learning rate that the encoder begins with; more than 1 suits one that is yet to be widened.
        head_rate: times as much that the head has, which knows nothing yet when pairs end.
        seed: of batches and augmentation.

    Units:
        delta in standard deviations of the training scores.

    Raises:
        InputError: parts that do not fit.
        EmptyPairsError: scores that fill fewer than two bins with two images each.
    """

    monitor = "validation/pearson"
    times_cpu = True
    forward_images = 500

    def __init__(
        self,
        model: ScoringModel,
        parts: Mapping[str, ScoredImages],
        *,
        items: ItemSet,
        probe: Tensor,
        capture: Capture,
        augmentation: Augmentation = Augmentation(),  # noqa: B008  frozen
        pretrain_epochs: int = 0,
        bins: int = 8,
        margin: float = 1.0,
        weighted: bool = True,
        loss: RegressionLoss = "huber",
        delta: float = 0.5,
        batch_size: int = 64,
        batches: int | None = None,
        growth: Growth | None = None,
        rate_share: float = 1.0,
        head_rate: float = 1.0,
        seed: int = 0,
    ) -> None:
        super().__init__(items, probe, capture)
        self.model: Any = model
        self._parts = dict(parts)
        self._augmentation, self._pretrain_epochs = augmentation, pretrain_epochs
        self._margin, self._weighted, self._loss, self._delta = margin, weighted, loss, delta
        self.growth, self._seed = growth, seed
        self._rate_share, self._head_rate = rate_share, head_rate
        # Until an epoch of pairs begins, it is scores that count.
        self._epoch = pretrain_epochs
        pairs, train = parts["pairs"], parts["train"]
        low, high = float(pairs.scores.min()), float(pairs.scores.max())
        self._ends = low, high
        self._bins = score_bins(pairs.scores, bins)
        per_bin = max(2, batch_size // bins)
        self._pair_sampler = ClassBalancedSampler(
            self._bins, classes_per_batch=bins, items_per_class=per_bin, batches=batches, seed=seed
        )
        self.batches_per_epoch = len(self._pair_sampler)
        self._score_sampler = ClassBalancedSampler(
            score_bins(train.scores, bins, low=low, high=high),
            classes_per_batch=bins,
            items_per_class=per_bin,
            batches=self.batches_per_epoch,
            seed=seed + 1,
        )
        self._centre = float(train.scores.mean())
        self._scale = max(float(train.scores.std(unbiased=False)), 1e-12)
        pixels = pairs.images.float() / 255
        self._mean = pixels.mean((0, 2, 3)).view(1, -1, 1, 1)
        self._std = pixels.std((0, 2, 3)).clamp_min(1e-6).view(1, -1, 1, 1)
        self._pictures: dict[str, np.ndarray] = {}

    def to(self, device: torch.device) -> None:
        """Move model and all pictures to a device."""
        self.model.to(device)
        self._parts = {name: part.to(device) for name, part in self._parts.items()}
        self._probe, self._bins = self._probe.to(device), self._bins.to(device)
        self._mean, self._std = self._mean.to(device), self._std.to(device)

    def adopt(self, model: nn.Module) -> None:
        """Try somebody's own model: normalised images (n, channels, height, width) → scores (n,) as recorded."""
        self.model = OwnScores(model, self._centre, self._scale)
        self._capture = Capture(model, kinds=("embedding", "filters", "feature_maps", "attention"))
        self.__dict__.pop("examined", None)

    def parameter_groups(self, weight_decay: float) -> list[dict[str, Any]]:
        """The encoder, and the head by a rate of its own."""
        shares = (self.model.encoder, self._rate_share), (self.model.head, self._rate_share * self._head_rate)
        return [
            {"params": list(part.parameters()), "weight_decay": weight_decay, "rate_share": share}
            for part, share in shares
        ]

    def normalise(self, images: Tensor) -> Tensor:
        """Pixels 0 … 255 in standard units: mean 0 and standard deviation 1 in each colour of the training images."""
        # Channels last: narrow convolutions are a third faster so.
        pixels = images.float().contiguous(memory_format=torch.channels_last)
        return (pixels / 255 - self._mean) / self._std

    def batches(self, epoch: int, start: int = 0) -> Iterator[tuple[bool, Tensor, torch.Generator]]:
        """Whether it is one of pairs, its rows, and what augmentation draws with."""
        by_pairs = epoch < self._pretrain_epochs
        sampler = self._pair_sampler if by_pairs else self._score_sampler
        self._epoch = epoch
        for position, rows in enumerate(sampler.epoch(epoch, start), start):
            key = ((self._seed * 1_000_003 + epoch) * 1_000_003 + position) % 2**63
            yield by_pairs, rows.to(self._probe.device), torch.Generator().manual_seed(key)

    def loss(self, batch: tuple[bool, Tensor, torch.Generator]) -> tuple[Tensor, Mapping[str, Tensor]]:
        """The loss of pairs, or that of scores in standard units."""
        by_pairs, rows, generator = batch
        part = self._parts["pairs" if by_pairs else "train"]
        images = self._augmentation(self.normalise(part.images[rows]), generator)
        if by_pairs:
            vectors = self.model.encoder(images)
            return score_pair_loss(
                vectors, self._bins[rows], margin=self._margin, weighted=self._weighted
            ), {}
        wanted = (part.scores[rows] - self._centre) / self._scale
        return self._regression(self.model(images), wanted), {}

    def evaluate(self, split: str = "validation") -> dict[str, float]:
        """While pairs are learned how distances follow scores, then how predicted scores follow recorded ones."""
        self.model.eval()
        part = self._parts[split]
        if split == "validation" and self._epoch < self._pretrain_epochs:
            with torch.no_grad():
                return {f"{split}/distance-correlation": self._distances(part)}
        with torch.no_grad():
            standard = torch.cat(
                [self.model(self.normalise(some)) for some in part.images.split(self.forward_images)]
            )
        wanted = (part.scores - self._centre) / self._scale
        predicted = (standard * self._scale + self._centre).cpu().double().numpy()
        recorded = part.scores.cpu().double().numpy()
        found = {
            "loss": float(self._regression(standard, wanted)),
            "mean-absolute-error": float(np.abs(predicted - recorded).mean()),
        }
        for kind in ("pearson", "spearman", "kendall"):
            try:
                measured = correlation(predicted, recorded, kind)
            except InputError:  # one score for every image, as before the first step
                found[kind] = float("nan")
                continue
            found[kind] = measured.value
            if kind == "pearson":
                found |= {"pearson-low": measured.low, "pearson-high": measured.high}
        self._pictures[split] = _against(predicted, recorded, self._ends)
        return {f"{split}/{name}": value for name, value in found.items()}

    def encode(self, images: Tensor) -> Tensor:
        """Vectors of normalised pictures."""
        vectors: Tensor = self.model.encoder(images)
        return vectors

    def look(self, inputs: Inputs) -> list[Snapshot]:
        """Vectors of normalised pictures, and what the encoder sees in them; of somebody's own what is found in it."""
        if not isinstance(self.model, OwnScores):
            return super().look(inputs)
        (images,) = inputs.args
        with undisturbed(self.model):
            self.model(images[:1])  # says so where it gives no scores
        return self._capture.capture(images)

    def probe(self) -> list[Snapshot]:
        """Vectors of the probe pictures, what the encoder sees in them, and predicted against recorded scores."""
        snapshots = self.look(Inputs((self.normalise(self._probe),)))
        low, high = self._ends
        names = [f"{low + (high - low) * (cell + 0.5) / CELLS:.3g}" for cell in range(CELLS)]
        notes = {"rows": "recorded score", "columns": "predicted score", "classes": names}
        for split, counts in self._pictures.items():
            snapshots.append(Snapshot("matrix", f"scores/{split}", counts, notes=notes))
        return snapshots

    def _regression(self, standard: Tensor, wanted: Tensor) -> Tensor:
        wanted = wanted.to(standard)
        if self._loss == "huber":
            return F.huber_loss(standard, wanted, delta=self._delta)
        return F.mse_loss(standard, wanted) / 2

    def _distances(self, part: ScoredImages) -> float:
        """Correlation of the distance of two vectors with the difference of their scores."""
        some = torch.arange(len(part.images))[:: -(-len(part.images) // MOST_PAIRS_OF)].to(part.images.device)
        vectors = torch.cat(
            [self.encode(self.normalise(images)) for images in part.images[some].split(self.forward_images)]
        )
        first, second = torch.triu_indices(len(some), len(some), 1, device=some.device)
        apart = torch.cdist(vectors, vectors)[first, second]
        gap = (part.scores[some][first] - part.scores[some][second]).abs()
        try:
            return correlation(apart.cpu().numpy(), gap.cpu().numpy()).value
        except InputError:
            return float("nan")


def _against(predicted: np.ndarray, recorded: np.ndarray, ends: tuple[float, float]) -> np.ndarray:
    """Counts of images by recorded (rows) and predicted score (columns), (CELLS, CELLS) int64."""
    low, high = ends
    row, column = (
        np.clip((CELLS * (some - low) / (high - low)).astype(np.int64), 0, CELLS - 1)
        for some in (recorded, np.clip(predicted, low, high))
    )
    return np.bincount(row * CELLS + column, minlength=CELLS * CELLS).reshape(CELLS, CELLS)
