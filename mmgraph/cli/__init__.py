"""The command line. Thin: each command calls the library and says what came of it."""

from mmgraph.cli.entry import app, main

__all__ = ["app", "main"]
