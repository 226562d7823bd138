"""Everything mmgraph raises on purpose.

    MMGraphError
    ├── UsageError                 what was asked for does not exist or cannot be       (exit code 2)
    │   ├── UnknownNameError       no recipe, data set, option, layer … of that name
    │   ├── ConfigError            an option or a config file has a wrong type or value
    │   ├── DeviceError            the device asked for is not there
    │   └── DisplayError           a window was asked for where there is no display
    ├── InputError (ValueError)    a tensor, graph or file has the wrong shape, type or content
    │   └── EmptyPairsError        there is no pair or triplet to learn from
    ├── MissingDependencyError     an optional package is needed for this
    ├── DatasetError
    │   ├── DatasetMissingError    files are not here and could not be fetched
    │   └── DatasetCorruptError    a file does not match its checksum or its format
    ├── RunError
    │   ├── NotARunError           the folder holds no run
    │   ├── RunSchemaError         the run was written by a newer mmgraph
    │   ├── RunBusyError           another process is writing this run
    │   ├── RunReadOnlyError       the run cannot be written to
    │   └── RunDamagedError        a file of the run cannot be read
    └── TrainingError
        ├── NonFiniteLossError     the loss became NaN or infinite
        └── CheckpointError        a checkpoint is missing or does not fit the model

The message of each is one sentence or a few: what was expected, what arrived, what to do.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

LISTED = 30
"""Of longer lists of names an error shows only so many."""


class MMGraphError(Exception):
    """Base of every error raised on purpose; `exit_code` is what the command line returns for it."""

    exit_code = 1


class UsageError(MMGraphError):
    """What was asked for does not exist or cannot be."""

    exit_code = 2


class UnknownNameError(UsageError):
    """No recipe, data set, option or layer of that name."""

    @classmethod
    def of(cls, what: str, name: str, known: Iterable[str]) -> UnknownNameError:
        """Say what was asked for, what is close to it, and what there is."""
        return cls(f"There is no {what} '{name}'.{_known(name, known)}")

    @classmethod
    def of_option(cls, option: str, value: str, choices: Iterable[str]) -> UnknownNameError:
        """Say that an option does not take a value, which choice is close to it, and which there are."""
        return cls(f"'{value}' is no choice of {option}.{_known(value, choices)}")


def _known(name: str, known: Iterable[str]) -> str:
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f" Did you mean '{close[0]}'?" if close else ""
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    listed = f" Known: {', '.join(names[:LISTED])}{more}." if names else ""
    return f"{hint}{listed}"


class ConfigError(UsageError):
    """An option or a config file has a wrong type or value."""


class DeviceError(UsageError):
    """The device asked for is not there."""


class DisplayError(UsageError):
    """A window was asked for where there is no display."""


class InputError(MMGraphError, ValueError):
    """A tensor, graph or file has the wrong shape, type or content."""


class EmptyPairsError(InputError):
    """There is no pair or triplet to learn from: a batch with one class, or with one item of each."""


class MissingDependencyError(MMGraphError):
    """An optional package is needed for this."""


class DatasetError(MMGraphError):
    """Something is wrong with a data set."""


class DatasetMissingError(DatasetError):
    """The files are not here and could not be fetched."""


class DatasetCorruptError(DatasetError):
    """A file does not match its checksum or its format."""


class RunError(MMGraphError):
    """Something is wrong with a run folder."""


class NotARunError(RunError):
    """The folder holds no run."""


class RunSchemaError(RunError):
    """The run was written by a newer mmgraph."""


class RunBusyError(RunError):
    """Another process is writing this run."""


class RunReadOnlyError(RunError):
    """The run cannot be written to."""


class RunDamagedError(RunError):
    """A file of the run cannot be read."""


class TrainingError(MMGraphError):
    """Training could not go on."""


class NonFiniteLossError(TrainingError):
    """The loss became NaN or infinite."""


class CheckpointError(TrainingError):
    """A checkpoint is missing or does not fit the model."""
