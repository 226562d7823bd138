"""Filters and feature maps, as tiles, and what a unit answers to."""
