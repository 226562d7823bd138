"""Reads the open run off the UI thread: polls what is new, loads arrays, runs the work of views on them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from mmgraph.errors import MMGraphError
from mmgraph.runs import ItemSet, Snapshot, SnapshotInfo, Update, send_command
from mmgraph_gui.processes.long_process import Processes
from mmgraph_gui.processes.politeness import step_back
from mmgraph_gui.reading.poller import Poller
from mmgraph_gui.reading.snapshot_cache import SnapshotCache
from mmgraph_gui.reading.turns import Turns
from mmgraph_gui.state import AppState, Topic
from mmgraph_gui.state.prediction import Prediction

WORKERS = 2
LONG_WORKERS = 4
"""For what takes seconds: mostly waits for a process of its own."""

Work = Callable[["Job", tuple[Snapshot, ...]], Any]
Deliver = Callable[[Any], None]
Fail = Callable[[str], None]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Job:
    """One numbered request: which snapshots to load, and what to do with them.

    Long work looks at `cancelled` now and then and returns early; it may `report` partial results. What is `kept` is
    carried out even where the window is closed or another run opened meanwhile; what is `long` as well is still waited
    for after another run was opened.
    """

    key: Hashable
    number: int
    run: Path | None
    infos: tuple[SnapshotInfo, ...]
    work: Work | None
    deliver: Deliver
    fail: Fail
    _partial: Callable[[Job, Any], None]
    long: bool = False
    kept: bool = False
    _cancel: threading.Event = field(default_factory=threading.Event)

    @property
    def cancelled(self) -> bool:
        """Whether nobody waits for the result any more."""
        return self._cancel.is_set()

    def report(self, partial: Any) -> None:
        """Deliver a partial result; it arrives in the UI thread as the final one will."""
        if not self.cancelled:
            self._partial(self, partial)


class RunFollower(QObject):
    """Keeps an `AppState` up to date with a run folder and serves arrays to views.

    All of its methods are called in the UI thread and return at once; what they start happens elsewhere,
    and callbacks come back in the UI thread.

    Attributes:
        turns: in which order views draw.

    Signals:
        message(text): something could not be read or written, in one sentence.
        opened(): the first poll of a run has been taken in.
        returned(text): the run can be read again, after it could not be.
    """

    message = Signal(str)
    opened = Signal()
    returned = Signal(str)
    _partial = Signal(object, object)
    _finished = Signal(object, object, object)

    def __init__(self, state: AppState, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.state = state
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="mmgraph-view", initializer=step_back)
        self._long = ThreadPoolExecutor(
            LONG_WORKERS, thread_name_prefix="mmgraph-view-long", initializer=step_back
        )
        self._deeds = ThreadPoolExecutor(1, thread_name_prefix="mmgraph-deed")
        self._long_deeds = ThreadPoolExecutor(WORKERS, thread_name_prefix="mmgraph-deed-long")
        self.processes = Processes()
        self.turns = Turns(self)
        self._cache = SnapshotCache()
        self._poller: Poller | None = None
        self._retired: list[Poller] = []
        self._number = 0
        self._latest: dict[Hashable, Job] = {}
        self._running: dict[Hashable, Job] = {}
        self._waiting: dict[Hashable, Job] = {}
        self._held: list[tuple[Update, ItemSet | None]] = []
        self._closed = False
        self._partial.connect(self._take_partial)
        self._finished.connect(self._await_turn)
        self._unsubscribe = state.subscribe(self._state_changed)

    # -- runs --------------------------------------------------------------------------------------------

    def open(self, path: Path | None) -> None:
        """Follow another run, or none. The state is emptied now and filled when the run has been read."""
        self._retire_poller()
        self._forget_all()
        self._latest = {key: job for key, job in self._latest.items() if job.kept and job.long}
        self._waiting.clear()
        self._held.clear()
        self._cache.clear()
        self.state.open(path)
        if path is not None:
            self._number += 1
            self._poller = Poller(self._number, path)
            self._poller.began.connect(self._run_began)
            self._poller.polled.connect(self._run_polled)
            self._poller.failed.connect(self._run_failed)
            self._poller.returned.connect(self._run_returned)
            self._poller.start()

    def send(self, command: str, argument: float | None = None) -> None:
        """Leave a command for the process that trains the run."""
        path = self.state.path
        if path is not None:
            self.do(lambda: send_command(path, command, argument), lambda _: None)

    def close(self) -> None:
        """Stop all threads; waits for what they are doing, and for all that was to be done."""
        if self._closed:
            return
        self._closed = True
        self._unsubscribe()
        self.turns.close()
        self._retire_poller()
        self._forget_all()
        self.processes.close()
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._long.shutdown(wait=True, cancel_futures=True)
        self._deeds.shutdown(wait=True)
        self._long_deeds.shutdown(wait=True)
        for poller in self._retired:
            poller.wait()

    # -- requests ----------------------------------------------------------------------------------------

    def ask(
        self,
        key: Hashable,
        infos: Sequence[SnapshotInfo],
        work: Work | None,
        deliver: Deliver,
        fail: Fail | None = None,
        *,
        long: bool = False,
        kept: bool = False,
    ) -> None:
        """Load snapshots and work on them in a worker thread.

        Of the requests with one key only the latest counts: earlier ones are cancelled, and what they still
        bring is dropped. One request per key runs at a time.

        Args:
            work: called as work(job, snapshots) in the worker thread; without it the snapshots are delivered.
                Must not touch widgets or the state: bind what it needs (functools.partial, default arguments).
            deliver: called in the UI thread with what `work` returned or reported.
            fail: called in the UI thread with a sentence; by default `message` is emitted.
            long: whether it takes seconds, and must not keep others waiting.
            kept: whether it is carried out even where the window is closed or another run opened, see `Job`.
        """
        if self._closed:
            return
        self.cancel(key)
        self._request(key, tuple(infos), work, deliver, fail or self.message.emit, long=long, kept=kept)

    @property
    def is_busy(self) -> bool:
        """Whether a request is being worked on, or waits."""
        return bool(self._running or self._waiting)

    def cancel(self, key: Hashable) -> None:
        """Nobody waits for the request of that key any more."""
        job = self._latest.pop(key, None)
        if job is not None:
            job._cancel.set()
        self._waiting.pop(key, None)

    def do(self, work: Callable[[], Any], deliver: Deliver) -> None:
        """Do something once in a worker thread, such as writing a file; failures become messages.

        It is done even where the window is closed or another run opened at once; `deliver` is not called then.
        """
        if not self._closed:
            self._request(
                object(), (), lambda _job, _snapshots: work(), deliver, self.message.emit, kept=True
            )

    def _request(
        self,
        key: Hashable,
        infos: tuple[SnapshotInfo, ...],
        work: Work | None,
        deliver: Deliver,
        fail: Fail,
        *,
        long: bool = False,
        kept: bool = False,
    ) -> None:
        self._number += 1
        path = self.state.path
        job = Job(key, self._number, path, infos, work, deliver, fail, self._partial.emit, long, kept)
        self._latest[key] = job
        if key in self._running:
            self._waiting[key] = job
        else:
            self._start(job)

    def _forget_all(self) -> None:
        """Nobody waits for anything any more."""
        for job in self._latest.values():
            if not job.kept:
                job._cancel.set()

    def _start(self, job: Job) -> None:
        self._running[job.key] = job
        if job.kept:
            pool = self._long_deeds if job.long else self._deeds
        else:
            pool = self._long if job.long else self._pool
        pool.submit(self._work, job)

    def _work(self, job: Job) -> None:
        """In a worker thread."""
        result, error = None, None
        try:
            if not job.cancelled:
                snapshots = tuple(self._cache.load(job.run, info) for info in job.infos if job.run)
                result = snapshots if job.work is None else job.work(job, snapshots)
        except (MMGraphError, OSError) as failure:
            error = str(failure)
        except Exception as failure:
            _log.exception("a request failed")
            error = f"This could not be worked out ({type(failure).__name__}: {failure})."
        if not self._closed:
            self._finished.emit(job, result, error)

    def _take_partial(self, job: Job, result: Any) -> None:
        if self._latest.get(job.key) is job:
            job.deliver(result)

    def _await_turn(self, job: Job, result: Any, error: str | None) -> None:
        if not self._closed:
            self.turns.take(job, lambda: self._take_result(job, result, error))

    def _take_result(self, job: Job, result: Any, error: str | None) -> None:
        self._running.pop(job.key, None)
        waiting = self._waiting.pop(job.key, None)
        if waiting is not None and not self._closed:
            self._start(waiting)
        try:
            if self._latest.get(job.key) is job:
                del self._latest[job.key]
                if error is None:
                    job.deliver(result)
                else:
                    job.fail(error)
        finally:
            if self._held and not (self._is_drawing or self._closed):
                self._take_held()

    # -- what the poller says ----------------------------------------------------------------------------

    def _run_began(self, number: int, config: dict[str, Any]) -> None:
        if self._poller and self._poller.number == number:
            self.state.open(self._poller.path, config)

    def _run_polled(self, number: int, update: Update, items: ItemSet | None, first: bool) -> None:
        if self._poller is None or self._poller.number != number:
            return
        self._held.append((update, items))
        if first or not self._is_drawing:
            self._take_held()
        if first:
            self.opened.emit()

    @property
    def _is_drawing(self) -> bool:
        """Whether snapshots are being read and worked on for a view, but for what takes seconds in any case."""
        return any(job.infos and not job.long for job in self._running.values())

    def _take_held(self) -> None:
        """Take in what came while views were drawing.

        Sooner it would have put newer requests in the place of those under way, again and again: a view that takes
        longer than it is from snapshot to snapshot would never show one.
        """
        held, self._held = self._held, []
        for update, items in held:
            self.state.apply(update)
            if items is not None:
                self.state.set_items(items)

    def _run_failed(self, number: int, text: str) -> None:
        if self._poller and self._poller.number == number:
            if self.state.status is None:  # nothing of it could be read
                self._retire_poller()
                self.state.open(None)
            self.message.emit(text)

    def _run_returned(self, number: int) -> None:
        if self._poller and self._poller.number == number:
            self.state.look_again()
            self.returned.emit(f"'{self._poller.path}' can be read again.")

    def _retire_poller(self) -> None:
        if self._poller is not None:
            self._poller.stop.set()
            self._retired = [old for old in self._retired if old.isRunning()] + [self._poller]
            self._poller = None

    # -- the prediction of the current step, which colours every view ------------------------------------

    def _state_changed(self, topic: Topic) -> None:
        if topic not in ("step", "snapshots", "items"):
            return
        state = self.state
        info, items = state.snapshot_at("prediction"), state.items
        if info is None or items is None:
            if state.prediction is not None:
                state.set_prediction(None)
            return
        step, count = info.step, len(items)
        self.ask(
            "prediction",
            [info],
            lambda _job, snapshots: Prediction.of(snapshots[0], step, count),
            state.set_prediction,
        )
