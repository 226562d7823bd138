"""What was taken for what, as a table."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from mmgraph.report.between import Between, nobody_asks
from mmgraph.report.markup import Markup, element
from mmgraph.runs import RunReader, SnapshotInfo

MOST_CLASSES = 30


def confusions(reader: RunReader, between: Between = nobody_asks) -> list[Markup]:
    """The last confusion matrix of each split."""
    recorded = reader.snapshots(kind="matrix")
    last = {info.layer: info for info in recorded if info.layer.split("/")[0] == "confusion"}
    return [_table(reader, info, between) for info in last.values()]


def _table(reader: RunReader, info: SnapshotInfo, between: Between) -> Markup:
    between()
    snapshot = reader.load(info)
    counts = snapshot.array
    split = info.layer.partition("/")[2]
    given = snapshot.notes.get("classes", ())
    names = [str(given[i]) if i < len(given) else str(i) for i in range(max(counts.shape))]
    right, total = float(np.trace(counts)), float(counts.sum())
    notes = [f"{right:,.0f} of {total:,.0f} right ({right / total:.1%})"] if total > 0 else ["no items"]
    notes += _confused(counts, names)
    shown = min(max(counts.shape), MOST_CLASSES)
    if shown < max(counts.shape):
        notes.append(f"the first {shown} of {max(counts.shape):,} classes shown")
    head = element(
        "tr",
        element("th", "predicted →", element("br"), "true ↓", scope="col", class_="corner"),
        *(element("th", element("span", name), scope="col") for name in names[: counts.shape[1]][:shown]),
    )
    body = [_row(names[row], counts[row], row, shown) for row in range(min(counts.shape[0], shown))]
    return element(
        "figure",
        element("h3", split or info.layer, element("small", f" step {info.step:,}")),
        element(
            "div",
            element(
                "table",
                element("caption", f"Items of each true class (rows) by predicted class (columns), {split}"),
                element("thead", head),
                element("tbody", *body),
                class_="confusion",
            ),
            class_="scroll",
            tabindex=0,
            role="region",
            aria_label=f"Confusion matrix, {split}",
        ),
        element("figcaption", "; ".join(notes), "."),
        class_="panel",
    )


def _row(name: str, counts: npt.NDArray[Any], row: int, shown: int) -> Markup:
    total = float(counts.sum())
    cells = []
    for column, count in enumerate(counts[:shown].tolist()):
        share = count / total if total > 0 else 0.0
        # The square root lets the few mistakes be seen beside the many that are right.
        shade = round(100 * share**0.5) if share > 0 else 0
        kind = "right" if column == row else "wrong"
        style = f"--share:{shade}%" if count else None
        strong = " strong" if shade > 60 else ""
        cells.append(
            element(
                "td",
                f"{count:,}" if count else "·",
                class_=f"{kind}{strong}" if count else "none",
                style=style,
            )
        )
    return element("tr", element("th", element("span", name), scope="row"), *cells)


def _confused(counts: npt.NDArray[Any], names: list[str]) -> list[str]:
    """The pair of classes that is mistaken most often."""
    wrong = counts.astype(np.float64)
    np.fill_diagonal(wrong, 0)
    if not wrong.size or wrong.max() <= 0:
        return []
    row, column = np.unravel_index(int(wrong.argmax()), wrong.shape)
    times = int(wrong[row, column])
    return [f"most often mistaken: {names[row]} for {names[column]} ({times:,} ×)"]
