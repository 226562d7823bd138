"""Options of recipes that were used lately, and those kept under a name, from start to start."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QSettings

from mmgraph.options import Scalar

Values = dict[str, Scalar | None]

KEPT = 8


class RecipeSettings:
    """For each recipe the options that differed from its defaults. Without settings nothing is remembered."""

    def __init__(self, settings: QSettings | None) -> None:
        self._settings = settings

    def recent(self, recipe: str) -> list[Values]:
        """The newest first."""
        stored = self._stored(recipe).get("recent")
        return (
            [_values(entry) for entry in stored if isinstance(entry, dict)]
            if isinstance(stored, list)
            else []
        )

    def remember(self, recipe: str, values: Mapping[str, Scalar | None]) -> None:
        """Put these on top."""
        others = [known for known in self.recent(recipe) if known != values]
        self._store(recipe, {**self._stored(recipe), "recent": [dict(values), *others][:KEPT]})

    def named(self, recipe: str) -> dict[str, Values]:
        """Those with a name, by name."""
        stored = self._stored(recipe).get("named")
        known = stored if isinstance(stored, dict) else {}
        return {str(name): _values(entry) for name, entry in sorted(known.items()) if isinstance(entry, dict)}

    def keep(self, recipe: str, name: str, values: Mapping[str, Scalar | None]) -> None:
        """Keep options under a name, in place of those that had it."""
        self._store(recipe, {**self._stored(recipe), "named": {**self.named(recipe), name: dict(values)}})

    def _stored(self, recipe: str) -> dict[str, Any]:
        if self._settings is None:
            return {}
        try:
            stored = json.loads(str(self._settings.value(f"recipes/{recipe}") or "{}"))
        except ValueError:
            return {}
        return stored if isinstance(stored, dict) else {}

    def _store(self, recipe: str, stored: Mapping[str, Any]) -> None:
        if self._settings is not None:
            self._settings.setValue(f"recipes/{recipe}", json.dumps(stored))


def _values(entry: Mapping[str, Any]) -> Values:
    return {
        name: value
        for name, value in entry.items()
        if value is None or isinstance(value, (bool, int, float, str))
    }
