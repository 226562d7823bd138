"""Recipes and views of other packages: the example of the docs, really installed, and packages that are broken."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mmgraph import plugins
from mmgraph.errors import UnknownNameError
from mmgraph.recipes import registry
from mmgraph_gui.views.registry import VIEW_SPECS, plugin_specs

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "mmgraph-example-plugin"

LOOK = """
import sys
from pathlib import Path
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from mmgraph_gui import app
from mmgraph_gui.frame import window

class Window(window.MainWindow):
    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.timer = QTimer(self, interval=20)
        self.timer.timeout.connect(self.look)
        self.timer.start()
        self.follower.opened.connect(lambda: self.area.show_view("class-counts"))
    def look(self):
        view = self.area.views.get("class-counts")
        if view is not None and view.counts.text():
            self.timer.stop()
            print(view.counts.text())
            print("torch" in sys.modules, self.actions_["view-class-counts"].text())
            self.close()
            QApplication.quit()

window.MainWindow = Window
sys.exit(app.main(Path(sys.argv[1])))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """A folder into which the example was installed."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("site")
    subprocess.run(["cp", "-r", EXAMPLE, source], check=True)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run(
        [*command, "--no-index", "--target", target, source / EXAMPLE.name], check=True, capture_output=True
    )
    return target


def beside(folder: Path) -> dict[str, str]:
    """The environment of a process that sees the packages in a folder."""
    known = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": f"{folder}{os.pathsep + known if known else ''}"}


def broken(folder: Path, **entries: str) -> None:
    """A package whose entry points are as given."""
    info = folder / "broken_things-2.1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken-things\nVersion: 2.1\n")
    groups = "".join(f"[mmgraph.{group}]\n{lines}\n" for group, lines in entries.items())
    (info / "entry_points.txt").write_text(groups)


@pytest.fixture
def beside_this(monkeypatch):
    """`beside_this(folder)`: this process sees the packages in a folder."""

    def see(folder: Path) -> None:
        monkeypatch.syspath_prepend(str(folder))
        registry._found.cache_clear()

    yield see
    registry._found.cache_clear()


@pytest.fixture
def seen(tmp_path, beside_this):
    """`seen(recipes="name = module:thing")`: this process sees a package with these entry points."""

    def see(**entries: str) -> None:
        broken(tmp_path, **entries)
        beside_this(tmp_path)

    return see


def test_the_example_trains_and_is_shown(installed, tmp_path, beside_this, mmgraph):
    known = registry.names()
    beside_this(installed)
    listed = json.loads(mmgraph("recipes", "--json").out)["recipes"]
    assert {entry["name"] for entry in listed} == {*known, "blobs"}
    options = ["--clouds", "4", "--epochs", "8", "--device", "cpu", "--threads", "1", "--quiet", "--json"]
    trained = mmgraph("train", "blobs", *options, "--runs", tmp_path)
    assert trained.code == 0, trained.err
    run = json.loads(trained.out)["run"]
    environment = {**beside(installed), "XDG_CONFIG_HOME": str(tmp_path), "QT_QPA_PLATFORM": "offscreen"}
    shown = subprocess.run(
        [sys.executable, "-c", LOOK, run], capture_output=True, text=True, env=environment, check=False
    )
    assert shown.returncode == 0, shown.stderr
    *counts, facts = shown.stdout.splitlines()
    assert sum(int(line.split(": ")[1].replace(",", "")) for line in counts) == 1000
    assert facts == "False Class counts"


def test_a_package_that_fails_is_named_and_left_out(seen, mmgraph):
    seen(recipes="lost = nowhere_at_all:RECIPE", views="lost-view = nowhere_at_all:View")
    listed = mmgraph("recipes")
    assert listed.code == 0
    assert "digits-graph" in listed.out
    assert "The recipe 'lost' of the package broken-things 2.1 is left out" in listed.err
    assert "ModuleNotFoundError" in listed.err
    asked = mmgraph("train", "lost")
    assert asked.code == 2
    assert "is left out" in asked.err
    assert "Traceback" not in asked.err
    doctor = mmgraph("doctor", "--json")
    assert "view lost-view (broken-things 2.1)" in json.loads(doctor.out)["plugins"]


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("lost = mmgraph.version:nothing", "AttributeError"),
        ("text = mmgraph.version:__version__", "it is a str, not a mmgraph.recipes.Recipe"),
        ("again = mmgraph.recipes.digits_graph:RECIPE", "there is a recipe 'digits-graph' already"),
    ],
)
def test_what_is_no_recipe_is_left_out(seen, entry, reason):
    before = registry.names()
    seen(recipes=entry)
    assert registry.names() == before
    (failure,) = registry.failures()
    assert reason in failure
    assert "broken-things 2.1" in failure
    with pytest.raises(UnknownNameError):
        registry.recipe(entry.partition(" ")[0])


def test_without_plugins_there_are_none(monkeypatch):
    monkeypatch.setattr(sys, "path", [path for path in sys.path if "mmgraph_example" not in path])
    assert plugins.plugins("mmgraph.nothing") == []
    assert registry.failures() == []


def test_a_view_with_a_name_in_use_is_left_out(seen):
    taken = VIEW_SPECS[0].name
    seen(views=f"{taken} = mmgraph.version:nothing\nword-cloud = mmgraph.version:nothing")
    (spec,), (failure,) = plugin_specs()
    assert (spec.name, spec.title) == ("word-cloud", "Word cloud")
    assert f"there is a view '{taken}' already" in failure


def test_a_view_that_fails_leaves_the_window_whole(seen, qtbot, context):
    from mmgraph_gui.views.viewarea import ViewArea

    seen(views="lost = nowhere_at_all:View\nno-view = mmgraph.version:__version__")
    area = ViewArea(context)
    qtbot.addWidget(area)
    said = []
    area.message.connect(said.append)
    area.show()
    for name in ("lost", "no-view"):
        assert area.show_view(name) is None
    assert [text for text in said if "'lost' of the package broken-things 2.1 is left out" in text]
    assert [text for text in said if "a subclass of mmgraph_gui.views.View" in text]
    assert area.show_view("log") is not None
    area.detach()
