from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mmgraph.errors import ConfigError, InputError
from mmgraph.runs.selections import delete_selection, read_selection, selection_names, write_selection


@pytest.mark.parametrize("name", ["odd ones", "../out", ".hidden", "näh 🐟", "שלום", "a/b%2Fc"])
def test_a_selection_is_read_as_it_was_written(tmp_path: Path, name: str) -> None:
    ids = np.array([3, 1, 2**40])
    path = write_selection(tmp_path, name, ids)
    assert path.parent == tmp_path / "selections"
    assert selection_names(tmp_path) == [name]
    np.testing.assert_array_equal(read_selection(tmp_path, name), ids)
    write_selection(tmp_path, name, ids[:0])
    assert len(read_selection(tmp_path, name)) == 0
    delete_selection(tmp_path, name)
    delete_selection(tmp_path, name)
    assert selection_names(tmp_path) == []


def test_none_and_bad_ones(tmp_path: Path) -> None:
    assert selection_names(tmp_path) == []
    with pytest.raises(InputError, match="list of whole numbers"):
        read_selection(tmp_path, "none")
    write_selection(tmp_path, "a", np.arange(3)).write_text("1\nx\n")
    with pytest.raises(InputError, match="list of whole numbers"):
        read_selection(tmp_path, "a")
    for name in ("", " ", "two\nlines", "x" * 61):
        with pytest.raises(ConfigError, match="name of 1 to 60"):
            write_selection(tmp_path, name, np.arange(3))
