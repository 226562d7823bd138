"""Colours, curves and rasters: from numbers to pixels."""
