"""The task of saying in a sentence what an image shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence

from mmgraph.datasets.captioned_images import Mention
from mmgraph.errors import InputError
from mmgraph.fusion.captioning import Captioner
from mmgraph.fusion.captioning.frequency_baseline import frequent_sentence
from mmgraph.fusion.captioning.pointing import pointing_accuracy
from mmgraph.fusion.captioning.scores import caption_scores
from mmgraph.inspection import Capture
from mmgraph.inspection.examined import Answer, Examined
from mmgraph.inspection.inputs import Inputs
from mmgraph.inspection.undisturbed import undisturbed
from mmgraph.questions import Caption
from mmgraph.runs import ItemSet, Snapshot
from mmgraph.sequence import Vocabulary
from mmgraph.training.classification import pixel_statistics
from mmgraph.training.task import Task
from mmgraph.vision import channels_innermost

if TYPE_CHECKING:
    from mmgraph.inspection.examined import Report
    from mmgraph.questions import Question
    from mmgraph.runs.structure import Structure

PAD, START, END = "<pad>", "<start>", "<end>"
SPECIALS = (PAD, START, END)
FORWARD_IMAGES = 250
FROZEN_IMAGES = 50
SAID = 3
"""Probe images whose sentences are logged after an evaluation."""
EXPLAINED = 16
"""Probe images with an attention map per word."""

Mentions = Sequence[Sequence[Sequence[Mention]]]


class Told(NamedTuple):
    """What an image shows, and where was looked before each word.

    Shapes:
        weights (words, rows, columns), each map sums to 1.
    """

    words: tuple[str, ...]
    weights: npt.NDArray[np.float32]


class Captioning(Task):
    """Learn to say what images show, from images with one or more sentences each.

    Args:
        model: images to sentences.
        images: uint8 pictures of each part, "train", "validation" and "test".
        captions: sentences of each image of each part, words apart by spaces.
        vocabulary: numbers of the words; has "<pad>", "<start>" and "<end>".
        mentions: of each sentence of each image of each part, which words name what lies where; without it nobody
            asks whether the model looks there.
        items: the pictures the model is looked at with; their pixels are `probe`.
        probe: uint8 pictures, as rows of `items`.
        capture: what else to look at in the network that sees.
        batch_size: pictures in a batch, each with one of its sentences, drawn anew each epoch.
        beams: beginnings that the search keeps.
        frozen: a network that is not trained; what it makes of the pictures is what the model is given, computed once.
        statistics: mean and standard deviation of each colour, as shares of 255, that `frozen` was trained with.
        longest: most words that are learned or said of an image; what a sentence has more is cut off.
        scored: images of a part that sentences are searched for in each evaluation, evenly spread; all for "test".
        seed: of the shuffling and the choice of sentences.

    Shapes:
        images (n, 3, height, width) uint8.

    Raises:
        InputError: a part is empty, images and sentences do not fit, or sentences may have no word.
    """

    monitor = "validation/bleu-4"

    def __init__(
        self,
        model: Captioner,
        images: Mapping[str, Tensor],
        captions: Mapping[str, Sequence[Sequence[str]]],
        vocabulary: Vocabulary,
        *,
        items: ItemSet,
        probe: Tensor,
        capture: Capture,
        mentions: Mapping[str, Mentions] | None = None,
        frozen: nn.Module | None = None,
        statistics: tuple[Sequence[float], Sequence[float]] | None = None,
        batch_size: int = 50,
        beams: int = 3,
        longest: int = 50,
        scored: int = 200,
        seed: int = 0,
    ) -> None:
        for part, pictures in images.items():
            if len(pictures) == 0 or len(pictures) != len(captions[part]):
                raise InputError(
                    f"The {part} part needs sentences for every image, and at least one; it has {len(pictures)} images "
                    f"and sentences of {len(captions[part])}."
                )
        if longest < 1:
            raise InputError(f"Expected sentences of at least one word, but got {longest}.")
        self.model: Captioner = model
        self._images, self._captions, self._vocabulary = dict(images), dict(captions), vocabulary
        self._mentions = mentions or {}
        self._items, self._probe, self._capture = items, probe, capture
        self._layers = Capture(model)
        self._batch_size, self._beams, self._scored, self._seed = batch_size, beams, scored, seed
        most = max(len(said.split()) for some in captions["train"] for said in some)
        self._longest = min(most, longest) + 1
        self._sentences = {part: [self._encode(some) for some in captions[part]] for part in images}
        mean, std = statistics or pixel_statistics(images["train"])
        self._mean, self._std = (torch.tensor(values).reshape(-1, 1, 1) for values in (mean, std))
        self._frozen = None if frozen is None else frozen.requires_grad_(False).eval()
        self._maps: dict[str, Tensor] = {}
        self.batches_per_epoch = -(-len(images["train"]) // batch_size)

    def to(self, device: torch.device) -> None:
        """Move model and all pictures to a device."""
        self.model.to(device)
        self._images = {part: value.to(device) for part, value in self._images.items()}
        self._probe = self._probe.to(device)
        self._mean, self._std, self._maps = self._mean.to(device), self._std.to(device), {}
        if self._frozen is not None:
            self._frozen.to(device)

    def normalise(self, images: Tensor) -> Tensor:
        """What the model is given: pixels 0 … 255 as numbers of mean 0 and standard deviation 1, or maps of them."""
        pixels = channels_innermost((images.float() / 255 - self._mean) / self._std)
        if self._frozen is None:
            return pixels
        with torch.no_grad():
            return torch.cat([self._frozen(some) for some in pixels.split(FROZEN_IMAGES)])

    def batches(self, epoch: int, start: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        """Images and a sentence of each; order and choice depend on the seed and the epoch alone."""
        images, sentences = self._images["train"], self._sentences["train"]
        generator = torch.Generator().manual_seed((self._seed * 1_000_003 + epoch) % 2**63)
        order = torch.randperm(len(images), generator=generator)
        choice = torch.rand(len(images), generator=generator)
        for position in range(start, self.batches_per_epoch):
            rows = order[position * self._batch_size : (position + 1) * self._batch_size]
            chosen = [
                sentences[row][int(share * len(sentences[row]))]
                for row, share in zip(rows.tolist(), choice[rows].tolist(), strict=True)
            ]
            yield self._given("train", rows), self._padded(chosen).to(images.device)

    def loss(self, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, Mapping[str, Tensor]]:
        """How unlikely the sentences are, and the share of words foretold."""
        return self.model.loss(*batch)

    def evaluate(self, split: str = "validation") -> dict[str, float]:
        """Loss of the first sentences, scores of the sentences found, and whether named things are looked at.

        Of the test part also the scores of the most frequent sentence of the training part, said of every image.
        """
        self.model.eval()
        count = len(self._images[split])
        rows = range(0, count, 1 if split == "test" else max(1, count // self._scored))
        losses, said, weights = [], [], []
        with torch.no_grad():
            for some in torch.tensor(rows).split(FORWARD_IMAGES):
                images = self._given(split, some)
                annotations = self.model.annotate(images)
                first = self._padded([self._sentences[split][row][0] for row in some.tolist()])
                first = first.to(images.device)
                losses.append(self.model.loss_from(annotations, first)[0] * len(some))
                said += self._say(annotations)[0]
                if split in self._mentions:
                    looked = self.model.decoder.attention(annotations, first[:, :-1])
                    weights.append(F.pad(looked, (0, 0, 0, self._longest - looked.size(1))))
            references = [self._captions[split][row] for row in rows]
            found = caption_scores(said, references, meteor=split == "test")
            if split == "test":
                always = [frequent_sentence(self._captions["train"])] * len(rows)
                constant = caption_scores(always, references, meteor=False)
                found |= {f"one-sentence/{name}": value for name, value in constant.items()}
            found["loss"] = float(torch.stack(losses).sum()) / len(rows)
            if weights:
                named = [self._mentions[split][row][0] for row in rows]
                grid = self.model.annotate.grid
                found["pointing-accuracy"] = pointing_accuracy(torch.cat(weights), grid, named)
        return {f"{split}/{name}": value for name, value in found.items()}

    def caption(self, image: npt.NDArray[np.uint8]) -> Told:
        """Say what an image of any size shows. It is scaled, like those learned from, without regard to its shape.

        Shapes:
            image (height, width) or (height, width, 3) uint8.

        Raises:
            InputError: it is no such image, or empty.
        """
        if (
            image.dtype != np.uint8
            or image.ndim not in (2, 3)
            or 0 in image.shape
            or image.shape[2:] not in ((), (3,))
        ):
            raise InputError(
                f"Expected an image (height, width) or (height, width, 3) of uint8, but got {image.shape} of "
                f"{image.dtype}."
            )
        colours = image if image.ndim == 3 else np.repeat(image[:, :, None], 3, axis=2)
        pixels = torch.tensor(colours, device=self._probe.device).permute(2, 0, 1).unsqueeze(0)
        scaled = F.interpolate(
            pixels.float(), self._probe.shape[2:], mode="bilinear", antialias=True, align_corners=False
        )
        with undisturbed(self.model):
            [said], weights = self._say(self.model.annotate(self.normalise(scaled.round().clamp(0, 255))))
        words = tuple(said.split())
        return Told(
            words, weights[0, : len(words)].unflatten(1, self.model.annotate.grid).float().cpu().numpy()
        )

    def items(self) -> ItemSet:
        """What the rows of the embedding are."""
        return self._items

    def remark(self) -> str:
        """What is said of the first probe images, for the log."""
        self.model.eval()
        with torch.no_grad():
            said, _ = self._say(self.model.annotate(self.normalise(self._probe[:SAID])))
        return " · ".join(f"image {number}: {sentence}" for number, sentence in enumerate(said))

    def probe(self) -> list[Snapshot]:
        """What the model says of the probe images, where it looks before each word, and what it sees."""
        with undisturbed(self.model), self._layers.sampling():
            self.model(*self._read(EXPLAINED))
        return self.look(Inputs((self.normalise(self._probe),)))

    def activations(self) -> list[Snapshot]:
        """Of the network that sees and of the decoder, while the sentences of some probe images are read."""
        return self._layers.spread()

    @property
    def shown(self) -> nn.Module:
        """The whole captioner: what is asked about layers is asked of the network that sees."""
        return self.model

    def structure(self) -> Structure:
        """The layers of the captioner, and how they are wired while it reads two words: more would repeat that."""
        from mmgraph.inspection.structure import ITEMS, structure

        images, sentences = self._read(ITEMS)
        return structure(self.model, Inputs((images, sentences[:, :3])))

    def _read(self, count: int) -> tuple[Tensor, Tensor]:
        """The first probe images, and a sentence of each."""
        images = self.normalise(self._probe[:count])
        texts = (self._items.texts or ("",) * len(self._probe))[:count]
        return images, self._padded(self._encode(texts)).to(images.device)

    @cached_property
    def examined(self) -> Examined:
        """The network that sees, and the probe as pictures: so can others be shown to it."""
        return Examined(self._capture, self.look, None, self._items, self._probe, self.normalise)

    def look(self, inputs: Inputs) -> list[Snapshot]:
        """Vectors of normalised images, what is said of the first of them and looked at before each word."""
        (images,) = inputs.args
        with undisturbed(self.model):
            annotations = torch.cat([self.model.annotate(some) for some in images.split(FORWARD_IMAGES)])
            said, weights = self._say(annotations[:EXPLAINED])
        vectors = annotations.mean(dim=1).float().cpu().numpy()
        return [
            Snapshot("embedding", "annotations", vectors, items=self._items.name),
            self._looked(said, weights),
            *self._capture.capture(images),
        ]

    def answer(self, question: Question, report: Report) -> Answer:
        """What an image shows, besides what every task answers."""
        if not isinstance(question, Caption):
            return super().answer(question, report)
        pixels = self.examined.pixels_of(question)
        with undisturbed(self.model):
            said, weights = self._say(self.model.annotate(self.normalise(pixels)))
        picture = Snapshot("image", "item", pixels.permute(0, 2, 3, 1).cpu().numpy())
        return Answer({"sentence": said[0], "words": said[0].split()}, (self._looked(said, weights), picture))

    def _looked(self, said: Sequence[str], weights: Tensor) -> Snapshot:
        return Snapshot(
            "attention",
            "decoder",
            weights.unsqueeze(1).float().cpu().numpy(),
            items=self._items.name,
            extras={"rows": np.arange(len(weights))},
            notes={
                "grid": list(self.model.annotate.grid),
                "words": [[*words.split(), END] for words in said],
            },
        )

    def _given(self, part: str, rows: Tensor) -> Tensor:
        """Inputs of some pictures of a part; what never changes is kept."""
        rows = rows.to(self._probe.device)
        if self._frozen is None:
            return self.normalise(self._images[part][rows])
        if part not in self._maps:
            self._maps[part] = self.normalise(self._images[part])
        return self._maps[part][rows]

    def _say(self, annotations: Tensor) -> tuple[list[str], Tensor]:
        """A sentence per image, and the weights looked with before each word (n, longest, L)."""
        found = self.model.describe_from(annotations, beams=self._beams, longest=self._longest)
        said = []
        for numbers in found.words.tolist():
            words = numbers[: numbers.index(self.model.end)] if self.model.end in numbers else numbers
            said.append(" ".join(self._vocabulary.tokens[word] for word in words))
        more = self._longest - found.weights.size(1)
        return said, F.pad(found.weights, (0, 0, 0, more))

    def _encode(self, sentences: Sequence[str]) -> list[Tensor]:
        """Each sentence as start, words and end, without the words beyond the longest."""
        return [
            self._vocabulary.encode([START, *sentence.split()[: self._longest - 1], END])
            for sentence in sentences
        ]

    def _padded(self, sentences: Sequence[Tensor]) -> Tensor:
        """Sentences of a batch side by side, as long as the longest of them."""
        return pad_sequence(list(sentences), batch_first=True, padding_value=self._vocabulary[PAD])
