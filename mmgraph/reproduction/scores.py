"""From finished runs to the figures of a table."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mmgraph.errors import MMGraphError
from mmgraph.recipes.graph_classification.protocols import picked_by_test
from mmgraph.reproduction.recorded import Recorded
from mmgraph.reproduction.table import Measure, Row, Run


@dataclass(frozen=True, kw_only=True)
class Score:
    """Ours beside the published figure.

    Args:
        row, measure: what was measured.
        values: what mean and spread are taken of: one per seed; where folds make a result, one per seed and fold.
        seeds: complete ones.
        seconds: of training, all runs together.
        num_runs: that `seconds` is the sum of.
        note: what is missing, in words; empty for a complete row.

    Units:
        values in per cent, where the measure has no other scale.
    """

    row: Row
    measure: Measure
    values: tuple[float, ...]
    seeds: int
    seconds: float
    num_runs: int
    note: str = ""

    @property
    def mean(self) -> float | None:
        """Mean; None where no seed is complete."""
        return statistics.fmean(self.values) if self.values else None

    @property
    def spread(self) -> float | None:
        """Standard deviation (n − 1); None with less than two values."""
        return statistics.stdev(self.values) if len(self.values) > 1 else None

    @property
    def difference(self) -> float | None:
        """Ours minus published."""
        if self.mean is None or self.measure.published is None:
            return None
        return self.mean - self.measure.published


def scores(row: Row, finished: Mapping[Run, Recorded], note: str = "") -> list[Score]:
    """One score per measure of a row, of the seeds whose runs are all finished."""
    runs = [run for run in row.runs() if run in finished]
    seconds = sum(finished[run].seconds for run in runs)
    found = []
    for measure in row.measures:
        values: list[float] = []
        complete, missing = 0, note
        for seed in range(row.seeds):
            of_seed = [finished[run] for run in runs if run.seed == seed]
            if len(of_seed) < max(row.folds, 1):
                continue
            try:
                values += [measure.scale * value for value in _values(measure, of_seed)]
                complete += 1
            except (KeyError, MMGraphError):
                missing = missing or f"its runs did not record {measure.tag}"
        if not missing and complete < row.seeds:
            missing = f"{complete} of {row.seeds} seeds"
        found.append(
            Score(
                row=row,
                measure=measure,
                values=tuple(values),
                seeds=complete,
                seconds=seconds,
                num_runs=len(runs),
                note=missing,
            )
        )
    return found


def _values(measure: Measure, runs: Sequence[Recorded]) -> list[float]:
    """What a measure reads off the runs of a seed: one value per fold."""
    if measure.epoch == "common":
        return [float(value) for value in picked_by_test(run.folder for run in runs).accuracies]
    return [run.metrics[measure.tag] for run in runs]
