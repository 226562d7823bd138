from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from mmgraph.errors import InputError, UnknownNameError
from mmgraph.fusion import Fusion

STRATEGIES = ("early", "late", "gated", "attention", "low_rank")
NAMES = ("image", "sound", "text", "items", "values")


def make(strategy: str, count: int = 3, **options) -> tuple[Fusion, dict[str, Tensor]]:
    torch.manual_seed(0)
    names = NAMES[:count]
    encoders = {name: nn.Linear(4 + place, 6) for place, name in enumerate(names)}
    fusion = Fusion(encoders, dict.fromkeys(names, 6), 5, strategy=strategy, dim=7, rank=2, **options)
    return fusion, {name: torch.randn(9, 4 + place) for place, name in enumerate(names)}


def masks(count: int) -> dict[str, Tensor]:
    """Every modality is missing somewhere, and no item is without one."""
    there = torch.rand(9, count, generator=torch.Generator().manual_seed(1)) > 0.5
    there[~there.any(1), 0] = True
    return {name: there[:, place] for place, name in enumerate(NAMES[:count])}


def by_hand(fusion: Fusion, inputs: dict[str, Tensor], present: dict[str, Tensor], row: int) -> Tensor:
    """The answer about one item, by the formulas."""
    h, there = [], []
    for name in fusion.names:
        projection = fusion.project[f"{name}_projection"]
        encoded = fusion.encoders[f"{name}_encoder"](inputs[name][row])
        h.append((projection.weight @ encoded + projection.bias).relu())
        there.append(bool(present[name][row]))
    if fusion.missing == "learned":
        h = [h[m] if there[m] else fusion.stand_in[m] for m in range(len(h))]
        there = [True] * len(h)
    zero, join, answer = torch.zeros(7), fusion.join, fusion.answer
    known = torch.cat([h[m] if there[m] else zero for m in range(len(h))])
    indices = [m for m in range(len(h)) if there[m]]
    if fusion.strategy == "early":
        told = torch.tensor([float(is_there) for is_there in there])
        f = (join.together.weight @ torch.cat([known, told]) + join.together.bias).relu()
    elif fusion.strategy == "late":
        return sum(answer.weight[:, 7 * m : 7 * m + 7] @ h[m] for m in indices) + answer.bias
    elif fusion.strategy == "gated":
        scores = (join.gate.weight @ known + join.gate.bias).view(len(h), 7).exp()
        f = sum(scores[m] * h[m] for m in indices) / sum(scores[m] for m in indices)
    elif fusion.strategy == "attention":
        scores = [
            torch.exp(join.score.weight[0] @ torch.tanh(join.look.weight @ v + join.offset[m]))
            for m, v in enumerate(h)
        ]
        f = sum(scores[m] * h[m] for m in indices) / sum(scores[m] for m in indices)
    else:
        f = join.bias.clone()
        for r in range(2):
            product = torch.ones(7)
            for m in indices:
                product = product * (h[m] @ join.factor[m, r] + join.constant[m, r])
            f = f + join.mix[r] * product
    return answer.weight @ f + answer.bias


@pytest.mark.parametrize("count", [1, 2, 5])
@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("missing", ["mask", "learned"])
def test_every_item_by_the_formulas(strategy, count, missing):
    fusion, inputs = make(strategy, count, missing=missing)
    present = masks(count)
    if fusion.stand_in is not None:
        nn.init.normal_(fusion.stand_in)
    expected = torch.stack([by_hand(fusion, inputs, present, row) for row in range(9)])
    torch.testing.assert_close(fusion(inputs, present), expected, atol=1e-5, rtol=1e-5)


def test_two_gates_are_the_gated_multimodal_unit():
    fusion, inputs = make("gated", 2)
    vectors, there = fusion.encode(inputs)
    gates = fusion.join.gates(vectors, there)
    difference = fusion.join.gate(vectors.flatten(1)).view_as(vectors)
    torch.testing.assert_close(gates[:, 0], torch.sigmoid(difference[:, 0] - difference[:, 1]))
    torch.testing.assert_close(gates.sum(1), torch.ones(9, 7))


def test_low_rank_is_a_map_of_the_outer_product():
    fusion, inputs = make("low_rank", 2)
    vectors, there = fusion.encode(inputs)
    join = fusion.join
    one = torch.ones(9, 1)
    a, b = (torch.cat([vectors[:, m], one], 1) for m in (0, 1))
    factors = torch.cat([join.factor, join.constant.unsqueeze(2)], 2)
    tensor = torch.einsum("r,rde,rfe->dfe", join.mix, factors[0], factors[1])
    expected = torch.einsum("nd,nf,dfe->ne", a, b, tensor) + join.bias
    torch.testing.assert_close(join(vectors, there), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_what_is_missing_is_never_seen(strategy):
    fusion, inputs = make(strategy)
    present = masks(3)
    expected = fusion(inputs, present)
    for name in inputs:
        inputs[name][~present[name]] = torch.nan
    torch.testing.assert_close(fusion(inputs, present), expected)
    assert expected.isfinite().all()
    fusion(inputs, present).sum().backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in fusion.parameters())


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_modality_may_be_missing_for_all(strategy):
    fusion, inputs = make(strategy)
    none = torch.zeros(9, dtype=torch.bool)
    expected = fusion(inputs, {"sound": none})
    torch.testing.assert_close(fusion({**inputs, "sound": None}), expected)
    del inputs["sound"]
    torch.testing.assert_close(fusion(inputs), expected)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_together_and_alone_in_one_go(strategy):
    fusion, inputs = make(strategy)
    present = masks(3)
    together, alone = fusion.together_and_alone(inputs, present)
    torch.testing.assert_close(together, fusion(inputs, present))
    for name, mask in present.items():
        torch.testing.assert_close(alone[name], fusion({name: inputs[name][mask]}))


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_no_items_and_one_item(strategy):
    fusion, inputs = make(strategy)
    assert fusion({name: values[:0] for name, values in inputs.items()}).shape == (0, 5)
    one = fusion({name: values[:1] for name, values in inputs.items()})
    torch.testing.assert_close(one, fusion(inputs)[:1])


def test_lists_of_items_are_encoded_too():
    class Lengths(nn.Module):
        def forward(self, texts):
            return torch.tensor([[float(len(text))] for text in texts])

    fusion = Fusion({"text": Lengths(), "image": nn.Identity()}, {"text": 1, "image": 2}, 3)
    images, there = torch.rand(3, 2), torch.tensor([True, False, True])
    some = fusion({"text": ["a", None, "ccc"], "image": images}, {"text": there})
    torch.testing.assert_close(some[2], fusion({"text": ["ccc"], "image": images[2:]})[0])


def test_modality_dropout_hides_some_in_training_and_never_all():
    fusion, inputs = make("attention", modality_dropout=0.9)
    seen = []
    fusion.join.register_forward_pre_hook(lambda module, arguments: seen.append(arguments[1]))
    for _ in range(20):
        fusion(inputs)
    hidden = torch.cat(seen)
    assert hidden.any(1).all()
    assert 0.34 < hidden.float().mean() < 0.5
    fusion.eval()
    fusion(inputs)
    assert seen[-1].all()


def test_refusing_what_is_missing():
    fusion, inputs = make("gated", missing="refuse")
    assert fusion(inputs).shape == (9, 5)
    with pytest.raises(InputError, match="Item 0 has no 'sound'"):
        fusion({**inputs, "sound": None})


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_vector_and_the_answers_are_had_at_once(strategy):
    fusion, inputs = make(strategy)
    fusion.eval()
    ran = []
    fusion.encoder("image").register_forward_hook(lambda *_: ran.append(1))
    fused, answers = fusion.fused_and_answers(inputs)
    assert len(ran) == 1
    assert torch.equal(fused, fusion.fused(inputs))
    assert torch.equal(answers, fusion(inputs))


def test_what_does_not_fit_is_refused():
    fusion, inputs = make("gated")
    with pytest.raises(InputError, match=r"as many items of each modality.*'sound': 8"):
        fusion({**inputs, "sound": inputs["sound"][1:]})
    with pytest.raises(InputError, match=r"present\[image\]"):
        fusion(inputs, {"image": torch.ones(8, dtype=torch.bool)})
    with pytest.raises(InputError, match="bool"):
        fusion(inputs, {"image": torch.ones(9)})
    row = torch.arange(9) != 4
    with pytest.raises(InputError, match="item 4 has none"):
        fusion(inputs, {"image": row, "sound": row, "text": row})
    with pytest.raises(InputError, match="did not come"):
        fusion({"image": inputs["image"]}, {"sound": torch.ones(9, dtype=torch.bool)})
    with pytest.raises(InputError, match="no modality"):
        fusion({})
    with pytest.raises(UnknownNameError, match="'vision'"):
        fusion({"vision": inputs["image"]})
    with pytest.raises(UnknownNameError, match="strategy"):
        make("middle")
    with pytest.raises(UnknownNameError, match="missing"):
        make("early", missing="guess")
    with pytest.raises(InputError, match="at least one encoder"):
        Fusion({"a": nn.Identity()}, {"b": 3}, 2)
    with pytest.raises(InputError, match="dot"):
        Fusion({"a.b": nn.Identity()}, {"a.b": 3}, 2)
    with pytest.raises(InputError, match="positive sizes"):
        make("early", modality_dropout=1.0)
    wrong = Fusion({"a": nn.Identity()}, {"a": 3}, 2)
    with pytest.raises(InputError, match=r"give \(9, 3\), but it gives \(9, 4\)"):
        wrong({"a": torch.rand(9, 4)})
