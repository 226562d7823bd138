"""`python -m mmgraph_gui [PATH]` opens the window."""

from __future__ import annotations

import sys
from pathlib import Path

from mmgraph_gui.app import main

if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else None))
