"""The task of classifying clips, with a look at each of their frames."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mmgraph.datasets.one_file import is_clip, read_like
from mmgraph.datasets.one_sound import is_sound, read_one_sound
from mmgraph.errors import InputError
from mmgraph.fusion import VideoFusion
from mmgraph.inspection import Capture
from mmgraph.inspection.examined import Brought, Examined, picture_of, sound_of
from mmgraph.inspection.inputs import Inputs
from mmgraph.inspection.undisturbed import undisturbed
from mmgraph.questions import AboutItem
from mmgraph.runs import ItemSet, Snapshot
from mmgraph.training.classification import Classification, pixel_statistics, scores
from mmgraph.training.clip_variation import ClipVariation
from mmgraph.training.frame_strip import frame_strips
from mmgraph.vision import FrameLSTM, VideoClassifier

FORWARD_CLIPS = 32
STRIPS = 12
"""Clips whose frames are drawn with what is thought at each."""
THOUGHT_OF = 64
"""Clips of which what is thought at each frame is recorded."""


class VideoClassification(Classification):
    """Classify clips, in shuffled mini-batches.

    Args:
        model: clips → logits, and logits of each frame; a `VideoFusion` takes sounds as well.
        clips: uint8 clips of each split, "train", "validation" and "test".
        labels: classes of each split.
        class_names: a name per class.
        items: the clips the model is looked at with; their pixels are `probe`.
        probe: uint8 clips, as rows of `items`.
        capture: what to look at.
        batch_size: clips in a batch; the last batch of an epoch may be smaller.
        variation: random windows and changes of clips in training; whole clips are evaluated, as they are.
        sounds: of the clips of each split, as long as they are; none by default.
        sample_rate: of the sounds.
        alone: how much the answers of each stream of a `VideoFusion` alone count in the loss.
        seed: of all that is random.

    Shapes:
        clips (n, t, channels, height, width) uint8; labels (n,) int64; sounds (n, samples) float32.

    Units: sample_rate in 1/s.

    Raises:
        InputError: a part is empty, clips, sounds and labels do not fit, the model does not hear, or no sample rate.
    """

    def __init__(
        self,
        model: VideoClassifier | VideoFusion,
        clips: Mapping[str, Tensor],
        labels: Mapping[str, Tensor],
        *,
        class_names: Sequence[str],
        items: ItemSet,
        probe: Tensor,
        capture: Capture,
        batch_size: int = 32,
        variation: ClipVariation | None = None,
        sounds: Mapping[str, Tensor] | None = None,
        sample_rate: int = 0,
        alone: float = 1.0,
        seed: int = 0,
    ) -> None:
        super().__init__(model, class_names, items, capture)
        for split, some in clips.items():
            if len(some) == 0 or len(some) != len(labels[split]) or some.dim() != 5:
                raise InputError(
                    f"The {split} part needs clips (n, t, channels, height, width), at least one, and as many labels; "
                    f"it has {tuple(some.shape)} and {len(labels[split])} labels."
                )
        for split, heard in (sounds or {}).items():
            if not isinstance(model, VideoFusion) or heard.dim() != 2 or len(heard) != len(clips[split]):
                raise InputError(
                    f"Expected sounds (n, samples) for {len(clips[split])} clips of the {split} part and a VideoFusion "
                    f"that hears them, but got {tuple(heard.shape)} and a {type(model).__name__}."
                )
        if sounds and sample_rate < 1:
            raise InputError(f"Expected the sample rate of the sounds, but got {sample_rate}.")
        self.model: nn.Module
        self._classifier: nn.Module = model
        self._sounds, self._sample_rate = dict(sounds or {}), sample_rate
        self._alone, self._right_alone = alone, {split: dict[str, float]() for split in clips}
        self._clips, self._labels, self._probe = dict(clips), dict(labels), probe
        self._batch_size, self._seed = batch_size, seed
        self._variation = ClipVariation() if variation is None else variation
        self._mean, self._std = pixel_statistics(clips["train"])
        self.batches_per_epoch = -(-len(clips["train"]) // batch_size)

    def to(self, device: torch.device) -> None:
        """Move model and all clips to a device."""
        self.model.to(device)
        self._clips = {split: value.to(device) for split, value in self._clips.items()}
        self._labels = {split: value.to(device) for split, value in self._labels.items()}
        self._sounds = {split: value.to(device) for split, value in self._sounds.items()}
        self._probe = self._probe.to(device)

    def adopt(self, model: nn.Module) -> None:
        """Try somebody's own model: normalised clips (n, t, channels, height, width) → logits (n, classes)."""
        self._adopt(model)
        self._classifier, self._sounds = model, {}

    def normalise(self, clips: Tensor) -> Tensor:
        """Pixels 0 … 255 as numbers of mean 0 and standard deviation 1 over the training part."""
        return (clips.float() / 255 - self._mean) / self._std

    def batches(self, epoch: int, start: int = 0) -> Iterator[tuple[tuple[Tensor, ...], Tensor]]:
        """Shuffled batches of clips, with their sounds where there are any, and labels.

        All that is random depends on the seed, the epoch and the position alone.
        """
        clips, labels, sounds = self._clips["train"], self._labels["train"], self._sounds.get("train")
        key = self._seed * 1_000_003 + epoch
        order = torch.randperm(len(clips), generator=torch.Generator().manual_seed(key % 2**63))
        for position in range(start, self.batches_per_epoch):
            rows = order[position * self._batch_size : (position + 1) * self._batch_size].to(clips.device)
            generator = torch.Generator().manual_seed((key * 1_000_003 + position) % 2**63)
            seen, heard = self._variation.with_sounds(
                self.normalise(clips[rows]), None if sounds is None else sounds[rows], generator
            )
            yield (seen,) if heard is None else (seen, heard), labels[rows]

    def loss(self, batch: tuple[tuple[Tensor, ...], Tensor]) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Cross-entropy and accuracy of a batch; of a fusion with the cross-entropy of each stream alone."""
        inputs, labels = batch
        if (
            not isinstance(self._classifier, VideoFusion)
            or self._alone == 0
            or len(self._classifier.names) == 1
        ):
            return scores(self.model(*inputs), labels)
        together, alone = self._classifier.together_and_alone(*inputs)
        loss, metrics = scores(together, labels)
        for logits in alone.values():
            loss = loss + self._alone * F.cross_entropy(logits, labels)
        return loss, metrics

    def evaluate(self, split: str = "validation") -> dict[str, float]:
        """Loss and accuracy; of a fusion also the accuracy of each stream alone."""
        found = super().evaluate(split)
        alone = self._right_alone[split]
        return found | {f"{split}/accuracy_{name}_alone": share for name, share in alone.items()}

    def outputs(self, split: str) -> tuple[Tensor, Tensor]:
        """Logits and labels of a part of the data, computed in batches."""
        labels, logits = self._labels[split], []
        alone: dict[str, list[Tensor]] = {}
        for first in range(0, len(labels), FORWARD_CLIPS):
            inputs = self._inputs(split, slice(first, first + FORWARD_CLIPS))
            if isinstance(self._classifier, VideoFusion) and len(self._classifier.names) > 1:
                together, each = self._classifier.together_and_alone(*inputs)
                for name, answer in each.items():
                    alone.setdefault(name, []).append(answer)
            else:
                together = self.model(*inputs)
            logits.append(together)
        self._right_alone[split] = {
            name: float((torch.cat(answers).argmax(1) == labels).float().mean())
            for name, answers in alone.items()
        }
        return torch.cat(logits), labels

    def probe_inputs(self) -> tuple[Any, ...]:
        """The probe clips, which are the first of the test part, with their sounds where there are any."""
        seen = self.normalise(self._probe)
        return (seen, self._sounds["test"][: len(seen)]) if self._sounds else (seen,)

    def _inputs(self, split: str, rows: slice) -> tuple[Tensor, ...]:
        seen = self.normalise(self._clips[split][rows])
        return (seen, self._sounds[split][rows]) if self._sounds else (seen,)

    @cached_property
    def examined(self) -> Examined:
        """The model, and the probe as clips: so can others be shown to it, or played."""
        if not self._sounds:
            return Examined(self._capture, self.look, None, self._items, self._probe, self.normalise)
        given = Inputs(self.probe_inputs())
        return Examined(
            self._capture, self.look, given, self._items, self._probe, self.normalise, bring=self._bring
        )

    def _bring(self, question: AboutItem) -> Brought:
        """A clip with its sound track, if it has one; a picture; or a sound."""
        if question.file is None:
            raise InputError("This recipe cannot answer that: it knows nothing of texts.")
        assert isinstance(self._classifier, VideoFusion)
        path, device, names = Path(question.file), self._probe.device, self._classifier.names
        sees, hears = names != ("sound",), "sound" in names
        clip = sound = None
        shown: list[Snapshot] = []
        if not is_sound(path):
            pixels = torch.from_numpy(read_like(path, tuple(self._probe.shape[1:])))[None]
            shown.append(picture_of(pixels))
            clip = self.normalise(pixels.to(device))
        if hears and (is_sound(path) or is_clip(path)):
            samples = read_one_sound(path, self._sample_rate, optional=sees)
            if samples is not None:
                shown.append(sound_of(torch.from_numpy(samples), self._sample_rate))
                sound = torch.from_numpy(samples)[None].to(device)
        if sound is None and not sees:
            raise InputError(f"'{path.name}' has nothing for this model, which only hears.")
        return Brought(Inputs((clip, sound)), tuple(shown))

    def look(self, inputs: Inputs) -> list[Snapshot]:
        """What is inside, and what of each frame is in the vector of a clip, where that is decided by attention."""
        found = super().look(inputs)
        encoder = getattr(self._classifier, "encoder", None)
        if isinstance(encoder, FrameLSTM) and encoder.read == "attention":
            with undisturbed(self.model):
                weights = encoder.attention(inputs.args[0]).float().cpu().numpy()
            found.append(
                Snapshot(
                    "attention",
                    "encoder.attends",
                    weights[:, None, None],
                    items=self._items.name,
                    extras={"rows": np.arange(len(weights))},
                    notes={
                        "queries": ["the clip"],
                        "keys": [f"frame {frame + 1}" for frame in range(weights.shape[1])],
                        "over": "frames",
                    },
                )
            )
        return found

    def probe(self) -> list[Snapshot]:
        """What is inside, and the frames of some clips with what is thought at each of them."""
        thought_of, inputs = self._probe[:THOUGHT_OF], self.probe_inputs()
        if not isinstance(
            self._classifier, VideoClassifier | VideoFusion
        ):  # somebody's own says nothing of frames
            return super().probe()
        training = self.model.training
        self.model.eval()
        with torch.no_grad():
            some = (value[:THOUGHT_OF] for value in inputs)
            frames = self._classifier.per_frame(*some).softmax(2).float().cpu().numpy()
        self.model.train(training)
        shown = thought_of[:STRIPS]
        labels = self._items.labels
        assert labels is not None
        strips = frame_strips(
            shown.permute(0, 1, 3, 4, 2).cpu().numpy(), frames[: len(shown)], labels[: len(shown)]
        )
        strip = Snapshot(
            "image",
            "frames",
            strips,
            items=self._items.name,
            extras={
                "rows": np.arange(len(shown)),
                "predictions": frames,
                "prediction_rows": np.arange(len(frames)),
            },
            notes={"classes": list(self.class_names)},
        )
        snapshots = [*super().probe(), strip]
        if isinstance(self._classifier, VideoFusion):
            contributions = self._classifier.contributions(*inputs)
            snapshots += contributions.snapshots(torch.from_numpy(labels).to(shown.device), self.class_names)
        return snapshots
