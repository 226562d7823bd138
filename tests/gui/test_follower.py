from __future__ import annotations


def test_opens_run(opened):
    assert opened.state.steps() == [10, 20, 30, 40]
    assert opened.state.step == 40
    assert (opened.state.prediction.classes >= 0).all()
