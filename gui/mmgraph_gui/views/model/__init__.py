"""The layers of a model, their wiring, and how their numbers are spread."""
