"""Requests to the process that trains."""

from __future__ import annotations

import pytest

from mmgraph.errors import ConfigError, NotARunError, UnknownNameError
from mmgraph.runs import COMMANDS, RunWriter, send_command
from mmgraph.runs.folder import create_folder


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_arrives(new_run, name):
    run = new_run()
    argument = {"set-learning-rate": 0.5, "explain": 3}.get(name)
    send_command(run.folder, name, argument)
    (command,) = run.commands()
    assert (command.name, command.argument) == (name, argument)


def test_an_unknown_command_is_refused(new_run):
    with pytest.raises(UnknownNameError, match=r"There is no command 'halt'\. .*pause"):
        send_command(new_run().folder, "halt")


@pytest.mark.parametrize("rate", [None, 0.0, -1.0, float("nan"), float("inf")])
def test_a_learning_rate_that_is_none_is_refused(new_run, rate):
    with pytest.raises(ConfigError, match="needs a positive number"):
        send_command(new_run().folder, "set-learning-rate", rate)


def test_a_folder_that_is_no_run_takes_no_commands(tmp_path):
    with pytest.raises(NotARunError):
        send_command(tmp_path, "stop")


@pytest.mark.parametrize("row", [None, -1, 0.5, float("nan"), float("inf")])
def test_what_is_explained_is_a_row(new_run, row):
    with pytest.raises(ConfigError, match="row of an item"):
        send_command(new_run().folder, "explain", row)


def test_what_is_sent_before_the_first_session_of_a_new_run_arrives(tmp_path):
    folder = create_folder(tmp_path, "run", {})  # others see it from here on
    send_command(folder, "stop")
    with RunWriter(folder) as run:
        assert [command.name for command in run.commands()] == ["stop"]


def test_what_is_sent_to_a_process_that_has_ended_does_not_reach_the_next_one(new_run):
    run = new_run()
    run.close("stopped")
    send_command(run.folder, "stop")
    with RunWriter(run.folder) as resumed:
        assert resumed.commands() == []
