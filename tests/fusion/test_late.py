from __future__ import annotations

import pytest
import torch

from mmgraph.errors import InputError, UnknownNameError
from mmgraph.fusion import late_semantic_fusion


def posteriors():
    generator = torch.Generator().manual_seed(0)
    return {name: torch.randn(6, 4, generator=generator).softmax(1) for name in ("image", "text", "sound")}


@pytest.mark.parametrize("rule", ["product", "mean", "max"])
def test_every_document_by_a_loop(rule):
    given = posteriors()
    there = {"text": torch.tensor([True, False, True, True, False, True])}
    weights, prior = {"image": 0.5, "text": 2.0}, torch.tensor([0.1, 0.2, 0.3, 0.4])
    found = late_semantic_fusion(given, rule=rule, weights=weights, prior=prior, present=there)
    for row in range(6):
        names = [name for name in given if name != "text" or there["text"][row]]
        trust = {name: weights.get(name, 1.0) for name in names}
        if rule == "product":
            p = prior.clone()
            for name in names:
                p = p * (given[name][row] / prior) ** trust[name]
        elif rule == "mean":
            p = sum(trust[name] * given[name][row] for name in names)
        else:
            p = torch.stack([given[name][row] ** trust[name] for name in names]).amax(0)
        torch.testing.assert_close(found[row], p / p.sum())


def test_independent_evidence_is_joined_exactly():
    """Two measurements that depend on the class alone: the product of posteriors is Bayes' rule."""
    generator = torch.Generator().manual_seed(0)
    prior = torch.tensor([0.5, 0.3, 0.2])
    a, b = (torch.rand(3, 5, generator=generator) for _ in range(2))
    a, b = a / a.sum(1, keepdim=True), b / b.sum(1, keepdim=True)
    joint = (prior[:, None, None] * a[:, :, None] * b[:, None, :]).reshape(3, 25)
    of_a, of_b = prior[:, None] * a, prior[:, None] * b
    rows, columns = torch.meshgrid(torch.arange(5), torch.arange(5), indexing="ij")
    found = late_semantic_fusion(
        {
            "a": (of_a / of_a.sum(0)).T[rows.flatten()],
            "b": (of_b / of_b.sum(0)).T[columns.flatten()],
        },
        prior=prior,
    )
    torch.testing.assert_close(found, (joint / joint.sum(0)).T)


def test_what_is_missing_may_hold_anything():
    given = posteriors()
    there = torch.tensor([False, True, True, True, True, True])
    given["image"][0] = torch.nan
    for rule in ("product", "mean", "max"):
        found = late_semantic_fusion(given, rule=rule, present={"image": there})
        assert found.isfinite().all()
        torch.testing.assert_close(found.sum(1), torch.ones(6))
    alone = late_semantic_fusion({"text": given["text"]})
    torch.testing.assert_close(alone, given["text"])


def test_what_does_not_fit_is_refused():
    given = posteriors()
    with pytest.raises(InputError, match="as many documents"):
        late_semantic_fusion({**given, "text": given["text"][1:]})
    with pytest.raises(InputError, match="as many documents"):
        late_semantic_fusion({})
    with pytest.raises(InputError, match="sum to 1"):
        late_semantic_fusion({"text": given["text"] * 2})
    with pytest.raises(InputError, match="document 2 has none"):
        late_semantic_fusion({"text": given["text"]}, present={"text": torch.arange(6) != 2})
    with pytest.raises(InputError, match="weights"):
        late_semantic_fusion(given, weights=dict.fromkeys(given, 0.0))
    with pytest.raises(UnknownNameError, match="rule"):
        late_semantic_fusion(given, rule="sum")
    with pytest.raises(UnknownNameError, match="'texts'"):
        late_semantic_fusion(given, weights={"texts": 1.0})
