from __future__ import annotations

import subprocess
import sys

import pytest

from mmgraph import reproduction
from mmgraph.errors import ConfigError, UnknownNameError
from mmgraph.recipes import recipe
from mmgraph.reproduction import Measure, Row, Table
from mmgraph.reproduction.recorded import signature

TABLES = [reproduction.table(name) for name in reproduction.names()]


def row(method: str, dataset: str, **options: object) -> Row:
    return Row(method=method, dataset=dataset, recipe="digits-graph", options=options, measures=(Measure(),))


TABLE = Table(
    name="small",
    title="Small",
    rows=(
        row("GCN", "Cora"),
        row("GCN", "CiteSeer"),
        row("Planetoid-T", "Cora"),
        row("Planetoid-T", "CiteSeer"),
    ),
)


def test_listing_imports_no_torch():
    script = (
        "import sys; from mmgraph import reproduction\n"
        "assert sum(reproduction.table(n).seconds for n in reproduction.names()) > 0\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_row_names_a_recipe_and_options_that_exist(table):
    names = [run.name for entry in table.rows for run in entry.runs()]
    assert len(set(names)) == len(names) == table.num_runs
    signatures = {signature(run.row.recipe, run.options()) for entry in table.rows for run in entry.runs()}
    assert len(signatures) == table.num_runs
    for entry in table.rows:
        assert recipe(entry.recipe).name == entry.recipe
        assert entry.measures
        assert entry.seeds >= 1
        for measure in entry.measures:
            assert measure.epoch in ("chosen", "common")
            assert measure.published is None or 0 < measure.published <= 100
            assert (measure.published is None) == (measure.source == "")


def test_only():
    def titles(names):
        return [entry.title for entry in TABLE.only(names).rows]

    assert titles("gcn") == ["GCN on Cora", "GCN on CiteSeer"]
    assert titles("cora") == ["GCN on Cora", "Planetoid-T on Cora"]
    assert titles("Planetoid-T, CORA") == ["Planetoid-T on Cora"]
    assert titles("gcn,planetoid-t,citeseer") == ["GCN on CiteSeer", "Planetoid-T on CiteSeer"]


def test_only_refuses_what_is_not_there():
    with pytest.raises(UnknownNameError, match="Did you mean 'cora'"):
        TABLE.only("gcn,corra")
    with pytest.raises(ConfigError, match="names of methods"):
        TABLE.only(" , ")


def test_seeds():
    assert TABLE.with_seeds(2).num_runs == 8
    assert TABLE.quick().num_runs == 12
    assert TABLE.with_seeds(1).quick().num_runs == 4
    with pytest.raises(ConfigError, match="at least one seed"):
        TABLE.with_seeds(0)


def test_folds_are_runs_of_their_own():
    folded = Row(
        method="GIN", dataset="MUTAG", recipe="r", options={"a": 1}, measures=(Measure(),), seeds=2, folds=3
    )
    runs = list(folded.runs())
    assert [(run.seed, run.fold) for run in runs] == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]
    assert runs[4].name == "gin-mutag-seed-1-fold-1"
    assert runs[4].options("cuda", 2) == {"a": 1, "seed": 1, "fold": 1, "device": "cuda", "threads": 2}
    assert folded.num_runs == 6


def test_unknown_table():
    with pytest.raises(UnknownNameError, match="planetoid"):
        reproduction.table("planetoids")
