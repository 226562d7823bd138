"""What errors say, and the exit codes they stand for."""

from __future__ import annotations

import pytest

from mmgraph import errors
from mmgraph.errors import LISTED, InputError, MMGraphError, UnknownNameError, UsageError

ALL = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]


@pytest.mark.parametrize("kind", ALL)
def test_every_error_can_be_caught_as_one_and_has_an_exit_code(kind):
    assert issubclass(kind, MMGraphError)
    assert kind.exit_code == (2 if issubclass(kind, UsageError) else 1)


def test_the_tree_in_the_module_names_every_error():
    assert all(kind.__name__ in (errors.__doc__ or "") for kind in ALL)


def test_wrong_input_is_a_value_error_to_those_who_do_not_know_us():
    assert issubclass(InputError, ValueError)


def test_an_unknown_name_says_what_is_close_and_what_there_is():
    text = str(UnknownNameError.of("recipe", "digit-graph", ["node-classification", "digits-graph"]))
    assert text == (
        "There is no recipe 'digit-graph'. Did you mean 'digits-graph'? Known: digits-graph, node-classification."
    )


def test_an_unknown_name_far_from_all_others_gets_no_hint():
    assert str(UnknownNameError.of("recipe", "zzz", ["a"])) == "There is no recipe 'zzz'. Known: a."


def test_an_unknown_name_where_nothing_is_known():
    assert str(UnknownNameError.of("layer", "fc", [])) == "There is no layer 'fc'."


@pytest.mark.parametrize(("count", "tail"), [(LISTED, "."), (LISTED + 5, " and 5 more.")])
def test_long_lists_are_cut(count, tail):
    names = [f"x{number:03d}" for number in range(count)]
    text = str(UnknownNameError.of("layer", "zzz", names))
    assert text.endswith(f"{names[LISTED - 1]}{tail}")
