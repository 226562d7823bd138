"""Recipes: named experiments on real data. Importing this, and reading a recipe's options, imports no torch."""

from mmgraph.recipes.registry import Recipe, names, recipe

__all__ = ["Recipe", "names", "recipe"]
