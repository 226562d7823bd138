from __future__ import annotations

from mmgraph.runs import Event
from mmgraph_gui.state.milestones import Milestone, milestones, nearest_milestone


def event(step, kind, message):
    return Event(0, step, 0.0, "info", kind, message)


def test_growth_learning_rates_and_resumes_are_told_by_step():
    log = [
        event(0, "log", "training began"),
        event(30, "growth", "widened convs.1 64 → 96"),
        event(20, "command", "set-learning-rate: learning rate is 0.01"),
        event(25, "command", "pause: paused"),
        event(None, "growth", "nobody knows when"),
    ]
    assert milestones(log) == [
        Milestone(20, "Step 20\nLearning rate is 0.01"),
        Milestone(30, "Step 30\nNetwork grew: widened convs.1 64 → 96", growth=True),
    ]
    assert milestones([]) == []


def test_what_happens_at_one_step_is_one_milestone():
    log = [
        event(1200, "growth", "widened a 4 → 8"),
        event(1200, "command", "set-learning-rate: learning rate is 1"),
    ]
    (both,) = milestones(log)
    assert both.text == "Step 1,200\nNetwork grew: widened a 4 → 8\nLearning rate is 1"
    assert both.growth


def test_a_resume_takes_back_what_came_after_the_step_it_went_on_from():
    log = [
        event(10, "growth", "widened a 4 → 8"),
        event(30, "growth", "widened a 8 → 16"),
        event(20, "resume", "Resumed from step 20."),
        event(35, "growth", "widened a 8 → 16"),
    ]
    assert [(known.step, known.growth) for known in milestones(log)] == [(10, True), (20, False), (35, True)]


def test_the_nearest_is_found_within_reach():
    known = [Milestone(10, "a"), Milestone(14, "b")]
    assert nearest_milestone(known, 13, 5) is known[1]
    assert nearest_milestone(known, 11, 5) is known[0]
    assert nearest_milestone(known, 20, 5) is None
    assert nearest_milestone([], 20, 5) is None
