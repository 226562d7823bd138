from __future__ import annotations

import pytest
import torch

from mmgraph.datasets.multimodal_digits import WORDS_PER_CLASS, generate_multimodal_digits
from mmgraph.errors import InputError


def test_a_seed_gives_the_same_nodes() -> None:
    one, two = generate_multimodal_digits(seed=4), generate_multimodal_digits(seed=4)
    assert torch.equal(one.images, two.images)
    assert torch.equal(one.edge_index, two.edge_index)
    assert one.texts == two.texts
    assert one.vocabulary == two.vocabulary
    assert not torch.equal(one.images, generate_multimodal_digits(seed=5).images)


def test_nodes_carry_what_was_asked_for() -> None:
    nodes = generate_multimodal_digits(missing=0.2, words=5, telling_words=0.5, links=3)
    count = len(nodes.labels)
    assert count == 1797
    assert int((~nodes.has_image).sum()) == int((~nodes.has_words).sum()) == int(count * 0.2)
    assert bool((nodes.has_image | nodes.has_words).all())
    assert bool((nodes.images[~nodes.has_image] == 0).all())
    assert bool((nodes.counts[nodes.has_words].sum(1) == 5).all())
    assert bool((nodes.counts[~nodes.has_words] == 0).all())
    assert [bool(text) for text in nodes.texts] == nodes.has_words.tolist()
    own = torch.arange(len(nodes.vocabulary)) // WORDS_PER_CLASS == nodes.labels[:, None]
    share = float((nodes.counts * own)[nodes.has_words].sum() / nodes.counts.sum())
    assert share == pytest.approx(0.5 + 0.5 * WORDS_PER_CLASS / 100, abs=0.02)


def test_links_go_both_ways_and_half_of_them_stay_with_their_digit() -> None:
    nodes = generate_multimodal_digits(same_digit=0.5)
    source, target = nodes.edge_index
    assert not bool((source == target).any())
    keys, back = source * 1797 + target, target * 1797 + source
    assert len(keys.unique()) == len(keys)
    assert torch.equal(keys.sort().values, back.sort().values)
    alike = (nodes.labels[source] == nodes.labels[target]).float().mean()
    assert float(alike) == pytest.approx(0.5 + 0.5 * 0.1, abs=0.02)


@pytest.mark.parametrize(
    "options", [{"missing": 0.6}, {"hidden_pixels": 1.5}, {"words": 0}, {"links": 0}, {"same_digit": -0.1}]
)
def test_bad_shares_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(InputError, match="Expected"):
        generate_multimodal_digits(**options)  # type: ignore[arg-type]
