from __future__ import annotations

import numpy as np
import pytest
import torch

from mmgraph.datasets.captioned_images import CaptionedImages
from mmgraph.datasets.scenes import COLOURS, OPPOSITE, generate_scenes
from mmgraph.errors import InputError


def test_a_seed_gives_the_same_scenes_and_a_larger_set_begins_with_the_smaller() -> None:
    few, many = generate_scenes(5, seed=3), generate_scenes(12, seed=3)
    assert torch.equal(few.images, many.images[:5])
    assert few.captions == many.captions[:5]
    assert few.mentions == many.mentions[:5]
    assert not torch.equal(few.images, generate_scenes(5, seed=4).images)


def test_what_is_named_has_its_colour_inside_its_box() -> None:
    scenes = generate_scenes(60, side=60)
    for image, sentences, named in zip(scenes.images, scenes.captions, scenes.mentions, strict=True):
        for sentence, mentions in zip(sentences, named, strict=True):
            words = sentence.split()
            for word, (top, left, bottom, right) in mentions:
                colour = np.array(COLOURS[words[word - 1]])
                y, x = round((top + bottom) / 2 * 60), round((left + right) / 2 * 60)
                middle = image[:, y - 1 : y + 2, x - 1 : x + 2].float().mean(dim=(1, 2)).numpy()
                assert np.abs(middle - colour).max() < 25, sentence


def test_relations_are_those_of_the_places() -> None:
    scenes = generate_scenes(80, lone=0.0)
    for sentences, named in zip(scenes.captions, scenes.mentions, strict=True):
        assert len(sentences) == 2
        for sentence, ((_, first), (_, second)) in zip(sentences, named, strict=True):
            (relation,) = [words for words in OPPOSITE if f" {words} " in sentence]
            down = first[0] + first[2] - second[0] - second[2]
            right = first[1] + first[3] - second[1] - second[3]
            expected = (
                ("above" if down < 0 else "below")
                if abs(down) > abs(right)
                else ("left of" if right < 0 else "right of")
            )
            assert relation == expected


def test_none_and_only_lone_shapes() -> None:
    assert len(generate_scenes(0)) == 0
    assert {len(sentence.split()) for (sentence,) in generate_scenes(10, lone=1.0).captions} == {4}


@pytest.mark.parametrize("options", [{"count": -1}, {"count": 1, "side": 8}, {"count": 1, "lone": 1.5}])
def test_bad_sizes_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(InputError, match="Expected a count"):
        generate_scenes(**options)  # type: ignore[arg-type]


def test_captioned_images_must_fit_their_sentences() -> None:
    pictures = torch.zeros(2, 3, 4, 4, dtype=torch.uint8)
    with pytest.raises(InputError, match="must be uint8"):
        CaptionedImages("x", pictures.float(), (("a",), ("b",)))
    with pytest.raises(InputError, match="sentences of 1"):
        CaptionedImages("x", pictures, (("a",),))
    with pytest.raises(InputError, match="Image 1 of 'x' has no sentence"):
        CaptionedImages("x", pictures, (("a",), (" ",)))
    with pytest.raises(InputError, match="one entry per sentence"):
        CaptionedImages("x", pictures, (("a",), ("b",)), mentions=((),))
    with pytest.raises(InputError, match="1 names"):
        CaptionedImages("x", pictures, (("a",), ("b",)), names=("a.jpg",))
