"""Encoders of several modalities, joined, and message passing over what they say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from mmgraph.errors import InputError
from mmgraph.fusion.contributions import Contributions, gained
from mmgraph.fusion.modalities import Fusion
from mmgraph.graph import GNN, Adjacency


class MultimodalGNN(nn.Module):
    """Nodes that carry images, texts, sounds …: what they carry is read, joined, and passed along the edges.

    y = GNN(relu(Fusion(x₁ … x_M)), graph)

    Nodes may lack modalities. Trained end to end, also on sampled neighbourhoods: `graph` and rows are then those of
    the batch.

    Args:
        fusion: what is read and joined; its answer is the input of the network.
        gnn: message passing; with convolution "linear" the edges are not read.

    Shapes:
        inputs (nodes, …) each, graph over as many nodes, present (nodes,) bool each: (nodes, gnn's outputs).

    Raises:
        InputError: the answer of the fusion is not what the network takes, or as `Fusion` and `GNN`.
    """

    def __init__(self, fusion: Fusion, gnn: GNN) -> None:
        super().__init__()
        if fusion.answer.out_features != gnn.in_channels:
            raise InputError(
                f"Expected a fusion that answers with the {gnn.in_channels} features of the network, but it answers "
                f"with {fusion.answer.out_features}."
            )
        self.fusion, self.gnn = fusion, gnn

    def forward(
        self,
        inputs: Mapping[str, Any],
        graph: Adjacency | Tensor,
        present: Mapping[str, Tensor] | None = None,
    ) -> Tensor:
        answer: Tensor = self.gnn(self.fusion(inputs, present).relu(), graph)
        return answer

    def contributions(
        self,
        inputs: Mapping[str, Any],
        graph: Adjacency | Tensor,
        present: Mapping[str, Tensor] | None = None,
    ) -> Contributions:
        """How much each modality has to do with each answer. Evaluation mode, without gradients; changes nothing.

        Where the fusion has gates or attention, their weights. Otherwise log p(c | all) − log p(c | all but m), where m
        is hidden at all nodes that have something else.

        Shapes:
            (nodes, modalities), NaN where a modality is missing.
        """
        if self.fusion.is_weighing:
            return self.fusion.contributions(inputs, present, method="weights")
        training = self.training
        self.eval()
        try:
            with torch.no_grad():
                there = self.fusion.encode(inputs, present)[1]
                full = self._answer(inputs, graph, there)
                without: list[Tensor | None] = []
                for column in range(len(self.fusion.names)):
                    left = there.clone()
                    left[:, column] = False
                    left[~left.any(1)] = there[~left.any(1)]
                    without.append(
                        self._answer(inputs, graph, left) if bool(there[:, column].any()) else None
                    )
                return Contributions(self.fusion.names, gained(full, without, there, None), "leave-one-out")
        finally:
            self.train(training)

    def _answer(self, inputs: Mapping[str, Any], graph: Adjacency | Tensor, there: Tensor) -> Tensor:
        columns = zip(self.fusion.names, there.unbind(1), strict=True)
        known = {name: mask for name, mask in columns if inputs.get(name) is not None}
        answer: Tensor = self(inputs, graph, known)
        return answer
