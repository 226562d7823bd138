"""Asks the model of the open run: a process with torch in it loads the model once and answers question after question.

    model.ask(("view", "slot"), GradCAM(row=3), deliver, fail, progress)

The process is `mmgraph ask RUN` (see docs/ask.md). It is started with the first question, gives way to the window, and
ends with the run or the window.
"""

from __future__ import annotations

import contextlib
import json
import sys
import tempfile
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QProcess, Signal

from mmgraph.questions import Question, values_of
from mmgraph.runs import Snapshot
from mmgraph.runs.snapshot import read_snapshot
from mmgraph_gui.processes.politeness import give_way, politely
from mmgraph_gui.reading.follower import RunFollower
from mmgraph_gui.state import AppState, Topic

ERROR_CHARACTERS = 2000
END_MILLISECONDS = 2000


@dataclass(frozen=True, eq=False)
class ModelAnswer:
    """What the model process found.

    Args:
        question: what was asked.
        facts: small things in words and numbers.
        snapshots: arrays.
        step: of the checkpoint that answered.
        partial: whether more is to come.
    """

    question: Question
    facts: dict[str, Any]
    snapshots: tuple[Snapshot, ...]
    step: int
    partial: bool = False

    def snapshot(self, kind: str, layer: str | None = None) -> Snapshot | None:
        """The first array of a kind, of one layer or of any."""
        fitting = (some for some in self.snapshots if some.kind == kind and layer in (None, some.layer))
        return next(fitting, None)


Deliver = Callable[[ModelAnswer], None]
Fail = Callable[[str], None]
Progress = Callable[[float, str], None]


@dataclass(frozen=True, eq=False)
class _Asked:
    number: int
    slot: Hashable
    question: Question
    deliver: Deliver
    fail: Fail
    progress: Progress


class ModelProcess(QObject):
    """The model process of the open run.

    Signals:
        changed(): it was started, is ready, or has ended.
    """

    changed = Signal()

    def __init__(
        self,
        state: AppState,
        follower: RunFollower,
        parent: QObject | None = None,
        *,
        program: Sequence[str] | None = None,
    ) -> None:
        super().__init__(parent)
        self._state, self._follower = state, follower
        self._program = list(program or (sys.executable, "-m", "mmgraph"))
        self._process: QProcess | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._run: Path | None = None
        self._number = 0
        self._asked: dict[Hashable, _Asked] = {}
        self._errors: deque[str] = deque(maxlen=50)
        self._step = 0
        self._stage = ""
        self.greeting: dict[str, Any] = {}
        """What the process said of the model when it was ready: `units` by layer, `classes`, `checkpoint`, `step`."""
        self._unsubscribe = state.subscribe(self._state_changed)

    @property
    def is_running(self) -> bool:
        """Whether a process is there, maybe still loading the model."""
        return self._process is not None

    @property
    def is_ready(self) -> bool:
        """Whether the model is loaded."""
        return bool(self.greeting)

    def ask(
        self,
        slot: Hashable,
        question: Question,
        deliver: Deliver,
        fail: Fail,
        progress: Progress | None = None,
    ) -> None:
        """Ask; of the questions of one slot only the latest is answered, earlier ones are cancelled.

        Args:
            deliver: called in the UI thread with partial answers and the last one.
            fail: called in the UI thread with a sentence.
            progress: called in the UI thread with a share from 0 to 1 and a text.
        """
        self.cancel(slot)
        if self._state.path is None:
            fail("No run is open.")
            return
        self._number += 1
        nobody: Progress = lambda _share, _text: None  # noqa: E731
        asked = _Asked(self._number, slot, question, deliver, fail, progress or nobody)
        process = self._started(self._state.path)
        self._asked[slot] = asked
        if not self.is_ready:
            asked.progress(0.0, self._stage)
        self._say(process, {"id": asked.number, **values_of(question)})

    def cancel(self, slot: Hashable) -> None:
        """Nobody waits for the answer of that slot any more."""
        asked = self._asked.pop(slot, None)
        self._follower.cancel(("model", slot))
        if asked is not None and self._process is not None:
            self._say(self._process, {"cancel": asked.number})

    def close(self) -> None:
        """End the process."""
        self._unsubscribe()
        self._end()

    # -- the process -------------------------------------------------------------------------------------

    def _started(self, run: Path) -> QProcess:
        if self._process is not None and self._run == run:
            return self._process
        self._end()
        self._run, self._folder = run, tempfile.TemporaryDirectory(prefix="mmgraph-answers-")
        self._errors.clear()
        self._stage = "Starting Python …"
        process = self._process = QProcess(self)
        process.readyReadStandardOutput.connect(lambda: self._read(process))
        process.readyReadStandardError.connect(lambda: self._read_errors(process))
        process.started.connect(lambda: give_way(process.processId()))
        process.finished.connect(lambda _code, _how: self._ended(process))
        process.errorOccurred.connect(lambda error: self._failed(process, error))
        command = [*politely(), *self._program, "ask", str(run), "--answers", self._folder.name]
        process.start(command[0], command[1:])
        self.changed.emit()
        return process

    def _say(self, process: QProcess, values: dict[str, Any]) -> None:
        process.write((json.dumps(values) + "\n").encode())

    def _read(self, process: QProcess) -> None:
        while process is self._process and process.canReadLine():
            line = bytes(process.readLine().data())
            try:
                values = json.loads(line)
            except ValueError:
                continue
            self._take(values)

    def _take(self, values: dict[str, Any]) -> None:
        if "ready" in values:
            self.greeting = values
            self.changed.emit()
            return
        if "loading" in values:
            self._stage = str(values["loading"])
            for waiting in list(self._asked.values()):
                waiting.progress(0.0, self._stage)
            return
        asked = next((one for one in self._asked.values() if one.number == values.get("id")), None)
        found = values.get("answer", values.get("partial"))
        if asked is None:
            if found is not None and "file" in found:
                Path(found["file"]).unlink(missing_ok=True)
        elif "error" in values:
            del self._asked[asked.slot]
            asked.fail(values["error"])
        elif "progress" in values:
            asked.progress(float(values["progress"]), str(values.get("text", "")))
        if asked is not None and found is not None:
            step = int(values.get("step", self.greeting.get("step", 0)))
            self._fetch(asked, found, step, partial="answer" not in values)

    def _fetch(self, asked: _Asked, found: dict[str, Any], step: int, *, partial: bool) -> None:
        """Read the arrays of an answer, off the UI thread."""

        def read(_job: object, _snapshots: object) -> ModelAnswer:
            file, snapshots = found.get("file"), tuple[Snapshot, ...]()
            if file is not None:
                path = Path(file)
                snapshots = tuple(read_snapshot(path, key) for key in found["snapshots"])
                path.unlink(missing_ok=True)
            return ModelAnswer(asked.question, found.get("facts", {}), snapshots, step, partial)

        def deliver(answer: ModelAnswer) -> None:
            if self._asked.get(asked.slot) is asked:
                if not partial:
                    del self._asked[asked.slot]
                asked.deliver(answer)

        def fail(text: str) -> None:
            if self._asked.get(asked.slot) is asked and not partial:
                del self._asked[asked.slot]
                asked.fail(text)

        self._follower.ask(("model", asked.slot), (), read, deliver, fail)

    def _read_errors(self, process: QProcess) -> None:
        text = bytes(process.readAllStandardError().data()).decode(errors="replace")
        self._errors.extend(text.splitlines())

    def _failed(self, process: QProcess, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:
            self._errors.append(process.errorString())
            self._ended(process)

    def _ended(self, process: QProcess) -> None:
        """It ended by itself: whoever waits is told why."""
        if process is not self._process:
            return
        self._read(process)
        self._read_errors(process)
        said = "\n".join(self._errors).strip()[-ERROR_CHARACTERS:].removeprefix("mmgraph: ")
        waiting = list(self._asked.values())
        self._end()
        for asked in waiting:
            asked.fail(said or "The process that was asked ended without a word.")

    def _end(self) -> None:
        process, self._process = self._process, None
        self.greeting = {}
        for slot in list(self._asked):
            self._follower.cancel(("model", slot))
        self._asked.clear()
        if process is not None:
            process.kill()
            process.waitForFinished(END_MILLISECONDS)
            process.deleteLater()
            self.changed.emit()
        if self._folder is not None:
            folder, self._folder = self._folder, None
            with contextlib.suppress(OSError):
                folder.cleanup()

    def _state_changed(self, topic: Topic) -> None:
        if topic == "run" and self._run is not None and self._state.path != self._run:
            self._run = None
            self._end()
