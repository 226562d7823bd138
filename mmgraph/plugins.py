"""What other packages add: recipes and views, named by their entry points.

    [project.entry-points."mmgraph.recipes"]
    my-recipe = "my_package.my_recipe:RECIPE"

    [project.entry-points."mmgraph.views"]
    word-count = "my_package.word_count:WordCountView"

Nothing is imported before it is wanted, and what cannot be imported is left out and reported.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points

RECIPES, VIEWS = "mmgraph.recipes", "mmgraph.views"


@dataclass(frozen=True)
class Plugin:
    """An entry point of another package.

    Args:
        name: as it was registered.
        package: the distribution it comes from, with its version, such as "my-package 1.0".
    """

    name: str
    package: str
    _entry: EntryPoint

    def load(self) -> object:
        """Import what it names; raises whatever the import raises."""
        return self._entry.load()


def plugins(group: str) -> list[Plugin]:
    """What installed packages registered in a group, by name."""
    found = [
        Plugin(entry.name, f"{entry.dist.name} {entry.dist.version}" if entry.dist else "unknown", entry)
        for entry in entry_points(group=group)
    ]
    return sorted(found, key=lambda plugin: (plugin.name, plugin.package))


def failure(what: str, plugin: Plugin, error: Exception | str) -> str:
    """One sentence about a plugin that is left out."""
    reason = f"{type(error).__name__}: {error}" if isinstance(error, Exception) else error
    return f"The {what} '{plugin.name}' of the package {plugin.package} is left out ({reason})."
