"""The graph of a run: its layout, its edges, questions to it."""
