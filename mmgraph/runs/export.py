"""A run for other programs: CSV tables, TensorBoard event files."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from mmgraph.errors import ConfigError, MissingDependencyError, RunError
from mmgraph.runs.reader import RunReader
from mmgraph.runs.records import Series
from mmgraph.runs.snapshot import Snapshot
from mmgraph.whole_file import whole_file

_EVENT_FIELDS = ("wall_time", "step", "level", "kind", "message")


def export_csv(reader: RunReader, target: Path | str, *, wide: bool = False) -> Path:
    """Write the recorded numbers as CSV; returns the file, or the folder, that was written.

    Long:   tag, step, epoch, wall_time, value      a row per number
    Wide:   step, epoch, wall_time, <tag>, …        a row per step; a cell stays empty where nothing was recorded

    Numbers are written with all digits; NaN, and an epoch that was not given, is `nan`, infinities are `inf`
    and `-inf`. A tag recorded twice at a step has two rows.

    Args:
        target: a file; or a folder (one that exists, or a name without suffix), which gets `scalars.csv`
            and `events.csv`.
        wide: one column per tag.

    Units:
        wall_time in seconds since 1970 (UTC).

    Raises:
        RunError: the target cannot be written; a file that was there is as before.
    """
    target, update = Path(target), reader.poll()
    rows = _wide(update.scalars) if wide else _long(update.scalars)
    try:
        if not (target.is_dir() or not target.suffix):
            _write_table(target, rows)
            return target
        target.mkdir(parents=True, exist_ok=True)
        _write_table(target / "scalars.csv", rows)
        events = ([getattr(event, name) for name in _EVENT_FIELDS] for event in update.events)
        _write_table(target / "events.csv", [list(_EVENT_FIELDS), *events])
    except OSError as error:
        raise RunError(f"'{target}' could not be written ({error}). Give another place.") from error
    return target


def export_tensorboard(reader: RunReader, target: Path | str) -> Path:
    """Write a log folder for TensorBoard; returns it.

    Scalars keep step and wall time (TensorBoard holds values as float32), events become texts, and the last
    embedding of each layer goes to the projector, with the class of each item.

    Args:
        target: a folder that does not exist yet, or is empty: a second set of events would draw every curve twice.

    Raises:
        MissingDependencyError: tensorboardX is not installed.
        ConfigError: the folder is not empty.
        RunError, RunDamagedError: the folder cannot be written, or an embedding cannot be read.
    """
    try:
        from tensorboardX.proto.event_pb2 import Event
        from tensorboardX.proto.summary_pb2 import Summary
        from tensorboardX.record_writer import RecordWriter
    except ImportError as error:
        raise MissingDependencyError(
            'Writing TensorBoard files needs tensorboardX: pip install "mmgraph[tensorboard]".'
        ) from error
    target, update = Path(target), reader.poll()
    try:
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise ConfigError(f"'{target}' is there already and not empty; give a new folder.")
        part = target.with_name(f".{target.name}.{os.getpid()}-{threading.get_ident()}.part")
        part.mkdir(parents=True)
        try:
            log = RecordWriter(str(part / "events.out.tfevents.0000000000.mmgraph"))
            log.write(Event(wall_time=0.0, file_version="brain.Event:2").SerializeToString())
            for tag, series in update.scalars.items():
                for step, time, value in zip(series.step, series.wall_time, series.value, strict=True):
                    entry = Summary.Value(tag=tag, simple_value=_float32(value))
                    summary = Summary(value=[entry])
                    log.write(Event(wall_time=time, step=int(step), summary=summary).SerializeToString())
            for line in update.events:
                summary = Summary(value=[_text_value(Summary, f"log/{line.level}", line.message)])
                event = Event(wall_time=line.wall_time, step=line.step or 0, summary=summary)
                log.write(event.SerializeToString())
            log.close()
            _write_projector(reader, part)
            if target.exists():
                target.rmdir()
            os.replace(part, target)
        finally:
            shutil.rmtree(part, ignore_errors=True)
    except OSError as error:
        raise RunError(f"'{target}' could not be written ({error}). Give another place.") from error
    return target


def _long(scalars: dict[str, Series]) -> Iterator[list[Any]]:
    yield ["tag", "step", "epoch", "wall_time", "value"]
    for tag, series in scalars.items():
        columns = (series.step, series.epoch, series.wall_time, series.value)
        for row in zip(*(column.tolist() for column in columns), strict=True):
            yield [tag, *row]


def _wide(scalars: dict[str, Series]) -> Iterator[list[Any]]:
    yield ["step", "epoch", "wall_time", *scalars]
    rows: dict[tuple[int, int], list[Any]] = {}
    for column, series in enumerate(scalars.values(), start=2):
        seen: dict[int, int] = {}
        columns = (series.step, series.epoch, series.wall_time, series.value)
        for step, epoch, time, value in zip(*(column.tolist() for column in columns), strict=True):
            seen[step] = seen.get(step, 0) + 1
            row = rows.setdefault((step, seen[step]), [epoch, time, *[""] * len(scalars)])
            row[column] = value
    for (step, _), row in sorted(rows.items()):
        yield [step, *row]


def _write_table(path: Path, rows: Iterable[list[Any]]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as part:
        part.write_text(text.getvalue(), encoding="utf-8", newline="")


def _float32(value: float) -> float:
    """The nearest that TensorBoard can hold: what is beyond float32 becomes infinite."""
    with np.errstate(over="ignore"):
        return float(np.float32(value))


def _text_value(summary: Any, tag: str, text: str) -> Any:
    value = summary.Value(tag=tag)
    value.metadata.plugin_data.plugin_name = "text"
    value.tensor.dtype = 7  # DT_STRING
    value.tensor.string_val.append(text.encode())
    return value


def _write_projector(reader: RunReader, folder: Path) -> None:
    last = {info.layer: info for info in reader.snapshots(kind="embedding")}
    parts = []
    for number, (layer, info) in enumerate(last.items()):
        snapshot = reader.load(info)
        names = _item_names(reader, snapshot)
        np.savetxt(folder / f"embedding-{number}.tsv", snapshot.array, fmt="%.8g", delimiter="\t")
        (folder / f"items-{number}.tsv").write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
        parts.append(
            "embeddings {\n"
            f"  tensor_name: {json.dumps(f'{layer} at step {info.step}', ensure_ascii=False)}\n"
            f'  tensor_path: "embedding-{number}.tsv"\n  metadata_path: "items-{number}.tsv"\n'
            "}\n"
        )
    if parts:
        (folder / "projector_config.pbtxt").write_text("".join(parts), encoding="utf-8")


def _item_names(reader: RunReader, snapshot: Snapshot) -> list[str]:
    """The class of each row, or its number where none is known."""
    count = len(snapshot.array)
    rows = snapshot.extras.get("rows", np.arange(count)).tolist()
    if snapshot.items is None or snapshot.items not in reader.item_names():
        return [str(row) for row in rows]
    items = reader.items(snapshot.items)
    labels = items.labels
    if labels is None:
        return [str(row) for row in rows]
    names = dict(enumerate(items.class_names))
    return [
        " ".join(names.get(int(labels[row]), "unknown" if labels[row] < 0 else str(labels[row])).split())
        if row < len(labels)
        else str(row)
        for row in rows
    ]
