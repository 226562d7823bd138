from __future__ import annotations

import json

import pytest

from mmgraph.cli.reproduce import _cells
from mmgraph.reproduction import Measure, Row, Table, tables
from mmgraph.reproduction.scores import Score
from mmgraph.runs import find_runs


@pytest.fixture
def tiny(monkeypatch):
    def row(method, **options):
        return Row(
            method=method,
            dataset="digits",
            recipe="digits-graph",
            options={"epochs": 1, "hidden": 2, "heads": 1, **options},
            measures=(Measure(published=12.3, spread=0.4, source="nobody 1999, table 7"),),
            seeds=5,
            seconds=60.0,
        )

    found = Table(
        name="tiny",
        title="Tiny",
        rows=(row("GAT"), row("Bad", learning_rate=1e30, epochs=20)),
        notes=("A note.",),
    )
    monkeypatch.setattr(tables, "_tables", lambda: {"tiny": found})
    return found


def test_without_a_name_it_lists_the_tables_and_their_cost(mmgraph, tiny):
    outcome = mmgraph("reproduce")
    assert outcome.code == 0
    assert outcome.out.split("\t")[:4] == ["tiny", "Tiny", "2", "10"]
    assert "about 10 min 00 s" in outcome.out
    (listed,) = json.loads(mmgraph("reproduce", "--json").out)["tables"]
    assert listed == {"name": "tiny", "title": "Tiny", "rows": 2, "runs": 10, "seconds": 600.0}


def test_json_markdown_and_reuse(mmgraph, tiny, tmp_path):
    outcome = mmgraph("reproduce", "tiny", "--only", "gat", "--seeds", 2, "--json")
    assert outcome.code == 0, outcome.err
    result = json.loads(outcome.out)
    (row,) = result["rows"]
    assert result["state"] == "finished"
    assert (row["method"], row["dataset"], row["seeds"], row["note"]) == ("GAT", "digits", 2, "")
    assert row["difference"] == pytest.approx(row["mean"] - 12.3)
    assert len(row["values"]) == 2
    assert "2 runs to do, 0 are there" in outcome.err
    assert "2/2 runs" in outcome.err
    assert len(find_runs(tmp_path / "runs" / "reproduce" / "tiny")) == 2

    shown = mmgraph("reproduce", "tiny", "--only", "gat", "--seeds", 2, "--markdown", "--recorded")
    lines = shown.out.splitlines()
    assert lines[0].startswith("| method | data set | published | ours |")
    assert lines[2].startswith(f"| GAT | digits | 12.3 ± 0.4 | {row['mean']:.2f} ± {row['sd']:.2f} | 2 | ")
    assert lines[2].endswith("| nobody 1999, table 7 |")
    assert "A note." in lines
    assert "2 were there before" in shown.out


def test_a_failure_is_said_and_ends_with_one(mmgraph, tiny, tmp_path):
    outcome = mmgraph("reproduce", "tiny", "--quick", "--runs", tmp_path / "mine")
    assert outcome.code == 1
    assert outcome.err.count("Failed: bad-digits-seed-") == 3
    first, second = outcome.out.splitlines()[:2]
    assert first.startswith("GAT\tdigits\t12.3 ± 0.4\t")
    assert second.split("\t")[3:5] == ["—", "0"]


def test_wrong_words_are_refused_before_anything_is_trained(mmgraph, tiny, tmp_path):
    for words, said in {
        ("tinny",): "Did you mean 'tiny'",
        ("tiny", "--only", "gatt"): "Did you mean 'gat'",
        ("tiny", "--only", ","): "names of methods",
        ("tiny", "--seeds", 0): "at least one seed",
        ("tiny", "--jobs", 0): "at least one job",
        ("tiny", "--device", "abacus"): "device",
        ("tiny", "--quick", "--seeds", 2): "one of them",
    }.items():
        outcome = mmgraph("reproduce", *words)
        assert outcome.code == 2, words
        assert said in outcome.err
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("scale", "published", "ours", "difference"),
    [(100.0, "1.5", "1.62", "+0.15"), (1.0, "1.47", "1.617", "+0.147")],
)
def test_what_is_no_per_cent_has_a_digit_more(scale, published, ours, difference):
    measure = Measure(published=1.47, source="nobody 1999", scale=scale)
    row = Row(
        method="LSTM", dataset="text", recipe="language-model", options={}, measures=(measure,), seeds=1
    )
    _, (cells,) = _cells([Score(row=row, measure=measure, values=(1.617,), seeds=1, seconds=1.0, num_runs=1)])
    assert (cells[2], cells[3], cells[5]) == (published, ours, difference)
