"""Pictures sorted into classes."""

from __future__ import annotations

from mmgraph.reproduction.table import Measure, Row, Table

TABLE = Table(
    name="images",
    title="Fashion-MNIST by a small convolutional network, and digits by their nearest neighbours",
    rows=(
        Row(
            method="LeNet",
            dataset="Fashion-MNIST",
            recipe="image-classification",
            options={"dataset": "fashion-mnist"},
            measures=(
                Measure(published=91.6, source="README of the data set, 2 Conv Layers with max pooling"),
            ),
            seeds=1,
            seconds=270.0,
        ),
        Row(
            method="GAT",
            dataset="digits",
            recipe="digits-graph",
            options={},
            measures=(Measure(),),
            seeds=5,
            seconds=27.0,
        ),
    ),
    notes=(
        "Accuracy in per cent on the test part, tested once, with the weights that the validation part chose: "
        "5,000 of the 60,000 training pictures of Fashion-MNIST, 300 of the 1,797 digits.",
        "Fashion-MNIST: its README lists two such networks: 87.6, and after more than 300 epochs 91.6.",
        "digits: 200 digits are labelled; the other 1,297 are tested. There is no published figure.",
    ),
)
