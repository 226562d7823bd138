from __future__ import annotations

from pathlib import Path

import pytest

from mmgraph.cli.train import read_toml
from mmgraph.options import parse
from mmgraph.recipes import names, recipe

FOLDER = Path(__file__).parents[2] / "resources" / "configs"


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.toml")), ids=lambda path: path.stem)
def test_every_example_config_fits_the_recipe_it_is_named_after(path):
    (name,) = [name for name in names() if path.stem.startswith(name)]
    config = parse(recipe(name).config, read_toml(path))
    assert config != recipe(name).config()


def test_there_is_one_for_each_recipe():
    stems = [path.stem for path in FOLDER.glob("*.toml")]
    assert all(any(stem.startswith(name) for stem in stems) for name in names())
