from __future__ import annotations

import pytest
from torch import nn

from mmgraph.errors import CheckpointError, ConfigError
from mmgraph.inspection.own_model import own_model
from mmgraph.inspection.weights_file import put_into

NET = """
from torch import nn
import beside_it

class Net(nn.Module):
    def __init__(self, classes=2, width=3):
        super().__init__()
        self.out = nn.Linear(width, classes)

class Inner:
    make = staticmethod(lambda: Net(5))

ready = Net(7)
broken = lambda: 1 / 0
stops = lambda: exit(3)
number = lambda: 4
"""


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.path", [*__import__("sys").path])
    (tmp_path / "beside_it.py").write_text("")
    path = tmp_path / "my_net_שלום.py"
    path.write_text(NET, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "classes"),
    [
        ("Net", 2),
        ("Net()", 2),
        ("Net(4)", 4),
        (" Net(classes=6, width=1)", 6),
        ("Inner.make", 5),
        ("ready", 7),
    ],
)
def test_a_class_a_function_and_a_model_are_found(file, name, classes):
    assert own_model(f"{file}:{name.strip()}").out.out_features == classes


def test_a_module_is_imported_by_its_name_also_from_the_working_folder(file, monkeypatch):
    monkeypatch.chdir(file.parent)
    file.rename(file.parent / "net_in_the_folder.py")
    assert own_model("net_in_the_folder:Net").out.out_features == 2
    assert isinstance(own_model("torch.nn:Linear(3, 4)"), nn.Linear)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Missing", "AttributeError"), ("broken", "ZeroDivisionError"), ("stops", "SystemExit"),
        ("number", "makes a int"), ("Net(nonsense=1)", "TypeError"), ("Net(open('x'))", "numbers, texts"),
        ("Net(1", "numbers, texts"), ("Net(1)(2)", "numbers, texts"), ("Net(**{})", "TypeError"),
        ("", "is named as in"), ("a b", "is named as in"),
    ],
)  # fmt: skip
def test_what_cannot_be_made_is_a_sentence(file, name, told):
    with pytest.raises(ConfigError, match=told):
        own_model(f"{file}:{name}")


@pytest.mark.parametrize("where", ["", ":", "Net", ":Net", "no_such_module:Net", "nowhere.py:Net", "..:Net"])
def test_a_module_that_is_not_there_is_a_sentence(where):
    with pytest.raises(ConfigError):
        own_model(where)


def net(width=3):
    return nn.Sequential(nn.Linear(2, width), nn.Linear(width, 2))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda w: w.pop("0.bias"), "the model has a weight '0.bias', which is not in the file"),
        (lambda w: w.update(net(4).state_dict()), r"'0.weight' is 4 × 2 in the file, but 3 × 2 in the model"),
        (
            lambda w: w.update({"2.bias": w["1.bias"]}),
            "the file has a weight '2.bias', which is not in the model",
        ),
    ],
)
def test_the_first_weight_that_does_not_fit_is_named(change, told):
    weights = dict(net().state_dict())
    change(weights)
    with pytest.raises(CheckpointError, match=told):
        put_into(net(), weights)


def test_names_that_lost_their_beginning_fit_again():
    wrapped = nn.ModuleDict({"model": net()})
    put_into(wrapped, net().state_dict())
    lazy = nn.Sequential(nn.LazyLinear(3))
    put_into(lazy, nn.Sequential(nn.Linear(2, 3)).state_dict())
