"""A real run of digits, written with NumPy alone, and the model of a window that has opened it."""

from __future__ import annotations

import os

os.environ["QT_QPA_PLATFORM"] = "offscreen"

import contextlib
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from mmgraph.errors import MMGraphError
from mmgraph.runs import ItemSet, RunReader, RunWriter, Snapshot
from mmgraph_gui.asking.model_process import ModelProcess
from mmgraph_gui.asking.own_items import OwnItems
from mmgraph_gui.drawing.theme import Theme
from mmgraph_gui.reading import poller
from mmgraph_gui.reading.follower import RunFollower
from mmgraph_gui.state import AppState
from mmgraph_gui.views import Context
from mmgraph_gui.views.graph.kept_layouts import layouts_folder
from mmgraph_gui.warm_up import draw_unseen

PATIENCE = 120_000
STEPS = (10, 20, 30, 40)
N_ITEMS = 300
N_CLASSES = 10
N_HEADS = 4


def write_digits_run(
    root: Path, name: str = "digits", *, steps: tuple[int, ...] = STEPS, close: bool = True
) -> Any:
    """A run with every kind of snapshot at each step: class means sharpen, so the embedding moves apart."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = digits.images[:N_ITEMS].astype(np.float32) / 16
    labels = digits.target[:N_ITEMS].astype(np.int64)
    pixels = images.reshape(N_ITEMS, -1)
    edges = knn_edges(pixels, 6)
    loops = np.tile(np.arange(N_ITEMS, dtype=np.int32), (2, 1))
    attended = np.concatenate([edges, loops], axis=1)
    splits = np.where(np.arange(N_ITEMS) < 100, 0, np.where(np.arange(N_ITEMS) < 150, 1, 3)).astype(np.int64)
    rng = np.random.default_rng(0)
    kernels = rng.normal(size=(8, 1, 3, 3)).astype(np.float32)
    mixing = rng.normal(size=(64, 16)).astype(np.float32) / 8
    means = np.stack([pixels[labels == label].mean(0) for label in range(N_CLASSES)])

    config = {
        "run": {
            "recipe": "digits-graph",
            "title": "Digits on a graph",
            "dataset": "digits",
            "created": "2026-01-01",
        },
        "options": {"epochs": 4, "learning_rate": 0.01, "hidden": 16},
        "environment": {"device": "cpu"},
    }
    run = RunWriter.create(root, name, config)
    run.items(
        ItemSet(
            labels=labels,
            class_names=tuple("0123456789"),
            splits=splits,
            split_names=("train", "validation", "test", "unlabelled"),
            thumbnails=np.rint(images * 255).astype(np.uint8),
            columns={"ink": pixels.sum(1)},
            noun="digit",
        )
    )
    run.event("training began", step=0)
    for step in range(1, steps[-1] + 1):
        loss = float(2.3 * np.exp(-step / 15))
        run.scalars(step, {"train/loss": loss, "learning_rate": 0.01}, epoch=step / 10)
        if step % 10 == 0:
            run.scalars(
                step,
                {
                    "validation/loss": loss + 0.1,
                    "train/accuracy": 1 - loss / 3,
                    "validation/accuracy": 0.95 - loss / 3,
                },
                epoch=step / 10,
            )
    for number, step in enumerate(steps):
        sharpness = (number + 1) / len(steps)
        moved = (1 - 0.5 * sharpness) * pixels + 0.5 * sharpness * means[labels]
        distances = ((moved[:, None] - means[None]) ** 2).sum(-1)
        probabilities = softmax(-distances * sharpness)
        maps = convolve(images[:12], kernels * sharpness)
        weights = attention(moved @ mixing, attended, rng)
        confusion = np.zeros((N_CLASSES, N_CLASSES), dtype=np.int64)
        np.add.at(confusion, (labels, probabilities.argmax(1)), 1)
        snapshots = [
            Snapshot("filters", "encoder.conv1", kernels * sharpness),
            Snapshot(
                "feature_maps",
                "encoder.conv1",
                maps,
                items="items",
                extras={"rows": np.arange(12, dtype=np.int64)},
            ),
            Snapshot("embedding", "encoder", pixels @ mixing, items="items"),
            Snapshot("embedding", "convs.1", (moved @ mixing).astype(np.float32), items="items"),
            Snapshot("prediction", "output", probabilities.astype(np.float32), items="items"),
            Snapshot("attention", "convs.0", weights, items="items", extras={"edge_index": attended}),
            Snapshot("matrix", "confusion/validation", confusion, notes={"classes": list("0123456789")}),
        ]
        if number == 0:
            snapshots.append(Snapshot("graph", "graph", edges, items="items"))
        run.snapshots(step, snapshots, epoch=step / 10, wait=True)
    run.event("a warning to filter by", level="warning", step=steps[-1])
    run.status(step=steps[-1], epoch=4.0, total_steps=steps[-1], metrics={"validation/accuracy": 0.9})
    run.flush()
    if not close:
        return run
    run.close("finished")
    return run.folder


def knn_edges(vectors: np.ndarray, k: int) -> np.ndarray:
    """(2, edges) int32 from each of the k nearest to each vector."""
    distances = ((vectors[:, None] - vectors[None]) ** 2).sum(-1)
    np.fill_diagonal(distances, np.inf)
    sources = np.argsort(distances, axis=1)[:, :k]
    targets = np.repeat(np.arange(len(vectors)), k)
    return np.stack([sources.ravel(), targets]).astype(np.int32)


def softmax(scores: np.ndarray) -> np.ndarray:
    """Rows that add up to one."""
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)


def convolve(images: np.ndarray, kernels: np.ndarray) -> np.ndarray:
    """(items, channels, 6, 6): each image under each 3×3 kernel."""
    windows = np.lib.stride_tricks.sliding_window_view(images, (3, 3), axis=(1, 2))
    return np.einsum("nhwij,cij->nchw", windows, kernels[:, 0]).astype(np.float32)


def attention(vectors: np.ndarray, edges: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(heads, edges) float32: a softmax over the edges into each node."""
    scores = np.exp(rng.normal(scale=0.5, size=(N_HEADS, 1)) * (vectors[edges[0]] * vectors[edges[1]]).sum(1))
    sums = np.zeros((N_HEADS, len(vectors)))
    for head in range(N_HEADS):
        np.add.at(sums[head], edges[1], scores[head])
    return (scores / sums[:, edges[1]]).astype(np.float32)


class PatientBot(QtBot):
    """Waits for as long as a busy machine may take, where pytest-qt gives up after a second or five."""

    def waitUntil(self, callback: Callable[[], Any], *, timeout: int = PATIENCE) -> None:
        super().waitUntil(callback, timeout=timeout)

    def waitSignal(self, signal: Any, *, timeout: int = PATIENCE, **options: Any) -> Any:
        return super().waitSignal(signal, timeout=timeout, **options)

    def waitSignals(self, signals: Any, *, timeout: int = PATIENCE, **options: Any) -> Any:
        return super().waitSignals(signals, timeout=timeout, **options)


@pytest.fixture
def qtbot(qapp: Any, request: pytest.FixtureRequest) -> QtBot:
    """pytest-qt's own, with patience."""
    return PatientBot(request)


@pytest.fixture(scope="session", autouse=True)
def compiled_loops() -> None:
    """What views draw with is compiled once, before any test waits for it."""
    draw_unseen()


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Layouts that a test keeps are not found by another."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture(scope="session")
def layouts_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Layouts for all tests that ask for `kept_layouts`."""
    return tmp_path_factory.mktemp("layouts")


@pytest.fixture
def kept_layouts(own_cache: None, layouts_once: Path) -> Iterator[None]:
    """A graph that one such test has laid out lies there already in the others: for tests not about laying out."""
    shutil.copytree(layouts_once, layouts_folder(), dirs_exist_ok=True)
    yield
    shutil.copytree(layouts_folder(), layouts_once, dirs_exist_ok=True)


@pytest.fixture
def looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that rests is looked at as often as one that is trained: for tests that change it."""
    monkeypatch.setattr(poller, "IDLE_SECONDS", poller.LIVE_SECONDS)


@pytest.fixture(autouse=True)
def no_training_left_behind(tmp_path: Path) -> Iterator[None]:
    """Processes that a test started, and did not end because it failed, end with it."""
    yield
    for database in tmp_path.rglob("run.db"):
        with contextlib.suppress(MMGraphError, ProcessLookupError), RunReader(database.parent) as run:
            status = run.status()
            if status.is_live and status.pid not in (None, os.getpid()):
                os.kill(status.pid, signal.SIGTERM)


@pytest.fixture
def write_run() -> Callable[..., Any]:
    """`write_run(root, name="digits", steps=(10, 20), close=False)`: the folder, or the open RunWriter."""
    return write_digits_run


@pytest.fixture(scope="session")
def digits_run_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The finished digits run, shared; never write to it."""
    return write_digits_run(tmp_path_factory.mktemp("runs"))


@pytest.fixture
def digits_run(digits_run_once: Path, tmp_path: Path) -> Path:
    """A finished digits run of one's own, to damage or delete."""
    return Path(shutil.copytree(digits_run_once, tmp_path / "runs" / "digits"))


@pytest.fixture
def theme(qapp: Any) -> Iterator[Theme]:
    """Light colours."""
    theme = Theme()
    theme.set_mode("light")
    yield theme
    theme.deleteLater()


@pytest.fixture
def context(theme: Theme) -> Iterator[Context]:
    """State and follower without a run; their threads are gone afterwards."""
    before = set(threading.enumerate())  # of windows that several tests share
    state = AppState()
    follower = RunFollower(state)
    model = ModelProcess(state, follower)
    own = OwnItems(state, model)
    yield Context(state, follower, theme, model, own)
    own.close()
    model.close()
    follower.close()
    after = set(threading.enumerate()) - before
    left = [thread.name for thread in after if thread.name.startswith("mmgraph-view")]
    assert left == []


@pytest.fixture
def opened(qtbot: Any, context: Context, digits_run_once: Path) -> Context:
    """State and follower that have read the digits run, prediction included."""
    with qtbot.waitSignal(context.follower.opened):
        context.follower.open(digits_run_once)
    qtbot.waitUntil(lambda: context.state.prediction is not None)
    return context


@pytest.fixture
def show_view(qtbot: Any, context: Context) -> Iterator[Callable[[Any], Any]]:
    """`show_view(ViewClass)`: the view in a shown window of 900 × 600, its first rendering done."""
    made = []

    def show(view_class: Any) -> Any:
        view = view_class(context)
        made.append(view)
        qtbot.addWidget(view)
        view.resize(900, 600)
        view.show()
        qtbot.waitUntil(lambda: not view.is_pending)
        return view

    yield show
    for view in made:
        view.detach()


@pytest.fixture
def pixels_of() -> Callable[[Any], np.ndarray]:
    """`pixels_of(widget)`: what it looks like, (height, width, 3) uint8."""

    def pixels(widget: Any) -> np.ndarray:
        image = widget.grab().toImage()
        image = image.convertToFormat(image.Format.Format_RGB888)
        raw = np.frombuffer(image.constBits(), dtype=np.uint8).reshape(image.height(), image.bytesPerLine())
        return raw[:, : image.width() * 3].reshape(image.height(), image.width(), 3).copy()

    return pixels


@pytest.fixture
def has_colour(pixels_of: Callable[[Any], np.ndarray]) -> Callable[..., bool]:
    """`has_colour(widget, "#rrggbb", tolerance=12)`: whether some pixel has the colour, more or less."""

    def has(widget: Any, colour: str, tolerance: int = 12) -> bool:
        wanted = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)])
        return bool((np.abs(pixels_of(widget).astype(int) - wanted).max(axis=-1) <= tolerance).any())

    return has
