"""A person's own item: what is asked of the model, and how it is shown in every view."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest

from mmgraph.questions import Attention, Caption, Locate, Search
from mmgraph.runs import Snapshot
from mmgraph_gui.asking.model_process import ModelAnswer
from mmgraph_gui.asking.own_items import MOST_CHARACTERS, OwnItems, is_own_item
from mmgraph_gui.state import AppState
from mmgraph_gui.state.guest import Guest, pairs_of
from mmgraph_gui.views import Context
from mmgraph_gui.views.attention.view import AttentionView
from mmgraph_gui.views.embedding.view import EmbeddingView
from mmgraph_gui.views.items.detail import OWN_RATE, footage_of_guest
from mmgraph_gui.views.items.view import ItemsView
from mmgraph_gui.views.points.cloud import PointCloud
from mmgraph_gui.views.points.guest_mark import mean_of_neighbours


class Model:
    """Keeps the questions until the test answers them."""

    def __init__(self) -> None:
        self.asked: dict[str, Any] = {}
        self.cancelled: list[Any] = []

    def ask(self, slot: Any, question: Any, deliver: Any, fail: Any, progress: Any) -> None:
        self.asked[question.kind] = (question, deliver, fail, progress)

    def cancel(self, slot: Any) -> None:
        self.cancelled.append(slot)

    def answer(self, kind: str, facts: dict[str, Any], *snapshots: Snapshot, step: int = 40) -> None:
        question, deliver, *_ = self.asked[kind]
        deliver(ModelAnswer(question, facts, snapshots, step))

    def refuse(self, kind: str, text: str = "This recipe cannot answer that.") -> None:
        self.asked[kind][2](text)


@pytest.fixture
def model() -> Model:
    return Model()


@pytest.fixture
def own(qapp: Any, model: Model, tmp_path: Path) -> Any:
    state = AppState()
    state.open(tmp_path)
    own = OwnItems(state, model)  # type: ignore[arg-type]
    yield own
    own.close()


def located(vector: np.ndarray, rows: list[int], step: int = 40) -> tuple[dict[str, Any], list[Snapshot]]:
    facts = {
        "layer": "convs.1",
        "neighbours": [{"row": row, "distance": 0.5 + place} for place, row in enumerate(rows)],
        "classes": [{"class": "seven", "number": 7, "probability": 0.8}],
    }
    picture = np.full((1, 8, 8, 1), 130, np.uint8)
    snapshots = [
        Snapshot("embedding", "convs.1", vector[None].astype(np.float32)),
        Snapshot("image", "item", picture),
    ]
    return facts, snapshots


def test_everything_is_asked_and_what_is_refused_is_left_out(
    qtbot: Any, own: OwnItems, model: Model, tmp_path: Path
) -> None:
    path = tmp_path / "shoe.png"
    path.write_bytes(b"x")
    own.bring_file(path)
    state = own._state
    assert state.guest is not None
    assert state.guest.waits
    assert {kind: question.file for kind, (question, *_) in model.asked.items()} == dict.fromkeys(
        ("locate", "caption", "search", "attention"), str(path)
    )
    model.asked["locate"][3](0.2, "Loading the model …")
    assert "Loading the model …" in state.guest.lines
    facts, snapshots = located(np.ones(16), [3, 5])
    model.answer("locate", facts, *snapshots)
    model.refuse("caption")
    model.refuse("search", "The disk is full.")
    assert state.guest.waits
    with qtbot.waitSignal(own.answered):
        model.refuse("attention")
    guest = state.guest
    assert not guest.waits
    assert guest.neighbours == ((3, 0.5), (5, 1.5))
    assert guest.picture.shape == (8, 8)
    assert guest.refusals == ("The disk is full.",)
    assert "predicted seven (0.80)" in guest.lines
    own.leave()
    assert state.guest is None
    assert ("own", "locate") in model.cancelled


def test_an_item_of_which_nothing_can_be_said_goes_and_says_why(
    qtbot: Any, own: OwnItems, model: Model
) -> None:
    own.bring_text("a red circle")
    model.refuse("locate", "It is not an image that can be read.")
    model.refuse("caption")
    model.refuse("attention")
    with qtbot.waitSignal(own.failed) as said:
        model.refuse("search")
    assert said.args[0] == "a red circle: It is not an image that can be read."
    assert own._state.guest is None


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.png", b"", "is empty"),
        ("old.txt", b"\xff\xfe\x00", "not text in UTF-8"),
        ("long.txt", b"a" * (MOST_CHARACTERS + 1), "10,001 characters"),
        ("blank.txt", b"  \n", "no text"),
        ("book.txt", "שלום".encode() * MOST_CHARACTERS, "78 kB of text"),
    ],
)
def test_files_that_cannot_be_looked_at(
    qtbot: Any, own: OwnItems, model: Model, tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with qtbot.waitSignal(own.failed) as said:
        own.bring_file(tmp_path / name)
    assert message in said.args[0]
    assert not model.asked


def test_missing_and_huge_files_and_no_run(
    qtbot: Any, own: OwnItems, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with qtbot.waitSignal(own.failed) as said:
        own.bring_file(tmp_path / "gone.png")
    assert "cannot be read" in said.args[0]
    with (tmp_path / "huge.png").open("wb") as file:
        file.truncate(65 * 2**20)
    with qtbot.waitSignal(own.failed) as said:
        own.bring_file(tmp_path / "huge.png")
    assert "has 65 MB" in said.args[0]
    with qtbot.waitSignal(own.failed):
        own.bring_image(QImage())
    own._state.open(None)
    with qtbot.waitSignal(own.failed) as said:
        own.bring_text("hello")
    assert "Open a run first" in said.args[0]


def test_a_picture_of_the_clipboard_becomes_a_file(own: OwnItems, model: Model) -> None:
    image = QImage(5, 4, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.red)
    own.bring_image(image)
    path = Path(model.asked["locate"][0].file)
    assert QImage(str(path)).size() == image.size()
    own.close()
    assert not path.exists()


def test_a_large_picture_of_the_clipboard_is_kept_smaller_and_a_huge_one_refused(
    qtbot: Any, own: OwnItems, model: Model, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    image = QImage(5000, 40, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.red)
    own.bring_image(image)
    kept = QImage(model.asked["locate"][0].file)
    assert (kept.width(), kept.height()) == (2048, 16)
    assert kept.pixelColor(1000, 8) == Qt.GlobalColor.red
    own.leave()
    model.asked.clear()
    monkeypatch.setattr("mmgraph_gui.asking.own_items.MOST_PIXELS", 199_999)
    with qtbot.waitSignal(own.failed) as said:
        own.bring_image(image)
    assert "5,000 × 40 pixels" in said.args[0]
    assert not model.asked
    assert own._state.guest is None
    image.save(str(tmp_path / "wide.png"))
    with qtbot.waitSignal(own.failed) as said:  # before the model is loaded
        own.bring_file(tmp_path / "wide.png")
    assert "'wide.png' has 5,000 × 40 pixels" in said.args[0]
    assert not model.asked


def test_what_is_said_of_a_guest() -> None:
    assert pairs_of([{"row": 3, "similarity": 0.5}], "similarity") == ((3, 0.5),)
    guest = Guest("a", text="שלום 🙂")
    assert guest.lines[0] == "“שלום 🙂”"
    assert guest.picture is None
    assert is_own_item(Path("A.JPG"))
    assert not is_own_item(Path("model.safetensors"))


def test_frames_last_as_long_as_their_sound() -> None:
    samples = np.arange(800, dtype=np.int16)
    frames = np.zeros((4, 5, 6, 1), np.uint8)
    heard = Guest("a", samples=samples, sample_rate=400)
    assert heard.picture.shape == (48, 96)
    assert (footage_of_guest(heard).frames, footage_of_guest(heard).seconds) == (None, 2.0)
    both = footage_of_guest(Guest("a", frames=frames, samples=samples, sample_rate=400))
    assert (both.frames.shape, both.frame_rate, both.seconds) == ((4, 5, 6), 2.0, 2.0)
    assert footage_of_guest(Guest("a", frames=frames)).frame_rate == OWN_RATE
    for still in (Guest("a"), Guest("a", frames=frames[:1]), Guest("a", samples=samples[:0])):
        assert footage_of_guest(still).seconds == 0
    assert Guest("a", samples=samples[:0]).picture is None


def test_it_lies_amid_its_nearest_neighbours() -> None:
    points = np.array([[0.0, 0.0], [2.0, 0.0], [np.nan, 0.0]], np.float32)
    cloud = PointCloud(points, np.array([0, 2, 3]))
    guest = Guest("a", neighbours=((0, 1.0), (1, 1.0), (2, 3.0), (3, 0.1), (9, 0.1)))
    assert mean_of_neighbours(guest, cloud) == pytest.approx((0.5, 0.0))
    same = Guest("a", neighbours=((0, 0.0), (2, 0.0)))
    assert mean_of_neighbours(same, cloud) == pytest.approx((1.0, 0.0))
    assert mean_of_neighbours(Guest("a"), cloud) is None


# -- in the views ------------------------------------------------------------------------------------------


@pytest.fixture
def guest(opened: Context, model: Model, tmp_path: Path) -> Callable[..., None]:
    """Brings an item that lies where the vector says."""
    opened.own._model = model  # type: ignore[assignment]

    def bring(vector: np.ndarray, rows: list[int], step: int = 40) -> None:
        path = tmp_path / "own.png"
        path.write_bytes(b"x")
        opened.own.bring_file(path)
        facts, snapshots = located(vector, rows)
        model.answer("locate", facts, *snapshots, step=step)
        model.refuse("caption")
        model.refuse("search")
        model.refuse("attention")

    return bring


def test_the_items_nearest_to_it_are_shown_beside_its_card(
    qtbot: Any, opened: Context, guest: Callable[..., None], show_view: Callable[[Any], Any]
) -> None:
    view = show_view(ItemsView)
    qtbot.waitUntil(lambda: view.order is not None)
    guest(np.ones(16), [30, 10, 20])
    qtbot.waitUntil(lambda: view.gallery.rows.rows.tolist() == [30, 10, 20])
    assert view.gallery.rows.distances == {30: 0.5, 10: 1.5, 20: 2.5}
    assert "own.png" in view.detail.words.toPlainText()
    assert "predicted seven (0.80)" in view.detail.words.toPlainText()
    assert view.detail.picture.isVisible()
    opened.state.select([10])  # clicking a neighbour shows it, the gallery stays
    qtbot.waitUntil(lambda: view.detail.row == 10)
    assert view.gallery.rows.rows.tolist() == [30, 10, 20]
    opened.state.clear_selection()
    qtbot.waitUntil(lambda: view.detail.guest is not None)
    view.detail.remove_button.click()
    qtbot.waitUntil(lambda: len(view.gallery.rows.rows) == 300)
    assert not view.detail.isVisible()


def test_it_is_a_star_in_the_embedding(
    qtbot: Any,
    opened: Context,
    guest: Callable[..., None],
    show_view: Callable[[Any], Any],
    has_colour: Callable[..., bool],
) -> None:
    view = show_view(EmbeddingView)
    qtbot.waitUntil(lambda: len(view.points) == 300, timeout=120_000)  # kernels may have to be compiled
    info = opened.state.snapshot_at("embedding")
    vectors: list[Any] = []
    opened.follower.ask("test", [info], None, vectors.append)
    qtbot.waitUntil(lambda: bool(vectors))
    guest(vectors[0][0].array[17], [17, 4])
    qtbot.waitUntil(lambda: view.guest_mark.isVisible())
    np.testing.assert_allclose(view.guest_mark.place, view.points[17], rtol=1e-4)
    assert view.caption.text().startswith("★ own.png")
    assert has_colour(view.guest_mark, view.theme.palette.accent)
    guest(100 * vectors[0][0].array[17], [17, 4])  # far out of sight
    qtbot.waitUntil(lambda: not view.plane.rect().contains(view.guest_mark.pixel().toPoint()))
    assert has_colour(view.guest_mark, view.theme.palette.accent)
    guest(vectors[0][0].array[17], [17, 4], step=20)  # other weights: no common axes
    qtbot.waitUntil(lambda: "amid its neighbours by the weights of step 20" in view.caption.text())
    place = view.guest_mark.place
    weights = np.array([1 / 0.5, 1 / 1.5])
    expected = (view.points[[17, 4]] * weights[:, None]).sum(0) / weights.sum()
    np.testing.assert_allclose(place, expected, rtol=1e-4)
    opened.own.leave()
    qtbot.waitUntil(lambda: not view.guest_mark.isVisible())


def test_the_sentence_about_it_has_a_map_per_word(
    qtbot: Any, opened: Context, model: Model, show_view: Callable[[Any], Any], tmp_path: Path
) -> None:
    opened.own._model = model  # type: ignore[assignment]
    view = show_view(AttentionView)
    qtbot.waitUntil(lambda: view.edges is not None)
    (tmp_path / "own.png").write_bytes(b"x")
    opened.own.bring_file(tmp_path / "own.png")
    weights = np.random.default_rng(0).dirichlet(np.ones(6), (1, 1, 4)).astype(np.float32)
    notes = {"grid": [2, 3], "words": [["a", "red", "circle", "<end>"]]}
    model.answer(
        "caption",
        {"sentence": "a red circle", "words": ["a", "red", "circle"]},
        Snapshot("attention", "decoder", weights, notes=notes),
        Snapshot("image", "item", np.zeros((1, 20, 30, 3), np.uint8)),
    )
    for kind in ("locate", "search", "attention"):
        model.refuse(kind)
    qtbot.waitUntil(lambda: view.words is not None)
    assert view.words.words == ("a", "red", "circle", "<end>")
    assert "own.png" in view.caption.text()
    assert view.head_box.currentText() == "Mean of all"
    assert opened.state.guest.sentence == ("a", "red", "circle")
    opened.state.select([3])
    qtbot.waitUntil(lambda: view.edges is not None and view.edges.node == 3)
    opened.own.leave()


def test_words_of_an_own_text_are_joined_by_lines_for_each_layer(
    qtbot: Any, opened: Context, model: Model, show_view: Callable[[Any], Any]
) -> None:
    opened.own._model = model  # type: ignore[assignment]
    view = show_view(AttentionView)
    opened.own.bring_text("אחת 🙂")
    maps = np.random.default_rng(0).dirichlet(np.ones(2), (1, 2, 3)).astype(np.float32)
    notes = {"queries": [["one", "smile", "<end>"]], "keys": [["אחת", "🙂"]]}
    layers = [Snapshot("attention", name, maps, notes=notes) for name in ("first", "convs.0")]
    model.answer("attention", {"layers": ["first", "convs.0"]}, *layers)
    model.answer("caption", {"sentence": "one smile", "words": ["one", "smile"]}, layers[1])
    model.refuse("locate", "It lies nowhere.")
    model.refuse("search")
    qtbot.waitUntil(lambda: view.map is not None)
    assert view.map.layer == "convs.0"  # which is what is chosen of the recorded ones, where both have it
    assert (view.map.queries, view.map.keys) == (("one", "smile", "<end>"), ("אחת", "🙂"))
    np.testing.assert_allclose(view.map.values, maps[0].mean(0), rtol=1e-6)
    assert view.page.currentWidget() is view.page._scroll
    assert "אחת 🙂" in view.caption.text()
    assert "one smile" in view.caption.text()
    assert opened.state.guest.refusals == ("It lies nowhere.",)
    opened.state.set_head(1)
    qtbot.waitUntil(lambda: view.map is not None and view.map.head == 1)
    np.testing.assert_allclose(view.map.values, maps[0, 1], rtol=1e-6)
    view.toggle_heads()  # of a person's own item only the recorded layers have a grid
    qtbot.waitUntil(lambda: not view.is_pending)
    assert view.map is not None


def test_names_and_classes_in_any_script(
    qtbot: Any, opened: Context, model: Model, show_view: Callable[[Any], Any], tmp_path: Path
) -> None:
    opened.own._model = model  # type: ignore[assignment]
    items, embedding = show_view(ItemsView), show_view(EmbeddingView)
    qtbot.waitUntil(lambda: len(embedding.points) == 300 and items.order is not None)
    path = tmp_path / "تفاحة 👩‍👩‍👧.png"
    path.write_bytes(b"x")
    opened.own.bring_file(path)
    facts, snapshots = located(np.ones(16), [5])
    facts["classes"] = [
        {"class": name, "number": number, "probability": 0.3}
        for number, name in enumerate(("שלום", "🦊", "a\x00b\n"))
    ]
    model.answer("locate", facts, *snapshots)
    for kind in ("caption", "search", "attention"):
        model.refuse(kind)
    qtbot.waitUntil(lambda: "predicted שלום (0.30), 🦊 (0.30)" in items.detail.words.toPlainText())
    qtbot.waitUntil(lambda: embedding.guest_mark.isVisible())
    assert path.name in embedding.caption.text()
    for view in (items, embedding):
        assert not view.grab().isNull()


def test_frames_of_an_own_clip_that_the_model_looks_at(
    qtbot: Any, opened: Context, model: Model, show_view: Callable[[Any], Any], tmp_path: Path
) -> None:
    opened.own._model = model  # type: ignore[assignment]
    view = show_view(AttentionView)
    (tmp_path / "own.mp4").write_bytes(b"x")
    opened.own.bring_file(tmp_path / "own.mp4")
    keys = [f"frame {number}" for number in (1, 2, 3)]
    seen = Snapshot(
        "attention",
        "encoder.attends",
        np.array([0.2, 0.7, 0.1], np.float32)[None, None, None],
        notes={"queries": ["the clip"], "keys": keys, "over": "frames"},
    )
    frames = Snapshot("image", "item", np.full((3, 4, 6, 3), 90, np.uint8))
    model.answer("attention", {"layers": ["encoder.attends"]}, seen, frames)
    for kind in ("locate", "caption", "search"):
        model.refuse(kind)
    qtbot.waitUntil(lambda: view.map is not None and view.map.name == "own.mp4")
    assert [image.pixelColor(2, 2).red() for image in view.map.frames] == [42, 90, 32]
    assert "own.mp4" in view.caption.text()
    assert "3 frames" in view.caption.text()
    assert opened.state.guest is not None


def test_search_by_meaning(
    qtbot: Any, opened: Context, model: Model, show_view: Callable[[Any], Any]
) -> None:
    opened.own._model = model  # type: ignore[assignment]
    view = show_view(ItemsView)
    qtbot.waitUntil(lambda: view.order is not None)
    assert not view.search.meaning.isVisible()
    QTest.keyClicks(view.search.field, "like: a round one")
    assert view.search.words == ""
    QTest.keyClick(view.search.field, Qt.Key.Key_Return)
    assert model.asked["search"][0].text == "a round one"
    found = [{"row": 5, "similarity": 0.9}, {"row": 2, "similarity": 0.7}]
    vector = Snapshot("embedding", "text", np.ones((1, 4), np.float32))
    model.answer("search", {"by": {"text": found}}, vector)
    for kind in ("locate", "caption", "attention"):
        model.refuse(kind)
    qtbot.waitUntil(lambda: view.gallery.rows.rows.tolist() == [5, 2])
    assert "fit it best" in view.caption.text()
    assert "whose images fit it best" in view.detail.words.toPlainText()
    assert {type(question) for question, *_ in model.asked.values()} == {Locate, Caption, Search, Attention}
    view.search.offer_meaning(True)
    view.search.field.setText("two")
    view.search.meaning.click()
    assert model.asked["search"][0].text == "two"
