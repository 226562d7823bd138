"""Where in an item lies what speaks for a class: Grad-CAM, and covering it part by part."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.modules.conv import _ConvNd

from mmgraph.errors import InputError
from mmgraph.inspection.examined import Answer, Examined, Report
from mmgraph.inspection.inputs import Inputs
from mmgraph.inspection.recorder import first_tensor
from mmgraph.inspection.undisturbed import undisturbed
from mmgraph.questions import GradCAM, Occlusion
from mmgraph.runs import Snapshot

BATCH = 64


def grad_cam(question: GradCAM, examined: Examined) -> Answer:
    """L = ReLU(Σₖ αₖ Aₖ),  αₖ = mean over places of ∂y/∂Aₖ, with the maps Aₖ of a layer and the score y of a class.

    Source: Selvaraju et al., "Grad-CAM: Visual explanations from deep networks", ICCV 2017.
    """
    inputs, row = examined.placed(question)
    layer = question.layer or _last_convolution(examined, inputs)
    with undisturbed(examined.model), torch.enable_grad():
        kept: list[Tensor] = []

        def keep(_module: object, _args: object, output: object) -> object:
            tensor = first_tensor(output)
            if kept or tensor is None or tensor is not output:
                return None
            kept.append(tensor if tensor.requires_grad else tensor.detach().requires_grad_())
            return kept[0].clone()  # the next layer may work in place

        handle = examined.layer(layer).register_forward_hook(keep)
        try:
            scores = _scores(examined, inputs)
        finally:
            handle.remove()
        if not kept or kept[0].dim() not in (4, 5):
            raise InputError(
                f"Grad-CAM looks at a layer whose output has height and width; '{layer}' has none."
            )
        target = _target(question.target, scores[row])
        (slope,) = torch.autograd.grad(scores[row, target], kept[0], allow_unused=True)
    if slope is None:
        raise InputError(f"What '{layer}' gives has nothing to do with the class.")
    own = (
        slice(row, row + 1) if examined.is_graph else slice(None)
    )  # frames of a clip run as items of their own
    maps, slope = (_frames_first(tensor.detach()[own]) for tensor in (kept[0], slope))
    weights = slope.mean((-2, -1), keepdim=True)
    found = (weights * maps).sum(1, keepdim=True).relu().float().cpu()
    facts = _facts(examined, scores[row], target) | {"layer": layer}
    return Answer(facts, (Snapshot("feature_maps", f"Grad-CAM of {layer}", found.contiguous().numpy()),))


def occlusion(question: Occlusion, examined: Examined, report: Report) -> Answer:
    """How much less probable a class is with a part of the item covered, p − p(covered), averaged over the covers of
    each place. A cover has the item's mean colour; of a clip it lies over all frames.

    Source: Zeiler & Fergus, "Visualizing and understanding convolutional networks", ECCV 2014.
    """
    inputs, row = examined.placed(question)
    item = next((tensor for tensor in inputs if isinstance(tensor, Tensor) and tensor.dim() in (4, 5)), None)
    if item is None:
        raise InputError("This recipe cannot answer that: its items have no height and width to cover.")
    height, width = item.shape[-2:]
    side = max(1, round(question.window * max(height, width)))
    step = max(1, round(side * question.stride))
    tops, lefts = (range(step - side, length, step) for length in (height, width))
    places = [(top, left) for top in tops for left in lefts]
    alone = item[row : row + 1]
    colour = alone.mean((-2, -1), keepdim=True)
    at_once = 1 if examined.is_graph else BATCH
    drop, covers = torch.zeros(height, width), torch.zeros(height, width)
    with undisturbed(examined.model):
        scores = _scores(examined, inputs)
        target = _target(question.target, scores[row])
        whole = float(scores[row].softmax(0)[target])
        for first in range(0, len(places), at_once):
            some = places[first : first + at_once]
            covered = alone.expand(len(some), *item.shape[1:]).clone()
            for copy, (top, left) in zip(covered, some, strict=True):
                copy[..., max(top, 0) : top + side, max(left, 0) : left + side] = colour[0]
            found = _covered(examined, inputs, item, row, covered).softmax(1)[:, target].float().cpu()
            for (top, left), probability in zip(some, found.tolist(), strict=True):
                place = (slice(max(top, 0), top + side), slice(max(left, 0), left + side))
                drop[place] += whole - probability
                covers[place] += 1
            done = first + len(some)
            report(done / len(places), f"{done} of {len(places)} places covered", None)
    found_map = (drop / covers.clamp_min(1)).numpy()[None, None]
    facts = _facts(examined, scores[row], target) | {"window": side, "places": len(places)}
    return Answer(facts, (Snapshot("feature_maps", "occlusion", found_map),))


def _with(inputs: Inputs, item: Tensor, covered: Tensor) -> Inputs:
    """The same arguments with covered copies in place of the item; what comes with it is repeated."""

    def put(value: object) -> object:
        if value is item:
            return covered
        if isinstance(value, Tensor):
            return value.expand(len(covered), *value.shape[1:])
        return {name: put(some) for name, some in value.items()} if isinstance(value, dict) else value

    return Inputs(tuple(map(put, inputs.args)), {name: put(value) for name, value in inputs.kwargs.items()})


def _covered(examined: Examined, inputs: Inputs, item: Tensor, row: int, covered: Tensor) -> Tensor:
    """Scores of covered copies of an item, (copies, classes); in a graph one copy, among all the other nodes."""
    if not examined.is_graph:
        return _scores(examined, _with(inputs, item, covered))
    pictures = item.clone()
    pictures[row] = covered[0]
    return _scores(examined, inputs.replaced(item, pictures))[row : row + 1]


def _scores(examined: Examined, inputs: Inputs) -> Tensor:
    scores = first_tensor(examined.model(*inputs.args, **inputs.kwargs))
    if not examined.classes or scores is None or scores.dim() != 2:
        raise InputError("This recipe cannot answer that: its model tells no classes apart.")
    return scores


def _target(wanted: int | None, scores: Tensor) -> int:
    if wanted is None:
        return int(scores.argmax())
    if wanted >= len(scores):
        raise InputError(f"There are classes 0 to {len(scores) - 1}, no class {wanted}.")
    return wanted


def _facts(examined: Examined, scores: Tensor, target: int) -> dict[str, object]:
    probability = float(scores.detach().softmax(0)[target])
    names = examined.classes
    known = names[target] if target < len(names) else f"class {target}"
    return {
        "target": target,
        "class": known,
        "probability": probability if math.isfinite(probability) else None,
    }


def _last_convolution(examined: Examined, inputs: Inputs) -> str:
    """The last convolution, in order of running, that still sees more than one place."""
    names = [name for module, name in examined.capture.names().items() if isinstance(module, _ConvNd)]
    with undisturbed(examined.model):
        found = examined.outputs(names, inputs)
    wide = [name for name, maps in found.items() if maps.dim() in (4, 5) and maps.shape[-2:].numel() > 1]
    if not wide:
        raise InputError(
            "This model has no convolution with height and width, so there is nothing to look at."
        )
    return wide[-1]


def _frames_first(maps: Tensor) -> Tensor:
    """(frames, channels, height, width), one frame of a picture."""
    return maps.transpose(1, 2).flatten(0, 1) if maps.dim() == 5 else maps
