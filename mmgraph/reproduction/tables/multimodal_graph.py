"""A graph whose nodes carry images and words."""

from __future__ import annotations

from collections.abc import Mapping

from mmgraph.options import Scalar
from mmgraph.reproduction.table import Measure, Row, Table


def _row(method: str, options: Mapping[str, Scalar], dataset: str = "digits") -> Row:
    tags = {"accuracy": "test/accuracy"} if dataset == "digits" else {"AUC": "test/auc", "AP": "test/ap"}
    return Row(
        method=method,
        dataset=dataset,
        recipe="multimodal-graph",
        options={"dataset": dataset, **options},
        measures=tuple(Measure(name=name, tag=tag) for name, tag in tags.items()),
        seeds=5 if dataset == "digits" else 3,
        seconds=20.0 if dataset == "digits" else 120.0,
    )


TABLE = Table(
    name="multimodal-graph",
    title="Images and words on a graph: encoders with the graph, without it, and the graph alone",
    rows=(
        _row("all", {}),
        _row("encoders alone", {"use": "encoders"}),
        _row("graph alone", {"use": "graph"}),
        _row("importance pooling", {"neighbourhood": "importance", "conv": "sage"}),
        _row("sampled neighbours", {"fan_out": 5}),
        _row("all", {}, "flickr8k"),
        _row("encoders alone", {"use": "encoders"}, "flickr8k"),
        _row("graph alone", {"use": "graph"}, "flickr8k"),
    ),
    notes=(
        "Per cent on the test part, with the weights that the validation part chose. There is no published figure.",
        "digits: 1,797 generated nodes of a seed each, 20 labels per class; of each picture 70 % of the pixels are "
        "hidden, 30 % of the six words go with the digit, half of the links stay with it, 15 % of the nodes lack each "
        "modality.",
        "flickr8k: 1,000 photographs with their first sentence, linked to the five whose fifth sentence is most alike; "
        "a tenth of the links is held back. Without the graph, vectors of pictures and sentences have to tell.",
    ),
)
