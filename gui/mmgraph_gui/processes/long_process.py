"""Processes for long computations, which take no time from the window and can be ended at any moment."""

from __future__ import annotations

import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any, BinaryIO, cast

from mmgraph.errors import UsageError
from mmgraph_gui.processes.messages import Array, Message, receive, send
from mmgraph_gui.processes.politeness import politely

LOOK_SECONDS = 0.05


class Processes:
    """Hands requests to processes, one at a time each; one that is done waits for the next request."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[_Process] = []
        self._all: set[_Process] = set()
        self._closed = False

    def run(
        self, task: str, facts: Mapping[str, Any], arrays: Mapping[str, Array], cancelled: Callable[[], bool]
    ) -> Iterator[Message]:
        """What a task of `long_work` says, until it is done; ends its process at once when cancelled.

        Raises:
            UsageError: the task complained, or its process ended by itself.
        """
        process = self._take()
        done = False
        try:
            process.ask(Message({"task": task, **facts}, arrays))
            while not done:
                if cancelled():
                    return
                try:
                    message = process.said.get(timeout=LOOK_SECONDS)
                except queue.Empty:
                    continue
                if message is None:
                    raise UsageError(
                        f"The process that works on {task} ended by itself (code {process.code()})."
                    )
                if "error" in message.facts:
                    done = True
                    raise UsageError(str(message.facts["error"]))
                done = bool(message.facts.get("done"))
                yield message
        finally:
            self._put_back(process, reusable=done)

    def close(self) -> None:
        """End all processes."""
        with self._lock:
            self._closed = True
            left = list(self._all)
            self._all.clear()
            self._idle.clear()
        for process in left:
            process.end()

    def _take(self) -> _Process:
        with self._lock:
            if self._idle:
                return self._idle.pop()
            if self._closed:
                raise UsageError("The window is being closed.")
            process = _Process()
            self._all.add(process)
            return process

    def _put_back(self, process: _Process, reusable: bool) -> None:
        with self._lock:
            if reusable and not self._closed and not self._idle:
                self._idle.append(process)
                return
            self._all.discard(process)
        process.end()


class _Process:
    """One process and a thread that listens to it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [*politely(), sys.executable, "-m", "mmgraph_gui.processes.long_work"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.said: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._listener = threading.Thread(target=self._listen, name="mmgraph-process", daemon=True)
        self._listener.start()

    def ask(self, message: Message) -> None:
        try:
            send(cast("BinaryIO", self._process.stdin), message)
        except BrokenPipeError:
            self.said.put(None)

    def code(self) -> int:
        return self._process.wait()

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        self._listener.join()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                try:
                    stream.close()
                except BrokenPipeError:
                    continue

    def _listen(self) -> None:
        while (message := receive(cast("BinaryIO", self._process.stdout))) is not None:
            self.said.put(message)
        self.said.put(None)
