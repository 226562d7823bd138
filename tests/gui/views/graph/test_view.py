from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtTest import QTest

from mmgraph.runs import RunWriter, Snapshot
from mmgraph_gui.views import Context
from mmgraph_gui.views.graph.view import GraphView


@pytest.fixture
def view(qtbot: Any, kept_layouts: None, opened: Context, show_view: Callable[[Any], Any]) -> GraphView:
    view = show_view(GraphView)
    wait_laid_out(qtbot, view)
    return view


def wait_laid_out(qtbot: Any, view: GraphView) -> None:
    qtbot.waitUntil(lambda: view.layout_now is not None and view.layout_now.done)
    wait_drawn(qtbot, view)


def wait_drawn(qtbot: Any, view: GraphView) -> None:
    def drawn() -> bool:
        layers = view.plane.layers
        return (
            not view.is_pending
            and not view.follower._latest
            and set(layers) == {"edges", "points"}
            and all(layer.viewport == view.plane.viewport for layer in layers.values())
        )

    qtbot.waitUntil(drawn)


def write_ring(root: Any, nodes: int) -> Any:
    """Each node is joined to the next."""
    ring = np.arange(nodes, dtype=np.int32)
    with RunWriter.create(root, "ring", {}) as run:
        run.snapshots(1, [Snapshot("graph", "graph", np.stack([ring, np.roll(ring, -1)]))], wait=True)
    return run.folder


def test_nodes_and_edges_are_drawn(view: GraphView, has_colour: Callable[..., bool]) -> None:
    assert len(view.points) == 300
    assert np.isfinite(view.points).all()
    for label in range(10):
        assert has_colour(view.plane, view.theme.category(label), 40)
    edges = view.layout_now.edges
    assert f"{edges.shape[1]:,} edges" in view.caption.text()
    near = np.linalg.norm(view.points[edges[0]] - view.points[edges[1]], axis=1).mean()
    assert near < 0.5 * np.linalg.norm(view.points[:, None] - view.points, axis=2).mean()
    alpha = view.plane.layers["edges"].image.convertToFormat(QImage.Format.Format_Alpha8)
    assert np.frombuffer(alpha.constBits(), np.uint8).any()


def test_another_step_does_not_lay_out_again(qtbot: Any, view: GraphView) -> None:
    before = view.layout_now
    view.state.set_step(10)
    qtbot.waitUntil(lambda: not view.is_pending)
    assert view.layout_now is before


def test_the_selection_is_linked(qtbot: Any, view: GraphView) -> None:
    pixels = view.plane.viewport.to_pixels(view.points) / view.plane.ratio
    apart = np.linalg.norm(pixels[:, None] - pixels, axis=2) + 1e9 * np.eye(300)
    row = int(apart.min(axis=1).argmax())
    QTest.mouseClick(
        view.plane, Qt.MouseButton.LeftButton, pos=QPoint(*pixels[row].round().astype(int).tolist())
    )
    assert view.state.selection.tolist() == [row]
    qtbot.waitUntil(lambda: "1 selected" in view.caption.text())


def test_it_can_be_stopped_and_laid_out_again(qtbot: Any, view: GraphView) -> None:
    first = view.layout_now
    assert view.again.text() == view.again.accessibleName() == "Lay out again"
    view.again.click()
    assert view.again.text() == "Stop"
    qtbot.waitUntil(lambda: view.layout_now is not first)
    wait_laid_out(qtbot, view)
    assert (view.points != first.positions).any()


def test_a_layout_forms_in_a_process_and_is_stopped_for_good(
    qtbot: Any,
    context: Context,
    show_view: Callable[[Any], Any],
    tmp_path: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen = []
    view = show_view(GraphView)
    monkeypatch.setattr(
        view.plane, "set_points", lambda cloud: seen.append((view.layout_now, cloud.positions))
    )
    context.follower.open(write_ring(tmp_path, 8_000))
    qtbot.waitUntil(lambda: len(seen) > 2)
    assert len(context.follower.processes._all) == 1
    steps = [layout.step for layout, _ in seen]
    assert steps == sorted(steps)
    assert (seen[0][1] != seen[-1][1]).any()
    assert f"laying out: {steps[-1]} of 150, " in view.caption.text()
    assert "s left" in view.caption.text()
    view.again.click()
    stopped = view.layout_now
    assert f"stopped at {stopped.step} of 150" in view.caption.text()
    assert view.again.text() == "Lay out again"
    qtbot.waitUntil(lambda: not context.follower.is_busy)
    assert not context.follower.processes._all
    assert view.layout_now is stopped

    view.detach()
    opened_again = show_view(GraphView)
    wait_drawn(qtbot, opened_again)
    np.testing.assert_array_equal(opened_again.points, stopped.positions)
    assert f"stopped at {stopped.step} of 150" in opened_again.caption.text()


def test_it_can_be_stopped_before_there_is_anything(
    qtbot: Any, context: Context, show_view: Callable[[Any], Any], tmp_path: Any
) -> None:
    view = show_view(GraphView)
    context.follower.open(write_ring(tmp_path, 8_000))
    qtbot.waitUntil(lambda: view.message == "Laying out the graph …")
    view.again.click()
    assert view.message == "Stopped before the first places were found."
    qtbot.waitUntil(lambda: not context.follower.is_busy)
    view.again.click()
    qtbot.waitUntil(lambda: view.layout_now is not None)
    view.again.click()


def test_a_graph_lies_where_it_lay_in_every_run_on_it(
    qtbot: Any, view: GraphView, context: Context, show_view: Callable[[Any], Any], tmp_path: Any
) -> None:
    view.again.click()  # another seed, so that it is no coincidence
    qtbot.waitUntil(lambda: view.again.text() == "Lay out again")
    before, places = view.layout_now, view.layout_now.positions
    edges = before.edges[::-1]  # the same graph, written down in another way
    with RunWriter.create(tmp_path, "run", {}) as run:
        run.snapshots(1, [Snapshot("graph", "graph", edges.astype(np.int32))], wait=True)
    context.follower.open(run.folder)
    qtbot.waitUntil(lambda: view.layout_now is not None and view.layout_now.info != before.info)
    np.testing.assert_array_equal(view.layout_now.positions, places)
    assert view.layout_now.done


def test_a_large_graph_is_laid_out_by_its_spectrum(
    qtbot: Any, context: Context, show_view: Callable[[Any], Any], tmp_path: Any
) -> None:
    view = show_view(GraphView)
    context.follower.open(write_ring(tmp_path, 20_001))
    wait_laid_out(qtbot, view)
    assert "by its spectrum alone" in view.caption.text()
    assert not view.again.isEnabled()
    along = np.linalg.norm(np.diff(view.points, axis=0), axis=1)
    assert np.median(along) < 0.5 * view.points.std()


@pytest.mark.parametrize(
    ("edges", "extras", "text"),
    [
        (np.array([[0, -1], [1, 0]]), {}, "no two rows of node numbers"),
        (np.zeros((3, 2), int), {}, "no two rows of node numbers: (3, 2)"),
        (np.array([[0], [1]]), {"positions": np.zeros((1, 2))}, "shape (2, 2), not (1, 2)"),
    ],
)
def test_a_damaged_graph_is_a_message(
    qtbot: Any,
    context: Context,
    show_view: Callable[[Any], Any],
    tmp_path: Any,
    edges: Any,
    extras: Any,
    text: str,
) -> None:
    with RunWriter.create(tmp_path, "run", {}) as run:
        run.snapshots(1, [Snapshot("graph", "graph", edges, extras=extras)], wait=True)
    view = show_view(GraphView)
    context.follower.open(run.folder)
    qtbot.waitUntil(lambda: text in view.message)


def test_given_positions_are_used(
    qtbot: Any, context: Context, show_view: Callable[[Any], Any], tmp_path: Any
) -> None:
    places = np.random.default_rng(0).normal(size=(5, 2)).astype(np.float32)
    edges = np.array([[0, 1, 1, 2], [1, 0, 2, 2]])
    with RunWriter.create(tmp_path, "run", {}) as run:
        run.snapshots(1, [Snapshot("graph", "graph", edges, extras={"positions": places})], wait=True)
    view = show_view(GraphView)
    context.follower.open(run.folder)
    wait_laid_out(qtbot, view)
    np.testing.assert_array_equal(view.points, places)
    assert view.layout_now.edges.tolist() == [[0, 1], [1, 2]]
    assert "5 nodes  ·  2 edges  ·  positions given by the run" in view.caption.text()


def test_a_graph_without_edges(
    qtbot: Any, context: Context, show_view: Callable[[Any], Any], tmp_path: Any
) -> None:
    with RunWriter.create(tmp_path, "run", {}) as run:
        run.snapshots(1, [Snapshot("graph", "graph", np.zeros((2, 0), np.int32))], wait=True)
    view = show_view(GraphView)
    context.follower.open(run.folder)
    qtbot.waitUntil(lambda: view.message == "The graph of this run has no nodes.")


def test_it_can_be_painted_as_vectors(view: GraphView) -> None:
    drawing = view.vector_source()
    image = QImage(drawing.size, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    drawing.paint(painter)
    painter.end()
    shown = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.width(), 4)[..., :3]
    assert len(np.unique(shown.reshape(-1, 3), axis=0)) > 20
    view.layout_now = replace(view.layout_now, edges=np.zeros((2, 0), np.int64))
    without = QImage(drawing.size, QImage.Format.Format_RGB32)
    painter = QPainter(without)
    view.vector_source().paint(painter)
    painter.end()
    assert image != without


def test_a_run_without_graph_says_so(
    qtbot: Any, context: Context, show_view: Callable[[Any], Any], tmp_path: Any
) -> None:
    with RunWriter.create(tmp_path, "run", {}) as run:
        run.scalars(1, {"train/loss": 1.0})
    view = show_view(GraphView)
    context.follower.open(run.folder)
    qtbot.waitUntil(lambda: view.message == "This run recorded no graph.")
    assert not view.again.isEnabled()
    assert view.again.text() == "Lay out again"


def node_with_edges(view: GraphView) -> int:
    return int(np.bincount(view.layout_now.edges.ravel()).argmax())


def explanation(view: GraphView, node: int) -> Snapshot:
    """Of the edges at a node the first is all that matters."""
    edges = view.layout_now.edges
    at = edges[:, (edges == node).any(axis=0)]
    weights = np.zeros((2, at.shape[1]), dtype=np.float32)
    weights[:, 0] = 1
    notes = {"explains": node, "target": 3, "probability": 0.75, "heads": ["a", "b"]}
    return Snapshot(
        "attention", f"explanation of {node}", weights, ("heads", "edges"), "items", {"edge_index": at}, notes
    )


def strong_pixels(view: GraphView) -> int:
    layer = view.plane.layers.get("strokes")
    if layer is None:
        return 0
    alpha = layer.image.convertToFormat(QImage.Format.Format_Alpha8)
    return int((np.frombuffer(alpha.constBits(), np.uint8) > 100).sum())


def test_an_explanation_is_shown_when_it_arrives(qtbot: Any, view: GraphView) -> None:
    node = node_with_edges(view)
    assert strong_pixels(view) == 0
    with RunWriter(view.state.path) as run:
        run.snapshots(view.state.step, [explanation(view, node)], wait=True)
    qtbot.waitUntil(lambda: strong_pixels(view) > 10, timeout=20_000)
    assert view.edge_box.currentData() == f"explanation of {node}"
    assert view.edge_box.currentText() == f"why {node}"  # short enough to be read in a narrow view
    assert view.state.layer("attention") == f"explanation of {node}"
    assert f"why digit {node} is taken for 3" in view.caption.text()
    assert "(0.75)" in view.caption.text()
    edges, strength = view.strength.shown(view.state.selection)
    assert edges.shape == (2, 1)
    assert strength.tolist() == [1]
    view.edge_box.setCurrentIndex(0)
    view.edge_box.activated.emit(0)
    qtbot.waitUntil(lambda: strong_pixels(view) == 0, timeout=20_000)


def test_an_explanation_of_a_pair_names_both(qtbot: Any, view: GraphView) -> None:
    node = node_with_edges(view)
    snapshot = explanation(view, node)
    pair = replace(
        snapshot,
        layer=f"explanation of {node} – 0",
        notes={**snapshot.notes, "explains": [node, 0], "answer": "linked"},
    )
    with RunWriter(view.state.path) as run:
        run.snapshots(view.state.step, [pair], wait=True)
    qtbot.waitUntil(lambda: "why " in view.caption.text(), timeout=20_000)
    assert f"why digit {node} – digit 0 is taken for linked (0.75)" in view.caption.text()


def test_one_selected_item_can_be_explained(qtbot: Any, view: GraphView) -> None:
    assert not view.explain.isEnabled()
    view.state.select([7])
    qtbot.waitUntil(view.explain.isEnabled)
    with qtbot.waitSignal(view.explain_wanted) as asked:
        view.explain.click()
    assert asked.args == [7]
    view.state.select([7, 8])
    qtbot.waitUntil(lambda: not view.explain.isEnabled())


def as_networkx(view: GraphView) -> Any:
    import networkx as nx

    graph = nx.Graph()
    graph.add_nodes_from(range(len(view.layout_now.positions)))
    graph.add_edges_from(view.layout_now.edges.T.tolist())
    return graph


def test_each_press_of_k_takes_in_the_next_neighbours(qtbot: Any, view: GraphView) -> None:
    import networkx as nx

    far = nx.single_source_shortest_path_length(as_networkx(view), 7)
    view.state.select([7])
    view.setFocus()
    for hops in (1, 2):
        QTest.keyClick(view, Qt.Key.Key_K)
        assert view.state.selection.tolist() == sorted(node for node, steps in far.items() if steps <= hops)
    view.state.undo()
    assert len(view.state.selection) == sum(steps <= 1 for steps in far.values())


def test_a_shortest_path_is_selected_and_drawn(qtbot: Any, view: GraphView) -> None:
    import networkx as nx

    graph = as_networkx(view)
    far = nx.single_source_shortest_path_length(graph, 0)
    end = max(far, key=lambda node: far[node])
    view.state.select([0, end])
    view.setFocus()
    QTest.keyClick(view, Qt.Key.Key_P)
    qtbot.waitUntil(lambda: len(view.plane.paths) == 1)
    assert len(view.state.selection) == far[end] + 1
    assert nx.is_path(graph, view.questions.way.tolist())
    assert f"{far[end]} edges between" in view.caption.text()
    view.state.select([3])
    qtbot.waitUntil(lambda: view.plane.paths == ())
    view.questions.find_path()
    assert "Select two nodes" in view.caption.text()


def test_no_path_is_said(
    qtbot: Any, context: Context, show_view: Callable[[Any], Any], tmp_path: Any
) -> None:
    with RunWriter.create(tmp_path, "run", {}) as run:
        run.snapshots(1, [Snapshot("graph", "graph", np.array([[0, 2], [1, 3]], np.int32))], wait=True)
    view = show_view(GraphView)
    context.follower.open(run.folder)
    wait_laid_out(qtbot, view)
    view.state.select([0, 3])
    view.questions.find_path()
    qtbot.waitUntil(lambda: view.caption.text().startswith("No path joins node 0 and node 3"))


def test_nodes_are_shown_by_degree(qtbot: Any, view: GraphView) -> None:
    degrees = np.array([degree for _, degree in sorted(as_networkx(view).degree)])
    largest = int(degrees.max())
    assert not view.degrees.isVisible()
    QTest.keyClick(view, Qt.Key.Key_D)
    assert view.degrees.isVisible()
    assert view.by_degree.isChecked()
    assert view.degrees.limits == (0, largest)
    assert "hidden" not in view.caption.text()
    view.degrees.fewest.setValue(9)
    shown = degrees >= 9
    assert 0 < shown.sum() < 300
    told = f"{shown.sum()} of 300 digits shown, of degree 9 or more; {300 - shown.sum()} hidden"
    assert told in view.caption.text()
    between = shown[view.layout_now.edges].all(axis=0)
    assert f"{between.sum():,} of {len(between):,} edges shown" in view.caption.text()
    np.testing.assert_array_equal(np.isfinite(view.points).all(axis=1), shown)
    assert len(view.cloud.lost) == 0
    edges = view._scene(view.layout_now).edges
    assert shown[edges].all()
    view.edge_box.setCurrentIndex(1)
    view.edge_box.activated.emit(1)
    qtbot.waitUntil(lambda: view.strength is not None)
    weighed = view._scene(view.layout_now).strength
    assert 0 < weighed.edges.shape[1] < view.strength.edges.shape[1]
    assert shown[weighed.edges].all()  # attention is not drawn to nodes that are hidden
    view.edge_box.setCurrentIndex(0)
    view.edge_box.activated.emit(0)
    qtbot.waitUntil(lambda: view.strength is None)
    view.degrees.most.setValue(largest - 1)
    np.testing.assert_array_equal(np.isfinite(view.points).all(axis=1), shown & (degrees < largest))
    assert f"of degree 9 to {largest - 1}; " in view.caption.text()
    view.again.click()  # the range outlasts another layout
    qtbot.waitUntil(lambda: view.again.text() == "Lay out again")
    assert view.degrees.limits == (9, largest - 1)
    view.degrees.everything.click()
    assert np.isfinite(view.points).all()
    view.degrees.most.setValue(6)
    assert "of degree 0 to 6; " in view.caption.text()
    QTest.keyClick(view, Qt.Key.Key_D)
    assert not view.degrees.isVisible()
    assert np.isfinite(view.points).all()
    wait_laid_out(qtbot, view)


def test_communities_and_attention_colour_the_nodes(qtbot: Any, view: GraphView) -> None:
    import networkx as nx

    view.questions.find_communities()
    qtbot.waitUntil(lambda: view.state.colour_by == "community", timeout=60_000)
    codes = view.state.groups["community"].codes
    parts = [set(np.flatnonzero(codes == code).tolist()) for code in range(codes.max() + 1)]
    assert nx.community.modularity(as_networkx(view), parts) > 0.4
    assert view.caption.text().startswith(f"{len(parts)} communities found")
    view.questions.colour_by_attention()
    assert view.caption.text().startswith("Choose a layer of attention")
    view.edge_box.setCurrentIndex(1)
    view.edge_box.activated.emit(1)
    qtbot.waitUntil(lambda: view.strength is not None)
    view.questions.colour_by_attention()
    values = view.state.groups["attention received"].values
    assert values.sum() == pytest.approx(float(view.strength.strength.sum()), rel=1e-4)
    qtbot.waitUntil(lambda: view.legend.heading.text() == "Attention, convs.0")


def test_a_run_without_attention_says_that_there_is_none_to_colour_by(
    qtbot: Any, opened: Context, show_view: Callable[[Any], Any], tmp_path: Any
) -> None:
    folder = write_ring(tmp_path, 5)
    opened.follower.open(folder)
    qtbot.waitUntil(lambda: opened.state.path == folder)
    view = show_view(GraphView)
    wait_laid_out(qtbot, view)
    view.questions.colour_by_attention()
    assert view.caption.text().startswith("This run recorded no attention along its edges")


def test_graphml_is_read_by_networkx(qtbot: Any, view: GraphView, tmp_path: Any) -> None:
    import networkx as nx

    path = tmp_path / "graph.graphml"
    view.questions.write_graphml(path)
    qtbot.waitUntil(lambda: path.exists() and not view.follower.is_busy)
    graph = nx.read_graphml(path)
    assert len(graph) == 300
    assert graph.number_of_edges() == view.layout_now.edges.shape[1]
    assert graph.nodes["n5"]["label"] == str(view.state.items.labels[5])
    assert graph.nodes["n5"]["x"] == pytest.approx(float(view.points[5, 0]), rel=1e-4)


def test_graphml_holds_any_label(tmp_path: Any) -> None:
    import networkx as nx

    from mmgraph.runs import ItemSet
    from mmgraph_gui.views.graph.tools import write_graphml

    names = ("a < b & \x07c", "דג 🐟")
    items = ItemSet(labels=np.array([0, 1]), class_names=names)
    write_graphml(tmp_path / "g.graphml", np.zeros((2, 2)), np.array([[0], [1]]), items, None)
    graph = nx.read_graphml(tmp_path / "g.graphml")
    assert [graph.nodes[node]["label"] for node in ("n0", "n1")] == ["a < b & c", "דג 🐟"]


def test_a_run_without_a_graph_keeps_no_colours_of_another(
    qtbot: Any, view: GraphView, tmp_path: Any
) -> None:
    view.questions.find_communities()
    qtbot.waitUntil(lambda: view.colour_box.currentText() == "community", timeout=60_000)
    with RunWriter.create(tmp_path, "no graph", {}) as run:
        run.scalars(1, {"train/loss": 1.0})
    view.follower.open(run.folder)
    qtbot.waitUntil(lambda: view.message == "This run recorded no graph.")
    assert view.colour_box.findText("community") < 0
    assert not view.colour_box.isEnabled()
