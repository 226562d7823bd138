"""The version of mmgraph, for what lies below the package itself."""

__version__ = "0.1.0"
