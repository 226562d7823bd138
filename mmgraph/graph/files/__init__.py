"""Graph files: edge lists, GraphML, GEXF, GML and npz, read and written whole or not at all."""
