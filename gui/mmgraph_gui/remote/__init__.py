"""Runs on another machine, copied from there."""
