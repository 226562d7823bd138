from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from mmgraph.errors import EmptyPairsError, InputError, NonFiniteLossError, UnknownNameError
from mmgraph.fusion import ContrastiveMapping, DeepSemanticMapping, FeatureTower, search_both_ways


def deep(**options) -> DeepSemanticMapping:
    torch.manual_seed(0)
    towers = (FeatureTower(9, (16, 16, 12), dropout=0.1), FeatureTower(5, (16, 16, 8), dropout=0.1))
    return DeepSemanticMapping(*towers, (12, 8), 3, dim=10, dropout=0.1, **options)


def contrastive(**options) -> ContrastiveMapping:
    torch.manual_seed(0)
    towers = (FeatureTower(9, (16,)), FeatureTower(5, (12,)))
    return ContrastiveMapping(*towers, (16, 12), 6, **options)


def mean_precision(mapping, images, texts, labels) -> float:
    with torch.no_grad():
        forth, back = search_both_ways(
            mapping.compare(mapping(images, "image"), mapping(texts, "text")), labels
        )
    return (forth.mean_average_precision + back.mean_average_precision) / 2


def test_five_layers_by_hand(pairs):
    images, texts, labels = pairs
    mapping = deep(alone=1.0).eval()
    h = {}
    for name, tower, x in (("image", mapping.image, images), ("text", mapping.text, texts)):
        for layer in (layer for layer in tower if isinstance(layer, nn.Linear)):
            x = (x @ layer.weight.T + layer.bias).relu()
        h[name] = x
    fourth, fifth = mapping.joint[1], mapping.joint[4]

    def y(seen, read):
        return fifth((torch.cat([seen, read], 1) @ fourth.weight.T + fourth.bias).relu())

    nothing = {name: torch.zeros_like(x) for name, x in h.items()}
    torch.testing.assert_close(mapping(images, "image"), y(h["image"], nothing["text"]).softmax(1))
    torch.testing.assert_close(mapping(texts, "text"), y(nothing["image"], h["text"]).softmax(1))
    torch.testing.assert_close(mapping.logits(images, texts), y(h["image"], h["text"]))
    joint = F.cross_entropy(y(h["image"], h["text"]), labels)
    alone = F.cross_entropy(y(h["image"], nothing["text"]), labels)
    alone = alone + F.cross_entropy(y(nothing["image"], h["text"]), labels)
    torch.testing.assert_close(mapping.loss(images, texts, labels), joint + alone)
    mapping.alone = 0.0
    torch.testing.assert_close(mapping.loss(images, texts, labels), joint)
    modal = F.cross_entropy(mapping.image_head(h["image"]), labels)
    modal = modal + F.cross_entropy(mapping.text_head(h["text"]), labels)
    torch.testing.assert_close(mapping.loss(images, texts, labels, "modal"), modal)


def test_the_shared_stage_leaves_the_first_three_layers_alone(pairs):
    images, texts, labels = pairs
    mapping = deep().eval()
    torch.testing.assert_close(
        mapping.loss(images, texts, labels, "shared"), mapping.loss(images, texts, labels)
    )
    mapping.loss(images, texts, labels, "shared").backward()
    assert all(parameter.grad is not None for parameter in mapping.joint.parameters())
    assert all(
        parameter.grad is None for parameter in (*mapping.image.parameters(), *mapping.text.parameters())
    )


def test_the_modal_stage_leaves_the_shared_layers_alone(pairs):
    images, texts, labels = pairs
    mapping = deep()
    mapping.loss(images, texts, labels, "modal").backward()
    assert all(parameter.grad is None for parameter in mapping.joint.parameters())
    assert all(parameter.grad is not None for parameter in mapping.image.parameters())


@pytest.mark.parametrize(
    ("mapping", "reached"), [(deep(), 0.7), (contrastive(), 0.5), (contrastive(positives="class"), 0.6)]
)
def test_fitting_brings_together_what_means_the_same(pairs, mapping, reached):
    before = mean_precision(mapping.eval(), *pairs)
    torch.manual_seed(1)
    mapping.fit(*pairs, epochs=15, batch_size=40, learning_rate=5e-3)
    assert mean_precision(mapping, *pairs) > max(reached, before + 0.1)
    assert not mapping.training


def test_a_pair_finds_its_own_partner(pairs):
    images, texts, labels = pairs
    mapping = contrastive(temperature=0.1)
    torch.manual_seed(1)
    mapping.fit(images, texts, labels, epochs=40, batch_size=60, learning_rate=5e-3)
    own = torch.arange(len(labels))
    with torch.no_grad():
        forth, _ = search_both_ways(
            mapping.compare(mapping(images, "image"), mapping(texts, "text")), own, ks=(10,)
        )
    assert forth.recall[10] > 0.5


def test_clip_by_hand(pairs):
    images, texts, labels = (v[:7] for v in pairs)
    mapping = contrastive().eval()
    u, w = mapping(images, "image"), mapping(texts, "text")
    logits = torch.stack([torch.stack([F.cosine_similarity(a, b, dim=0) for b in w]) for a in u]) / 0.07
    own = torch.arange(7)
    expected = (F.cross_entropy(logits, own) + F.cross_entropy(logits.T, own)) / 2
    torch.testing.assert_close(mapping.loss(images, texts, labels), expected)


def test_what_does_not_fit_is_refused(pairs):
    images, texts, labels = pairs
    for mapping in (deep(), contrastive()):
        with pytest.raises(InputError, match="for each image"):
            mapping.fit(images, texts[1:], labels)
        with pytest.raises(InputError, match="at least 2"):
            mapping.fit(images[:1], texts[:1], labels[:1])
        with pytest.raises(InputError, match="batches of at least 2"):
            mapping.fit(images, texts, labels, batch_size=1)
        with pytest.raises(UnknownNameError, match="modality"):
            mapping(images, "sound")
        with pytest.raises((NonFiniteLossError, InputError), match=r"NaN|nan"):
            mapping.fit(images * torch.inf, texts, labels)
    with pytest.raises(InputError, match="0 to 2"):
        deep().loss(images, texts, labels + 1)
    with pytest.raises(UnknownNameError, match="stage"):
        deep().loss(images, texts, labels, "first")
    with pytest.raises(InputError, match="neither"):
        deep().logits(None, None)
    with pytest.raises(InputError, match="120 and 119"):
        deep().logits(images, texts[1:])
    with pytest.raises(InputError, match=r"image encoder to give \(120, 4\), but it gives \(120, 9\)"):
        DeepSemanticMapping(nn.Identity(), nn.Identity(), 4, 3)(images, "image")
    with pytest.raises(InputError, match="text encoder"):
        ContrastiveMapping(nn.Identity(), nn.Identity(), 4)(texts, "text")
    with pytest.raises(InputError, match="positive width"):
        FeatureTower(9, ())
    with pytest.raises(UnknownNameError, match="positives"):
        contrastive(positives="all")
    with pytest.raises(EmptyPairsError):
        contrastive(positives="class").loss(images[:2], texts[:2], torch.tensor([1, 1]))
