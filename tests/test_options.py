"""Options: declared once, checked wherever they come from."""

from __future__ import annotations

from dataclasses import dataclass, field, make_dataclass
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmgraph.errors import ConfigError, UnknownNameError
from mmgraph.options import Option, defaults_for, option, options_of, parse


@dataclass(frozen=True, kw_only=True)
class Base:
    epochs: int = option(10, "Passes over the data.", minimum=1)
    seed: int = option(0, "Seed.", minimum=0, maximum=2**63 - 1)


@dataclass(frozen=True, kw_only=True)
class Config(Base):
    presets: ClassVar[dict[tuple[str, Any], dict[str, Any]]] = {
        ("model", "gat"): {"dropout": 0.6, "epochs": 300}
    }
    model: str = option("gcn", "Kind of layer.", choices=("gcn", "gat"))
    dropout: float = option(0.5, "Share of values set to zero.", minimum=0.0, maximum=0.95)
    clip: float | None = option(None, "Largest norm.", minimum=0.0)
    augment: bool = option(False, "Shift the pictures.")
    note: str | None = option(None, "Anything.")
    internal: int = field(default=3)


def named(name: str) -> Option:
    return next(entry for entry in options_of(Config) if entry.name == name)


def test_own_options_come_before_inherited_ones_and_other_fields_are_none():
    names = [entry.name for entry in options_of(Config)]
    assert names == ["model", "dropout", "clip", "augment", "note", "epochs", "seed"]


def test_types_and_none_are_read_from_the_annotations():
    kinds = {entry.name: (entry.type, entry.optional) for entry in options_of(Config)}
    assert kinds["clip"] == (float, True)
    assert kinds["augment"] == (bool, False)
    assert kinds["epochs"] == (int, False)


@pytest.mark.parametrize("hint", [list[int], int | str, Any, bytes, None])
def test_an_option_of_another_type_is_refused_where_it_is_declared(hint):
    wrong = make_dataclass("Wrong", [("many", hint, option(None, "Anything."))])
    with pytest.raises(ConfigError, match="An option is a bool, int, float or str"):
        options_of(wrong)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("epochs", "a whole number of at least 1"),
        ("seed", "a whole number from 0 to 9223372036854775807"),
        ("dropout", "a number from 0 to 0.95"),
        ("clip", "a number of at least 0 or none"),
        ("model", "one of gcn, gat"),
        ("augment", "true or false"),
        ("note", "a text or none"),
    ],
)
def test_what_is_expected_in_words(name, expected):
    assert named(name).expected == expected


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("epochs", 5, 5),
        ("dropout", 0, 0.0),
        ("dropout", 0.95, 0.95),
        ("clip", None, None),
        ("model", "gat", "gat"),
        ("augment", True, True),
        ("seed", 2**63 - 1, 2**63 - 1),
    ],
)
def test_good_values_are_kept_as_the_type_of_the_option(name, value, kept):
    checked = named(name).check(value)
    assert checked == kept
    assert type(checked) is type(kept)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epochs", 0),
        ("epochs", 2.0),
        ("epochs", True),
        ("epochs", "5"),
        ("epochs", None),
        ("epochs", [1]),
        ("seed", 2**63),
        ("seed", -1),
        ("dropout", 0.96),
        ("dropout", float("nan")),
        ("dropout", "half"),
        ("dropout", True),
        ("clip", float("inf")),
        ("clip", 10**400),
        ("augment", 1),
        ("augment", "yes"),
        ("note", 3),
    ],
)
def test_wrong_values_are_refused_with_the_name_and_what_is_expected(name, value):
    entry = named(name)
    with pytest.raises(ConfigError) as caught:
        entry.check(value)
    assert name in str(caught.value)
    assert entry.expected in str(caught.value)


def test_a_value_that_is_no_choice_is_refused_with_the_choices():
    with pytest.raises(
        UnknownNameError, match=r"'gate' is no choice of model. Did you mean 'gat'\? Known: gat, gcn"
    ):
        named("model").check("gate")


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("epochs", " 12 ", 12),
        ("dropout", "1e-1", 0.1),
        ("clip", "none", None),
        ("clip", "", None),
        ("augment", "Yes", True),
        ("augment", "off", False),
        ("note", "a text", "a text"),
        ("model", "gcn", "gcn"),
    ],
)
def test_typed_text(name, text, value):
    assert named(name).from_text(text) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [("epochs", "1.5"), ("epochs", ""), ("dropout", "half"), ("dropout", "nan"), ("augment", "maybe")],
)
def test_text_that_cannot_be_read(name, text):
    with pytest.raises(ConfigError, match=name):
        named(name).from_text(text)


@given(st.integers(min_value=0, max_value=2**63 - 1))
def test_whole_numbers_survive_being_typed(value):
    assert named("seed").from_text(str(value)) == value


@given(st.floats(min_value=0.0, allow_infinity=False))
def test_numbers_survive_being_typed(value):
    assert named("clip").from_text(repr(value)) == value


def test_what_is_not_given_keeps_its_default():
    assert parse(Config, {}) == Config()
    assert parse(Config, {"epochs": 3}) == Config(epochs=3)


def test_names_may_be_written_with_hyphens():
    @dataclass(frozen=True)
    class Rate:
        learning_rate: float = option(0.1, "Step size.")

    assert parse(Rate, {"learning-rate": 1}) == Rate(1.0)
    with pytest.raises(ConfigError, match="learning_rate is given twice"):
        parse(Rate, {"learning-rate": 1, "learning_rate": 2})


def test_unknown_options_and_fields_that_are_none_are_refused():
    for name in ("epoch", "internal"):
        with pytest.raises(UnknownNameError, match=f"There is no option '{name}'"):
            parse(Config, {name: 1})


def test_a_choice_brings_its_own_defaults_and_given_values_win():
    assert parse(Config, {"model": "gat"}) == Config(model="gat", dropout=0.6, epochs=300)
    assert parse(Config, {"model": "gat", "epochs": 5}) == Config(model="gat", dropout=0.6, epochs=5)
    assert defaults_for(Config, {})["dropout"] == 0.5
