"""Random walks on graphs: uniform, weighted, directed, and second-order (node2vec)."""
