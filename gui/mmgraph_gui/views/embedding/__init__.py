"""Embeddings, placed in a plane or in space."""
