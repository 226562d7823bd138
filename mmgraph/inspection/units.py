"""Questions about one unit of a layer: where it is active, for which items most, and what it wants to see."""

from __future__ import annotations

import time

import numpy as np
import torch
from torch import Tensor

from mmgraph.errors import InputError
from mmgraph.inspection.examined import Answer, Examined, Report, unit_axis
from mmgraph.inspection.inputs import Inputs
from mmgraph.inspection.undisturbed import undisturbed
from mmgraph.questions import Activations, Maximise, TopItems
from mmgraph.runs import Snapshot

BATCH = 256
"""Items that are run at once."""
MOST_CHANNELS = 1024
PICTURE_SECONDS = 0.3


def activations(question: Activations, examined: Examined) -> Answer:
    """What a layer makes of an item: a map per channel, or a number per feature."""
    inputs, row = examined.placed(question)
    output = _units_first(examined, question.layer, examined.output_of(question.layer, inputs))
    if output.dim() == 2:
        output = output[row : row + 1, :, None, None]
    elif examined.is_graph:
        output = output[row : row + 1]
    if question.unit is not None:
        _check_unit(examined, question.layer, question.unit, output.shape[1])
        output = output[:, question.unit : question.unit + 1]
    array = output[:, :MOST_CHANNELS].float().cpu().numpy()
    facts = {"layer": question.layer, "units": output.shape[1]}
    return Answer(facts, (Snapshot("feature_maps", question.layer, np.ascontiguousarray(array)),))


def top_items(question: TopItems, examined: Examined, report: Report) -> Answer:
    """The recorded items that activate a unit most: by its largest value over all places, and where that is."""
    inputs, count = examined.recorded_inputs(), examined.count
    strength, maps = [], []
    for first in range(0, count, count if inputs.is_graph else BATCH):
        some = inputs if inputs.is_graph else inputs.rows(first, first + BATCH)
        output = _units_first(examined, question.layer, examined.output_of(question.layer, some))
        _check_unit(examined, question.layer, question.unit, output.shape[1])
        one = output[:, question.unit].float().cpu()
        items = count if inputs.is_graph else min(BATCH, count - first)
        one = one.reshape(items, -1, *one.shape[1:])  # frames of a clip run as items of their own
        strength.append(one.flatten(1).amax(1))
        maps.append(one)
        report((first + items) / count, "", None)
    values, apart = torch.cat(strength), torch.cat(maps)
    values = values.nan_to_num(nan=-torch.inf)
    rows = torch.argsort(values, descending=True, stable=True)[: question.k]
    snapshots = []
    if apart.dim() == 4:
        shown = apart[rows].amax(1, keepdim=True).numpy()  # the strongest frame of a clip at each place
        snapshots.append(Snapshot("feature_maps", question.layer, shown, extras={"rows": rows.numpy()}))
    facts = {
        "layer": question.layer,
        "unit": question.unit,
        "rows": rows.tolist(),
        "values": values[rows].tolist(),
        "of": count,
        "dead": bool((values <= 0).all()),
    }
    return Answer(facts, tuple(snapshots))


def maximise(question: Maximise, examined: Examined, report: Report) -> Answer:
    """A picture that activates a unit as much as it can be, by gradient ascent from grey noise.

    x ← x + η · Adam(∂ mean over places of the unit / ∂x), after every step clipped to what pixels can be; each step
    sees the picture moved by a few random pixels, and is smoothed a little, so that it becomes no noise.

    Source: Erhan et al., "Visualizing higher-layer features of a deep network", 2009; the moves: Olah et al., "Feature
        visualization", 2017.
    """
    if examined.is_graph:
        raise InputError(
            "This recipe cannot answer that: its model is given a whole graph at once, so no single picture "
            "can be made for it."
        )
    if examined.pixels is None or examined.normalise is None:
        raise InputError("This recipe cannot answer that: its items are no pictures.")
    blank = torch.zeros_like(examined.pixels[:1])
    low, high = examined.normalise(blank), examined.normalise(torch.full_like(blank, 255))
    generator = torch.Generator().manual_seed(question.seed)
    noise = torch.randn(low.shape, generator=generator).to(low)
    picture = ((low + high) / 2 + noise * (high - low) / 20).detach()
    most = max(1, min(picture.shape[-2:]) // 12)
    first = score = 0.0
    shown_at = time.monotonic()
    with undisturbed(examined.model), torch.enable_grad():
        picture.requires_grad_()
        optimizer = torch.optim.Adam([picture], lr=float((high - low).max()) / 40)
        for step in range(question.steps):
            moves = torch.randint(-most, most + 1, (2,), generator=generator).tolist()
            moved = torch.roll(picture, moves, (-2, -1))
            found = examined.outputs([question.layer], Inputs((moved,)))
            if question.layer not in found:
                raise InputError(f"The layer '{question.layer}' gives no numbers for pictures.")
            output = _units_first(examined, question.layer, found[question.layer])
            _check_unit(examined, question.layer, question.unit, output.shape[1])
            strength = output[:, question.unit].mean()
            score = float(strength.detach())
            first = score if step == 0 else first
            (picture.grad,) = torch.autograd.grad(-strength + _roughness(picture) * 0.05, picture)
            optimizer.step()
            with torch.no_grad():
                picture.clamp_(low, high)
            now = time.monotonic()
            partial = now - shown_at >= PICTURE_SECONDS
            shown_at = now if partial else shown_at
            share = (step + 1) / question.steps
            report(share, f"step {step + 1}", _pictured(question, picture, low, high) if partial else None)
    answer = _pictured(question, picture, low, high)
    return Answer(answer.facts | {"before": first, "after": score}, answer.snapshots)


def _pictured(question: Maximise, picture: Tensor, low: Tensor, high: Tensor) -> Answer:
    pixels = ((picture.detach() - low) / (high - low) * 255).round().clamp(0, 255).to(torch.uint8)
    pixels = pixels.reshape(-1, *pixels.shape[-3:]).permute(0, 2, 3, 1).cpu().contiguous()
    snapshot = Snapshot("image", f"{question.layer} unit {question.unit}", pixels.numpy())
    return Answer({"layer": question.layer, "unit": question.unit}, (snapshot,))


def _roughness(picture: Tensor) -> Tensor:
    """Mean squared difference of pixels beside each other."""
    down = picture[..., 1:, :] - picture[..., :-1, :]
    right = picture[..., :, 1:] - picture[..., :, :-1]
    return down.square().mean() + right.square().mean()


def _units_first(examined: Examined, layer: str, output: Tensor) -> Tensor:
    """(items, units) or (items, units, height, width), whatever a layer gives."""
    if output.dim() < 2:
        raise InputError(f"The layer '{layer}' gives one number per item, and has no units.")
    axis = unit_axis(examined.layer(layer), output)
    output = output.movedim(axis, 1)
    if output.dim() == 3:  # along time, or words
        return output.unsqueeze(2)
    if output.dim() == 5:  # (items, channels, time, height, width): frames beside each other
        return output.transpose(1, 2).flatten(0, 1)
    return output


def _check_unit(examined: Examined, layer: str, unit: int, units: int) -> None:
    if unit >= units:
        raise InputError(f"The layer '{layer}' has units 0 to {units - 1}, no unit {unit}.")
