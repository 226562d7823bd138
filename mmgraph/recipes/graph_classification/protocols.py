"""Accuracy over the folds of a cross-validation, by the two protocols in use. Reads run folders; no torch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mmgraph.errors import InputError, UnknownNameError
from mmgraph.recipes.graph_classification import RECIPE
from mmgraph.runs import RunReader

Floats = npt.NDArray[np.float64]

_DIFFERS_BY_FOLD = {
    "fold",
    "device",
    "threads",
    "checkpoint_seconds",
    "snapshots_per_second",
    "snapshot_share",
}


@dataclass(frozen=True, eq=False)
class FoldAccuracy:
    """Accuracy on the fold held out, at the epoch that a protocol picks.

    Shapes:
        accuracies, epochs (folds,), in the order of the folds.
    """

    accuracies: Floats
    epochs: Floats

    @property
    def mean(self) -> float:
        """Mean over the folds."""
        return float(self.accuracies.mean())

    @property
    def deviation(self) -> float:
        """Standard deviation over the folds (n − 1)."""
        return float(self.accuracies.std(ddof=1))


def picked_by_test(runs: Iterable[Path | str]) -> FoldAccuracy:
    """One epoch for all folds: that in which the mean of their test accuracies is highest.

        e = argmax_e mean_f a_f(e);   accuracies a_f(e)

    This is what GIN and most papers before and after it report. It picks by the very accuracies that it reports,
    so it is biased upwards.

    Args:
        runs: folders of runs of the recipe `graph-classification`, one for each fold and all with the same options.

    Raises:
        InputError: folds are missing, there twice, of other options, or did not run for as many epochs.
        RunError: a folder is no run or damaged.

    Source: Xu, Hu, Leskovec and Jegelka, How Powerful are Graph Neural Networks?, ICLR 2019, section 7.
    """
    curves = _read(runs, "fold/accuracy")
    if len({tuple(epochs) for epochs, _ in curves}) > 1:
        raise InputError(
            f"Expected folds that were tested after the same epochs, but they ran for "
            f"{', '.join(f'{epochs[-1]:g}' for epochs, _ in curves)}: finish them, without early stopping."
        )
    accuracy = np.stack([values for _, values in curves])
    best = int(accuracy.mean(axis=0).argmax())
    return FoldAccuracy(accuracy[:, best], np.full(len(curves), curves[0][0][best]))


def picked_by_validation(runs: Iterable[Path | str]) -> FoldAccuracy:
    """For each fold the epoch that graphs outside of it pick: the best of what the run monitors.

        e_f = argmin_e validation loss_f(e), or argmax_e of the accuracy;   accuracies a_f(e_f)

    Of equal epochs the first counts. It is what `test/accuracy` says at the end of each run, and unbiased.

    Args:
        runs: folders of runs of the recipe `graph-classification`, one for each fold and all with the same options.

    Raises:
        InputError: folds are missing, there twice, of other options, or without a part that validates.
        RunError: a folder is no run or damaged.

    Source: Errica, Podda, Bacciu and Micheli, A Fair Comparison of Graph Neural Networks for Graph Classification,
        ICLR 2020. Differs: options are given, not searched for on the validation part.
    """
    folders = list(runs)
    tested, validated = _read(folders, "fold/accuracy"), _read(folders, None)
    accuracies, epochs = [], []
    for (test_epochs, accuracy), (when, number) in zip(tested, validated, strict=True):
        if not np.array_equal(test_epochs, when):
            raise InputError("Expected as many epochs of validation as of testing; the run is damaged.")
        best = int(np.nanargmax(number))
        accuracies.append(accuracy[best])
        epochs.append(when[best])
    return FoldAccuracy(np.array(accuracies), np.array(epochs))


def _read(runs: Iterable[Path | str], tag: str | None) -> list[tuple[Floats, Floats]]:
    """Epochs and values of one number in each fold, in their order; without a tag what the run monitors, such that
    more is better."""
    found: dict[int, tuple[Floats, Floats]] = {}
    shared: Mapping[str, Any] | None = None
    for folder in runs:
        with RunReader(folder) as run:
            recipe, options = run.config.get("run", {}).get("recipe"), run.config.get("options", {})
            if recipe != RECIPE.name:
                raise InputError(
                    f"Expected runs of the recipe '{RECIPE.name}', but '{folder}' is of '{recipe}'."
                )
            own = {name: value for name, value in options.items() if name not in _DIFFERS_BY_FOLD}
            shared = own if shared is None else shared
            if own != shared:
                names = sorted(name for name in own | dict(shared) if own.get(name) != shared.get(name))
                raise InputError(
                    f"Expected runs that differ in their fold alone; '{folder}' differs in {names}."
                )
            if options["fold"] in found:
                raise InputError(f"Expected every fold once, but fold {options['fold']} is there twice.")
            name = options["monitor"] if tag is None else tag
            try:
                series = run.series(name)
            except UnknownNameError as error:
                raise InputError(
                    f"'{folder}' has no {name}: it did not finish an epoch, or has no part that validates."
                ) from error
            sign = -1.0 if name.endswith("loss") else 1.0
            found[options["fold"]] = (series.epoch, sign * series.value)
    expected = range(0 if shared is None else int(shared["folds"]))
    missing = sorted(set(expected) - set(found))
    if missing or not found:
        raise InputError(f"Expected a run of every fold, but there is none of fold {missing or [0]}.")
    return [found[fold] for fold in expected]
