"""A matrix as a picture, at a step and over the steps."""
