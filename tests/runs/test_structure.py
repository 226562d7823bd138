from __future__ import annotations

import json

import pytest

from mmgraph.errors import RunDamagedError
from mmgraph.runs import Connection, Layer, Structure, read_structure
from mmgraph.runs.structure import write_structure


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"[]", b'"a"', b"{}", b'{"layers": 3, "connections": []}', b'{"layers": [{}], "connections": []}',
        b'{"layers": [{"name": "a", "type": "b", "parameters": "many"}], "connections": []}', b"\xff\xfe",
        b'{"layers": [{"name": "a", "type": "b", "parameters": 1, "output": 3}], "connections": []}',
        b"[" * 100_000,
    ],
)  # fmt: skip
def test_what_describes_no_model_is_said(tmp_path, content):
    (tmp_path / "model.json").write_bytes(content)
    with pytest.raises(RunDamagedError, match=r"model\.json"):
        read_structure(tmp_path)


def test_what_is_not_known_may_be_left_out(tmp_path):
    content = {
        "layers": [{"name": "fc", "type": "Linear", "parameters": 6, "colour": "red"}],
        "connections": [{"source": "input", "target": "fc"}],
    }
    (tmp_path / "model.json").write_text(json.dumps(content))
    assert read_structure(tmp_path) == Structure((Layer("fc", "Linear", 6),), (Connection("input", "fc"),))


def test_names_of_a_foreign_file_stay_on_one_line(tmp_path):
    strange = "שלום 🙂\n\tlayer\r\n"
    layers = (Layer(strange, "Net\n", 1),)
    write_structure(tmp_path, Structure(layers, (Connection("input", strange, "a\nb"),)))
    found = read_structure(tmp_path)
    assert (found.layers[0].name, found.layers[0].type) == ("שלום 🙂 layer", "Net")
    assert found.connections[0] == Connection("input", "שלום 🙂 layer", "a b")
