"""A file of weights made into a run, so that every view can show it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmgraph.errors import CheckpointError, InputError, MMGraphError
from mmgraph.recipes.registry import no_own_model, recipe
from mmgraph.runs import RunWriter, Snapshot, Structure, describe, new_run_name
from mmgraph.runs.opened import OPENED, opened_root
from mmgraph.runs.schema import CHECKPOINT_FOLDER

if TYPE_CHECKING:
    from torch import nn

    from mmgraph.training.task import Task


def open_model(
    path: Path,
    *,
    recipe_name: str | None = None,
    values: Mapping[str, object] | None = None,
    model: str | None = None,
    runs: Path | None = None,
    run_name: str | None = None,
) -> Path:
    """Make a run of a file of weights; returns its folder.

    With neither recipe nor model the run holds what weights alone tell: filters, shapes and how they are spread. With a
    recipe the weights are put into its model and tried on its data: embedding, attention, feature maps and scores, and
    the model can be asked questions. With a model the weights are put into that, and tried on the data of the recipe
    where one is given.

    Args:
        path: safetensors, or what torch.save wrote; nothing in it is run.
        recipe_name: of the architecture and the data.
        values: options of the recipe that differ from its defaults.
        model: somebody's own architecture, see `inspection.own_model`: importing it runs its code.
        runs: folder for the run; by default one in the cache.
        run_name: name of the run folder; made from the name of the file by default.

    Raises:
        InputError: the file holds no weights, or more than weights; the recipe's data do not suit the model.
        CheckpointError: the weights do not fit the model; names the first that does not.
        UsageError, DatasetError: the recipe or the model cannot be built.
    """
    from mmgraph.inspection.weights_file import read_weights

    if recipe_name is not None and model is not None and (refusal := no_own_model(recipe(recipe_name))):
        raise InputError(refusal)
    weights = read_weights(path)
    root = runs or opened_root()
    name = run_name or new_run_name(path.stem.lstrip(".") or "model")
    own = None if model is None else _own(model, path, weights)
    if recipe_name is not None:
        return _with_recipe(path, weights, root, name, recipe_name, values or {}, model, own)
    if own is not None:
        return _architecture_alone(path, root, name, str(model), own)
    return _weights_alone(path, weights, root, name)


def _own(model: str, path: Path, weights: Mapping[str, Any]) -> nn.Module:
    from mmgraph.inspection.own_model import own_model

    made = own_model(model)
    _fit(made, weights, path, f"'{model}'", "")
    return made


def _fit(model: nn.Module, weights: Mapping[str, Any], path: Path, whose: str, advice: str) -> None:
    from mmgraph.inspection.weights_file import put_into

    try:
        put_into(model, weights)
    except CheckpointError as error:
        raise CheckpointError(f"'{path.name}' does not fit {whose}: {error}.{advice}") from error


def _weights_alone(path: Path, weights: Mapping[str, Any], root: Path, name: str) -> Path:
    from mmgraph.inspection.weights_file import weight_snapshots, weight_structure

    remark = (
        "A file of weights does not say what is computed with them: 'output' is the shape of the largest weight. "
        "Choose an architecture and data with File > Open model (or 'mmgraph open FILE --recipe …') to see more."
    )
    held = dict(weights)
    snapshots, structure = weight_snapshots(held), weight_structure(held, remark)
    numbers = sum(weight.numel() for weight in held.values())
    said = f"Opened {path}: {len(held):,} tensors with {numbers:,} numbers. {remark}"
    return _written(root, name, f"Weights of {path.name}", {"file": path}, said, structure, snapshots)


def _architecture_alone(path: Path, root: Path, name: str, where: str, model: nn.Module) -> Path:
    from mmgraph.inspection import Capture
    from mmgraph.inspection.histograms import histograms
    from mmgraph.inspection.structure import structure

    said = f"Opened {path} as {where}. Choose a recipe whose data suit it to see what it makes of them."
    snapshots = [*Capture(model, kinds=("filters",)).capture(), *histograms(model)]
    options = {"file": path, "model": where}
    return _written(root, name, f"{where} of {path.name}", options, said, structure(model, None), snapshots)


def _written(
    root: Path,
    name: str,
    title: str,
    options: Mapping[str, object],
    said: str,
    structure: Structure,
    snapshots: list[Snapshot],
) -> Path:
    """A run of what is there without data."""
    config = describe(OPENED, title, {key: _text(value) for key, value in options.items()})
    with RunWriter.create(root, name, config) as run:
        run.event(said)
        run.structure(structure)
        run.snapshots(0, snapshots, epoch=0.0, wait=True)
    return run.folder


def _text(value: object) -> object:
    return str(value.absolute()) if isinstance(value, Path) else value


def _with_recipe(
    path: Path,
    weights: Mapping[str, Any],
    root: Path,
    name: str,
    recipe_name: str,
    values: Mapping[str, object],
    where: str | None,
    own: nn.Module | None,
) -> Path:
    from mmgraph.options import parse
    from mmgraph.recipes.launch import build, description
    from mmgraph.training.checkpoints import BEST, save_checkpoint
    from mmgraph.training.devices import limited_threads, pick_device

    chosen = recipe(recipe_name)
    config = parse(chosen.config, values)
    task: Task = build(chosen, config)
    described = description(chosen, config)
    if own is None:
        advice = " Its options have to be those it was trained with."
        if said := _grow(task, weights):
            advice += f" {said}"
        _fit(task.model, weights, path, f"the model of {recipe_name}", advice)
    else:
        task.adopt(own)
        # Not a run of the recipe: whoever is given its folder must not import what it names by asking the model.
        described["run"] |= {"recipe": OPENED, "title": f"{where} on the data of {recipe_name}"}
        described["options"] |= {"file": _text(path), "model": where, "recipe": recipe_name}
    task.to(pick_device(config.device))
    if own is not None:
        _try(task, str(where), recipe_name, chosen.own_model)
    with RunWriter.create(root, name, described) as run, limited_threads(config.threads):
        as_what = f"the model of {recipe_name}" if own is None else f"{where} on the data of {recipe_name}"
        run.event(f"Opened {path} as {as_what}; nothing was trained.")
        if own is None:
            grown = None if task.growth is None else task.growth.state
            progress = {"step": 0, "epoch": 0, "growth": grown}
            save_checkpoint(run.folder / CHECKPOINT_FOLDER / BEST, task.model, progress=progress)
        if _look(task, run):
            run.close("stopped", "stopped before everything was recorded")
    return run.folder


def _grow(task: Task, weights: Mapping[str, Any]) -> str:
    """Grow a model that grows in its recipe to the shapes of some weights; why that cannot be, where it cannot."""
    from mmgraph.inspection.weights_file import named_like
    from mmgraph.training.grown_shapes import grow_like

    if task.growth is None:
        return ""
    return grow_like(task.growth, task.model, named_like(task.model, weights))


def _try(task: Task, where: str, recipe_name: str, expected: str) -> None:
    """Raises InputError where somebody's own model cannot be run on the data, or answers otherwise than is expected."""
    from mmgraph.training.classification import Classification

    wants = f"On the data of {recipe_name} a model has {expected}"
    try:
        seen = task.probe()
    except Exception as error:  # whatever somebody else's code raises
        raise InputError(
            f"'{where}' cannot be run on the data of {recipe_name} ({type(error).__name__}: {str(error)[:400]}). "
            f"{wants}."
        ) from error
    if not isinstance(task, Classification):
        return
    given = next((some.array.shape[1] for some in seen if some.kind == "prediction"), None)
    if given != len(task.class_names):
        found = "no row of numbers for each item" if given is None else f"{given} numbers for each item"
        raise InputError(f"'{where}' gives {found}. {wants}; there are {len(task.class_names)} classes.")


def _look(task: Task, run: RunWriter) -> bool:
    """Record what there is to see; whether somebody asked to stop before that was done."""
    items = task.items()
    if items is not None:
        run.items(items)
    run.structure(task.structure())
    for split in ("validation", "test"):
        if _asked_to_stop(run):
            return True
        try:
            run.scalars(0, task.evaluate(split), epoch=0.0)
        except (MMGraphError, KeyError) as error:
            run.event(f"There is no {split} part to be tried on ({error}).", level="warning")
    if remark := task.remark():
        run.event(remark, kind="sample", step=0)
    if _asked_to_stop(run):
        return True
    snapshots = [*task.constants(), *task.probe(), *task.spread()]
    run.snapshots(0, list({some.key: some for some in snapshots}.values()), epoch=0.0, wait=True)
    run.status(step=0, epoch=0.0)
    return False


def _asked_to_stop(run: RunWriter) -> bool:
    stop = False
    for command in run.commands():
        stop |= command.name == "stop"
        run.answer(
            command, "stopping" if command.name == "stop" else "not done: nothing is trained here", step=0
        )
    return stop
