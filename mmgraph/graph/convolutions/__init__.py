"""Convolutions, one per file; which there are by name is in `catalogue`."""
