"""Questions about a run's model, answered by a process that loads it once: JSON lines in, JSON lines out."""

from __future__ import annotations

import contextlib
import json
import queue
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from mmgraph.errors import MMGraphError
from mmgraph.questions import QUESTIONS, Question, question_of
from mmgraph.runs.snapshot import write_snapshots

MOST_CHARACTERS = 1 << 20
"""Of one line."""
PROTOCOL = 1


class Unwanted(Exception):
    """Nobody waits for the answer any more."""


class Asking:
    """A run's model that is asked questions.

    Args:
        folder: the run.
        checkpoint: name of one of its checkpoints, or a file; by default the best, else the last.
        on_stage: told in words what is loaded.

    Raises:
        CheckpointError: the run has no checkpoint.
        ConfigError: the run was not made by a recipe.
        DatasetError: the data is missing or damaged.
    """

    def __init__(
        self, folder: Path, checkpoint: str | None = None, on_stage: Callable[[str], object] = lambda _: None
    ) -> None:
        from mmgraph.recipes.launch import trained_task

        self.folder, self._on_stage = folder, on_stage
        self.task, self.config, self.checkpoint = trained_task(folder, checkpoint, on_stage)
        from mmgraph.training.checkpoints import saved_progress  # of PyTorch, which is loaded by now

        self._read = self._stamp()
        self.step = int(saved_progress(self.checkpoint).get("step", 0))

    def greeting(self) -> dict[str, Any]:
        """What can be asked of it."""
        self._on_stage("Trying the model …")
        units: dict[str, int] = {}
        classes: list[str] = []
        with contextlib.suppress(MMGraphError):  # each question says what is missing
            units, classes = self.task.examined.units, list(self.task.examined.classes)
        return {
            "ready": PROTOCOL,
            "run": str(self.folder),
            "checkpoint": self.checkpoint.name,
            "step": self.step,
            "questions": list(QUESTIONS),
            "units": units,
            "classes": classes,
        }

    def answer(self, question: Question, report: Any) -> Any:
        """Answer with the newest weights of the checkpoint."""
        from mmgraph.training.devices import limited_threads

        self._refresh()
        with limited_threads(self.config.threads):
            return self.task.answer(question, report)

    def _refresh(self) -> None:
        """Training goes on meanwhile, and may have found better weights."""
        from mmgraph.training.checkpoints import saved_progress
        from mmgraph.training.growth import load_weights

        if (stamp := self._stamp()) != self._read:
            load_weights(self.checkpoint, self.task.model, self.task.growth)
            self._read, self.step = stamp, int(saved_progress(self.checkpoint).get("step", 0))

    def _stamp(self) -> tuple[int, int]:
        state = self.checkpoint.stat()
        return state.st_mtime_ns, state.st_size


class Conversation:
    """Reads questions from one stream and writes answers to another, one question at a time, in order.

    In:   {"id": 7, "ask": "locate", "file": "cat.png"}      and    {"cancel": 7}
    Out:  {"loading": "Reading digits …"}                  before the first line, which says what can be asked
          {"id": 7, "progress": 0.4, "text": "…"}            maybe with "partial": {"facts": …, "file": …}
          {"id": 7, "answer": {"facts": {…}, "file": "…/7-0.safetensors", "snapshots": ["embedding/fc.input"]}}
          {"id": 7, "error": "one sentence"}                 or    {"id": 7, "cancelled": true}

    After the last question all that were asked are still answered; it ends at once where nobody reads the answers.

    Args:
        asking: what is asked.
        words: the questions.
        say: told each line of the answers.
        answers: folder for arrays; whoever reads a file may remove it.
    """

    def __init__(self, asking: Asking, words: IO[bytes], say: Any, answers: Path) -> None:
        self._asking, self._words, self._say, self._answers = asking, words, say, answers
        self._cancelled: set[int] = set()
        self._questions: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._files = 0

    def run(self) -> None:
        """Answer until there are no more questions."""
        self._say(self._asking.greeting())
        threading.Thread(target=self._listen, name="mmgraph-questions", daemon=True).start()
        for values in self._asked():
            self._answer(values)

    def _asked(self) -> Iterator[dict[str, Any]]:
        while (values := self._questions.get()) is not None:
            yield values

    def _listen(self) -> None:
        """In a thread: takes in questions, and sees at once when one is cancelled."""
        while line := self._words.readline(MOST_CHARACTERS):
            try:
                values = json.loads(line)
            except (ValueError, RecursionError):
                self._say({"id": None, "error": "A question is one line with a JSON object."})
                continue
            if not isinstance(values, dict) or not isinstance(values.get("cancel", values.get("id", 0)), int):
                self._say(
                    {"id": None, "error": "A question is one line with a JSON object; its id is a number."}
                )
            elif "cancel" in values:
                self._cancelled.add(values["cancel"])
            else:
                self._questions.put(values)
        self._questions.put(None)

    def _answer(self, values: dict[str, Any]) -> None:
        number = values.pop("id", 0)

        def report(share: float, text: str, partial: Any = None) -> None:
            if number in self._cancelled:
                raise Unwanted
            line = {"id": number, "progress": round(share, 4), "text": text}
            self._say(line if partial is None else line | {"partial": self._put(number, partial)})

        try:
            report(0.0, "")
            found = self._asking.answer(question_of(values), report)
            self._say({"id": number, "answer": self._put(number, found), "step": self._asking.step})
        except Unwanted:
            self._say({"id": number, "cancelled": True})
        except BrokenPipeError:
            raise
        except MMGraphError as error:
            self._say({"id": number, "error": str(error)})
        except Exception as error:  # of somebody's model or of a library: the next question may go well
            self._say(
                {"id": number, "error": f"That could not be answered ({type(error).__name__}: {error})."}
            )
        self._cancelled.discard(number)

    def _put(self, number: int, found: Any) -> dict[str, Any]:
        """An answer in words that JSON has; arrays go into a file."""
        if not found.snapshots:
            return {"facts": found.facts}
        path = self._answers / f"{number}-{self._files}.safetensors"
        self._files += 1
        write_snapshots(path, self._asking.step, found.snapshots)
        return {"facts": found.facts, "file": str(path), "snapshots": [some.key for some in found.snapshots]}
