"""Two real processes with gloo."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mmgraph.errors import ConfigError, MMGraphError
from mmgraph.runs import RunReader, send_command
from mmgraph.training.distribution import current_world, joined

WORKER = Path(__file__).with_name("distributed_worker.py")
PATIENCE = 60


@contextlib.contextmanager
def job(command: list[str]) -> Iterator[list[subprocess.Popen[str]]]:
    """Two processes that find each other; {rank} in the command is their number. None is left over."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    processes = [
        subprocess.Popen(
            [sys.executable, *(word.format(rank=rank) for word in command)],
            env=os.environ
            | {"RANK": str(rank), "WORLD_SIZE": "2", "LOCAL_RANK": str(rank), "OMP_NUM_THREADS": "1"}
            | {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in (0, 1)
    ]
    try:
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def finish(processes: list[subprocess.Popen[str]]) -> list[str]:
    """What they printed, when both have ended well."""
    ends = [process.communicate(timeout=10 * PATIENCE) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], "\n".join(err for _, err in ends)
    return [out for out, _ in ends]


def until(true: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Poll until something is true, or the process ends."""
    while not true():
        assert process.poll() is None
        time.sleep(0.02)


def step_of(folder: Path) -> int:
    try:
        with RunReader(folder) as reader:
            return reader.status().step
    except MMGraphError:
        return 0


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, Any]]]:
    """What two processes report after all that need not be interrupted."""
    folder = tmp_path_factory.mktemp("two")
    with job([str(WORKER), "all", str(folder), "{rank}"]) as processes:
        finish(processes)
    return folder, [json.loads((folder / f"rank{rank}.json").read_text()) for rank in (0, 1)]


def test_outputs_and_gradients_are_those_of_one_process(found):
    for report in found[1]:
        assert len(report["errors"]) == 16
        assert all(error < 1 for error in report["errors"].values()), report["errors"]


def test_replicas_are_equal_to_the_bit(found):
    one, two = found[1]
    for name in ("whole", "part", "resumed"):
        assert one[name]["weights"] == two[name]["weights"]
        assert one[name]["metrics"] == two[name]["metrics"]
    assert one["whole"]["state"] == "finished"
    assert one["part"]["weights"] != one["whole"]["weights"]


def test_a_resumed_run_is_the_run_that_was_not_stopped(found):
    one, _ = found[1]
    assert one["resumed"]["weights"] == one["whole"]["weights"]
    assert one["resumed"]["metrics"] == one["whole"]["metrics"]
    assert one["resumed"]["step"] == 12


def test_rank_0_alone_writes(found):
    folder, _ = found
    assert sorted(path.name for path in folder.iterdir() if path.is_dir()) == ["part", "whole"]
    with RunReader(folder / "part") as reader:
        assert reader.status().state == "finished"
        assert reader.series("train/loss").step.tolist() == list(range(1, 13))


def test_what_several_processes_cannot_do_is_said(found):
    for report in found[1]:
        cheb, appnp, rows, pooling, parts = report["refusals"]
        assert "ChebConv" in cheb
        assert "without pooling and APPNP" in appnp
        assert "nodes that this process owns" in rows
        assert "without pooling" in pooling
        assert "each of 2 processes, but it was cut into 3" in parts


def test_a_killed_process_ends_the_job_with_an_error(tmp_path):
    with job([str(WORKER), "endless", str(tmp_path), "{rank}"]) as (lead, other):
        until(lambda: step_of(tmp_path / "endless") > 3, lead)
        other.send_signal(signal.SIGKILL)
        lead.communicate(timeout=PATIENCE)
    assert lead.returncode == 1
    message = json.loads((tmp_path / "rank0.json").read_text())["error"]
    assert "Another process of this job ended" in message


def test_all_processes_stop_when_the_run_folder_says_so(tmp_path):
    with job([str(WORKER), "endless", str(tmp_path), "{rank}"]) as processes:
        until(lambda: step_of(tmp_path / "endless") > 3, processes[0])
        send_command(tmp_path / "endless", "stop")
        finish(processes)
    one, two = (json.loads((tmp_path / f"rank{rank}.json").read_text())["endless"] for rank in (0, 1))
    assert one["state"] == two["state"] == "stopped"
    assert one["step"] == two["step"]
    assert one["weights"] == two["weights"]


@pytest.mark.data
def test_the_command_line_trains_in_two_processes(real_data, tmp_path):
    options = ["--epochs", "12", "--runs", str(tmp_path), "--device", "cpu", "--json", "--quiet"]
    with job(["-m", "mmgraph", "train", "node-classification", *options]) as processes:
        lead, other = finish(processes)
    assert other == ""
    assert json.loads(lead)["metrics"]["test/accuracy"] > 0.5
    assert len(list(tmp_path.iterdir())) == 1


def test_one_process_is_no_world(monkeypatch):
    with joined() as world:
        assert world is None
    assert current_world() is None
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.delenv("RANK", raising=False)
    with pytest.raises(ConfigError, match="RANK"), joined():
        pass
