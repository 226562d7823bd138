"""What people write about a run: tags, and notes in words. A small file of its own, so that any run can have it."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

import tomli_w

from mmgraph.errors import ConfigError, NotARunError
from mmgraph.runs import schema
from mmgraph.runs.folder import is_run
from mmgraph.whole_file import whole_file

LONGEST_TAG = 60
LONGEST_NOTES = 100_000


@dataclass(frozen=True)
class RunNotes:
    """Tags, each once and in the order they were given, and any text."""

    tags: tuple[str, ...] = ()
    text: str = ""


def read_notes(folder: Path | str) -> RunNotes:
    """What was written about a run; nothing where nobody did, or where the file cannot be read as notes."""
    try:
        content = tomllib.loads((Path(folder) / schema.NOTES_FILE).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return RunNotes()
    tags, text = content.get("tags"), content.get("notes")
    listed = tags if isinstance(tags, list) else []
    return RunNotes(
        tuple(dict.fromkeys(str(tag) for tag in listed)),
        text[:LONGEST_NOTES] if isinstance(text, str) else "",
    )


def write_notes(folder: Path | str, notes: RunNotes) -> None:
    """Put tags and notes in the place of those that a run has; the file goes where there are none.

    Raises:
        NotARunError: the folder holds no run.
        ConfigError: a tag is empty, has a comma or a line break, or is too long.
        RunReadOnlyError: the folder cannot be written to.
    """
    folder = Path(folder)
    if not is_run(folder):
        raise NotARunError(f"'{folder}' is not a run folder, so nothing can be noted about it.")
    for tag in notes.tags:
        if not tag.strip() or "," in tag or not tag.isprintable() or len(tag) > LONGEST_TAG:
            raise ConfigError(
                f"A tag is a word or a few, without comma or line break, of at most {LONGEST_TAG} letters, not {tag!r}."
            )
    if len(notes.text) > LONGEST_NOTES:
        raise ConfigError(
            f"Notes have at most {LONGEST_NOTES:,} letters, and these have {len(notes.text):,}."
        )
    path = folder / schema.NOTES_FILE
    try:
        if notes == RunNotes():
            path.unlink(missing_ok=True)
            return
        tags = list(dict.fromkeys(tag.strip() for tag in notes.tags))
        with whole_file(path) as part:
            part.write_bytes(
                tomli_w.dumps({"tags": tags, "notes": notes.text}, multiline_strings=True).encode()
            )
    except UnicodeEncodeError as error:
        raise ConfigError(
            "Tags and notes hold a letter that no file can (half of a surrogate pair)."
        ) from error
    except OSError as error:
        raise schema.write_failure(folder, error) from error
