"""Pairs and triplets of items, and how far apart they lie."""
