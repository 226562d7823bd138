"""Fail unless a wheel holds both packages, their data files, and nothing else at its top level."""

import sys
import zipfile

NEEDED = (
    "mmgraph/py.typed",
    "mmgraph/datasets/manifests/cora.toml",
    "mmgraph_gui/py.typed",
    "mmgraph_gui/app.py",
)

names = zipfile.ZipFile(sys.argv[1]).namelist()
top = {name.split("/")[0] for name in names if ".dist-info" not in name}
missing = [name for name in NEEDED if name not in names]
if top != {"mmgraph", "mmgraph_gui"} or missing:
    sys.exit(f"The wheel should hold mmgraph and mmgraph_gui; it holds {sorted(top)} and lacks {missing}.")
print(f"wheel: {len(names)} files, top-level names {', '.join(sorted(top))}")
