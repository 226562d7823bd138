"""Who looks on while an estimator trains an embedding: a bar, a run folder, a function."""

from __future__ import annotations

import contextlib
import time
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmgraph.errors import RunError
from mmgraph.graph.adjacency import Adjacency
from mmgraph.graph.embeddings.estimator import NodeEmbedding
from mmgraph.graph.embeddings.progress import OnProgress, Progress, progress_bar
from mmgraph.runs import Command, ItemSet, RunWriter, Snapshot, Throttle, describe, runs_root

Run = str | Path | RunWriter

MOST_NODES = 10_000
"""Vectors in a snapshot; of larger graphs evenly spaced nodes are recorded."""
MOST_EDGES = 1_000_000
"""Edges of a graph that is recorded itself."""
SHARE = 0.01
"""Largest share of the time that recording vectors may take."""


@contextlib.contextmanager
def audience(
    estimator: NodeEmbedding,
    graph: Adjacency,
    *,
    progress: bool,
    run: Run | None,
    on_progress: OnProgress | None,
    every: float = 1.0,
    **known: Any,
) -> Iterator[OnProgress | None]:
    """One function that tells all who look on; None where nobody does.

    Args:
        estimator: that trains.
        graph: it trains on.
        progress: whether there is a bar.
        run, every, known: as for `recording`; None records nothing.
        on_progress: of the caller.
    """
    title = type(estimator).__name__
    with contextlib.ExitStack() as opened:
        told = [] if on_progress is None else [on_progress]
        if run is not None:
            parameters = estimator.get_params(deep=False)
            told.append(opened.enter_context(recording(run, title, parameters, graph, every=every, **known)))
        if progress:
            told.append(opened.enter_context(progress_bar(title)))

        def tell(progress: Progress) -> None:
            for listener in told:
                listener(progress)

        yield tell if told else None


@contextlib.contextmanager
def recording(
    run: Run,
    title: str,
    parameters: Mapping[str, Any],
    graph: Adjacency,
    *,
    every: float = 1.0,
    **known: Any,
) -> Iterator[OnProgress]:
    """Record what training reports, and obey `stop` and `snapshot` from the app.

    Nothing that goes wrong with the disk later on ends the training: there is one warning, and nothing more is
    recorded.

    Args:
        run: name of a new run, or a path; or an open writer, which stays open.
        title: what is trained.
        parameters: it is trained with.
        graph: it is trained on.
        every: least seconds from one snapshot to the next.
        known: of the nodes, for the ItemSet: labels, class_names, splits, split_names.

    Raises:
        ConfigError: the name is not that of a folder.
        RunReadOnlyError, RunError: the folder cannot be made.
    """
    own = not isinstance(run, RunWriter)
    if isinstance(run, RunWriter):
        writer = run
    else:
        folder = runs_root() / run
        plain = {
            name: value if isinstance(value, bool | int | float | str | None) else str(value)
            for name, value in parameters.items()
        }
        writer = RunWriter.create(folder.parent, folder.name, describe("watch", title, plain))
    recorder = _Recorder(writer, graph, Throttle(1 / every if every else float("inf"), SHARE), known)
    state, message = "finished", ""
    try:
        recorder.begin()
        yield recorder.tell
        if recorder.was_cancelled:
            state, message = "stopped", "cancelled"
    except KeyboardInterrupt:
        state, message = "stopped", "interrupted"
        raise
    except BaseException as error:
        state, message = "failed", f"{type(error).__name__}: {error}"
        raise
    finally:
        recorder.end(failed=state == "failed")
        if own:
            with recorder.recording():
                writer.close(state, message)


class _Recorder:
    def __init__(
        self, writer: RunWriter, graph: Adjacency, throttle: Throttle, known: Mapping[str, Any]
    ) -> None:
        self._writer, self._graph, self._throttle, self._known = writer, graph, throttle, known
        count = graph.num_nodes
        step = -(-count // MOST_NODES)
        self._nodes: NDArray[np.int64] = np.arange(0, count, step)
        self._last: Progress | None = None
        self._taken = -1
        self._failed = False

    @property
    def was_cancelled(self) -> bool:
        return self._last is not None and self._last.is_cancelled

    def begin(self) -> None:
        """Write down what the nodes are, and the graph where it can be shown."""
        graph, nodes = self._graph, self._nodes
        known: dict[str, Any] = {
            name: value[nodes] if isinstance(value, np.ndarray) else value
            for name, value in self._known.items()
        }
        with self.recording():
            self._writer.items(
                ItemSet(
                    ids=nodes,
                    texts=None if graph.node_ids is None else tuple(str(graph.node_ids[i]) for i in nodes),
                    columns={"degree": np.diff(graph.rowptr.numpy())[nodes]},
                    noun="node",
                    **known,
                )
            )
            if len(nodes) < graph.num_nodes:
                self._writer.event(
                    f"Recorded are {len(nodes):,} of {graph.num_nodes:,} nodes, evenly spaced."
                )
            elif graph.num_edges <= MOST_EDGES:
                edges = graph.edge_index.numpy().astype(np.int32)
                self._writer.snapshots(0, [Snapshot("graph", "graph", edges, items="items")])
            self._writer.status(state="running")

    def tell(self, progress: Progress) -> None:
        """Record numbers, and vectors where they are due."""
        self._last = progress
        with self.recording():
            self._writer.scalars(progress.step, dict(progress.metrics))
            left = progress.seconds * (1 - progress.fraction) / progress.fraction if progress.step else None
            self._writer.status(
                step=progress.step,
                total_steps=progress.steps,
                seconds=progress.seconds,
                seconds_left=left,
                metrics=dict(progress.metrics),
            )
            for command in self._writer.commands():
                self._writer.answer(command, self._answer(command, progress), step=progress.step)
            if self._throttle.due(time.monotonic()):
                self._look(progress)

    def end(self, *, failed: bool) -> None:
        """Record the vectors a last time."""
        if self._last is not None and not failed:
            with self.recording():
                self._look(self._last, wait=True)

    @contextlib.contextmanager
    def recording(self) -> Iterator[None]:
        """Whatever the disk does, training goes on."""
        try:
            yield
        except RunError as error:
            if not self._failed:
                warnings.warn(f"Nothing more is recorded: {error}", RuntimeWarning, stacklevel=3)
            self._failed = True

    def _look(self, progress: Progress, *, wait: bool = False) -> None:
        started = time.perf_counter()
        vectors = Snapshot("embedding", "embedding", progress.rows(self._nodes), items="items")
        self._writer.snapshots(progress.step, [vectors], wait=wait)
        self._throttle.took(time.perf_counter() - started)

    def _answer(self, command: Command, progress: Progress) -> str:
        if command.name == "stop":
            progress.cancel()
            return "training ends after the parts under way; the embedding is kept as it is then"
        if command.name == "snapshot":
            self._look(progress)
            return f"taken at step {progress.step}"
        return "not done: an estimator that fits can be stopped and looked at"
