"""One vector for a text: convolutions over words, a transformer, or an encoder of Hugging Face."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mmgraph.errors import InputError, MissingDependencyError


class TextCNN(nn.Module):
    """Convolutions over the words of a text, and of each filter its largest answer.

    z = [max_t ReLU(W_k x_{t … t+k−1} + b_k)]_k

    Args:
        vocabulary: how many tokens there are.
        filters: of each width.
        widths: k; a text shorter than that is filled up with zeros.
        embedding: numbers in the vector of a token.
        dropout: share of z that is zeroed in training.

    Shapes:
        tokens (batch, time) int64, lengths (batch,) → (batch, filters · widths).

    Raises:
        InputError: there is no text, a length is not from 0 to the tokens of the batch, or there are no widths.

    Source: Kim, Convolutional Neural Networks for Sentence Classification, EMNLP 2014.
    """

    def __init__(
        self,
        vocabulary: int,
        filters: int = 64,
        *,
        widths: Sequence[int] = (3, 4, 5),
        embedding: int = 64,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if not widths or min(widths) < 1:
            raise InputError(f"Expected widths of at least 1, but got {tuple(widths)}.")
        self.embedding = nn.Embedding(vocabulary, embedding)
        self.convs = nn.ModuleList(nn.Conv1d(embedding, filters, width) for width in widths)
        self.widths, self.outputs = tuple(widths), filters * len(widths)
        self.dropout = nn.Dropout(dropout)

    def forward(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        """Vectors of texts."""
        mask = _mask(tokens, lengths)
        x = (self.embedding(tokens) * mask[:, :, None]).transpose(1, 2)
        x = F.pad(x, (0, max(self.widths) - 1))
        found = []
        for width, conv in zip(self.widths, self.convs, strict=True):
            answers = F.relu(conv(x)[:, :, : tokens.size(1)])
            # Windows begin at a word, and of texts longer than the window they end in the text.
            last = (lengths.to(tokens.device) - width).clamp(min=0)
            inside = torch.arange(tokens.size(1), device=tokens.device) <= last[:, None]
            found.append(answers.masked_fill(~inside[:, None], 0.0).amax(dim=2))
        vectors: Tensor = self.dropout(torch.cat(found, dim=1))
        return vectors


class TextTransformer(nn.Module):
    """A transformer encoder over the tokens of a text, and the mean of its answers.

    z = (1/n) Σ_t encoder(E[x_t] + p_t),  p_t = sines and cosines of t

    Args:
        vocabulary: how many tokens there are.
        size: numbers in the vector of a token and of a text; even, and a multiple of heads.
        heads, layers: of the encoder; its layers are normalised first.
        dropout: share of the numbers zeroed in training.

    Shapes:
        tokens (batch, time) int64, lengths (batch,) → (batch, size).

    Raises:
        InputError: size is odd or no multiple of heads, there is no text, or a length is not from 0 to the tokens of
            the batch. A text without tokens has zeros.

    Source: Vaswani et al., Attention Is All You Need, 2017.
    Differs: layers are normalised before attention (Xiong et al. 2020), so that no warm-up is needed.
    """

    def __init__(
        self, vocabulary: int, size: int = 64, *, heads: int = 4, layers: int = 2, dropout: float = 0.0
    ) -> None:
        super().__init__()
        if size % 2 or size % heads:
            raise InputError(
                f"Expected an even size that is a multiple of heads, but got {size} and {heads}."
            )
        self.embedding = nn.Embedding(vocabulary, size)
        layer = nn.TransformerEncoderLayer(
            size, heads, 4 * size, dropout, activation="gelu", batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(
            layer, layers, norm=nn.LayerNorm(size), enable_nested_tensor=False
        )
        self.outputs = size

    def forward(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        """Vectors of texts."""
        mask = _mask(tokens, lengths)
        # Attention over nothing is not defined; such texts look at their first place and are zero in the end.
        seen = mask.clone()
        seen[:, 0] = True
        size = self.outputs
        x = self.embedding(tokens) + positions(tokens.size(1), size, tokens.device)
        answers = self.encoder(x, src_key_padding_mask=~seen)
        total: Tensor = (answers * mask[:, :, None]).sum(dim=1)
        return total / mask.sum(dim=1, keepdim=True).clamp(min=1)


def positions(steps: int, size: int, device: torch.device | None = None) -> Tensor:
    """p_{t,2i} = sin(t / 10000^{2i/size}), p_{t,2i+1} = cos of the same.

    Shapes:
        (steps, size).
    """
    rates = torch.exp(torch.arange(0, size, 2, device=device) * (-math.log(10_000.0) / size))
    angles = torch.arange(steps, device=device)[:, None] * rates
    return torch.stack([angles.sin(), angles.cos()], dim=2).flatten(1)


class HuggingFaceEncoder(nn.Module):
    """A pre-trained encoder of Hugging Face; a text's vector is the mean over its tokens. Needs `transformers`.

    Args:
        name: of the model, or the folder it lies in.
        trainable: whether its weights are trained too.
        longest: tokens that are read at most; more are cut off, as the model cannot read them.

    Shapes:
        texts (batch) → (batch, outputs).

    Raises:
        MissingDependencyError: `transformers` is not installed.
        InputError: there is no such model, or no text is given.
    """

    def __init__(self, name: str, *, trainable: bool = False, longest: int = 256) -> None:
        super().__init__()
        try:
            from transformers import AutoModel, AutoTokenizer
        except (ImportError, RuntimeError, OSError) as error:
            raise MissingDependencyError(
                "Encoders of Hugging Face need the package transformers: pip install 'mmgraph[huggingface]'."
            ) from error
        try:
            self._tokenizer: Any = AutoTokenizer.from_pretrained(name)
            # Files of others: weights that are pickles can run code when they are read.
            self.encoder: Any = AutoModel.from_pretrained(name, use_safetensors=True, trust_remote_code=False)
        except (OSError, ValueError) as error:
            raise InputError(f"The model '{name}' cannot be loaded: {error}") from error
        self.encoder.requires_grad_(trainable)
        self.longest, self.outputs = longest, int(self.encoder.config.hidden_size)

    def forward(self, texts: Sequence[str]) -> Tensor:
        """Vectors of texts."""
        if isinstance(texts, str) or not len(texts):
            raise InputError("Expected a list of at least one text.")
        device = next(self.encoder.parameters()).device
        read = self._tokenizer(
            list(texts), padding=True, truncation=True, max_length=self.longest, return_tensors="pt"
        ).to(device)
        answers: Tensor = self.encoder(**read).last_hidden_state
        mask: Tensor = read["attention_mask"][:, :, None]
        return (answers * mask).sum(dim=1) / mask.sum(dim=1).clamp(min=1)


def _mask(tokens: Tensor, lengths: Tensor) -> Tensor:
    if tokens.dim() != 2 or 0 in tokens.shape or lengths.shape != tokens.shape[:1]:
        raise InputError(
            f"Expected tokens of shape (batch, time) with at least one place, and a length for each text, but got "
            f"{tuple(tokens.shape)} and {tuple(lengths.shape)}."
        )
    if int(lengths.min()) < 0 or int(lengths.max()) > tokens.size(1):
        raise InputError(
            f"Expected lengths from 0 to {tokens.size(1)}, but got {int(lengths.min())} to {int(lengths.max())}."
        )
    return torch.arange(tokens.size(1), device=tokens.device) < lengths.to(tokens.device)[:, None]
