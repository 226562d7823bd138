"""The desktop app of mmgraph. Never imports torch."""
