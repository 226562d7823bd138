"""The task of predicting the next token of a text, with the state carried from window to window."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mmgraph.errors import InputError
from mmgraph.inspection import Capture
from mmgraph.runs import ItemSet, Snapshot
from mmgraph.sequence import LanguageModel, Tokenizer, Vocabulary, detached, text_windows
from mmgraph.sequence.cell import State
from mmgraph.training.task import Task

EVALUATION_ROWS = 32
EVALUATION_STEPS = 256
SHOWN_UNITS = 64
SHOWN_STEPS = 80
PADDING = -100


class Carrying(nn.Module):
    """A language model and the state it has reached in each row of the text, so that checkpoints hold both."""

    def __init__(self, language: LanguageModel, rows: int) -> None:
        super().__init__()
        self.language = language
        for number, part in enumerate(language.initial(rows)):
            self.register_buffer(f"state_{number}", part)

    @property
    def state(self) -> State:
        """What the last window left."""
        return tuple(self.buffers())

    def forward(self, tokens: Tensor, begins: bool) -> Tensor:
        """Logits of the token after each; zeros are the state where a text begins."""
        logits, state = self.language(tokens, self.language.initial(len(tokens)) if begins else self.state)
        # Not in place: the gradient of this window still needs the numbers it began with.
        for number, part in enumerate(detached(state)):
            setattr(self, f"state_{number}", part)
        return cast("Tensor", logits)


class Rereading(LanguageModel):
    """Somebody's own model of texts, which reads some tokens again where ours goes on from a state.

    The state is what was read last. Each token is read with at least ⌈context / 2⌉ − 1 of those before it, where there
    are so many, and at most `context` at once.

    Args:
        model: tokens (n, time) → logits (n, time, vocabulary) of the token after each.
        context: most tokens to be read at once, at least 2.

    Raises:
        InputError: the model gives something else.
    """

    def __init__(self, model: nn.Module, vocabulary: int, context: int) -> None:
        nn.Module.__init__(self)
        self.model, self._vocabulary, self._context = model, vocabulary, context

    def initial(self, batch: int) -> State:
        """Nothing was read yet."""
        device = next(self.model.parameters(), torch.empty(0)).device
        return (torch.empty(batch, 0, dtype=torch.int64, device=device),)

    def forward(self, tokens: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        (before,) = self.initial(len(tokens)) if state is None else state
        new = self._context - self._context // 2
        logits = []
        for some in tokens.split(new, dim=1):
            read = torch.cat([before, some], dim=1)[:, -self._context :]
            logits.append(self._read(read)[:, -some.size(1) :])
            before = read[:, -(self._context // 2) :]
        return torch.cat(logits, dim=1), (before,)

    def _read(self, tokens: Tensor) -> Tensor:
        logits = self.model(tokens)
        expected = (*tokens.shape, self._vocabulary)
        if not isinstance(logits, Tensor) or logits.shape != expected:
            found = tuple(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
            raise InputError(f"Expected logits {expected} for tokens {tuple(tokens.shape)}, but got {found}")
        return logits


class LanguageModelling(Task):
    """Predict the next token: cross-entropy by truncated back-propagation through time.

    L = −(1/n) Σ_t log p(x_{t+1} | x_1 … x_t)

    The training text lies in `batch_size` rows, and a batch is a window of `steps` columns; states go on from window to
    window, gradients do not. Where the rows begin is shifted at random in every epoch, so that windows differ.

    Args:
        model: the network.
        texts: token numbers of each part, "train", "validation" and "test".
        characters: how many characters each part has; numbers are given for each of them too.
        vocabulary, tokenizer: that made the numbers.
        batch_size: rows.
        steps: columns of a window; gradients go back so far.
        seed: of the shifts and of what is drawn as a sample.
        prompt: what samples begin with.
        sample_length: tokens of a sample.
        temperature, top_k, nucleus: as in `filtered`.

    Shapes:
        texts (tokens,) int64.

    Units:
        losses in nats.

    Raises:
        InputError: a part has too few tokens.

    Source: Williams & Peng 1990.
    """

    monitor = "validation/loss"

    def __init__(
        self,
        model: LanguageModel,
        texts: Mapping[str, Tensor],
        *,
        characters: Mapping[str, int],
        vocabulary: Vocabulary,
        tokenizer: Tokenizer,
        batch_size: int = 32,
        steps: int = 64,
        seed: int = 0,
        prompt: str = "\n",
        sample_length: int = 200,
        temperature: float = 1.0,
        top_k: int | None = None,
        nucleus: float | None = None,
    ) -> None:
        for part, tokens in texts.items():
            if len(tokens) < 2:
                raise InputError(
                    f"The {part} part of the text needs at least 2 tokens; it has {len(tokens)}."
                )
        columns = (len(texts["train"]) - 1) // batch_size
        if columns < 2:
            raise InputError(
                f"The training part has {len(texts['train'])} tokens, too few for {batch_size} rows of at least 2: use "
                "a longer text or a smaller batch_size."
            )
        self.model: Carrying = Carrying(model, batch_size)
        self._texts, self._characters = dict(texts), dict(characters)
        self._vocabulary, self._tokenizer = vocabulary, tokenizer
        self._batch_size, self._steps, self._seed = batch_size, steps, seed
        self._most_shift = min(steps, columns // 2)
        self._columns = (len(texts["train"]) - 1 - self._most_shift) // batch_size
        self.batches_per_epoch = -(-self._columns // steps)
        self._prompt, self._sample_length = prompt, sample_length
        self._draw = {"temperature": temperature, "top_k": top_k, "nucleus": nucleus}
        self._shown = self._texts["validation"][:SHOWN_STEPS]
        self._layers = Capture(self.model, kinds=())

    def to(self, device: torch.device) -> None:
        """Move model and text to a device."""
        self.model.to(device)
        self._texts = {part: tokens.to(device) for part, tokens in self._texts.items()}
        self._shown = self._shown.to(device)

    def adopt(self, model: nn.Module) -> None:
        """Try somebody's own model: tokens (n, time) → logits (n, time, vocabulary), at most `steps` tokens at once."""
        language = Rereading(model, len(self._vocabulary), max(self._steps, 2))
        self.model = Carrying(language, self._batch_size)
        self._layers = Capture(model, kinds=())

    @property
    def shown(self) -> nn.Module:
        """The model, or somebody's own by the names that it gives its layers."""
        language = self.model.language
        return language.model if isinstance(language, Rereading) else self.model

    def batches(self, epoch: int, start: int = 0) -> Iterator[tuple[bool, Tensor, Tensor]]:
        """Windows of an epoch: whether rows begin here, tokens, and the tokens after them."""
        generator = torch.Generator().manual_seed((self._seed * 1_000_003 + epoch) % 2**63)
        shift = int(torch.randint(self._most_shift + 1, (), generator=generator))
        return text_windows(
            self._texts["train"], self._batch_size, self._columns, self._steps, shift=shift, start=start
        )

    def loss(self, batch: tuple[bool, Tensor, Tensor]) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Cross-entropy of a window."""
        begins, tokens, after = batch
        return F.cross_entropy(self.model(tokens, begins).flatten(0, 1), after.flatten()), {}

    def evaluate(self, split: str = "validation") -> dict[str, float]:
        """Nats for each token and for each character of a part; every token but the first is predicted once.

        The part lies in a few rows, which each begin with zeros as the state.
        """
        self.model.eval()
        tokens = self._texts[split]
        count = len(tokens) - 1
        rows = min(EVALUATION_ROWS, -(-count // EVALUATION_STEPS))
        columns = -(-count // rows)
        before, after = tokens.new_zeros(rows * columns), tokens.new_full((rows * columns,), PADDING)
        before[:count], after[:count] = tokens[:-1], tokens[1:]
        state, total = self.model.language.initial(rows), 0.0
        with torch.no_grad():
            for inputs, targets in zip(
                before.view(rows, columns).split(EVALUATION_STEPS, 1),
                after.view(rows, columns).split(EVALUATION_STEPS, 1),
                strict=True,
            ):
                logits, state = self.model.language(inputs, state)
                total += float(
                    F.cross_entropy(
                        logits.flatten(0, 1), targets.flatten(), ignore_index=PADDING, reduction="sum"
                    )
                )
        return {
            f"{split}/loss": total / count,
            f"{split}/perplexity": math.exp(min(total / count, 700.0)),
            f"{split}/nats-per-character": total / max(self._characters[split], 1),
        }

    def sample(
        self,
        prompt: str | None = None,
        length: int | None = None,
        *,
        seed: int | None = None,
        **draw: float | None,
    ) -> str:
        """A text of the model's own, with its prompt; what is not said is as the task was made."""
        prompt = self._prompt if prompt is None else prompt
        tokens = self._vocabulary.encode(self._tokenizer.cut(prompt)).to(self._shown.device)
        if not len(tokens):
            raise InputError("Expected a prompt of at least one token to go on from, but it is empty.")
        generator = torch.Generator().manual_seed((self._seed if seed is None else seed) % 2**63)
        options = {**self._draw, **draw}
        drawn = self.model.language.generate(
            tokens,
            self._sample_length if length is None else length,
            temperature=cast("float", options["temperature"]),
            top_k=cast("int | None", options["top_k"]),
            nucleus=options["nucleus"],
            generator=generator,
        )
        return prompt + self._tokenizer.join(self._vocabulary.decode(drawn))

    def remark(self) -> str:
        """A sample of text, for the log, where an event is one line."""
        return self.sample().replace("\n", " ↵ ").strip()

    def items(self) -> ItemSet:
        """The tokens of the vocabulary: what they are, and how often each is in the training part."""
        tokens = self._vocabulary.tokens
        kinds = [_kind(token) for token in tokens]
        counts = torch.bincount(self._texts["train"].cpu(), minlength=len(tokens))
        return ItemSet(
            labels=torch.tensor([KINDS.index(kind) for kind in kinds]).numpy(),
            class_names=KINDS,
            texts=tuple(_visible(token) for token in tokens),
            columns={"count": counts.numpy()},
            noun="token",
        )

    def probe(self) -> list[Snapshot]:
        """Vectors of the tokens, what is expected after each of some tokens, and the gates while reading them."""
        language, training = self.model.language, self.model.training
        language.eval()
        with torch.no_grad(), self._layers.sampling():
            logits, _ = language(self._shown[None])
        snapshots = []
        if (vectors := self._token_vectors()) is not None:
            array = vectors.detach().float().cpu().numpy()
            snapshots.append(Snapshot("embedding", "tokens", array, items="items"))
        steps = [_visible(token) for token in self._vocabulary.decode(self._shown.cpu())]
        expected = F.softmax(logits[0], dim=1).float().cpu().numpy()
        notes = {"rows": steps, "columns": [_visible(token) for token in self._vocabulary.tokens]}
        snapshots.append(Snapshot("matrix", "next token", expected, notes=notes))
        gates = {}
        if not isinstance(language, Rereading):  # somebody's own, whose gates nobody knows
            with torch.no_grad():
                gates = language.recurrent.gates(language.embedding(self._shown[None]))
        language.train(training)
        for name, values in gates.items():
            units = values[0, :, :SHOWN_UNITS].t().float().cpu().contiguous().numpy()
            notes = {"rows": [f"unit {unit}" for unit in range(len(units))], "columns": steps}
            snapshots.append(Snapshot("matrix", f"gates/{name}", units, notes=notes))
        return snapshots

    def _token_vectors(self) -> Tensor | None:
        """A vector for each token: the first table with as many rows; None where the model has none."""
        tables = (part for part in self.model.language.modules() if isinstance(part, nn.Embedding))
        return next((table.weight for table in tables if len(table.weight) == len(self._vocabulary)), None)

    def activations(self) -> list[Snapshot]:
        """Of the layers while some tokens are read."""
        return self._layers.spread()


KINDS = ("letter", "capital", "digit", "white space", "mark", "special")


def _kind(token: str) -> str:
    """Of what kind a token is, by its first character that is no space."""
    first = token.strip()[:1]
    if not first:
        return "white space"
    if first.isalpha():
        return "capital" if first.isupper() else "letter"
    if first.isdigit():
        return "digit"
    return "special" if len(token) > 2 and token.startswith("<") else "mark"


def _visible(token: str) -> str:
    """A token as it is shown: line ends, tabs and spaces as marks."""
    return token.replace("\n", "↵").replace("\t", "⇥").replace(" ", "␣")


def parts_of(tokens: Sequence[str], test: float, validation: float) -> dict[str, Sequence[str]]:
    """The last share of a text for test, the share before it for validation, the rest for training."""
    ends = [round(len(tokens) * (1 - test - validation)), round(len(tokens) * (1 - test))]
    return {"train": tokens[: ends[0]], "validation": tokens[ends[0] : ends[1]], "test": tokens[ends[1] :]}
