from __future__ import annotations

import json

import pytest

from mmgraph.errors import ConfigError, UnknownNameError
from mmgraph.questions import QUESTIONS, GradCAM, Locate, Maximise, TopItems, question_of, values_of


@pytest.mark.parametrize(
    "question",
    [
        Locate(row=3),
        GradCAM(file="a.png", layer="conv", target=2),
        TopItems(layer="fc", unit=4),
        Maximise(layer="x"),
    ],
)
def test_a_question_survives_json(question):
    assert question_of(json.loads(json.dumps(values_of(question)))) == question


def test_every_kind_has_a_name_of_its_own():
    assert all(name == question.kind and name for name, question in QUESTIONS.items())


@pytest.mark.parametrize("given", [{}, {"row": 1, "file": "a.png"}, {"row": 1, "text": "a"}])
def test_one_item_is_asked_about(given):
    with pytest.raises(ConfigError, match="one item"):
        question_of({"ask": "locate", **given})


@pytest.mark.parametrize(
    ("values", "error", "said"),
    [
        ({}, UnknownNameError, "no question 'None'"),
        ({"ask": "gradcam", "row": 1}, UnknownNameError, "Did you mean 'grad-cam'"),
        ({"ask": ["locate"]}, UnknownNameError, "no question"),
        ({"ask": "locate", "row": -1}, ConfigError, "at least 0"),
        ({"ask": "locate", "row": "3"}, ConfigError, "whole number"),
        ({"ask": "locate", "row": 1, "k": 10**9}, ConfigError, "1000"),
        ({"ask": "locate", "row": 1, "colour": "red"}, UnknownNameError, "colour"),
        ({"ask": "maximise", "layer": "a", "steps": 10**6}, ConfigError, "10000"),
    ],
)
def test_what_cannot_be_asked(values, error, said):
    with pytest.raises(error, match=said):
        question_of(values)
