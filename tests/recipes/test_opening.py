"""A trained recipe's weights, exported and opened again: `mmgraph open`."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from mmgraph.errors import CheckpointError, ConfigError, InputError
from mmgraph.inspection.own_model import own_model
from mmgraph.inspection.weights_file import read_weights
from mmgraph.recipes import launch
from mmgraph.recipes.opening import open_model
from mmgraph.runs import RunReader, read_structure, send_command
from mmgraph.runs.schema import CHECKPOINT_FOLDER

OWN = """
from torch import nn
from mmgraph.graph import GNN
from mmgraph.vision import ConvEncoder

class Net(nn.Module):
    def __init__(self, classes=10):
        super().__init__()
        self.encoder = ConvEncoder(in_channels=1, channels=(16, 32), out_features=64, image_size=8)
        self.gnn = GNN(64, 8, classes, conv="gat", heads=8, dropout=0.4, attention_dropout=0.2, activation="elu")

    def forward(self, images, graph):
        return self.gnn(self.encoder(images), graph)

class Blind(Net):
    def forward(self, text):
        return text
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run, its weights in a file of their own as another program would write them, and a module with the model."""
    folder = tmp_path_factory.mktemp("trained")
    run, result = launch.train("digits-graph", {"epochs": 12, "seed": 3}, runs=folder, run_name="digits")
    file = folder / "weights.pt"
    torch.save({"state_dict": read_weights(run / CHECKPOINT_FOLDER / "best.safetensors"), "epoch": 12}, file)
    (folder / "net.py").write_text(OWN)
    return run, result, file, folder / "net.py"


def last(run, tag):
    return run.series(tag).value[-1]


def test_an_exported_recipe_opens_with_the_scores_of_its_run(trained, tmp_path):
    before, result, file, _ = trained
    done = subprocess.run(
        [sys.executable, "-m", "mmgraph", "open", file, "--recipe", "digits-graph", "--set", "seed=3",
         "--runs", tmp_path / "opened", "--json"],
        capture_output=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    folder = json.loads(done.stdout)["run"]
    with RunReader(before) as trained_run, RunReader(folder) as run:
        assert run.status().state == "finished"
        for tag in ("test/accuracy", "test/loss"):
            assert last(run, tag) == pytest.approx(last(trained_run, tag), abs=1e-6)
        assert last(run, "test/accuracy") > 0.4  # of ten classes: the weights are those that were trained
        assert last(run, "validation/accuracy") == pytest.approx(result.metrics["best/validation/accuracy"])
        kinds = {info.kind for info in run.snapshots()}
        assert kinds >= {"embedding", "attention", "feature_maps", "filters", "prediction", "graph", "matrix"}
    task, *_ = launch.trained_task(folder)  # its model can be asked
    assert task.examined


def test_a_model_of_ones_own_on_the_data_of_a_recipe(trained, tmp_path):
    _, _, file, net = trained
    theirs = open_model(file, recipe_name="digits-graph", values={"seed": 3}, runs=tmp_path)
    ours = open_model(
        file,
        recipe_name="digits-graph",
        values={"seed": 3},
        model=f"{net}:Net",
        runs=tmp_path,
        run_name="ours",
    )
    with RunReader(theirs) as expected, RunReader(ours) as run:
        assert last(run, "test/accuracy") == last(expected, "test/accuracy")
        infos = {info.kind: info for info in run.snapshots()}
        assert {"embedding", "attention", "feature_maps", "filters"} <= set(infos)
        np.testing.assert_allclose(
            run.load(infos["embedding"]).array,
            next(expected.load(info).array for info in expected.snapshots() if info.kind == "embedding"),
            rtol=1e-5, atol=1e-6,
        )  # fmt: skip
    with pytest.raises(ConfigError, match="not run again"):  # a run folder may come from anybody
        launch.trained_task(ours)


def test_a_model_of_ones_own_without_data_shows_what_it_is(trained, tmp_path):
    _, _, file, net = trained
    folder = open_model(file, model=f"{net}:Net", runs=tmp_path)
    types = {layer.name: layer.type for layer in read_structure(folder).layers}
    assert types["gnn.convs.0"] == "GATConv"
    with RunReader(folder) as run:
        assert {info.kind for info in run.snapshots()} == {"filters", "matrix"}


@pytest.mark.parametrize(
    ("chosen", "error", "told"),
    [
        ({"recipe_name": "digits-graph", "values": {"hidden": 3}}, CheckpointError, "'gnn.convs.0.bias' is 64 in the"),
        ({"model": "{net}:Net(7)"}, CheckpointError, "in the file, but .* in the model"),
        ({"model": "torch.nn:Linear(3, 4)"}, CheckpointError, "the model has a weight 'weight'"),
        ({"recipe_name": "digits-graph", "model": "{net}:Blind"}, InputError, "cannot be run on .* a model has images"),
        ({"recipe_name": "captioning", "model": "{net}:Net"}, InputError, "captioning cannot be .* few-shot, .* and"),
    ],
)  # fmt: skip
def test_what_does_not_fit_says_where_and_leaves_no_run(trained, tmp_path, chosen, error, told):
    _, _, file, net = trained
    chosen = dict(chosen)
    if "model" in chosen:
        chosen["model"] = chosen["model"].format(net=net)
    with pytest.raises(error, match=told):
        open_model(file, runs=tmp_path / "opened", **chosen)
    assert not (tmp_path / "opened").exists()


THEIRS = """
import torch
from torch import nn

class Clips(nn.Sequential):
    def __init__(self, classes=8):
        super().__init__(nn.Conv3d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Linear(4, classes))

    def forward(self, clips):
        return super().forward(clips.transpose(1, 2))

class Frames(Clips):
    def __init__(self):
        super().__init__(5)

class Images(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Conv2d(1, 6, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten())

class Graphs(nn.Module):
    def __init__(self, channels=7, classes=2):
        super().__init__()
        self.first, self.last = nn.Linear(channels, 5), nn.Linear(5, classes)

    def forward(self, x, edge_index, batch):
        source, target = edge_index
        x = self.first(x).relu()
        x = x.index_add(0, target, x[source])
        return self.last(x.new_zeros(int(batch.max()) + 1, 5).index_add(0, batch, x))

class Steps(nn.Module):
    def __init__(self, classes=6):
        super().__init__()
        self.gru, self.head = nn.GRU(2, 8, batch_first=True), nn.Linear(8, classes)

    def forward(self, steps, lengths):
        return self.head(self.gru(steps)[0][torch.arange(len(steps)), lengths - 1])

class Whole(Steps):
    def forward(self, steps, lengths):
        return self.gru(steps)[0]

class Papers(nn.Module):
    def __init__(self, channels=1433, features=8):
        super().__init__()
        self.first = nn.Linear(channels, features, bias=False)

    def forward(self, x, edge_index):
        source, target = edge_index
        x = self.first(x)
        return x + x.new_zeros(x.shape).index_add(0, target, x[source])

class Letters(nn.Module):
    # Reads at most 16 tokens, as models with learned positions do.
    def __init__(self, tokens=59, most=16):
        super().__init__()
        self.table, self.places = nn.Embedding(tokens, 8), nn.Embedding(most, 8)
        self.mix, self.head = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), nn.Linear(8, tokens)

    def forward(self, tokens):
        time = tokens.shape[1]
        mask = nn.Transformer.generate_square_subsequent_mask(time)
        read = self.table(tokens) + self.places(torch.arange(time))
        return self.head(self.mix(read, src_mask=mask, is_causal=True))

class Senses(nn.Module):
    def __init__(self, classes=10):
        super().__init__()
        self.see, self.hear = nn.Conv2d(1, 3, 3), nn.Conv2d(1, 3, 3)
        self.head = nn.Linear(6, classes)

    def forward(self, given):
        senses = self.see(given["image"]), self.hear(given["sound"])
        return self.head(torch.cat([maps.mean((2, 3)) for maps in senses], 1))

class Ages(nn.Module):
    def __init__(self, features=5):
        super().__init__()
        self.see, self.head = nn.Conv2d(3, features, 3), nn.Linear(features, 1)

    def forward(self, images):
        return self.head(self.see(images).relu().mean((2, 3)))

class Vectors(Ages):
    def forward(self, images):
        return self.see(images).mean((2, 3))

class OneLetter(Letters):
    def forward(self, tokens):
        return super().forward(tokens)[:, -1]
"""
SHAPES = {"clips": 80, "frames": 4, "image_size": 16, "device": "cpu"}


@pytest.fixture(scope="module")
def theirs(tmp_path_factory):
    """A module with models as other programs have them."""
    path = tmp_path_factory.mktemp("theirs") / "theirs.py"
    path.write_text(THEIRS)
    return path


def weights_of(theirs, name, tmp_path):
    model = own_model(f"{theirs}:{name}")
    torch.save(model.state_dict(), tmp_path / "weights.pt")
    return tmp_path / "weights.pt", model


@pytest.mark.parametrize(
    ("name", "recipe", "values", "kinds", "score"),
    [
        ("Clips", "video-classification", SHAPES, {"embedding", "prediction", "matrix", "filters"}, "accuracy"),
        ("Images", "metric-learning", {"device": "cpu"}, {"embedding", "filters", "feature_maps"}, "map@r"),
        ("Images", "few-shot", {"device": "cpu", "test_episodes": 20}, {"embedding", "filters"}, "accuracy"),
        ("Steps", "sequence-classification", {"curves": 120, "device": "cpu"}, {"embedding", "prediction"}, "accuracy"),
        ("Letters", "language-model", {"steps": 16, "device": "cpu"}, {"embedding", "matrix"}, "loss"),
        ("Ages", "image-scoring", {"device": "cpu"}, {"embedding", "filters", "feature_maps", "matrix"}, "pearson"),
        ("Senses", "multimodal-classification", {"training_items": 200}, {"prediction", "feature_maps"}, "accuracy"),
        pytest.param(
            "Papers", "link-prediction", {"dataset": "cora"}, {"embedding", "graph", "matrix"}, "auc",
            marks=pytest.mark.data,
        ),
        pytest.param(
            "Graphs", "graph-classification", {"dataset": "mutag"}, {"embedding", "prediction"}, "accuracy",
            marks=pytest.mark.data,
        ),
    ],
)  # fmt: skip
def test_recipes_lend_their_data_to_models_of_ones_own(
    name, recipe, values, kinds, score, theirs, tmp_path, request
):
    if recipe in ("graph-classification", "link-prediction"):
        request.getfixturevalue("real_data")
    file, model = weights_of(theirs, name, tmp_path)
    folder = open_model(
        file, recipe_name=recipe, values=values, model=f"{theirs}:{name}", runs=tmp_path / "o"
    )
    with RunReader(folder) as run:
        low, high = {"loss": (0, 2 * np.log(59)), "pearson": (-1, 1)}.get(score, (0, 1))
        assert low <= last(run, f"test/{score}") <= high
        seen = {info.kind: run.load(info) for info in run.snapshots()}
        assert kinds <= set(seen)
        assert len(seen["embedding"].array) == len(run.items())
        layers = {info.layer for info in run.snapshots()}
        if "prediction" in seen:
            assert "confusion/test" in layers
            np.testing.assert_allclose(seen["prediction"].array.sum(1), 1, rtol=1e-4)
    named = {layer.name for layer in read_structure(folder).layers}
    assert {
        f"model{'.' if part else ''}{part}".removeprefix("model.") for part, _ in model.named_modules()
    } <= named


@pytest.mark.parametrize(
    ("name", "recipe", "values", "told"),
    [
        ("Letters", "language-model", {"steps": 17, "device": "cpu"}, "cannot be run .* as many as the option steps"),
        ("Vectors", "image-scoring", {"device": "cpu"}, "Expected a score for each of 1 images.* in the units"),
        ("OneLetter", "language-model", {"steps": 16, "device": "cpu"}, r"Expected logits \(1, 8, 59\)"),
        ("Clips", "metric-learning", {"device": "cpu"}, "cannot be run .* has normalised images .* out"),
        ("Frames", "video-classification", SHAPES, "gives 5 numbers for each item.* there are 8 classes"),
        ("Whole", "sequence-classification", {"curves": 120}, "for each item.* padded with zeros, and their lengths"),
    ],
)  # fmt: skip
def test_what_a_model_of_ones_own_is_given_is_told_where_it_does_not_suit(
    name, recipe, values, told, theirs, tmp_path
):
    file, _ = weights_of(theirs, name, tmp_path)
    chosen = {"recipe_name": recipe, "values": values, "model": f"{theirs}:{name}", "runs": tmp_path / "o"}
    with pytest.raises(InputError, match=told):
        open_model(file, **chosen)
    assert not (tmp_path / "o").exists()


def test_a_file_that_is_missing_or_a_bomb_is_refused_before_anything_is_built(tmp_path, trained):
    with pytest.raises(InputError, match="cannot be read"):
        open_model(tmp_path / "none.pt", model=f"{tmp_path}/none.py:Net", runs=tmp_path)

    class Bomb:
        def __reduce__(self):
            return (print, ("boom",))

    torch.save({"w": Bomb()}, tmp_path / "bomb.pt")
    with pytest.raises(InputError, match="more than weights"):
        open_model(tmp_path / "bomb.pt", recipe_name="digits-graph", runs=tmp_path)


@pytest.mark.data
def test_a_model_of_ones_own_on_papers(real_data, tmp_path):
    (tmp_path / "gcn.py").write_text(
        "import torch\n"
        "from torch_geometric.nn import GCN\n"
        "class Net(GCN):\n"
        "    def __init__(self):\n"
        "        super().__init__(1433, 8, 2, 7)\n"
    )
    from torch_geometric.nn import GCN

    save_file(GCN(1433, 8, 2, 7).state_dict(), tmp_path / "gcn.safetensors")
    folder = open_model(
        tmp_path / "gcn.safetensors",
        recipe_name="node-classification",
        values={"dataset": "cora"},
        model=f"{tmp_path}/gcn.py:Net",
        runs=tmp_path,
    )
    with RunReader(folder) as run:
        assert 0 <= last(run, "test/accuracy") <= 1
        assert "embedding" in {info.kind for info in run.snapshots()}


def test_opening_stops_where_it_is_asked_to(trained, tmp_path, monkeypatch):
    from mmgraph.training.classification import Classification

    _, _, file, _ = trained
    evaluate = Classification.evaluate

    def ask_and_evaluate(task, split):
        send_command(tmp_path / "o", "stop")
        send_command(tmp_path / "o", "pause")
        return evaluate(task, split)

    monkeypatch.setattr(Classification, "evaluate", ask_and_evaluate)
    folder = open_model(file, recipe_name="digits-graph", runs=tmp_path, run_name="o")
    with RunReader(folder) as run:
        assert run.status().state == "stopped"
        assert "test/accuracy" not in run.tags()
