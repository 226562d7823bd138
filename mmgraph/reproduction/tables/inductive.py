"""What it costs not to know the nodes in question while learning: the same methods with and without them."""

from __future__ import annotations

from mmgraph.reproduction.table import Measure, Row, Table

# Method, convolution, seconds of a run.
_METHODS = (
    ("MLP", "linear", 2),
    ("GCN", "gcn", 3),
    ("SAGE", "sage", 5),
    ("ChebNet", "cheb", 4),
    ("GAT", "gat", 30),
)

TABLE = Table(
    name="inductive",
    title="Nodes seen and unseen while learning, Cora and CiteSeer, public splits",
    rows=tuple(
        Row(
            method=method + suffix,
            dataset=dataset,
            recipe=recipe,
            options={"dataset": dataset.lower(), "conv": conv},
            measures=(Measure(),),
            seconds=seconds,
            seeds=10,
        )
        for dataset in ("Cora", "CiteSeer")
        for method, conv, seconds in _METHODS
        for recipe, suffix in (("node-classification", ""), ("inductive", ", unseen"))
    ),
    notes=(
        "Accuracy in per cent on the 1,000 test nodes, tested once, with the weights that the 500 validation nodes "
        "chose.",
        "Unseen: the network learns without the nodes of validation and test, and its weights are chosen without "
        "those of test. There are no published figures for this on these splits.",
    ),
)
