from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from mmgraph.errors import (
    ConfigError,
    DatasetMissingError,
    InputError,
    NotARunError,
    RunBusyError,
    UnknownNameError,
)
from mmgraph.options import options_of, parse
from mmgraph.recipes import launch, names, recipe
from mmgraph.recipes.splits import per_class_splits, split_codes, stratified_splits
from mmgraph.runs import KIND_AXES, RunReader, RunWriter, read_structure
from mmgraph.training import TrainingOptions

SMALL = {
    "digits-graph": {"epochs": 2},
    "node-classification": {"epochs": 2},
    "inductive": {"epochs": 2},
    "heterogeneous": {"epochs": 2},
    "link-prediction": {"epochs": 2},
    "node-embedding": {"epochs": 1, "walk_length": 10},
    "edge-classification": {"epochs": 2, "dataset": "karate"},
    "graph-classification": {"epochs": 2},
    "image-classification": {"epochs": 1, "training_images": 256, "validation": 100, "probe_images": 20},
    "metric-learning": {"epochs": 1},
    "multimodal-classification": {"epochs": 1, "filters": 4},
    "video-classification": {"epochs": 1, "clips": 80, "frames": 4, "image_size": 16, "filters": 2},
    "cross-modal-retrieval": {"epochs": 2, "modal_epochs": 1, "hidden": 16},
    "few-shot": {"epochs": 1, "test_episodes": 50},
    "language-model": {"epochs": 1, "hidden": 16},
    "captioning": {"images": 60, "epochs": 1, "hidden": 16, "filters": 4},
    "image-scoring": {"epochs": 2, "pretrain_epochs": 1, "width": 0.125},
    "sequence-classification": {"epochs": 1, "curves": 120},
    "sequence-to-sequence": {"epochs": 1, "pairs": 200},
    "multimodal-graph": {"epochs": 1, "features": 8, "filters": 2, "hidden": 4},
}
NEEDS_DATA = {
    "node-embedding",
    "heterogeneous",
    "node-classification",
    "inductive",
    "link-prediction",
    "graph-classification",
    "image-classification",
}
NO_PICTURES = {
    "sequence-to-sequence",
    "sequence-classification",
    "cross-modal-retrieval",
    "language-model",
    "node-embedding",
    "heterogeneous",
    "node-classification",
    "inductive",
    "link-prediction",
    "edge-classification",
    "graph-classification",
}
ABOUT_LINKS = {"link-prediction"}
ABOUT_DISTANCES = {"metric-learning", "few-shot", "cross-modal-retrieval", "image-scoring"}
WITHOUT_LAYERS = {"node-embedding"}
WITHOUT_ANSWERS = {"node-embedding", "language-model", "captioning", "sequence-to-sequence"}


def test_reading_the_options_imports_no_torch():
    script = (
        "import sys; from mmgraph import recipes; from mmgraph.options import options_of\n"
        "assert [len(options_of(recipes.recipe(n).config)) for n in recipes.names()]\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.parametrize("name", names())
def test_every_option_has_a_default_that_fits(name):
    config = recipe(name).config
    for option in options_of(config):
        assert option.help.endswith(".")
        assert option.check(option.default) == option.default
    assert parse(config, {}) == config()
    assert issubclass(config, TrainingOptions)


@pytest.mark.parametrize("name", names())
def test_every_recipe_trains_records_and_can_be_opened(name, request, tmp_path):
    if name in NEEDS_DATA:
        request.getfixturevalue("real_data")
    folder, result = launch.train(name, {**SMALL[name], "device": "cpu"}, runs=tmp_path)
    assert result.state == "finished"
    with RunReader(folder) as run:
        status = run.status()
        assert (status.state, status.step) == ("finished", result.step)
        assert run.config["run"]["recipe"] == name
        items = run.items()
        assert items.labels is not None
        for info in run.snapshots():
            snapshot = run.load(info)
            assert snapshot.array.shape == info.shape
            assert snapshot.axes in KIND_AXES[snapshot.kind]
            if snapshot.kind in ("embedding", "prediction"):
                assert len(snapshot.array) == len(items)
        kinds = {info.kind for info in run.snapshots(step=result.step)}
        structure = read_structure(folder)
        assert structure is not None
        layers = {layer.name for layer in structure.layers}
        activations = run.snapshots(layer="histograms/activations", step=result.step)
        assert len(activations) == (name not in WITHOUT_LAYERS)
        for info in activations:
            rows = run.load(info).notes["rows"]
            assert rows
            assert set(rows) <= layers
    expected = {"embedding"} if name in WITHOUT_ANSWERS else {"embedding", "matrix"}
    if name not in ABOUT_LINKS | ABOUT_DISTANCES | WITHOUT_ANSWERS:
        expected |= {"prediction"}
    if name not in NO_PICTURES:
        expected |= {"filters", "feature_maps"}
    if name in ("digits-graph", "captioning"):
        expected |= {"attention"}
    assert expected <= kinds


def test_digits_shows_everything_at_once(tmp_path):
    folder, _ = launch.train("digits-graph", {"epochs": 1, "device": "cpu"}, runs=tmp_path)
    with RunReader(folder) as run:
        kinds = {info.kind for info in run.snapshots()}
        assert {"filters", "feature_maps", "attention", "embedding", "prediction", "graph", "matrix"} <= kinds
        attention = run.load(run.snapshots(kind="attention")[0])
        edges = attention.extras["edge_index"]
        assert attention.array.shape == (8, edges.shape[1])
        sums = torch.zeros(8, 1797).index_add_(
            1, torch.from_numpy(edges[1]).long(), torch.from_numpy(attention.array)
        )
        assert torch.allclose(sums, torch.ones_like(sums), atol=1e-4)
        assert run.items().thumbnails.shape == (1797, 8, 8)
        assert [int((run.items().splits == code).sum()) for code in range(3)] == [200, 300, 1297]


def test_gat_takes_the_settings_of_its_paper():
    config = parse(recipe("node-classification").config, {"conv": "gat"})
    assert (config.learning_rate, config.hidden, config.heads, config.dropout) == (5e-3, 8, 8, 0.6)
    assert config.monitor == "both"
    assert parse(recipe("node-classification").config, {"conv": "gat", "hidden": 4}).hidden == 4


def test_pubmed_without_its_features_says_which_file_is_missing(real_data, tmp_path, monkeypatch):
    if (real_data / "planetoid" / "ind.pubmed.allx").exists():
        pytest.skip("PubMed is complete here")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with pytest.raises(DatasetMissingError, match=r"ind\.pubmed\.allx"):
        launch.train("node-classification", {"dataset": "pubmed"}, runs=tmp_path)
    assert not list(tmp_path.glob("node*"))


def test_more_validation_than_images_is_refused(real_data, tmp_path):
    with pytest.raises(ConfigError, match="none would be left"):
        launch.train("image-classification", {"validation": 60_000}, runs=tmp_path)


def test_unknown_names_are_refused(tmp_path):
    with pytest.raises(UnknownNameError, match="digits-graph"):
        launch.train("digitsgraph", runs=tmp_path)
    with pytest.raises(UnknownNameError, match="epochs"):
        launch.train("digits-graph", {"epoch": 3}, runs=tmp_path)


def test_a_failing_run_says_so_in_its_folder(tmp_path):
    with pytest.raises(Exception, match="loss became"):
        launch.train("digits-graph", {"learning_rate": 1e30, "epochs": 20, "device": "cpu"}, runs=tmp_path)
    (folder,) = tmp_path.iterdir()
    with RunReader(folder) as run:
        assert run.status().state == "failed"
        assert "loss became" in run.status().message


def test_resuming_what_is_no_recipes_run(tmp_path):
    with pytest.raises(NotARunError):
        launch.resume(tmp_path)
    with RunWriter.create(tmp_path, "own", {"run": {"recipe": "watch"}}) as run:
        pass
    with pytest.raises(ConfigError, match="only that program"):
        launch.resume(Path(run.folder))


def test_resuming_a_run_that_is_being_trained(tmp_path):
    with RunWriter.create(tmp_path, "live", {"run": {"recipe": "digits-graph"}}) as run:
        with pytest.raises(RunBusyError, match="nothing to resume"):
            launch.resume(run.folder)
        with pytest.raises(RunBusyError):
            RunWriter(run.folder)


def test_splits_by_class():
    labels = torch.arange(30) % 3
    splits = per_class_splits(
        labels, {"train": 2, "validation": 3}, generator=torch.Generator().manual_seed(0)
    )
    assert torch.stack(list(splits.values())).sum(dim=0).tolist() == [1] * 30
    for part, count in {"train": 2, "validation": 3, "test": 5}.items():
        assert labels[splits[part]].bincount().tolist() == [count] * 3
    with pytest.raises(InputError, match="Class 0 has 10 items, too few for 10"):
        per_class_splits(labels, {"train": 4, "validation": 6}, generator=torch.Generator())


def test_stratified_splits():
    labels = torch.tensor([0] * 30 + [1] * 20 + [2] * 25)
    splits = stratified_splits(
        labels, train_per_class=5, validation=10, generator=torch.Generator().manual_seed(3)
    )
    assert torch.bincount(labels[splits["train"]]).tolist() == [5, 5, 5]
    assert int(splits["validation"].sum()) == 10
    assert torch.equal(sum(mask.int() for mask in splits.values()), torch.ones(75, dtype=torch.int32))
    again = stratified_splits(
        labels, train_per_class=5, validation=10, generator=torch.Generator().manual_seed(3)
    )
    assert all(torch.equal(splits[key], again[key]) for key in splits)
    assert (split_codes(splits) == 0).sum() == 15


@pytest.mark.parametrize(("per_class", "validation"), [(3, 1), (1, 5)])
def test_too_few_items_are_refused(per_class, validation):
    labels = torch.tensor([0, 0, 0, 1, 1, 1])
    with pytest.raises(InputError, match="too few"):
        stratified_splits(
            labels, train_per_class=per_class, validation=validation, generator=torch.Generator()
        )
