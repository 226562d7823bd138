from __future__ import annotations

from mmgraph.runs import differences


def test_only_what_differs_is_told_options_first():
    one = {
        "run": {"recipe": "a", "created": "x"}, "options": {"epochs": 3, "conv": "gat", "deep": {"x": 1}},
        "environment": {"device": "cpu"},
    }  # fmt: skip
    other = {
        "run": {"recipe": "b", "created": "y"}, "options": {"epochs": 4, "conv": "gat", "new": True},
        "environment": {"device": "cpu"}, "odd": 3,
    }  # fmt: skip
    assert differences(one, other) == [
        ("options.deep.x", 1, None),
        ("options.epochs", 3, 4),
        ("options.new", None, True),
        ("run.recipe", "a", "b"),
        ("odd", None, 3),
    ]
    assert differences(one, one) == []
    assert differences({}, {}) == []
