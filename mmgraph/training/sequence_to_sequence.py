"""The task of writing one sequence of tokens for another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional as F

from mmgraph.errors import InputError
from mmgraph.inspection import Capture
from mmgraph.inspection.examined import Answer, Brought, Examined
from mmgraph.inspection.inputs import Inputs
from mmgraph.inspection.undisturbed import undisturbed
from mmgraph.questions import AboutItem, Caption
from mmgraph.runs import ItemSet, Snapshot
from mmgraph.sequence import EncoderDecoder, LengthBuckets, Vocabulary, pad
from mmgraph.training.classification import confusion
from mmgraph.training.task import Task

if TYPE_CHECKING:
    from mmgraph.inspection.examined import Report
    from mmgraph.questions import Question

IGNORED = -100
MOST_TOKENS = 256
"""Of a text that somebody brings."""
FORWARD_PAIRS = 500
Pair = tuple[Sequence[str], Sequence[str]]


class SequenceToSequence(Task):
    """Write a target for a source: cross-entropy of each token and of the end, given those before.

    Args:
        model: the network.
        pairs: tokens of source and target, of each part, "train", "validation" and "test".
        source, target: vocabularies; that of the target has the tokens "<begin>" and "<end>".
        items: the pairs the model is looked at with, the first of the test part; as many as there are items.
        cut: a person's own text into tokens of the source.
        batch_size: pairs in a batch.
        teacher_forcing: how often a step is given the true token before it at the end of the run; it falls to that
            from 1 in even steps from epoch to epoch.
        epochs: of the run.
        seed: of the order of the pairs, and of when the true token is given.

    Raises:
        InputError: a part is empty, or a source has no tokens.
    """

    def __init__(
        self,
        model: EncoderDecoder,
        pairs: Mapping[str, Sequence[Pair]],
        *,
        source: Vocabulary,
        target: Vocabulary,
        items: ItemSet,
        cut: Callable[[str], Sequence[str]] = str.split,
        batch_size: int = 64,
        teacher_forcing: float = 1.0,
        epochs: int = 1,
        seed: int = 0,
    ) -> None:
        self.model: EncoderDecoder = model
        self._items, self._source, self._target, self._seed = items, source, target, seed
        self._cut = cut
        self._last_forcing, self._epochs = teacher_forcing, epochs
        self._sources, self._lengths, self._written, self._steps = {}, {}, {}, {}
        for part, some in pairs.items():
            if not some or not all(len(read) for read, _ in some):
                raise InputError(f"The {part} part needs at least one pair, and a token in every source.")
            self._sources[part], self._lengths[part] = pad([source.encode(read) for read, _ in some])
            self._written[part], self._steps[part] = pad([target.encode(text) for _, text in some], model.end)
        self._buckets = LengthBuckets(self._lengths["train"], batch_size, seed=seed)
        self.batches_per_epoch = len(self._buckets)
        self._confusions: dict[str, Tensor] = {}

    def to(self, device: torch.device) -> None:
        """Move model and all pairs to a device."""
        self.model.to(device)
        for numbers in (self._sources, self._written, self._steps):
            numbers.update({part: value.to(device) for part, value in numbers.items()})

    def batches(self, epoch: int, start: int = 0) -> Iterator[tuple[Tensor, float, torch.Generator]]:
        """Rows of each batch, how often true tokens are given, and what that is drawn with."""
        share = 1 - (1 - self._last_forcing) * min(epoch / max(self._epochs - 1, 1), 1.0)
        for position, rows in enumerate(self._buckets.epoch(epoch, start), start):
            key = ((self._seed * 1_000_003 + epoch) * 1_000_003 + position) % 2**63
            yield rows, share, torch.Generator().manual_seed(key)

    def loss(self, batch: tuple[Tensor, float, torch.Generator]) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Cross-entropy of a batch, and the share of its tokens that were likeliest."""
        rows, share, generator = batch
        source, lengths, written, steps = self._rows("train", rows)
        logits = self.model(source, lengths, written, teacher_forcing=share, generator=generator)
        wanted = self._wanted(written, steps)
        loss = F.cross_entropy(logits.flatten(0, 1), wanted.flatten(), ignore_index=IGNORED)
        counted = wanted != IGNORED
        hits = (logits.detach().argmax(dim=2) == wanted)[counted]
        return loss, {"token-accuracy": hits.float().mean()}

    def evaluate(self, split: str = "validation") -> dict[str, float]:
        """Loss with true tokens given; and without them the share of sources whose whole target was written."""
        self.model.eval()
        total, tokens, whole = 0.0, 0, 0
        counts = torch.zeros(len(self._target), len(self._target), dtype=torch.int64)
        count = len(self._sources[split])
        with torch.no_grad():
            for rows in torch.arange(count).split(FORWARD_PAIRS):
                source, lengths, written, steps = self._rows(split, rows)
                wanted = self._wanted(written, steps)
                logits = self.model(source, lengths, written)
                flat, labels = logits.flatten(0, 1), wanted.flatten()
                total += float(F.cross_entropy(flat, labels, ignore_index=IGNORED, reduction="sum"))
                known = labels != IGNORED
                tokens += int(known.sum())
                counts += confusion(flat.argmax(dim=1)[known], labels[known], len(self._target)).cpu()
                found, _ = self.model.generate(source, lengths, wanted.size(1))
                # Both are "end" after the end.
                true = torch.cat([written, written.new_full((len(written), 1), self.model.end)], dim=1)
                whole += int((found == true).all(dim=1).sum())
        self._confusions[split] = counts
        return {
            f"{split}/loss": total / tokens,
            f"{split}/accuracy": whole / count,
            f"{split}/token-accuracy": float(counts.diagonal().sum()) / tokens,
        }

    def remark(self) -> str:
        """What is written for the first pair that is looked at."""
        self.model.eval()
        source, lengths, _, steps = self._rows("test", torch.zeros(1, dtype=torch.int64))
        found, counts = self.model.generate(source, lengths, 2 * int(steps.max()) + 1)
        read = self._items.texts[0] if self._items.texts else "the first"
        return f"{read}: wrote {' '.join(self._target.decode(found[0, : int(counts[0])].cpu()))}"

    def items(self) -> ItemSet:
        """The pairs the model is looked at with."""
        return self._items

    def probe(self) -> list[Snapshot]:
        """One vector of each source, what each written token looks at, and which tokens are taken for which."""
        snapshots = self.look(self._probed())
        for split, counts in self._confusions.items():
            notes = {"classes": list(self._target.tokens)}
            snapshots.append(Snapshot("matrix", f"tokens/{split}", counts.numpy(), notes=notes))
        return snapshots

    @cached_property
    def examined(self) -> Examined:
        """The network and its probe; a text can be brought in."""
        capture = Capture(self.model, kinds=("embedding", "attention"))
        return Examined(capture, self.look, self._probed(), self._items, bring=self._bring)

    def look(self, inputs: Inputs) -> list[Snapshot]:
        """A vector of each source, and what each token written for it looks at."""
        source, lengths, written = inputs.args
        steps = (written != self.model.end).sum(dim=1)
        with undisturbed(self.model), self.examined.capture.sampling():
            vectors, weights = self.model.vectors_and_attention(source, lengths, written)
        snapshots = [Snapshot("embedding", "encoder", vectors.float().cpu().numpy(), items=self._items.name)]
        if weights is not None:
            beyond = torch.arange(weights.size(1), device=weights.device) > steps[:, None]
            maps = weights.masked_fill(beyond[:, :, None], 0.0)[:, None].float().cpu().numpy()
            end = self._target.tokens[self.model.end]
            named = {
                "queries": [[*words, end] for words in decoded(self._target, written, steps)],
                "keys": decoded(self._source, source, lengths),
            }
            snapshots.append(Snapshot("attention", "decoder", maps, items=self._items.name, notes=named))
        return snapshots

    def answer(self, question: Question, report: Report) -> Answer:
        """What is written for a text, besides what every task answers."""
        if not isinstance(question, Caption):
            return super().answer(question, report)
        inputs = self.examined.inputs_of(question)
        if question.row is not None:
            inputs = self._written_for(*inputs.args[:2])
        words = self._target.decode(inputs.args[2][0].cpu())
        seen = [some for some in self.look(inputs) if some.kind == "attention"]
        return Answer({"sentence": " ".join(words), "words": words}, tuple(seen))

    def _bring(self, question: AboutItem) -> Brought:
        """A text, with what the model writes for it."""
        if question.text is None:
            raise InputError("This recipe cannot answer that: it reads texts, and knows nothing of files.")
        tokens = list(self._cut(question.text))
        known = [token for token in tokens if token in self._source]
        if not known or len(tokens) > MOST_TOKENS:
            some = " ".join(self._source.tokens[1:11])
            raise InputError(
                f"This model reads up to {MOST_TOKENS} tokens such as {some}; in that text are {len(tokens):,}, of "
                f"which it knows {len(known):,}."
            )
        device = next(self.model.parameters()).device
        source = self._source.encode(tokens)[None].to(device)
        return Brought(self._written_for(source, torch.tensor([len(tokens)])))

    def _written_for(self, source: Tensor, lengths: Tensor) -> Inputs:
        """One source with what the model itself writes for it, of at most twice as many tokens as it has learned."""
        with undisturbed(self.model):
            found, counts = self.model.generate(source, lengths, 2 * int(self._steps["train"].max()) + 1)
        return Inputs((source, lengths, found[:, : int(counts[0])]))

    def _probed(self) -> Inputs:
        """The probe with its true targets, which are padded with the end."""
        return Inputs(self._rows("test", torch.arange(len(self._items)))[:3])

    def _rows(self, part: str, rows: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Sources and targets of some rows, as long as the longest of them."""
        lengths, steps = self._lengths[part][rows], self._steps[part][rows]
        source, written = (
            self._sources[part][rows, : int(lengths.max())],
            self._written[part][rows, : int(steps.max())],
        )
        return source, lengths, written, steps

    def _wanted(self, written: Tensor, steps: Tensor) -> Tensor:
        """What each step shall write: the target, its end, and nothing that counts after it."""
        wanted = torch.cat([written, written.new_full((len(written), 1), self.model.end)], dim=1)
        return wanted.masked_fill(
            torch.arange(wanted.size(1), device=wanted.device) > steps[:, None], IGNORED
        )


def decoded(vocabulary: Vocabulary, rows: Tensor, lengths: Tensor) -> list[list[str]]:
    """Tokens of padded rows, without the padding."""
    counted = zip(rows.cpu(), lengths.tolist(), strict=True)
    return [vocabulary.decode(numbers[:count]) for numbers, count in counted]
