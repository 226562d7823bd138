"""The task of classifying items by several modalities, some of which may be missing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mmgraph.datasets.one_file import is_clip, read_like
from mmgraph.datasets.one_sound import from_first_sound, is_sound, read_one_sound
from mmgraph.errors import InputError
from mmgraph.fusion import Fusion
from mmgraph.inspection import Capture
from mmgraph.inspection import inputs as model_inputs
from mmgraph.inspection.examined import Brought, Examined, picture_of, sound_of
from mmgraph.inspection.undisturbed import undisturbed
from mmgraph.questions import AboutItem
from mmgraph.runs import ItemSet, Snapshot
from mmgraph.training.classification import Classification, scores

Inputs = Mapping[str, Tensor]
FORWARD_ITEMS = 1000


@dataclass(frozen=True)
class NewItems:
    """How a grey picture and a sound become what the items of the data set are: spoiled alike, and as inputs.

    Args:
        size: height and width of pictures.
        samples: of a sound, `sample_rate` of them in a second.
        image: pixels (1, height, width) 0 … 255 to what is left of them, in the same range, and the input.
        sound: samples (1, samples) to what is heard, and the input.
    """

    size: tuple[int, int]
    samples: int
    sample_rate: int
    image: Callable[[Tensor], tuple[Tensor, Tensor]]
    sound: Callable[[Tensor], tuple[Tensor, Tensor]]


class MultimodalClassification(Classification):
    """Classify items in shuffled mini-batches; tested with all modalities, and with each of them alone.

    Args:
        model: encoders and how they are joined.
        inputs: by part ("train", "validation", "test") and modality; ready for the encoders.
        labels: classes of each part.
        class_names: a name per class.
        items: what the first rows of the test part are; as many of them are probed.
        new_items: how a person's own picture, sound or clip becomes an item of modalities "image" and "sound"; None
            where nothing can be brought in.
        alone: how much the answers of each modality alone count in the loss.
        batch_size: items in a batch; the last batch of an epoch may be smaller.
        seed: of the shuffling.

    Shapes:
        inputs (n, …) float32, labels (n,) int64.

    Raises:
        InputError: a part is empty, or modalities and labels of different lengths.
    """

    def __init__(
        self,
        model: Fusion,
        inputs: Mapping[str, Inputs],
        labels: Mapping[str, Tensor],
        *,
        class_names: Sequence[str],
        items: ItemSet,
        new_items: NewItems | None = None,
        alone: float = 1.0,
        batch_size: int = 64,
        seed: int = 0,
    ) -> None:
        super().__init__(model, class_names, items, Capture(model, kinds=("embedding", "prediction")))
        for part, modalities in inputs.items():
            lengths = {name: len(values) for name, values in modalities.items()} | {
                "labels": len(labels[part])
            }
            if len(set(lengths.values())) > 1 or not len(labels[part]):
                raise InputError(
                    f"The {part} part needs as many of each, and at least one; it has {lengths}."
                )
        self.fusion, self._new_items = model, new_items
        self._inputs = {part: dict(modalities) for part, modalities in inputs.items()}
        self._labels = dict(labels)
        self._batch_size, self._seed, self._alone = batch_size, seed, alone
        self.batches_per_epoch = -(-len(labels["train"]) // batch_size)

    def to(self, device: torch.device) -> None:
        """Move model and all items to a device."""
        self.model.to(device)
        self._inputs = {
            part: {name: values.to(device) for name, values in modalities.items()}
            for part, modalities in self._inputs.items()
        }
        self._labels = {part: values.to(device) for part, values in self._labels.items()}

    def adopt(self, model: nn.Module) -> None:
        """Try somebody's own model: modalities by name → logits (n, classes)."""
        self._adopt(model)
        self._new_items = None

    @property
    def _is_own(self) -> bool:
        """Whether the model is somebody's own, of which nobody knows how it joins the modalities."""
        return self.model is not self.fusion

    def batches(self, epoch: int, start: int = 0) -> Iterator[Tensor]:
        """Rows of shuffled batches; the order depends on the seed and the epoch alone."""
        labels = self._labels["train"]
        generator = torch.Generator().manual_seed((self._seed * 1_000_003 + epoch) % 2**63)
        order = torch.randperm(len(labels), generator=generator).to(labels.device)
        for position in range(start, self.batches_per_epoch):
            yield order[position * self._batch_size : (position + 1) * self._batch_size]

    def loss(self, batch: Tensor) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Cross-entropy and accuracy of a batch, and the cross-entropy of each modality alone."""
        some = {name: values[batch] for name, values in self._inputs["train"].items()}
        labels = self._labels["train"][batch]
        if self._alone == 0 or len(self.fusion.names) == 1:
            return scores(self.fusion(some), labels)
        together, alone = self.fusion.together_and_alone(some)
        loss, metrics = scores(together, labels)
        for logits in alone.values():
            loss = loss + self._alone * F.cross_entropy(logits, labels)
        return loss, metrics

    def evaluate(self, split: str = "validation") -> dict[str, float]:
        """Loss and accuracy with all modalities, and accuracy with each of them alone."""
        found = super().evaluate(split)
        if not self._is_own and len(self.fusion.names) > 1 and self.fusion.missing != "refuse":
            with torch.no_grad():
                for name in self.fusion.names:
                    logits = self._logits(split, (name,))
                    right = logits.argmax(1) == self._labels[split]
                    found[f"{split}/accuracy_{name}_alone"] = float(right.float().mean())
        return found

    def outputs(self, split: str) -> tuple[Tensor, Tensor]:
        """Logits and labels of a part of the data, computed in batches."""
        return self._logits(split, self.fusion.names), self._labels[split]

    def probe_inputs(self) -> tuple[dict[str, Tensor]]:
        """The first items of the test part."""
        count = len(self._items)
        return ({name: values[:count] for name, values in self._inputs["test"].items()},)

    @cached_property
    def examined(self) -> Examined:
        """The fusion and its probe; a picture, a sound or both can be brought in."""
        bring = None if self._new_items is None else self._bring
        return Examined(
            self._capture,
            self.look,
            model_inputs.Inputs(self.probe_inputs()),
            self._items,
            bring=bring,
        )

    def look(self, inputs: model_inputs.Inputs) -> list[Snapshot]:
        """What the modalities of some items give together."""
        if self._is_own:
            return super().look(inputs)
        (modalities,) = inputs.args
        with undisturbed(self.fusion), self._capture.sampling():
            fused, logits = self.fusion.fused_and_answers(modalities)
        name = self._items.name
        return [
            Snapshot("embedding", "fused", fused.float().cpu().numpy(), items=name),
            Snapshot("prediction", "output", logits.softmax(1).float().cpu().numpy(), items=name),
        ]

    def _bring(self, question: AboutItem) -> Brought:
        """Of a picture its image, of a sound its sound, of a clip its middle frame and its sound track, if any."""
        known = self._new_items
        if known is None or question.file is None:
            raise InputError("This recipe cannot answer that: it knows nothing of texts.")
        path, device = Path(question.file), self._labels["test"].device
        given: dict[str, Tensor] = {}
        shown: list[Snapshot] = []
        if "image" in self.fusion.names and not is_sound(path):
            shape = (1, 1, *known.size) if is_clip(path) else known.size
            pixels = torch.from_numpy(read_like(path, shape)).reshape(1, *known.size)
            seen, given["image"] = known.image(pixels)
            shown.append(picture_of(seen.round().clamp(0, 255).to(torch.uint8)))
        if "sound" in self.fusion.names and (is_sound(path) or is_clip(path)):
            samples = read_one_sound(path, known.sample_rate, optional=bool(given))
            if samples is not None:
                sound = torch.from_numpy(from_first_sound(samples, known.samples))
                heard, given["sound"] = known.sound(sound.unsqueeze(0))
                shown.append(sound_of(heard[0], known.sample_rate))
        if not given:
            senses = " and ".join({"image": "sees", "sound": "hears"}.get(n, n) for n in self.fusion.names)
            raise InputError(f"'{path.name}' has nothing for this model, which only {senses}.")
        return Brought(
            model_inputs.Inputs(({name: value.to(device) for name, value in given.items()},)), tuple(shown)
        )

    def probe(self) -> list[Snapshot]:
        """What the modalities give together, what each has to do with it, and what the encoders see."""
        if self._is_own:
            return super().probe()
        (inputs,) = self.probe_inputs()
        labels, name = self._labels["test"][: len(self._items)], self._items.name
        snapshots = [
            *self.look(model_inputs.Inputs((inputs,))),
            *self.fusion.contributions(inputs).snapshots(labels, self.class_names),
        ]
        for modality in self.fusion.names:
            capture = Capture(self.fusion.encoder(modality), kinds=("filters", "feature_maps"), items=name)
            snapshots += [
                replace(snapshot, layer=f"{modality}.{snapshot.layer}")
                for snapshot in capture.capture(inputs[modality])
            ]
        notes = {"classes": list(self.class_names)}
        for split, counts in self._confusions.items():
            snapshots.append(Snapshot("matrix", f"confusion/{split}", counts.cpu().numpy(), notes=notes))
        return snapshots

    def _logits(self, split: str, names: Sequence[str]) -> Tensor:
        inputs, count = self._inputs[split], len(self._labels[split])
        return torch.cat(
            [
                self.model({name: inputs[name][first : first + FORWARD_ITEMS] for name in names})
                for first in range(0, count, FORWARD_ITEMS)
            ]
        )
