"""A model made from the name of somebody's own class or function. Naming it runs its code."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import nn

from mmgraph.errors import ConfigError

EXAMPLE = "package.module:Net, package.module:Net(10, width=2) or file.py:Net"


def own_model(where: str) -> nn.Module:
    """The model that a class or function makes, or that a module holds.

    Importing a module runs what it says: name only code that you would run yourself.

    Args:
        where: `package.module:Net` with a module that can be imported, also from the working folder, or
            `folder/file.py:Net`. Arguments are numbers, texts, lists and the like: `module:Net(10, act="relu")`.

    Raises:
        ConfigError: it cannot be read, imported or called, or it makes no model.
    """
    place, arguments, keywords = _parsed(where)
    module_name, _, path = place.rpartition(":")
    try:
        found: Any = _module(module_name)
        for name in path.split("."):
            found = getattr(found, name)
        made = found if isinstance(found, nn.Module) and not arguments else found(*arguments, **keywords)
    except (Exception, SystemExit) as error:  # whatever somebody else's code raises
        raise ConfigError(f"'{where}' could not be made ({type(error).__name__}: {error}).") from error
    if not isinstance(made, nn.Module):
        raise ConfigError(f"'{where}' makes a {type(made).__name__}, not a torch.nn.Module.")
    return made


def _parsed(where: str) -> tuple[str, list[Any], dict[str, Any]]:
    """module:name, arguments, keywords."""
    text = where.strip()
    place, bracket, rest = text.partition("(")
    place = place.strip()
    name = place.rpartition(":")[2]
    if ":" not in place or not place.rpartition(":")[0] or not all(map(str.isidentifier, name.split("."))):
        raise ConfigError(f"A model is named as in {EXAMPLE}, not '{where}'.")
    if not bracket:
        return place, [], {}
    try:
        return place, *_arguments(rest)
    except (SyntaxError, ValueError) as error:
        raise ConfigError(
            f"The arguments of '{where}' are numbers, texts, lists and the like, as in {EXAMPLE}."
        ) from error


def _arguments(rest: str) -> tuple[list[Any], dict[str, Any]]:
    call = ast.parse(f"model({rest}", mode="eval").body
    match call:
        case ast.Call(func=ast.Name()):
            keywords = {str(word.arg): ast.literal_eval(word.value) for word in call.keywords}
            return [ast.literal_eval(value) for value in call.args], keywords
    raise SyntaxError(rest)


def _module(name: str) -> ModuleType:
    """A module by its name, or from a file; what it imports may lie beside it."""
    if not name.endswith(".py"):
        _may_import_from(Path.cwd())
        return importlib.import_module(name)
    file = Path(name).expanduser().absolute()
    if not file.is_file():
        raise FileNotFoundError(f"there is no file {file}")
    _may_import_from(file.parent)
    spec = importlib.util.spec_from_file_location(file.stem, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[file.stem] = module  # dataclasses look their module up while it runs
    spec.loader.exec_module(module)
    return module


def _may_import_from(folder: Path) -> None:
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
