"""Starts training in a process of its own, which goes on when the window closes or dies, and gives way to it.

Explaining an ended run needs torch too, and gets a process as well.
"""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from mmgraph.errors import RunError
from mmgraph.options import Scalar
from mmgraph.runs import RunReader, is_run, new_run_name
from mmgraph.runs.opened import opened_root
from mmgraph_gui.processes.politeness import give_way, politely

LOOK_SECONDS = 0.1
TRAINING = "mmgraph-launch"
"""Name of the threads that wait for a training process."""
ERROR_CHARACTERS = 2000


def flags(values: Mapping[str, Scalar | None]) -> list[str]:
    """Options as typed on the command line: `--learning-rate 0.01`, `--no-shuffle`, `--patience none`."""
    words: list[str] = []
    for name, value in values.items():
        flag = name.replace("_", "-")
        if isinstance(value, bool):
            words.append(f"--{flag}" if value else f"--no-{flag}")
        else:
            words += [f"--{flag}", "none" if value is None else str(value)]
    return words


class Launcher(QObject):
    """Starts training processes and says when their run appears, or why it does not.

    Signals:
        appeared(Path): the run folder of a started process is there.
        began(Path): the same, of a run that nobody waits for at this moment.
        resumed(Path): a run that was taken up again is being trained.
        explained(int): what the answer about an item hangs on has been recorded.
        failed(str): a process could not start, resume or explain a run; what it said.
    """

    appeared = Signal(object)
    began = Signal(object)
    resumed = Signal(object)
    explained = Signal(int)
    failed = Signal(str)

    def __init__(self, parent: QObject | None = None, *, program: Sequence[str] | None = None) -> None:
        super().__init__(parent)
        self._program = list(program or (sys.executable, "-m", "mmgraph"))
        self._closing = threading.Event()
        self._threads: list[threading.Thread] = []

    @property
    def is_training(self) -> bool:
        """Whether a process that it started or resumed is still training."""
        return any(thread.is_alive() for thread in self._threads if thread.name == TRAINING)

    def start(
        self, recipe: str, values: Mapping[str, Scalar | None], root: Path, *, awaited: bool = True
    ) -> Callable[[], None]:
        """Train a recipe with the options that differ from its defaults, in a new folder below `root`.

        What is returned gives that up until the run appears.

        Args:
            awaited: whether somebody has just asked for it: then it has `appeared`, else it `began`.
        """
        given_up = threading.Event()
        there = self.appeared if awaited else self.began
        self._watch(self._start, recipe, dict(values), root, given_up, there.emit)
        return given_up.set

    def resume(self, run: Path, epochs: int | None = None) -> Callable[[], None]:
        """Go on with a run from its last checkpoint; what is returned gives that up until it is being trained.

        Args:
            epochs: up to so many in all; by default as many as it was to be trained.
        """
        given_up = threading.Event()
        self._watch(self._resume, run, epochs, given_up)
        return given_up.set

    def explain(self, run: Path, item: int) -> Callable[[], None]:
        """Find what an ended run's answer about an item hangs on, and record it; returns what gives it up."""
        given_up = threading.Event()
        self._watch(self._explain, run, item, given_up, name="mmgraph-explain")
        return given_up.set

    def open_model(
        self,
        file: Path,
        recipe: str | None = None,
        values: Mapping[str, Scalar | None] | None = None,
        model: str | None = None,
    ) -> Callable[[], None]:
        """Make a run of a file of weights; returns what gives that up until the run appears.

        Args:
            recipe: architecture and data that the weights are of.
            values: its options that differ from the defaults.
            model: own architecture, `module:Name`: importing it runs its code.
        """
        given_up = threading.Event()
        chosen = [] if recipe is None else ["--recipe", recipe]
        for name, value in (values or {}).items():
            chosen += ["--set", f"{name}={'none' if value is None else value}"]
        chosen += [] if model is None else ["--model", model]
        self._watch(self._open_model, file, chosen, given_up, name="mmgraph-open")
        return given_up.set

    def close(self) -> None:
        """Stop watching; the processes go on."""
        self._closing.set()
        for thread in self._threads:
            thread.join()

    # -- in a thread per process ---------------------------------------------------------------------------

    def _watch(self, work: Any, *arguments: Any, name: str = TRAINING) -> None:
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        thread = threading.Thread(target=work, args=arguments, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _start(
        self,
        recipe: str,
        values: dict[str, Scalar | None],
        root: Path,
        given_up: threading.Event,
        tell: Callable[[Path], object],
    ) -> None:
        name = free_name(root, recipe)
        command = ["train", recipe, "--runs", str(root), "--name", name, "--quiet", *flags(values)]
        self._follow_new(command, root / name, f"Training of {recipe} did not start", given_up, tell)

    def _resume(self, run: Path, epochs: int | None, given_up: threading.Event) -> None:
        command = ["resume", str(run), "--quiet", *([] if epochs is None else ["--epochs", str(epochs)])]
        complaint = f"'{run.name}' could not be resumed"
        self._follow(command, complaint, lambda: _is_live(run), lambda: self.resumed.emit(run), given_up)

    def _open_model(self, file: Path, chosen: list[str], given_up: threading.Event) -> None:
        root = opened_root()
        name = free_name(root, file.stem.lstrip(".") or "model")
        command = ["open", str(file), "--runs", str(root), "--name", name, *chosen]
        complaint = f"'{file.name}' could not be opened"
        self._follow_new(command, root / name, complaint, given_up, self.appeared.emit)

    def _explain(self, run: Path, item: int, given_up: threading.Event) -> None:
        command = ["explain", str(run), str(item)]
        if self._follow(command, f"Item {item} could not be explained", given_up=given_up):
            self.explained.emit(item)

    def _follow_new(
        self,
        command: Sequence[str],
        folder: Path,
        complaint: str,
        given_up: threading.Event,
        tell: Callable[[Path], object],
    ) -> None:
        self._follow(command, complaint, lambda: is_run(folder), lambda: tell(folder), given_up)

    def _follow(
        self,
        command: Sequence[str],
        complaint: str,
        is_there: Callable[[], bool] = lambda: False,
        tell: Callable[[], object] = lambda: None,
        given_up: threading.Event | None = None,
    ) -> bool:
        """Start a process; tell when what it makes is there, and complain where it ends before.

        Returns whether it ended well.
        """
        with tempfile.TemporaryFile() as output:
            try:
                process = subprocess.Popen(
                    [*politely(), *self._program, *command],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    **_own_session(),
                )
            except OSError as error:
                self.failed.emit(f"{complaint} ({error}).")
                return False
            give_way(process.pid)
            told = False  # once a run is there, its own status says how it ends
            while not self._closing.is_set():
                ended = process.poll()
                if not told and is_there():
                    told = True
                    tell()
                if given_up is not None and given_up.is_set() and not told:
                    process.kill()
                    process.wait()
                    return False
                if ended is not None:
                    if ended != 0 and not told:
                        self.failed.emit(f"{complaint}: {_last_words(output)}")
                    return ended == 0
                self._closing.wait(LOOK_SECONDS)
            process.returncode = process.poll() or 0  # it goes on without us
            return False


def free_name(root: Path, recipe: str) -> str:
    """A run name that no folder below `root` has."""
    name = new_run_name(recipe)
    names = itertools.chain([name], (f"{name}-{number}" for number in itertools.count(2)))
    return next(name for name in names if not (root / name).exists())


def _is_live(run: Path) -> bool:
    try:
        with RunReader(run) as reader:
            return reader.status().is_live
    except RunError:
        return False


def _own_session() -> dict[str, Any]:
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.DETACHED_PROCESS
        return {"creationflags": flags | subprocess.BELOW_NORMAL_PRIORITY_CLASS}
    return {"start_new_session": True}


def _last_words(output: Any) -> str:
    """What a process said at its end: the message of a command without the name that a terminal needs before it."""
    output.seek(0)
    text = output.read().decode(errors="replace").strip()
    text = re.split(r"^mmgraph: ", text, flags=re.MULTILINE)[-1]
    return str(text[-ERROR_CHARACTERS:]) or "it ended without a word."
