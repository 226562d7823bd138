"""Graphs on disk: built from edge files with little memory, opened without being loaded."""
