"""Encoders of several modalities, joined into one answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, cast, get_args

import torch
from torch import Tensor, nn

from mmgraph.errors import InputError, UnknownNameError
from mmgraph.fusion.contributions import Contributions, gained
from mmgraph.fusion.joining import Attention, Early, Gated, LowRank

Strategy = Literal["early", "late", "gated", "attention", "low_rank"]
Missing = Literal["mask", "learned", "refuse"]
Method = Literal["auto", "weights", "leave-one-out"]


class Fusion(nn.Module):
    """Several encoders and one answer, whichever of the modalities an item has.

    h_m = relu(P_m e_m(x_m) + p_m),  a_m: whether modality m is there

    early:     y = W relu(V [a₁h₁; …; a_M h_M; a] + v) + b
    late:      y = Σ_m a_m W_m h_m + b
    gated:     y = W Σ_m z_m ∘ h_m + b,  z = softmax_m of gates for every feature
    attention: y = W Σ_m α_m h_m + b,  α = softmax_m of vᵀ tanh(U h_m + u_m)
    low_rank:  y = W (Σ_r w_r ∏_m W_m^r [h_m; 1]) + b

        fusion = Fusion({"image": cnn, "sound": rnn}, {"image": 64, "sound": 32}, out_features=10)
        logits = fusion({"image": images, "sound": sounds}, present={"sound": has_sound})
        logits = fusion({"image": images})                                 # no item has a sound

    Args:
        encoders: anything → vectors (items, features), by name of the modality.
        features: how many features each encoder gives.
        out_features: of y, such as the number of classes.
        strategy: how they are joined.
        missing: "mask" leaves missing modalities out; "learned" puts a learned vector into their place; "refuse"
            raises an error.
        dim: of h.
        rank: R of low_rank.
        dropout: of h, in training.
        modality_dropout: probability with which a modality of an item is hidden in training; the last one never is.

    Shapes:
        (n, out_features).

    Raises:
        UnknownNameError: there is no such strategy, way with missing modalities, or modality.
        InputError: lists of different lengths, an item without any modality, or an encoder that gives something else.

    Source: see `mmgraph.fusion.joining` for each; modality dropout: Neverova et al., "ModDrop", IEEE PAMI 38(8), 2016.
    """

    def __init__(
        self,
        encoders: Mapping[str, nn.Module],
        features: Mapping[str, int],
        out_features: int,
        *,
        strategy: Strategy = "gated",
        missing: Missing = "mask",
        dim: int = 64,
        rank: int = 4,
        dropout: float = 0.0,
        modality_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if strategy not in get_args(Strategy):
            raise UnknownNameError.of("fusion strategy", strategy, get_args(Strategy))
        if missing not in get_args(Missing):
            raise UnknownNameError.of("way with missing modalities", missing, get_args(Missing))
        if not encoders or set(encoders) != set(features):
            raise InputError(
                f"Expected at least one encoder, and the number of features of each, but got encoders "
                f"{sorted(encoders)} and features {sorted(features)}."
            )
        if min(out_features, dim, rank, *features.values()) < 1 or not (
            0 <= dropout < 1 and 0 <= modality_dropout < 1
        ):
            raise InputError(
                "Expected positive sizes and dropout from 0 to below 1, but got "
                f"out_features={out_features}, dim={dim}, rank={rank}, features={dict(features)}, dropout={dropout}, "
                f"modality_dropout={modality_dropout}."
            )
        for name in encoders:
            if "." in name or not name:
                raise InputError(f"A modality has a name without a dot, not '{name}'.")
        self.names = tuple(encoders)
        self.strategy, self.missing, self.modality_dropout = strategy, missing, modality_dropout
        # Prefixed, because a module may not be called like a method of ModuleDict, such as "values".
        self.encoders = nn.ModuleDict({f"{name}_encoder": encoder for name, encoder in encoders.items()})
        self.project = nn.ModuleDict(
            {f"{name}_projection": nn.Linear(features[name], dim) for name in self.names}
        )
        self.dropout = nn.Dropout(dropout)
        count = len(self.names)
        self.stand_in = nn.Parameter(torch.zeros(count, dim)) if missing == "learned" else None
        self.join: nn.Module | None = None
        if strategy == "early":
            self.join = Early(count, dim)
        elif strategy == "gated":
            self.join = Gated(count, dim)
        elif strategy == "attention":
            self.join = Attention(count, dim)
        elif strategy == "low_rank":
            self.join = LowRank(count, dim, rank)
        # Late fusion has an answer per modality: blocks of one matrix over all of their vectors.
        self.answer = nn.Linear(dim * count if strategy == "late" else dim, out_features)

    @property
    def is_weighing(self) -> bool:
        """Whether the strategy has gates or attention, which say what each modality contributes."""
        return isinstance(self.join, Gated | Attention)

    def forward(self, inputs: Mapping[str, Any], present: Mapping[str, Tensor] | None = None) -> Tensor:
        """The answers.

        Args:
            inputs: by modality; one that is left out or None is missing for all items.
            present: which items have which modality; all of those that came by default. Rows of inputs where a
                modality is missing may hold anything: no encoder sees them.

        Shapes:
            inputs (n, …) each, present (n,) bool each: (n, out_features).
        """
        vectors, there = self.encode(inputs, present)
        return self._answer(vectors, self._hidden_in_training(there))

    def together_and_alone(
        self, inputs: Mapping[str, Any], present: Mapping[str, Tensor] | None = None
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """The answers, and what each modality would answer alone; every encoder runs once.

        Training on both keeps each modality as good as it would be by itself.

        Shapes:
            (n, out_features), and for each modality (items that have it, out_features).
        """
        vectors, there = self.encode(inputs, present)
        alone = {}
        for column, name in enumerate(self.names):
            rows = there[:, column]
            only = torch.zeros_like(there[rows])
            only[:, column] = True
            alone[name] = self._answer(vectors[rows], only)
        return self._answer(vectors, self._hidden_in_training(there)), alone

    def fused(self, inputs: Mapping[str, Any], present: Mapping[str, Tensor] | None = None) -> Tensor:
        """What the answer is read off: one vector per item, (n, dim), for late fusion (n, modalities · dim)."""
        return self._fused(*self.encode(inputs, present))

    def fused_and_answers(
        self, inputs: Mapping[str, Any], present: Mapping[str, Tensor] | None = None
    ) -> tuple[Tensor, Tensor]:
        """What `fused` and, outside of training, `forward` give; every encoder runs once."""
        fused = self.fused(inputs, present)
        return fused, self.answer(fused)

    def encoder(self, name: str) -> nn.Module:
        """The encoder of a modality."""
        if name not in self.names:
            raise UnknownNameError.of("modality", name, self.names)
        return self.encoders[f"{name}_encoder"]

    def encode(
        self, inputs: Mapping[str, Any], present: Mapping[str, Tensor] | None = None
    ) -> tuple[Tensor, Tensor]:
        """h of every modality, zero where it is missing, and which are there.

        Shapes:
            (n, M, dim), (n, M) bool.
        """
        count, there = self._presence(inputs, present)
        vectors = []
        for column, name in enumerate(self.names):
            rows = there[:, column]
            linear = cast("nn.Linear", self.project[f"{name}_projection"])
            if not bool(rows.any()):
                vectors.append(linear.weight.new_zeros(count, linear.out_features))
                continue
            values = inputs[name]
            everything = bool(rows.all())
            encoded = self.encoders[f"{name}_encoder"](values if everything else _some(values, rows))
            expected = (int(rows.sum()), linear.in_features)
            if not isinstance(encoded, Tensor) or tuple(encoded.shape) != expected:
                shape = tuple(encoded.shape) if isinstance(encoded, Tensor) else type(encoded).__name__
                raise InputError(
                    f"Expected the encoder of '{name}' to give {expected}, but it gives {shape}."
                )
            hidden = self.dropout(linear(encoded).relu())
            if not everything:
                hidden = hidden.new_zeros(count, hidden.size(1)).index_put(
                    (rows.nonzero().squeeze(1),), hidden
                )
            vectors.append(hidden)
        return torch.stack(vectors, 1), there

    def contributions(
        self,
        inputs: Mapping[str, Any],
        present: Mapping[str, Tensor] | None = None,
        *,
        method: Method = "auto",
        target: Tensor | None = None,
    ) -> Contributions:
        """How much each modality has to do with each answer. Evaluation mode, without gradients; changes nothing.

        weights: mean gate or attention of a modality
        leave-one-out: log p(c | all) − log p(c | all but m), p = softmax(y); of the only modality there,
            log p(c) − log(1 / classes)

        Args:
            inputs, present: as for `forward`.
            method: "auto" takes the weights where the strategy has some, else leaves one out.
            target: the class c asked about; by default the one answered.

        Shapes:
            target (n,): values (n, M), NaN where a modality is missing.

        Raises:
            UnknownNameError: there is no such method.
            InputError: weights of a strategy that has none.
        """
        if method not in get_args(Method):
            raise UnknownNameError.of("method", method, get_args(Method))
        if method == "weights" and not self.is_weighing:
            raise InputError(f"The strategy '{self.strategy}' has no weights: leave one out.")
        training = self.training
        self.eval()
        try:
            with torch.no_grad():
                vectors, there = self.encode(inputs, present)
                if isinstance(self.join, Gated | Attention) and method != "leave-one-out":
                    seen, mask = self._with_stand_ins(vectors, there)
                    values = self.join.weights(seen, mask).masked_fill(~there, torch.nan)
                    return Contributions(self.names, values, "weights")
                full = self._answer(vectors, there)
                without: list[Tensor | None] = []
                for column in range(len(self.names)):
                    left = there.clone()
                    left[:, column] = False
                    # Rows where nothing would be left keep what they have; `gained` compares them with chance.
                    left[~left.any(1)] = there[~left.any(1)]
                    without.append(self._answer(vectors, left) if bool(there[:, column].any()) else None)
                return Contributions(self.names, gained(full, without, there, target), "leave-one-out")
        finally:
            self.train(training)

    def _answer(self, vectors: Tensor, there: Tensor) -> Tensor:
        answer: Tensor = self.answer(self._fused(vectors, there))
        return answer

    def _fused(self, vectors: Tensor, there: Tensor) -> Tensor:
        vectors, there = self._with_stand_ins(vectors, there)
        if self.join is None:
            return (vectors * there.to(vectors.dtype).unsqueeze(2)).flatten(1)
        fused: Tensor = self.join(vectors, there)
        return fused

    def _with_stand_ins(self, vectors: Tensor, there: Tensor) -> tuple[Tensor, Tensor]:
        if self.stand_in is None:
            return vectors, there
        return torch.where(there.unsqueeze(2), vectors, self.stand_in), torch.ones_like(there)

    def _presence(
        self, inputs: Mapping[str, Any], present: Mapping[str, Tensor] | None
    ) -> tuple[int, Tensor]:
        """How many items there are, and which modalities each has."""
        for name in (*inputs, *(present or {})):
            if name not in self.names:
                raise UnknownNameError.of("modality", name, self.names)
        lengths = {name: len(values) for name, values in inputs.items() if values is not None}
        lengths |= {f"present[{name}]": len(mask) for name, mask in (present or {}).items()}
        if not lengths or len(set(lengths.values())) > 1:
            raise InputError(f"Expected as many items of each modality, but got {lengths or 'no modality'}.")
        count = next(iter(lengths.values()))
        there = torch.zeros(count, len(self.names), dtype=torch.bool, device=self.answer.weight.device)
        for column, name in enumerate(self.names):
            mask = (present or {}).get(name)
            if mask is not None and mask.dtype != torch.bool:
                raise InputError(f"Expected bool (n,) for present['{name}'], but got {mask.dtype}.")
            if inputs.get(name) is None:
                if mask is not None and bool(mask.any()):
                    raise InputError(f"Items have a modality '{name}' by 'present', but it did not come.")
                continue
            there[:, column] = True if mask is None else mask.to(there.device)
        bare = ~there.any(1)
        if bool(bare.any()):
            raise InputError(
                f"Expected a modality for each item, but item {int(bare.nonzero()[0])} has none."
            )
        if self.missing == "refuse" and not bool(there.all()):
            row, column = there.logical_not().nonzero()[0].tolist()
            raise InputError(f"Item {row} has no '{self.names[column]}': give it, or choose missing='mask'.")
        return count, there

    def _hidden_in_training(self, there: Tensor) -> Tensor:
        """Some modalities fewer, never none."""
        if not self.training or self.modality_dropout == 0:
            return there
        draw = torch.rand(there.shape, device=there.device).masked_fill(~there, -1.0)
        kept = draw >= self.modality_dropout
        return kept.scatter(1, draw.argmax(1, keepdim=True), True)


def _some(values: Any, rows: Tensor) -> Any:
    """The items of some rows."""
    if isinstance(values, Tensor):
        return values[rows.to(values.device)]
    return [values[row] for row in rows.nonzero().squeeze(1).tolist()]
