"""mmgraph: train graph, vision, sequence and multimodal models and look inside them while they learn."""

__version__ = "0.1.0"
