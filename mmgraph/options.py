"""Options: fields of a dataclass that become command-line flags, form fields and TOML entries.

@dataclass(frozen=True)
class LeNetConfig:
    epochs: int = option(5, "Passes over the training set.", minimum=1)
    precision: str = option("float32", "Number format of the forward pass.", choices=("float32", "bfloat16"))

options_of(LeNetConfig)                       # what a flag or a form needs to know of each
parse(LeNetConfig, {"epochs": 10})            # checked values -> LeNetConfig
"""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, Union, get_args, get_origin

from mmgraph.errors import ConfigError, UnknownNameError

C = TypeVar("C")

Scalar = bool | int | float | str


@dataclass(frozen=True)
class Option:
    """What is known of one option. `type` is bool, int, float or str; `optional` allows None, shown as "none"."""

    name: str
    type: type[Scalar]
    default: Scalar | None
    help: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    optional: bool = False

    def check(self, value: object) -> Scalar | None:
        """The value as the option's type.

        Raises:
            ConfigError: wrong type, out of range, or not one of the choices; says what was expected.
        """
        if value is None:
            if self.optional:
                return None
            raise ConfigError(f"{self.name} needs {self.expected}, and got nothing.")
        if self.type is float and isinstance(value, int) and not isinstance(value, bool):
            value = _as_float(value)
        if type(value) is not self.type:
            raise ConfigError(f"{self.name} is {self.expected}, not {value!r}.")
        if isinstance(value, float) and not math.isfinite(value):
            raise ConfigError(f"{self.name} is {self.expected}, not {value}.")
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            too_small = self.minimum is not None and value < self.minimum
            too_large = self.maximum is not None and value > self.maximum
            if too_small or too_large:
                raise ConfigError(f"{self.name} is {self.expected}, not {value}.")
        if self.choices and value not in self.choices:
            raise UnknownNameError.of_option(self.name, str(value), self.choices)
        return value

    def from_text(self, text: str) -> Scalar | None:
        """The value a person typed.

        Raises:
            ConfigError: the text cannot be read as the option's type, or `check` refuses it.
        """
        text = text.strip()
        if self.optional and text.lower() in ("", "none"):
            return None
        if self.type is bool:
            words = {"true": True, "yes": True, "on": True, "1": True}
            words |= {"false": False, "no": False, "off": False, "0": False}
            if text.lower() not in words:
                raise ConfigError(f"{self.name} is {self.expected}, not '{text}'.")
            return words[text.lower()]
        try:
            return self.check(self.type(text))
        except ValueError as error:
            raise ConfigError(f"{self.name} is {self.expected}, not '{text}'.") from error

    @property
    def expected(self) -> str:
        """What the option takes, in words."""
        if self.choices:
            return f"one of {', '.join(self.choices)}" + (" or none" if self.optional else "")
        words = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}[self.type]
        if self.minimum is not None and self.maximum is not None:
            words += f" from {_plain(self.minimum)} to {_plain(self.maximum)}"
        elif self.minimum is not None:
            words += f" of at least {_plain(self.minimum)}"
        elif self.maximum is not None:
            words += f" of at most {_plain(self.maximum)}"
        return words + (" or none" if self.optional else "")


def option(
    default: Scalar | None,
    help: str,
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    choices: tuple[str, ...] = (),
) -> Any:
    """A dataclass field that is an option, with its help text and limits."""
    metadata = {"help": help, "minimum": minimum, "maximum": maximum, "choices": choices}
    return dataclasses.field(default=default, metadata={"option": metadata})


def options_of(config: type[Any]) -> tuple[Option, ...]:
    """The options of a config dataclass: its own first, then those it inherits, each in order of definition."""
    hints = typing.get_type_hints(config)
    options = []
    inherited = {name for base in config.__mro__[1:] for name in getattr(base, "__dataclass_fields__", {})}
    for entry in dataclasses.fields(config):
        if "option" not in entry.metadata:
            continue
        kind, optional = _kind(hints[entry.name])
        default = typing.cast("Scalar | None", entry.default)
        options.append(Option(entry.name, kind, default, optional=optional, **entry.metadata["option"]))
    return tuple(sorted(options, key=lambda entry: entry.name in inherited))


def parse(config: type[C], values: Mapping[str, object]) -> C:
    """Make a config from checked values; what is not given keeps its default.

    Raises:
        UnknownNameError: there is no option of that name.
        ConfigError: a value has a wrong type or is out of range, or an option is given twice.
    """
    known = {entry.name: entry for entry in options_of(config)}
    checked = {}
    for name, value in values.items():
        plain = name.replace("-", "_")
        if plain not in known:
            raise UnknownNameError.of("option", name, known)
        if plain in checked:
            raise ConfigError(f"{plain} is given twice, with a hyphen and with an underscore; give it once.")
        checked[plain] = known[plain].check(value)
    return config(**{**defaults_for(config, checked), **checked})


def defaults_for(config: type[Any], values: Mapping[str, Scalar | None]) -> dict[str, Scalar | None]:
    """The default of every option, given the values that somebody chose for some of them."""
    defaults = {entry.name: entry.default for entry in options_of(config)}
    presets: Mapping[tuple[str, Scalar], Mapping[str, Scalar | None]] = getattr(config, "presets", {})
    for (name, choice), implied in presets.items():
        if values.get(name, defaults[name]) == choice:
            defaults.update(implied)
    return defaults


def _kind(hint: Any) -> tuple[type[Scalar], bool]:
    kinds = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    plain = [kind for kind in kinds if kind is not type(None)]
    if len(plain) != 1 or plain[0] not in (bool, int, float, str):
        raise ConfigError(f"An option is a bool, int, float or str, or one of them or None, not {hint}.")
    return plain[0], len(plain) < len(kinds)


def _plain(limit: float) -> str:
    """All digits of a whole number, no trailing zeros of another."""
    return str(limit) if isinstance(limit, int) else f"{limit:g}"


def _as_float(value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf
