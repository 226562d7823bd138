"""A recipe and a view for mmgraph."""
