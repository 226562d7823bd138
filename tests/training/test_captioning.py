from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from mmgraph import datasets
from mmgraph.datasets.captioned_images import CaptionedImages
from mmgraph.errors import ConfigError, InputError
from mmgraph.fusion.captioning import Captioner, RecurrentDecoder
from mmgraph.inspection import Capture
from mmgraph.options import parse
from mmgraph.questions import question_of
from mmgraph.recipes import launch, recipe
from mmgraph.runs import ItemSet, RunReader
from mmgraph.sequence import Vocabulary
from mmgraph.training.captioning import END, PAD, SPECIALS, START, Captioning
from mmgraph.vision.cifar_resnet import CIFARResNet

SMALL = {"images": 60, "epochs": 2, "hidden": 16, "embedding": 8, "filters": 4, "device": "cpu", "threads": 1}


def build(**options: Any) -> Captioning:
    chosen = recipe("captioning")
    task = chosen.build(parse(chosen.config, {**SMALL, **options}))
    assert isinstance(task, Captioning)
    return task


@pytest.mark.parametrize(
    "options",
    [
        {"attention": "soft", "doubly_stochastic": 1.0},
        {"attention": "hard"},
        {"attention": "none"},
        {"decoder": "bidirectional"},
        {"decoder": "transformer"},
    ],
)
def test_every_decoder_trains_records_and_speaks(options: dict[str, Any], tmp_path: Path) -> None:
    folder, result = launch.train("captioning", {**SMALL, "epochs": 1, **options}, runs=tmp_path)
    assert result.state == "finished"
    with RunReader(folder) as run:
        snapshot = run.load(run.snapshots(kind="attention")[-1])
        rows, columns = snapshot.notes["grid"]
        assert snapshot.array.shape[3] == rows * columns
        for weights, words in zip(snapshot.array[:, 0], snapshot.notes["words"], strict=True):
            assert words[-1] == "<end>"
            np.testing.assert_allclose(weights[: len(words) - 1].sum(axis=1), 1, atol=1e-5)
        assert run.items().texts is not None
        events = run.poll().events
        assert [event.message.count("image ") for event in events if event.kind == "sample"] == [3]
    assert {"test/bleu-4", "test/meteor", "test/cider", "test/pointing-accuracy"} <= set(result.metrics)


def test_the_decoder_is_among_the_layers_and_layers_have_one_name_everywhere() -> None:
    task = build()
    layers = {layer.name for layer in task.structure().layers}
    assert {"model", "annotate.network.0.conv", "decoder.embed"} <= layers
    taken = task.probe()
    named = {snapshot.layer for snapshot in taken if snapshot.kind in ("filters", "feature_maps")}
    assert named
    assert named <= layers
    spread = {snapshot.layer: snapshot for snapshot in task.spread()}
    for kind in ("weights", "activations"):
        rows = set(spread[f"histograms/{kind}"].notes["rows"])
        assert any(name.startswith("annotate.network.0.conv") for name in rows), kind
        assert any(name.startswith("decoder.embed") for name in rows), kind


def test_batches_are_a_function_of_epoch_and_position() -> None:
    task = build(batch_size=16)
    whole = list(task.batches(3))
    later = list(task.batches(3, start=2))
    assert len(whole) == task.batches_per_epoch == 4
    for (images, sentences), (other_images, other_sentences) in zip(whole[2:], later, strict=True):
        assert torch.equal(images, other_images)
        assert torch.equal(sentences, other_sentences)
    assert not torch.equal(whole[0][0], next(task.batches(4))[0])


def test_both_sentences_of_a_scene_are_learned_from() -> None:
    task = build(batch_size=60)
    pad = task._vocabulary[PAD]
    told = {
        tuple(word for word in row if word != pad)
        for epoch in range(6)
        for row in next(task.batches(epoch))[1].tolist()
    }
    possible = {tuple(encoded.tolist()) for some in task._sentences["train"] for encoded in some}
    assert len(told) > 60
    assert told <= possible


def test_a_longer_test_sentence_is_cut_and_unknown_words_are_no_reason_to_stop() -> None:
    task = build()
    encoded = task._encode(["a zebra " * 20])[0]
    assert len(encoded) == max(len(told) for some in task._sentences["train"] for told in some)
    vocabulary = task._vocabulary
    assert vocabulary.decode(encoded)[:4] == ["<start>", "a", "<unknown>", "a"]


def test_a_batch_is_as_wide_as_its_longest_sentence() -> None:
    task = build(batch_size=2)
    widths = set()
    for _, sentences in task.batches(0):
        lengths = (sentences != task._vocabulary[PAD]).sum(dim=1)
        assert int(lengths.max()) == sentences.size(1)
        widths.add(sentences.size(1))
    assert len(widths) > 1


def test_a_sentence_of_ten_thousand_words_is_cut_off() -> None:
    task = build()
    images = {part: some[:4] for part, some in task._images.items()}
    captions = {part: [("a " * 10_000,), ("один круг",), ("",), ("円",)] for part in images}
    words = Vocabulary(["a", "один", "круг", "円"], specials=SPECIALS)
    model = Captioner(
        task.model.annotate,
        RecurrentDecoder(len(words), 16),
        start=words[START],
        end=words[END],
        pad=words[PAD],
    )
    task = Captioning(
        model,
        images,
        captions,
        words,
        items=ItemSet(ids=np.arange(4)),
        probe=images["test"],
        capture=Capture(task.model.annotate.network, kinds=("filters",)),
        longest=12,
    )
    [(pictures, sentences)] = task.batches(0)
    assert sentences.shape == (4, 14)
    assert model.loss(pictures, sentences)[0].isfinite()
    scores = task.evaluate()
    assert all(np.isfinite(value) for value in scores.values())
    with pytest.raises(InputError, match="at least one word"):
        Captioning(
            task.model,
            images,
            captions,
            words,
            items=task.items(),
            probe=images["test"],
            capture=task._capture,
            longest=0,
        )


@pytest.mark.parametrize("shape", [(1, 1), (30, 200), (48, 48, 3), (500, 20, 3)])
def test_an_image_of_any_size_is_told_with_a_map_for_each_word(shape: tuple[int, ...]) -> None:
    task = build()
    generator = np.random.default_rng(0)
    told = task.caption(generator.integers(0, 256, shape, dtype=np.uint8))
    assert told.weights.shape == (len(told.words), 6, 6)
    np.testing.assert_allclose(told.weights.sum(axis=(1, 2)), 1, atol=1e-5)
    assert not {PAD, START, END, "<unknown>"} & set(told.words)


def test_an_image_of_the_own_size_is_told_as_in_an_evaluation() -> None:
    task = build()
    image = task._images["test"][0]
    said, weights = task._say(task.model.eval().annotate(task.normalise(image[None])))
    told = task.caption(image.permute(1, 2, 0).numpy())
    assert " ".join(told.words) == said[0]
    np.testing.assert_allclose(
        told.weights.reshape(len(told.words), -1), weights[0, : len(told.words)].detach()
    )


@pytest.mark.parametrize(
    "image",
    [np.zeros((3, 4)), np.zeros((0, 4), np.uint8), np.zeros((3, 4, 4), np.uint8), np.zeros(3, np.uint8)],
)
def test_what_is_no_image_is_refused(image: Any) -> None:
    with pytest.raises(InputError, match="Expected an image"):
        build().caption(image)


def test_a_picture_in_a_file_is_told_when_a_person_asks(tmp_path: Path) -> None:
    task = build()
    before = {name: value.clone() for name, value in task.model.state_dict().items()}
    path = tmp_path / "mine.jpg"
    Image.fromarray(np.random.default_rng(1).integers(0, 256, (70, 90, 3), dtype=np.uint8)).save(path)
    answer = task.answer(question_of({"ask": "caption", "file": str(path)}), lambda *_: None)
    looked, picture = answer.snapshots
    assert answer.facts["words"] == looked.notes["words"][0][:-1] == answer.facts["sentence"].split()
    count = len(answer.facts["words"])
    np.testing.assert_allclose(looked.array[0, 0, :count].sum(axis=1), 1, atol=1e-5)
    assert picture.array.shape == (1, 48, 48, 3)
    asked = task.answer(question_of({"ask": "caption", "row": 3}), lambda *_: None)
    [recorded] = [some for some in task.probe() if some.kind == "attention"]
    assert recorded.notes["words"][3] == asked.snapshots[0].notes["words"][0]
    located = task.answer(question_of({"ask": "locate", "file": str(path), "k": 4}), lambda *_: None)
    assert len(located.facts["neighbours"]) == 4
    for name, value in task.model.state_dict().items():
        assert torch.equal(value, before[name])
    with pytest.raises(InputError, match="knows nothing of texts"):
        task.answer(question_of({"ask": "caption", "text": "a dog"}), lambda *_: None)


def test_maps_of_a_frozen_network_are_computed_once_and_never_trained(tmp_path: Path) -> None:
    weights = tmp_path / "weights.th"
    torch.save(CIFARResNet().state_dict(), weights)
    task = build(weights=str(weights), blocks=3, image_size=32)
    runs = []
    assert task._frozen is not None
    task._frozen.register_forward_hook(lambda *_: runs.append(1))
    for _ in range(2):
        for images, sentences in task.batches(0):
            assert images.shape[1:] == (64, 4, 4)
            loss, _ = task.model.loss(images, sentences)
            loss.backward()
    assert len(runs) == -(-60 // 50)
    assert all(weight.grad is None for weight in task._frozen.parameters())
    order = torch.randperm(60, generator=torch.Generator().manual_seed(0))[:50]
    first = next(iter(task.batches(0)))[0]
    torch.testing.assert_close(first, task.normalise(task._images["train"][order]), atol=1e-5, rtol=1e-4)

    folder, result = launch.train(
        "captioning", {**SMALL, "epochs": 1, "weights": str(weights), "image_size": 32}, runs=tmp_path
    )
    assert result.state == "finished"
    asked, _, _ = launch.trained_task(folder, None)
    assert asked.answer(question_of({"ask": "caption", "row": 0}), lambda *_: None).snapshots
    with pytest.raises(ConfigError, match="2 blocks or more"):
        build(weights=str(weights), blocks=1)


def test_parts_must_have_sentences_for_every_image() -> None:
    task = build()
    with pytest.raises(InputError, match="needs sentences for every image"):
        Captioning(
            task.model,
            {"train": torch.zeros(2, 3, 48, 48, dtype=torch.uint8)},
            {"train": [["a"]]},
            task._vocabulary,
            items=ItemSet(ids=np.arange(1)),
            probe=torch.zeros(1, 3, 48, 48, dtype=torch.uint8),
            capture=Capture(task.model.annotate.network, kinds=("filters",)),
        )


def test_too_many_blocks_for_the_images_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="5 blocks need images of at least 32"):
        launch.train("captioning", {**SMALL, "blocks": 5, "image_size": 24}, runs=tmp_path)


def test_sentences_in_any_script_are_learned_and_those_without_words_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    images = torch.zeros(1000, 3, 32, 32, dtype=torch.uint8)
    captions = (("!!! …", "Ein Hund läuft ."), ("собака бежит",), ("犬 が 走る 。", "?")) * 334
    found = CaptionedImages("photographs", images, captions[:1000])
    monkeypatch.setattr(datasets, "load", lambda *_, **__: found)
    task = build(dataset="flickr8k", image_size=32, blocks=2, word_count=1)
    assert task._captions["train"][:3] == (("ein hund läuft",), ("собака бежит",), ("犬 が 走る",))
    assert "走る" in task._vocabulary
    wordless = CaptionedImages("photographs", images, (("!",), *captions[1:1000]))
    monkeypatch.setattr(datasets, "load", lambda *_, **__: wordless)
    with pytest.raises(InputError, match="Image 0 of 'photographs' has no sentence"):
        build(dataset="flickr8k", image_size=32, blocks=2)


@pytest.mark.data
def test_photographs_have_five_sentences_and_lose_their_full_stops(real_data: Path) -> None:
    task = build(dataset="flickr8k", image_size=32, blocks=2)
    assert [len(task._images[part]) for part in ("train", "validation", "test")] == [800, 100, 100]
    assert all(len(some) == 5 for some in task._captions["train"])
    first = task._captions["train"][0][0]
    assert first == "a child in a pink dress is climbing up a set of stairs in an entry way"
