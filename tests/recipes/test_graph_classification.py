from __future__ import annotations

from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch
from sklearn.model_selection import StratifiedKFold

from mmgraph import datasets
from mmgraph.datasets import catalogue
from mmgraph.errors import ConfigError, InputError, NotARunError
from mmgraph.graph.networks.gnn import Convolution
from mmgraph.options import options_of, parse
from mmgraph.recipes import launch
from mmgraph.recipes.graph_classification import CONVOLUTIONS, GraphClassificationConfig
from mmgraph.recipes.graph_classification.build import build
from mmgraph.recipes.graph_classification.protocols import picked_by_test, picked_by_validation
from mmgraph.recipes.splits import fold_splits, listed_splits
from mmgraph.runs import RunReader, RunWriter


def test_convolutions_are_those_of_the_network_that_need_no_more_than_edges():
    assert set(CONVOLUTIONS) == set(get_args(Convolution)) - {"edge", "rgcn", "spectral"}


def test_presets_are_valid_options():
    known = {entry.name: entry for entry in options_of(GraphClassificationConfig)}
    for (name, choice), implied in GraphClassificationConfig.presets.items():
        assert choice in known[name].choices
        for option, value in implied.items():
            assert known[option].check(value) == value


def test_folds_are_those_of_gin():
    labels = torch.tensor([0] * 25 + [1] * 40)[torch.randperm(65, generator=torch.Generator().manual_seed(0))]
    expected = StratifiedKFold(10, shuffle=True, random_state=0).split(np.zeros(65), labels.numpy())
    seen = torch.zeros(65, dtype=torch.int64)
    for fold, (rest, test) in enumerate(expected):
        whole = fold_splits(labels, fold)
        assert list(whole) == ["train", "test"]
        assert torch.equal(whole["test"].nonzero().flatten(), torch.from_numpy(test))
        assert torch.equal(whole["train"].nonzero().flatten(), torch.from_numpy(rest))
        parts = fold_splits(labels, fold, validation=0.2)
        assert torch.equal(parts["test"], whole["test"])
        assert torch.equal(parts["train"] ^ parts["validation"], whole["train"])
        assert labels[parts["validation"]].bincount().tolist() in ([4, 7], [5, 7], [4, 8])
        seen += whole["test"]
    assert torch.equal(seen, torch.ones_like(seen))
    assert torch.equal(
        fold_splits(labels, 3, validation=0.2)["train"], fold_splits(labels, 3, validation=0.2)["train"]
    )


@pytest.mark.parametrize(
    ("fold", "options", "words"),
    [
        (10, {}, "fold from 0 to 9"),
        (-1, {}, "fold from 0 to 9"),
        (0, {"folds": 6}, "at least 6 items of every class, but got fold 0 and 5"),
        (0, {"folds": 5, "validation": 0.01}, "too small or too large"),
    ],
)
def test_folds_that_cannot_be(fold, options, words):
    with pytest.raises(InputError, match=words):
        fold_splits(torch.tensor([0, 1] * 5), fold, **options)


def test_folds_of_files(tmp_path):
    labels = torch.tensor([0, 1] * 10)
    (tmp_path / "test_idx-2.txt").write_text("3\n4\n")
    (tmp_path / "train_idx-2.txt").write_text("\n".join(str(i) for i in range(5, 20)))
    parts = listed_splits(labels, 1, tmp_path)
    assert {name: mask.nonzero().flatten().tolist() for name, mask in parts.items()} == {
        "train": list(range(5, 20)),
        "test": [3, 4],
    }
    with_held = listed_splits(labels, 1, tmp_path, validation=0.2)
    assert torch.equal(with_held["train"] ^ with_held["validation"], parts["train"])
    assert with_held["validation"].sum() == 3


@pytest.mark.parametrize(
    ("train", "test", "words"),
    [
        (None, "1", "No such file"),
        ("0 x", "1", "one per line, but: invalid literal"),
        ("0 20", "1", "rows from 0 to 19"),
        ("-1", "1", "rows from 0 to 19"),
        ("", "1", "rows from 0 to 19"),
        ("0 1", "1", "some is listed twice"),
    ],
)
def test_files_that_name_no_folds(tmp_path, train, test, words):
    for name, text in (("train", train), ("test", test)):
        if text is not None:
            (tmp_path / f"{name}_idx-1.txt").write_text(text)
    with pytest.raises(InputError, match=words):
        listed_splits(torch.tensor([0, 1] * 10), 0, tmp_path)


@pytest.mark.data
def test_published_folds_of_molecules_leave_eight_untested(real_data):
    folder = catalogue.locate("mutag").folder / "MUTAG" / "10fold_idx"
    if not folder.is_dir():
        pytest.skip("the lists of folds are not among the files that are downloaded")
    labels, tested = datasets.load("mutag").labels, torch.zeros(188, dtype=torch.int64)
    for fold in range(10):
        parts = listed_splits(labels, fold, folder, validation=0.1)
        tested += parts["test"]
        assert bool(torch.stack(list(parts.values())).sum(0).eq(1).all())
    task = build(parse(GraphClassificationConfig, {"fold": 9, "fold_files": str(folder)}))
    assert np.array_equal(task.items().splits == 2, parts["test"].numpy())
    assert tested.sum() == 180
    assert tested.max() == 1


@pytest.mark.data
@pytest.mark.parametrize("conv", CONVOLUTIONS)
def test_every_convolution_trains_on_molecules(real_data, tmp_path, conv):
    options = {"conv": conv, "epochs": 1, "iterations": 2, "hidden": 4, "device": "cpu", "threads": 1}
    folder, result = launch.train("graph-classification", options, runs=tmp_path)
    assert (result.state, result.step) == ("finished", 2)
    with RunReader(folder) as run:
        kinds = {info.kind for info in run.snapshots(step=2)}
        assert {"embedding", "prediction", "matrix"} <= kinds
        assert ("attention" in kinds) == (conv in ("gat", "gatv2"))
        (embedding,) = run.snapshots(kind="embedding", step=2)
        assert embedding.items == "items"
        assert embedding.shape[0] == len(run.items()) == 188
        assert run.items().columns["nodes"].sum() == 3371
        assert run.items().thumbnails.shape == (188, 48, 48, 3)
        assert run.items().columns["edges"].sum() == 3721


@pytest.mark.data
def test_options_reach_network_and_task(real_data):
    def made(**values):
        return build(parse(GraphClassificationConfig, values))

    task = made(layers=3, hidden=5, pooling="max", dropout=0.25, head_dropout=0.125)
    assert (len(task.model.convs), task.model.pooling, task.model.dropout) == (3, "max", 0.25)
    assert task.model.head.channels == (7, 5, 5, 5)
    assert task.model.head.dropout == 0.125
    assert not task.model.convs[0].eps.requires_grad
    assert made(learn_epsilon=True).model.convs[0].eps.requires_grad
    assert made(conv="cheb", reach=4).model.convs[0].K == 4
    assert made(node_features="ones").model.in_channels == 1
    assert made(dataset="imdb-binary").model.pooling == "mean"
    assert made(batch_size=50).batches_per_epoch == 4
    assert made(iterations=7).batches_per_epoch == 7
    assert made(monitor="validation/accuracy").monitor == "validation/accuracy"
    with pytest.raises(ConfigError, match="from 0 to 9, not 10"):
        made(fold=10)


CURVES = {
    # fold: (validation loss, validation accuracy, accuracy of the fold) after each of three epochs
    0: ([0.9, 0.5, 0.7], [0.8, 0.7, 0.8], [0.6, 0.7, 0.9]),
    1: ([0.4, 0.5, 0.6], [0.5, 0.6, 0.4], [0.5, 0.8, 0.8]),
}


def write(root: Path, fold: int, curves=None, *, tags=None, epochs=(1, 2, 3), **options) -> Path:
    described = {
        "run": {"recipe": options.pop("recipe", "graph-classification")},
        "options": {"fold": fold, "folds": 2, "seed": 0, "monitor": "validation/loss", **options},
    }
    tags = tags or ("validation/loss", "validation/accuracy", "fold/accuracy")
    with RunWriter.create(root, f"run-{len(list(root.iterdir()))}", described) as run:
        for epoch, values in zip(epochs, zip(*(curves or CURVES[fold]), strict=True), strict=False):
            numbers = dict(
                zip(("validation/loss", "validation/accuracy", "fold/accuracy"), values, strict=True)
            )
            run.scalars(10 * epoch, {tag: numbers[tag] for tag in tags}, epoch=epoch)
    return run.folder


def test_both_protocols_by_hand(tmp_path):
    runs = [write(tmp_path, 1), write(tmp_path, 0)]  # in any order
    # Means over the folds: 0.55, 0.75, 0.85.
    by_test = picked_by_test(runs)
    assert by_test.epochs.tolist() == [3, 3]
    assert by_test.accuracies.tolist() == [0.9, 0.8]
    assert (by_test.mean, by_test.deviation) == (pytest.approx(0.85), pytest.approx(0.005**0.5))
    by_validation = picked_by_validation(runs)
    assert by_validation.epochs.tolist() == [2, 1]
    assert by_validation.accuracies.tolist() == [0.7, 0.5]
    monitored = [write(tmp_path, fold, monitor="validation/accuracy") for fold in (0, 1)]
    assert picked_by_validation(monitored).epochs.tolist() == [1, 2]


def test_of_equal_epochs_the_first_counts(tmp_path):
    runs = [write(tmp_path, fold, ([1, 1], [1, 1], [0.5, 0.5])) for fold in (0, 1)]
    assert picked_by_test(runs).epochs.tolist() == picked_by_validation(runs).epochs.tolist() == [1, 1]


def test_runs_that_are_no_cross_validation(tmp_path):
    first, second = write(tmp_path, 0), write(tmp_path, 1)
    with pytest.raises(InputError, match=r"none of fold \[1\]"):
        picked_by_test([first])
    with pytest.raises(InputError, match="none of fold"):
        picked_by_test([])
    with pytest.raises(InputError, match="fold 0 is there twice"):
        picked_by_test([first, write(tmp_path, 0), second])
    with pytest.raises(InputError, match=r"differs in \['seed'\]"):
        picked_by_test([first, write(tmp_path, 1, seed=1)])
    assert picked_by_test([first, write(tmp_path, 1, device="cuda")]).mean > 0
    with pytest.raises(InputError, match="is of 'node-classification'"):
        picked_by_test([write(tmp_path, 0, recipe="node-classification")])
    with pytest.raises(InputError, match="they ran for 3, 2: finish them"):
        picked_by_test([first, write(tmp_path, 1, epochs=(1, 2))])
    with pytest.raises(InputError, match="has no validation/loss"):
        picked_by_validation([write(tmp_path, fold, tags=("fold/accuracy",)) for fold in (0, 1)])
    with pytest.raises(InputError, match="has no fold/accuracy"):
        picked_by_test([write(tmp_path, fold, tags=("validation/loss",)) for fold in (0, 1)])
    with pytest.raises(NotARunError):
        picked_by_test([tmp_path / "none"])


@pytest.mark.data
def test_what_validation_picks_is_what_the_run_tests(real_data, tmp_path):
    runs, tested = [], []
    for fold in range(2):
        options = {
            "fold": fold,
            "folds": 2,
            "epochs": 6,
            "iterations": 3,
            "hidden": 8,
            "device": "cpu",
            "threads": 1,
        }
        folder, result = launch.train("graph-classification", options, runs=tmp_path, run_name=f"fold-{fold}")
        runs.append(folder)
        tested.append(result.metrics["test/accuracy"])
    assert picked_by_validation(runs).accuracies.tolist() == tested
    assert picked_by_test(runs).mean >= picked_by_test(runs).accuracies.min()
