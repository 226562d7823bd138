"""`mmgraph ask RUN`: questions to a trained model, as JSON."""

from __future__ import annotations

import json as json_text
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated, Any

import typer

from mmgraph.cli import output
from mmgraph.errors import ConfigError


def ask(
    run: Annotated[str, output.RUN],
    question: Annotated[
        str | None,
        typer.Argument(
            help='A JSON object such as \'{"ask": "locate", "file": "cat.png"}\'; without it questions are read '
            "from standard input, one a line.",
        ),
    ] = None,
    checkpoint: Annotated[
        str | None, typer.Option("--checkpoint", help="best, last, or a file. Default: the best there is.")
    ] = None,
    answers: Annotated[
        Path | None,
        typer.Option(
            "--answers", help="Folder for arrays. Default: one that is removed at the end.", file_okay=False
        ),
    ] = None,
    root: Annotated[Path | None, output.RUNS] = None,
) -> None:
    """Ask the model of a run, with its best weights so far.

    Kinds of question: locate, attention, activations, grad-cam, occlusion, caption, search, top-items and maximise.
    What each needs, and what is answered, is written in docs/ask.md.
    """
    folder = output.find_run(run, root).absolute()
    with _protected_output() as stream:

        def say(values: Mapping[str, Any]) -> None:
            stream.write((json_text.dumps(values, default=str) + "\n").encode())
            stream.flush()

        from mmgraph.recipes.asking import Asking, Conversation

        if question is None:
            asking = Asking(folder, checkpoint, lambda text: say({"loading": text}))
            with _folder(answers) as place:
                Conversation(asking, sys.stdin.buffer, say, place).run()
        else:
            _ask_once(Asking, folder, checkpoint, question, answers, say)


def _ask_once(
    asking: Any, folder: Path, checkpoint: str | None, text: str, answers: Path | None, say: Any
) -> None:
    from mmgraph.questions import question_of
    from mmgraph.runs.snapshot import write_snapshots

    try:
        values = json_text.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"A question is a JSON object, and this is none ({error}).") from error
    if not isinstance(values, dict):
        raise ConfigError('A question is a JSON object such as \'{"ask": "locate", "row": 3}\'.')
    question = question_of(values)
    session = asking(folder, checkpoint)
    found = session.answer(question, lambda share, text, partial: None)
    said = {"answer": found.facts, "step": session.step, "checkpoint": session.checkpoint.name}
    if found.snapshots and answers is not None:
        path = answers.absolute() / "answer.safetensors"
        write_snapshots(path, session.step, found.snapshots)
        said |= {"file": str(path)}
    say(said | {"snapshots": [f"{some.key} {list(some.array.shape)}" for some in found.snapshots]})


@contextmanager
def _protected_output() -> Iterator[IO[bytes]]:
    """Standard output for answers alone: whatever else is printed meanwhile goes to standard error."""
    sys.stdout.flush()
    ours = os.dup(1)
    os.dup2(2, 1)
    try:
        with os.fdopen(ours, "wb", closefd=False) as stream:
            yield stream
    finally:
        sys.stdout.flush()
        os.dup2(ours, 1)
        os.close(ours)


@contextmanager
def _folder(answers: Path | None) -> Iterator[Path]:
    if answers is not None:
        answers.mkdir(parents=True, exist_ok=True)
        yield answers.absolute()
        return
    with tempfile.TemporaryDirectory(prefix="mmgraph-answers-") as folder:
        yield Path(folder)
