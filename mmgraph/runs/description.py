"""What config.toml says of a run: what was trained, with which options, where."""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from mmgraph.version import __version__


def describe(
    recipe: str, title: str, options: Mapping[str, Any], *, dataset: str = "", **environment: Any
) -> dict[str, Any]:
    """The configuration of a run that begins now, for `RunWriter.create`.

    Args:
        recipe: that made the run; "watch" where its own program alone knows how to go on.
        title: what is trained.
        options: it is trained with.
        dataset: it is trained on.
        environment: further facts, such as the version of torch or the device.
    """
    return {
        "run": {
            "recipe": recipe,
            "title": title,
            "dataset": dataset,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "command": " ".join(sys.argv),
        },
        "options": dict(options),
        "environment": {
            "mmgraph": __version__,
            "python": platform.python_version(),
            "platform": platform.platform(),
            **environment,
        },
    }
