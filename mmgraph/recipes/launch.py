"""From a recipe and its config to a recorded run."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmgraph.errors import CheckpointError, ConfigError, MMGraphError, RunBusyError
from mmgraph.options import Scalar, options_of, parse
from mmgraph.recipes.registry import Recipe, recipe
from mmgraph.runs import RunReader, RunWriter, Snapshot, describe, new_run_name, runs_root
from mmgraph.runs.schema import CHECKPOINT_FOLDER, FINAL_STATES
from mmgraph.training.options import TrainingOptions

if TYPE_CHECKING:
    from mmgraph.training.distribution import World
    from mmgraph.training.progress import Report, Result
    from mmgraph.training.task import Task

OnReport = Callable[["Report"], None]
OnStart = Callable[[Path], None]
OnStage = Callable[[str], object]
"""Told in words what is about to be done that takes a while."""


def train(
    name: str,
    values: Mapping[str, object] | None = None,
    *,
    runs: Path | str | None = None,
    run_name: str | None = None,
    on_start: OnStart | None = None,
    on_report: OnReport | None = None,
) -> tuple[Path, Result]:
    """Train a recipe and record it; returns the run folder and how it ended.

    Args:
        name: of the recipe.
        values: options that differ from the defaults.
        runs: folder that holds runs.
        run_name: name of the run folder; made from recipe and time by default.
        on_start: told the run folder when training starts.
        on_report: told a few times a second where the run stands.

    Raises:
        UsageError: unknown recipe or option, wrong value, device not there.
        DatasetError: the data is missing or damaged.
        TrainingError, RunError: training or recording failed; the run says so too.
    """
    chosen = recipe(name)
    config = parse(chosen.config, values or {})
    from mmgraph.training.distribution import joined

    with joined() as world:
        task = build(chosen, config)
        _check_shared(task, world)
        run = None
        if world is None or world.leads:
            described = description(chosen, config, 1 if world is None else world.size)
            run = RunWriter.create(runs_root(runs), run_name or new_run_name(name), described)
        return _fit(task, run, config, world, resume=False, on_start=on_start, on_report=on_report)


def resume(
    folder: Path | str,
    values: Mapping[str, object] | None = None,
    *,
    on_start: OnStart | None = None,
    on_report: OnReport | None = None,
) -> tuple[Path, Result]:
    """Go on with a run from its last checkpoint, as if it had never stopped.

    Args:
        folder: the run.
        values: options to change, such as more epochs; those that make another model do not fit.

    Raises:
        CheckpointError: the run has no checkpoint, or it does not fit.
        ConfigError: the run was not made by a recipe.
        RunBusyError: another process is training it.
    """
    from mmgraph.training.distribution import joined

    folder = Path(folder)
    with joined() as world:
        found = _resumable(folder, values or {}) if world is None or world.leads else None
        if world is not None:
            found = world.shared(found)
        if found is None:
            raise CheckpointError(f"There is no checkpoint of '{folder}' to go on from.")
        name, config, step = found
        task = build(recipe(name), config)
        _check_shared(task, world)
        run = RunWriter(folder, start_step=step) if world is None or world.leads else None
        return _fit(task, run, config, world, resume=True, on_start=on_start, on_report=on_report)


def follows() -> bool:
    """Whether another process of this job, started by torchrun, speaks for all of them."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1 and os.environ.get("RANK", "0") != "0"


def _resumable(folder: Path, values: Mapping[str, object]) -> tuple[str, TrainingOptions, int]:
    """Recipe and options of a run that nobody is training, and the step of its last checkpoint."""
    with RunReader(folder) as reader:
        if reader.status().is_live:
            raise RunBusyError(
                f"'{folder}' is {reader.status().state} in another process, so there is nothing to resume. To end a "
                f"pause, use 'mmgraph runs send {folder} resume'."
            )
        chosen, config = _recorded(reader, values)

    from mmgraph.training.checkpoints import LAST, saved_progress

    try:
        step = int(saved_progress(folder / CHECKPOINT_FOLDER / LAST)["step"])
    except KeyError as error:
        raise CheckpointError(
            f"The checkpoint of '{folder}' does not say at which step it was written."
        ) from error
    return chosen.name, config, step


def explain(folder: Path | str, item: int, other: int | None = None) -> Snapshot:
    """Explain an ended run's answer about one item with its best weights, and record that too.

    Args:
        folder: the run.
        item: row of the item set, such as the number of a node.
        other: of a second item, to ask about the two, such as whether they are linked.

    Raises:
        CheckpointError: the run has no checkpoint.
        ConfigError: the run was not made by a recipe, or its recipe has no explanations.
        InputError: there is no such item.
        RunBusyError: another process is training it.
    """
    folder = Path(folder)
    with RunReader(folder) as reader:
        before = reader.status()
        if before.is_live:
            raise RunBusyError(
                f"'{folder}' is {before.state} in another process: use 'mmgraph runs send {folder} explain {item}'."
            )
        chosen, config = _recorded(reader, {})

    from mmgraph.training.devices import limited_threads

    task = _with_weights(folder, chosen, config)
    with limited_threads(config.threads):
        snapshots: list[Snapshot] = task.explain(item) if other is None else task.explain_pair(item, other)
    if not snapshots:
        what = "explanations" if other is None else "explanations of two items"
        raise ConfigError(
            f"The recipe {chosen.name} has no {what}: those that classify nodes or links of a graph explain one item, "
            f"link-prediction also two."
        )
    run = RunWriter(folder)
    try:
        run.snapshots(before.step, snapshots, epoch=before.epoch, wait=True)
    finally:
        run.close(before.state if before.state in FINAL_STATES else None, before.message)
    return snapshots[0]


def sample(folder: Path | str, prompt: str | None = None, length: int | None = None, **draw: Any) -> str:
    """A text that a run's best weights write; also of a run that is still training.

    Args:
        folder: the run.
        prompt: what the text begins with.
        length: tokens to draw.
        **draw: `temperature`, `top_k`, `nucleus` and `seed`; what is not given is as in the run's options.

    Raises:
        CheckpointError: the run has no checkpoint.
        ConfigError: the run was not made by a recipe, or its recipe writes no texts.
        InputError: the prompt is empty, or what to draw is out of range.
    """
    folder = Path(folder)
    with RunReader(folder) as reader:
        chosen, config = _recorded(reader, {})

    from mmgraph.training.devices import limited_threads
    from mmgraph.training.language_modelling import LanguageModelling

    task = _with_weights(folder, chosen, config)
    if not isinstance(task, LanguageModelling):
        raise ConfigError(f"The recipe {chosen.name} writes no texts: language-model does.")
    with limited_threads(config.threads):
        return task.sample(prompt, length, **draw)


def trained_task(
    folder: Path | str, checkpoint: str | None = None, on_stage: OnStage | None = None
) -> tuple[Task, TrainingOptions, Path]:
    """A run's task with trained weights, its options, and the checkpoint that the weights are from.

    Args:
        folder: the run; it may still be training.
        checkpoint: "best", "last" or a file; by default the best there is.
        on_stage: told before PyTorch, the data and the weights are loaded.

    Raises:
        CheckpointError: the run has no checkpoint.
        ConfigError: the run was not made by a recipe.
    """
    folder = Path(folder)
    with RunReader(folder) as reader:
        chosen, config = _recorded(reader, {})
    task = _with_weights(folder, chosen, config, checkpoint, on_stage or (lambda _: None))
    return task, config, checkpoint_path(folder, checkpoint)


def checkpoint_path(folder: Path, checkpoint: str | None = None) -> Path:
    """The checkpoint that a person means: best or last of a run, or a file; by default the best there is.

    Raises:
        ConfigError: there is no such file.
    """
    from mmgraph.training.checkpoints import BEST, LAST

    inside = folder / CHECKPOINT_FOLDER
    if checkpoint is None:
        return inside / BEST if (inside / BEST).is_file() else inside / LAST
    for path in (inside / f"{checkpoint}.safetensors", Path(checkpoint)):
        if path.is_file():
            return path
    raise ConfigError(f"A checkpoint is 'best', 'last' or a file, not '{checkpoint}'.")


def _with_weights(
    folder: Path,
    chosen: Recipe,
    config: TrainingOptions,
    checkpoint: str | None = None,
    on_stage: OnStage = lambda _: None,
) -> Task:
    on_stage("Loading PyTorch …")
    from mmgraph.training.devices import pick_device
    from mmgraph.training.growth import load_weights

    path = checkpoint_path(folder, checkpoint)
    on_stage(f"Reading {getattr(config, 'dataset', 'the data')} …")
    task: Task = build(chosen, config)
    on_stage("Loading weights …")
    load_weights(path, task.model, task.growth)
    task.to(pick_device(config.device))
    return task


def _recorded(reader: RunReader, values: Mapping[str, object]) -> tuple[Recipe, TrainingOptions]:
    """The recipe that made a run, and its options with some of them changed."""
    name = reader.config.get("run", {}).get("recipe", "")
    if name == "opened-model":
        model = reader.config.get("options", {}).get("model")
        if model is not None:  # a run folder may come from anybody, and importing runs code
            raise ConfigError(f"This run was made of '{model}', which is not run again for the run's sake.")
        raise ConfigError(
            "This run holds weights alone, and nothing says what is computed with them: open the file with "
            "'mmgraph open FILE --recipe …' to ask its model."
        )
    if name == "watch" or not name:
        raise ConfigError(
            f"'{reader.folder}' was recorded by somebody's own loop (mmgraph.watch), which only that program knows."
        )
    chosen = recipe(name)
    # TOML has no None: what may be none and is not written down was none, whatever default or preset it has.
    none = {entry.name: None for entry in options_of(chosen.config) if entry.optional}
    return chosen, parse(chosen.config, {**none, **reader.config.get("options", {}), **values})


def build(chosen: Recipe, config: TrainingOptions) -> Any:
    """The task of a recipe with the weights it starts from, the same for one seed."""
    from mmgraph.training.devices import pick_device, seeded

    device = pick_device(config.device)
    with seeded(config.seed, device):
        return chosen.build(config)


def _check_shared(task: Task, world: World | None) -> None:
    if world is not None and not task.is_shared:
        raise ConfigError(
            f"Several processes were started, but the task of this recipe ({type(task).__name__}) is trained by one: "
            f"start it without torchrun."
        )


def _fit(
    task: Any,
    run: RunWriter | None,
    config: TrainingOptions,
    world: World | None,
    *,
    resume: bool,
    on_start: OnStart | None,
    on_report: OnReport | None,
) -> tuple[Path, Result]:
    """Train; of several processes the one that leads has a run folder, and tells the others where."""
    from mmgraph.training.devices import pick_device
    from mmgraph.training.distribution import fit_together
    from mmgraph.training.loop import fit
    from mmgraph.training.memory import keep_freed_memory

    try:
        if pick_device(config.device).type == "cpu":
            keep_freed_memory()
        folder = Path() if run is None else run.folder
        if on_start is not None and run is not None:
            on_start(folder)
        if world is not None:
            folder = Path(world.shared(str(folder)))
            result = fit_together(
                task, run, config, world, resume=resume, on_report=None if run is None else on_report
            )
        elif run is not None:
            result = fit(task, run, config, resume=resume, on_report=on_report)
    except KeyboardInterrupt:
        if run is not None:
            _close_quietly(run, "stopped", "interrupted twice; resume from the last checkpoint")
        raise
    except BaseException as error:
        message = str(error) if isinstance(error, MMGraphError) else f"{type(error).__name__}: {error}"
        if run is not None:
            _close_quietly(run, "failed", message)
        raise
    if run is not None:
        run.close(result.state, result.message)
    return folder, result


def _close_quietly(run: RunWriter, state: str, message: str) -> None:
    try:
        run.event(message, level="error", kind=state)
        run.close(state, message)
    except MMGraphError:
        pass  # the error on its way out came first


def description(chosen: Recipe, config: TrainingOptions, processes: int = 1) -> dict[str, Any]:
    """What config.toml says of a run of a recipe."""
    import torch

    options: dict[str, Scalar | None] = {
        entry.name: getattr(config, entry.name) for entry in options_of(chosen.config)
    }
    from mmgraph.training.devices import pick_device

    device = pick_device(config.device)
    return describe(
        chosen.name,
        chosen.title,
        options,
        dataset=str(options.get("dataset", "digits")),
        **{"torch-geometric": _version("torch-geometric")},
        torch=torch.__version__,
        device=str(device),
        gpu=torch.cuda.get_device_name() if device.type == "cuda" else None,
        threads=config.threads or torch.get_num_threads(),
        processes=processes,
        git=_git_revision(),
    )


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _git_revision() -> str | None:
    """Revision of the working folder, with a + when files are changed; None outside a repository."""
    try:
        revision = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, timeout=5, check=True
        ).stdout.strip()
        changed = subprocess.run(
            ["git", "status", "--porcelain", "--untracked-files=no"],
            capture_output=True,
            text=True,
            timeout=5,
            check=True,
        ).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None
    return revision + ("+" if changed else "")
