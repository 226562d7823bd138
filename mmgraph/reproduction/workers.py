"""Doing runs one after another here, or several at a time in processes of their own."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import asdict
from typing import TypeVar

from mmgraph.reproduction.executing import Order, Outcome, execute

T = TypeVar("T")


def in_turn(orders: Iterator[tuple[T, Order]]) -> Iterator[tuple[T, Outcome]]:
    """Do one after another in this process."""
    for key, order in orders:
        yield key, execute(order)


def at_once(orders: Iterator[tuple[T, Order]], jobs: int) -> Iterator[tuple[T, Outcome]]:
    """Do several at a time, each in a fresh process that takes one order after another.

    A worker ends when its standard input does; should this process die, it finishes its run first. Ctrl-C reaches
    the workers too: each finishes its step and reports "stopped"; a second one ends them.
    """
    pending, ended = threading.Lock(), queue.SimpleQueue[tuple[T, Outcome] | None]()
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "mmgraph.reproduction.workers"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(jobs)
    ]

    def feed(process: subprocess.Popen[str]) -> None:
        try:
            while True:
                with pending:
                    item = next(orders, None)
                if item is None:
                    return
                outcome = _ask(process, item[1])
                ended.put((item[0], outcome))
                if outcome.state == "stopped" or process.poll() is not None:
                    return
        finally:
            ended.put(None)

    threads = [threading.Thread(target=feed, args=(process,), daemon=True) for process in processes]
    for thread in threads:
        thread.start()
    working = len(threads)
    try:
        while working:
            try:
                item = ended.get()
            except KeyboardInterrupt:
                orders = iter(())
                continue
            if item is None:
                working -= 1
            else:
                yield item
    finally:
        for process, thread in zip(processes, threads, strict=True):
            process.kill()
            thread.join()
            with process:  # closes its pipes
                pass


def _ask(process: subprocess.Popen[str], order: Order) -> Outcome:
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(json.dumps(asdict(order)) + "\n")
        process.stdin.flush()
        return Outcome(**json.loads(process.stdout.readline()))
    except (OSError, ValueError):
        return Outcome("failed", f"The process that trained it ended with {process.wait()}.")


def main() -> None:
    """Take orders from standard input, one JSON object per line, and answer each with its outcome."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print must not get between the answers
    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
        for line in sys.stdin:
            outcome = execute(Order(**json.loads(line)))
            answers.write(json.dumps(asdict(outcome)) + "\n")
            answers.flush()


if __name__ == "__main__":
    main()
