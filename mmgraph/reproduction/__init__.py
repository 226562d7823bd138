"""Published tables, run again: `mmgraph reproduce TABLE`. Reading what the tables hold imports no torch."""

from mmgraph.reproduction.table import Measure, Row, Table
from mmgraph.reproduction.tables import names, table

__all__ = ["Measure", "Row", "Table", "names", "table"]
