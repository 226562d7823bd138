"""Graphs cut into parts: for batches of clusters, and for several machines."""
