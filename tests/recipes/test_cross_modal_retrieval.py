from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from mmgraph.errors import ConfigError, InputError
from mmgraph.options import parse
from mmgraph.questions import question_of
from mmgraph.recipes import launch, recipe
from mmgraph.runs import RunReader

SMALL = {"device": "cpu", "threads": 1, "hidden": 32, "validation": 297}


def test_a_run_holds_what_a_search_needs(tmp_path):
    folder, result = launch.train("cross-modal-retrieval", SMALL | {"method": "scm"}, runs=tmp_path)
    assert result.metrics["test/map"] > 0.6
    both = [result.metrics[f"test/map_{way}"] for way in ("image_text", "text_image")]
    assert result.metrics["test/map"] == pytest.approx(np.mean(both))
    assert 0.8 < result.metrics["test/recall@10_image_text"] <= 1
    with RunReader(folder) as reader:
        shown = {
            info.layer: reader.load(info)
            for info in reader.snapshots(step=result.step)
            if info.kind in ("embedding", "matrix")
        }
        items = reader.items()
    assert shown["image"].array.shape == shown["text"].array.shape == (300, 10)
    assert shown["image"].items == shown["text"].items == items.name
    np.testing.assert_allclose(
        shown["similarity"].array, shown["image"].array @ shown["text"].array.T, atol=1e-5
    )
    curve = shown["precision/validation"]
    assert (curve.array.shape, curve.extras["edges"].shape) == ((2, 11), (12,))
    assert (np.diff(curve.array, axis=1) <= 1e-6).all()
    assert len(items.texts) == len(items.thumbnails) == 300


def test_more_training_finds_more_and_either_stage_counts(tmp_path):
    options = SMALL | {"modal_epochs": 6, "epochs": 12, "learning_rate": 4e-3, "dropout": 0.1}
    folder, result = launch.train("cross-modal-retrieval", options, runs=tmp_path)
    assert result.metrics["test/map"] > 0.4
    with RunReader(folder) as reader:
        curve = reader.series("validation/map").value
    assert curve[:6].max() < curve[6:].min()


@pytest.mark.parametrize("positives", ["pair", "class"])
def test_contrast_learns_too(tmp_path, positives):
    options = SMALL | {"method": "contrastive", "positives": positives, "batch_size": 64, "dropout": 0.0}
    options |= {"epochs": 8, "learning_rate": 4e-3}
    _, result = launch.train("cross-modal-retrieval", options, runs=tmp_path)
    assert result.metrics["test/map"] > 0.2


def test_a_resumed_run_is_the_uninterrupted_run(tmp_path):
    options = SMALL | {"modal_epochs": 1}
    whole, _ = launch.train("cross-modal-retrieval", options | {"epochs": 3}, runs=tmp_path)
    part, _ = launch.train("cross-modal-retrieval", options | {"epochs": 2}, runs=tmp_path)
    launch.resume(part, {"epochs": 3})
    curves = []
    for folder in (whole, part):
        with RunReader(folder) as reader:
            curves.append([reader.series(tag).value.tolist() for tag in ("train/loss", "validation/map")])
    assert curves[0] == curves[1]


@pytest.mark.data
@pytest.mark.parametrize(("method", "published"), [("cca", 0.223), ("sm", 0.224), ("scm", 0.252)])
def test_wikipedia_as_published(real_data, tmp_path, method, published):
    options = {"dataset": "wikipedia", "method": method, "device": "cpu", "threads": 1}
    _, result = launch.train("cross-modal-retrieval", options, runs=tmp_path)
    assert result.metrics["test/map"] > published - 0.005


def test_nothing_left_to_learn_from_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="too few"):
        launch.train("cross-modal-retrieval", SMALL | {"validation": 1290}, runs=tmp_path)


def never(share, text, partial=None):
    """Nobody asked for progress."""


@pytest.mark.parametrize("method", ["scm", "deep"])
def test_new_images_and_texts_are_searched_by(tmp_path, method):
    options = SMALL | {"method": method}
    if method == "deep":
        options |= {"modal_epochs": 6, "epochs": 12, "learning_rate": 4e-3, "dropout": 0.1}
    folder, _ = launch.train("cross-modal-retrieval", options, runs=tmp_path)
    task, _, _ = launch.trained_task(folder, None)
    items = task.items()
    labels, texts = items.labels, items.texts

    found = task.search_by_text("octopus octet eight eight octopus", k=20)
    assert (labels[list(found.rows)] == 8).mean() > 0.4  # one in ten by chance
    assert list(found.similarities) == sorted(found.similarities, reverse=True)

    # An item given anew is found as the item itself is.
    for row in (0, 7):
        anew = task.search_by_image(items.thumbnails[row], k=300)
        known = task.search_by_item(row, "image", k=300)
        np.testing.assert_allclose(anew.similarities, known.similarities, atol=1e-5)
        assert sorted(anew.rows) == list(range(300))
        np.testing.assert_allclose(
            task.search_by_text(texts[row]).similarities,
            task.search_by_item(row, "text").similarities,
            atol=1e-5,
        )

    picture = tmp_path / "digit.png"
    Image.fromarray(items.thumbnails[7]).save(picture)
    by_file = task.answer(question_of({"ask": "search", "file": str(picture), "k": 5}), never)
    by_row = task.answer(question_of({"ask": "search", "row": 7, "k": 5}), never)
    assert json.loads(json.dumps(by_file.facts)) == by_file.facts
    assert list(by_file.facts["by"]) == ["image"]
    assert list(by_row.facts["by"]) == ["image", "text"]
    assert by_file.facts["by"]["image"][0]["row"] == by_row.facts["by"]["image"][0]["row"]
    (vector,) = by_file.snapshots
    np.testing.assert_allclose(vector.array, by_row.snapshots[0].array, atol=1e-5)


def test_what_cannot_be_searched_by_is_refused():
    chosen = recipe("cross-modal-retrieval")
    task = chosen.build(parse(chosen.config, SMALL | {"method": "scm"}))
    task.own_step(None, 0.0)
    with pytest.raises(InputError, match="None of the words of 'кошка' is known"):
        task.search_by_text("кошка")
    with pytest.raises(InputError, match="is known"):
        task.search_by_text("")
    assert task.search_by_text("eight " * 10_000, k=3).rows
    with pytest.raises(InputError, match=r"grey image \(8, 8\)"):
        task.search_by_image(np.zeros((9, 8), np.uint8))
    with pytest.raises(InputError, match="no item 300"):
        task.search_by_item(300, "image")
    with pytest.raises(InputError, match="at least one item"):
        task.search_by_item(0, "image", k=0)
    with pytest.raises(InputError, match="cannot answer"):
        task.answer(question_of({"ask": "locate", "row": 0}), never)


@pytest.mark.data
def test_articles_are_searched_by_each_other_alone(real_data):
    chosen = recipe("cross-modal-retrieval")
    task = chosen.build(
        parse(chosen.config, {"dataset": "wikipedia", "method": "scm", "device": "cpu", "threads": 1})
    )
    task.own_step(None, 0.0)
    assert len(task.search_by_item(0, "text", k=4).rows) == 4
    with pytest.raises(InputError, match="came as features"):
        task.search_by_text("history")
