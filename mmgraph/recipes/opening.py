"""A file of weights made into a run, so that every view can show it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmgraph.errors import CheckpointError, MMGraphError
from mmgraph.recipes.registry import recipe
from mmgraph.runs import RunWriter, describe, new_run_name
from mmgraph.runs.opened import opened_root
from mmgraph.runs.schema import CHECKPOINT_FOLDER

OPENED = "opened-model"
"""What stands for the recipe where only weights are known."""


def open_model(
    path: Path,
    *,
    recipe_name: str | None = None,
    values: Mapping[str, object] | None = None,
    runs: Path | None = None,
    run_name: str | None = None,
) -> Path:
    """Make a run of a file of weights; returns its folder.

    Without a recipe the run holds what weights alone tell: filters, shapes and how they are spread. With one the
    weights are put into its model and tried on its data: embedding, attention, feature maps and scores, and the model
    can be asked questions.

    Args:
        path: safetensors, or what torch.save wrote; nothing in it is run.
        recipe_name: of the architecture and the data.
        values: options of the recipe that differ from its defaults.
        runs: folder for the run; by default one in the cache.
        run_name: name of the run folder; made from the name of the file by default.

    Raises:
        InputError: the file holds no weights, or more than weights.
        CheckpointError: the weights do not fit the model of the recipe.
        UsageError, DatasetError: the recipe cannot be built.
    """
    from mmgraph.inspection.weights_file import read_weights

    weights = read_weights(path)
    root = runs or opened_root()
    root.mkdir(parents=True, exist_ok=True)
    name = run_name or new_run_name(path.stem.lstrip(".") or "model")
    if recipe_name is None:
        return _weights_alone(path, weights, root, name)
    return _with_recipe(path, weights, root, name, recipe_name, values or {})


def _weights_alone(path: Path, weights: Mapping[str, Any], root: Path, name: str) -> Path:
    from mmgraph.inspection.weights_file import weight_snapshots, weight_structure

    remark = (
        "A file of weights does not say what is computed with them: 'output' is the shape of the largest weight. "
        "Choose an architecture and data with 'mmgraph open FILE --recipe …' to see more."
    )
    held = dict(weights)
    snapshots, structure = weight_snapshots(held), weight_structure(held, remark)
    config = describe(OPENED, f"Weights of {path.name}", {"file": str(path.absolute())})
    with RunWriter.create(root, name, config) as run:
        numbers = sum(weight.numel() for weight in held.values())
        run.event(f"Opened {path}: {len(held):,} tensors with {numbers:,} numbers. {remark}")
        run.structure(structure)
        run.snapshots(0, snapshots, epoch=0.0, wait=True)
    return run.folder


def _with_recipe(
    path: Path,
    weights: Mapping[str, Any],
    root: Path,
    name: str,
    recipe_name: str,
    values: Mapping[str, object],
) -> Path:
    from mmgraph.inspection.histograms import histograms
    from mmgraph.options import parse
    from mmgraph.recipes.launch import build, description
    from mmgraph.training.checkpoints import save_checkpoint
    from mmgraph.training.devices import limited_threads, pick_device
    from mmgraph.training.loop import BEST

    chosen = recipe(recipe_name)
    config = parse(chosen.config, values)
    task = build(chosen, config)
    try:
        task.model.load_state_dict(dict(weights))
    except RuntimeError as error:
        reason = " ".join(line.strip() for line in str(error).splitlines()[:3])
        raise CheckpointError(
            f"'{path.name}' does not fit the model of {recipe_name} ({reason[:400]}). Its options have to be those "
            f"it was trained with."
        ) from error
    task.to(pick_device(config.device))
    with RunWriter.create(root, name, description(chosen, config)) as run, limited_threads(config.threads):
        run.event(f"Opened {path} as the model of {recipe_name}; nothing was trained.")
        items = task.items()
        if items is not None:
            run.items(items)
        run.structure(task.structure())
        save_checkpoint(run.folder / CHECKPOINT_FOLDER / BEST, task.model, progress={"step": 0, "epoch": 0})
        for split in ("validation", "test"):
            try:
                run.scalars(0, task.evaluate(split), epoch=0.0)
            except (MMGraphError, KeyError) as error:
                run.event(f"There is no {split} part to be tried on ({error}).", level="warning")
        snapshots = [*task.constants(), *task.probe(), *histograms(task.shown)]
        run.snapshots(0, list({some.key: some for some in snapshots}.values()), epoch=0.0, wait=True)
        run.status(step=0, epoch=0.0)
    return run.folder
