"""What every training run can be told. Torch-free: the command line and the window read it too."""

from __future__ import annotations

from dataclasses import dataclass

from mmgraph.options import option


@dataclass(frozen=True, kw_only=True)
class TrainingOptions:
    """Options of `training.fit`; recipes add their own by inheriting."""

    epochs: int = option(10, "Passes over the training data.", minimum=1)
    learning_rate: float = option(1e-3, "Step size of the optimiser.", minimum=1e-12)
    weight_decay: float = option(0.0, "L2 penalty on the weights.", minimum=0.0)
    optimizer: str = option("adam", "Optimiser.", choices=("adam", "adamw", "sgd"))
    schedule: str = option(
        "constant",
        "How the learning rate changes over the run.",
        choices=("constant", "cosine", "halving", "linear", "step"),
    )
    halve_every: int = option(50, "Epochs after which the schedule 'halving' halves the rate.", minimum=1)
    warmup_steps: int = option(0, "Steps over which the learning rate rises from zero.", minimum=0)
    gradient_clip: float | None = option(None, "Largest norm of the gradient.", minimum=1e-12)
    average_weights: float = option(
        0.0,
        "Share of the moving average of the weights that each step keeps; the average is what is tested, shown and "
        "kept as best. 0 averages nothing.",
        minimum=0.0,
        maximum=0.99999,
    )
    patience: int | None = option(
        None, "Epochs without a better validation score after which training stops.", minimum=1
    )
    seed: int = option(0, "Seed of weights, shuffling and dropout.", minimum=0, maximum=2**63 - 1)
    device: str = option(
        "auto",
        "Where to train; auto takes CUDA where there is one.",
        choices=("auto", "cpu", "cuda", "mps"),
    )
    precision: str = option(
        "float32",
        "Number format of the forward pass; weights stay float32.",
        choices=("float32", "bfloat16", "float16"),
    )
    threads: int | None = option(None, "CPU threads torch may use; none leaves torch's choice.", minimum=1)
    evaluate_every: int = option(1, "Epochs from one evaluation to the next.", minimum=1)
    checkpoint_seconds: float = option(30.0, "Seconds from one checkpoint to the next.", minimum=0.0)
    snapshots_per_second: float = option(
        2.0, "Most snapshots in a second; 0 takes only first and last.", minimum=0.0
    )
    snapshot_share: float = option(
        0.005, "Largest share of the training time that snapshots may take.", minimum=0.0, maximum=1.0
    )
