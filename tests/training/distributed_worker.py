"""One process of a job; run by test_distribution.py as `python distributed_worker.py SCENARIO FOLDER`."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import torch
from torch.nn.parallel import DistributedDataParallel

from mmgraph.errors import InputError, TrainingError
from mmgraph.graph import GNN, Adjacency, partition_graph
from mmgraph.graph.partitioning.exchange import DistributedGraph
from mmgraph.graph.partitioning.shard import GraphShard
from mmgraph.runs import ItemSet, RunWriter
from mmgraph.training import TrainingOptions
from mmgraph.training.distribution import World, fit_together, joined
from mmgraph.training.partitioned import PartitionedNodeClassification

NODES, CLASSES = 80, 3


def graph() -> Adjacency:
    generator = torch.Generator().manual_seed(0)
    edges = torch.randint(NODES, (2, 500), generator=generator)
    return Adjacency.from_edge_index(edges, NODES, torch.rand(500, generator=generator).double() + 0.1)


def labelled() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    labels = torch.randint(CLASSES, (NODES,), generator=generator)
    x = torch.nn.functional.one_hot(labels, 5).double() + torch.randn(NODES, 5, generator=generator)
    return x, labels


def network(conv: str, **options: object) -> GNN:
    torch.manual_seed(0)
    if conv == "gin":
        options["batch_norm"] = False
    return GNN(5, 6, CLASSES, conv=conv, dropout=0.0, **options)


def gradient_errors(world: World) -> dict[str, float]:
    """Largest relative difference of outputs and gradients from those of the whole graph."""
    whole, (x, labels) = graph(), labelled()
    part = partition_graph(whole, world.size)
    shard = GraphShard.cut(whole, part, world.rank)
    errors = {}
    cases = [
        ("gcn", {}),
        ("sage", {}),
        ("sage", {"aggregation": "max"}),
        ("gat", {"heads": 2}),
        ("gatv2", {"heads": 2}),
        ("gin", {"residual": True, "norm": "layer"}),
        ("gcn", {"jumping_knowledge": "cat", "num_layers": 3}),
        ("linear", {}),
    ]
    for conv, options in cases:
        for dtype in (torch.float32, torch.float64):
            single, replica = network(conv, **options).to(dtype), network(conv, **options).to(dtype)
            weights = whole.with_value(whole.value.to(dtype))
            logits = single(x.to(dtype), weights)
            torch.nn.functional.cross_entropy(logits, labels).backward()
            mine = GraphShard.cut(weights, part, world.rank)
            parallel = DistributedDataParallel(replica)
            out = parallel(x[shard.own].to(dtype), DistributedGraph(mine))
            loss = torch.nn.functional.cross_entropy(out, labels[shard.own], reduction="sum")
            (loss * world.size / NODES).backward()
            pairs = [(out, logits[shard.own])]
            pairs += [
                (a.grad, b.grad) for a, b in zip(replica.parameters(), single.parameters(), strict=True)
            ]
            error = max(float((a - b).abs().max() / (1 + b.abs().max())) for a, b in pairs)
            name = f"{conv} {options} {dtype}"
            errors[name] = error / (1e-5 if dtype == torch.float32 else 1e-12)
    return errors


def task(world: World) -> PartitionedNodeClassification:
    whole, (x, labels) = graph(), labelled()
    shard = GraphShard.cut(whole, partition_graph(whole, world.size), world.rank)
    nodes = torch.arange(NODES)
    splits = {"train": nodes < 40, "validation": (nodes >= 40) & (nodes < 60), "test": nodes >= 60}
    model = network("gcn")
    model.dropout = 0.5
    return PartitionedNodeClassification(
        model,
        x[shard.own].float(),
        shard,
        labels[shard.own],
        {split: mask[shard.own] for split, mask in splits.items()},
        world,
        class_names=("a", "b", "c"),
        items=ItemSet(labels=labels.numpy(), class_names=("a", "b", "c")),
        seed=4,
    )


def train(
    world: World, folder: Path, name: str, *, resume: bool = False, **options: object
) -> dict[str, object]:
    made = task(world)
    run = None
    if world.leads and resume:
        run = RunWriter(folder / name)
    elif world.leads:
        run = RunWriter.create(folder, name, {"run": {"recipe": "test"}})
    chosen = TrainingOptions(device="cpu", seed=4, learning_rate=0.02, snapshots_per_second=0.0, **options)
    result = fit_together(made, run, chosen, world, resume=resume)
    if run is not None:
        run.close(result.state, result.message)
    weights = np.concatenate([p.detach().numpy().ravel() for p in made.model.parameters()])
    return {
        "weights": hashlib.sha256(weights.tobytes()).hexdigest(),
        "metrics": result.metrics,
        "state": result.state,
        "step": result.step,
    }


def refusals(world: World) -> list[str]:
    """Messages about what is not possible on several processes."""
    whole, (x, _) = graph(), labelled()
    shard = GraphShard.cut(whole, partition_graph(whole, world.size), world.rank)
    parts, mine = DistributedGraph(shard), x[shard.own]
    messages = []
    for call in (
        lambda: network("cheb").double()(mine, parts),
        lambda: network("appnp").double()(mine, parts),
        lambda: network("gcn").double()(x, parts),
        lambda: network("gcn", pooling="sum").double()(mine, parts),
        lambda: DistributedGraph(GraphShard.cut(whole, torch.arange(NODES) % 3, 0)),
    ):
        try:
            call()
        except InputError as error:
            messages.append(str(error))
    return messages


def main() -> None:
    scenario, folder = sys.argv[1], Path(sys.argv[2])
    found: dict[str, object] = {}
    try:
        with joined() as world:
            if scenario == "all":
                found["errors"] = gradient_errors(world)
                found["refusals"] = refusals(world)
                found["whole"] = train(world, folder, "whole", epochs=12)
                found["part"] = train(world, folder, "part", epochs=5)
                found["resumed"] = train(world, folder, "part", resume=True, epochs=12)
            else:
                found["endless"] = train(world, folder, "endless", epochs=10_000_000, evaluate_every=10_000)
    except TrainingError as error:
        found["error"] = str(error)
    (folder / f"rank{sys.argv[3]}.json").write_text(json.dumps(found))
    sys.exit(1 if "error" in found else 0)


if __name__ == "__main__":
    main()
