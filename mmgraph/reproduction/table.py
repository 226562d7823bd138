"""What a published table is: methods on data sets, how each is run, and the figures to compare with."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from mmgraph.errors import ConfigError, UnknownNameError
from mmgraph.options import Scalar

QUICK_SEEDS = 3


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One published figure of a row, and how ours is read off the runs.

    Args:
        name: as shown, such as "accuracy".
        tag: recorded number it is read from.
        published: None where there is no figure to compare with.
        spread: standard deviation, where one was published.
        source: paper and table.
        epoch: "chosen" takes the number of the weights that validation chose; "common" that of the best epoch of
            the mean test curve over all folds (`picked_by_test` of the recipe graph-classification).

        scale: what the recorded number is multiplied with; 100 has it in per cent.

    Units:
        published and spread in those of the scaled number: per cent by default.
    """

    name: str = "accuracy"
    tag: str = "test/accuracy"
    published: float | None = None
    spread: float | None = None
    source: str = ""
    epoch: str = "chosen"
    scale: float = 100.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Row:
    """A method on a data set.

    Args:
        method, dataset: as shown.
        recipe: what trains it.
        options: of the recipe; seed and fold come on top, device and threads too where they are not named.
        measures: the figures it is judged by; all of them come from the same runs.
        seeds: how many runs by default, from seed 0 on.
        folds: runs that make one result together and differ in the option `fold`; 0 where one run is a result.
        seconds: a run takes about so long on one core.
    """

    method: str
    dataset: str
    recipe: str
    options: Mapping[str, Scalar | None]
    measures: tuple[Measure, ...]
    seeds: int = 20
    folds: int = 0
    seconds: float = 10.0

    @property
    def title(self) -> str:
        """The row in a word or two."""
        return f"{self.method} on {self.dataset}"

    @property
    def num_runs(self) -> int:
        """How many runs all its seeds take."""
        return self.seeds * max(self.folds, 1)

    def runs(self) -> Iterator[Run]:
        """All runs of the row, seed by seed."""
        for seed in range(self.seeds):
            for fold in range(self.folds) if self.folds else (None,):
                yield Run(self, seed, fold)


@dataclass(frozen=True)
class Run:
    """One run of a row."""

    row: Row
    seed: int
    fold: int | None = None

    @property
    def name(self) -> str:
        """Name of its folder."""
        words = [self.row.method, self.row.dataset, f"seed {self.seed}"]
        if self.fold is not None:
            words.append(f"fold {self.fold}")
        return "-".join(_key(word) for word in words)

    def options(self, device: str = "cpu", threads: int = 1) -> dict[str, Scalar | None]:
        """Options of the recipe; a row that names its device keeps it."""
        own: dict[str, Scalar | None] = {"seed": self.seed}
        if self.fold is not None:
            own["fold"] = self.fold
        return {"device": device, "threads": threads, **self.row.options, **own}


@dataclass(frozen=True, kw_only=True)
class Table:
    """A published table.

    Args:
        name: as typed on the command line.
        title: what it compares, in a few words.
        notes: sentences that a reader of the result must know: protocol, and what differs from the papers.
    """

    name: str
    title: str
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = field(default=())

    @property
    def num_runs(self) -> int:
        """How many runs all rows take."""
        return sum(row.num_runs for row in self.rows)

    @property
    def seconds(self) -> float:
        """How long all runs take on one core, about."""
        return sum(row.num_runs * row.seconds for row in self.rows)

    def with_seeds(self, seeds: int) -> Table:
        """The same table with so many seeds in each row.

        Raises:
            ConfigError: fewer than one.
        """
        if seeds < 1:
            raise ConfigError(f"A row needs at least one seed, not {seeds}.")
        return replace(self, rows=tuple(replace(row, seeds=seeds) for row in self.rows))

    def quick(self) -> Table:
        """The same table with few seeds in each row."""
        return replace(self, rows=tuple(replace(row, seeds=min(row.seeds, QUICK_SEEDS)) for row in self.rows))

    def only(self, names: str) -> Table:
        """The rows of the methods and data sets named, such as "gcn,gat,cora"; either alone takes all of the other.

        Raises:
            UnknownNameError: there is no such method or data set in the table.
            ConfigError: nothing is named.
        """
        methods = {_key(row.method) for row in self.rows}
        datasets = {_key(row.dataset) for row in self.rows}
        wanted = {_key(name) for name in names.split(",") if name.strip()}
        if not wanted:
            raise ConfigError(
                f"--only takes names of methods and data sets, such as gcn,cora, not '{names}'."
            )
        for name in sorted(wanted - methods - datasets):
            raise UnknownNameError.of(
                f"method or data set of the table {self.name}", name, methods | datasets
            )
        methods, datasets = wanted & methods or methods, wanted & datasets or datasets
        kept = (row for row in self.rows if _key(row.method) in methods and _key(row.dataset) in datasets)
        return replace(self, rows=tuple(kept))


def _key(name: str) -> str:
    """A name as typed: lower case, hyphens between words."""
    return re.sub(r"[^\w.]+", "-", name.strip().lower()).strip("-")
