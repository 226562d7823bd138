"""Addresses of runs on another machine, and copying from there through the system's ssh, with rsync or sftp. No Qt."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from mmgraph.errors import ConfigError, RunError
from mmgraph_gui.remote.sftp import SftpCopy

SCHEME = "ssh://"
LOOK_SECONDS = 0.05
COMPLAINT_BYTES = 20_000
SSH_OPTIONS = ("-o", "BatchMode=yes", "-o", "ConnectTimeout=10", "-o", "ServerAliveInterval=5")
"""Never ask for a password: nobody could answer. Notice when the other side is gone."""
RULES = (
    "- .*",
    *(f"+ {place}{name}" for place in ("/", "/*/") for name in ("config.toml", "notes.toml")),
    *(f"+ {place}{folder}/" for place in ("/", "/*/") for folder in ("snapshots", "items")),
    *(f"+ {place}{folder}/*.safetensors" for place in ("/", "/*/") for folder in ("snapshots", "items")),
    "- /checkpoints/",
    "+ /*/",
    "- *",
)
DATABASE_RULES = ("- .*", "+ /run.db", "+ /run.db-wal", "+ /*/", "+ /*/run.db", "+ /*/run.db-wal", "- *")
_NAME = re.compile(r"[A-Za-z0-9_.:\[\]%-]+")


@dataclass(frozen=True)
class Address:
    """Where runs lie: `ssh://user@host:port/path`, or `ssh://host/~/path` below the home there."""

    text: str
    host: str
    port: int | None
    path: str

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read an address.

        Raises:
            ConfigError: it is none, or could be taken for an option of ssh.
        """
        wanted = f"An address of runs on another machine is ssh://host/path or ssh://user@host:22/path, not '{text}'."
        if not text.startswith(SCHEME):
            raise ConfigError(wanted)
        try:
            parts = urlsplit(text)
            port, host, user = parts.port, parts.hostname or "", unquote(parts.username or "")
        except ValueError as error:
            raise ConfigError(wanted) from error
        path = unquote(parts.path).rstrip("/") or "/"
        sound = all(
            _NAME.fullmatch(name) and not name.startswith("-") for name in (host, *([user] if user else []))
        )
        if not sound or path == "/" or not path.isprintable() or parts.query or parts.fragment:
            raise ConfigError(wanted)
        path = path.removeprefix("/") if path.startswith("/~") else path
        return cls(text, f"{user}@{host}" if user else host, port, path)

    @property
    def name(self) -> str:
        """Name of the folder."""
        return PurePosixPath(self.path).name or "home"

    @property
    def below_home(self) -> str:
        """The path as rsync and sftp take it: relative ones begin at the home."""
        return (
            self.path.removeprefix("~").removeprefix("/") or "." if self.path.startswith("~") else self.path
        )


class Fetcher:
    """Copies with rsync, or with sftp where rsync is missing on either side. `stop` ends whatever is going on."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self.stop = threading.Event()
        self.by_sftp = shutil.which("rsync") is None
        self._sftp = SftpCopy(address.below_home, self._batch)

    def databases(self, to: Path) -> None:
        """Bring `run.db` of every run, and its log; what is gone there goes here."""
        if not self.by_sftp and not self._by_rsync(DATABASE_RULES, to):
            self.by_sftp = True
        if self.by_sftp:
            self._sftp.databases(to)

    def files(self, to: Path) -> None:
        """Bring all else that the window reads of them."""
        if self.by_sftp or not self._by_rsync(RULES, to):
            self._sftp.files(to)

    def _by_rsync(self, rules: Sequence[str], to: Path) -> bool:
        """Bring what rules say; False where the other side has no rsync."""
        shell = [self._program("ssh"), *SSH_OPTIONS]
        shell += [] if self.address.port is None else ["-p", str(self.address.port)]
        to.mkdir(parents=True, exist_ok=True)
        command = [
            *(
                self._program("rsync"),
                "--recursive",
                "--times",
                "--modify-window=-1",  # by the nanosecond: a run that ends leaves a file as large as before
                "--protect-args",
                "--prune-empty-dirs",
                "--delete",
            ),
            *("--rsh", " ".join(shell)),
            *(f"--filter={rule}" for rule in rules),
            f"{self.address.host}:{self.address.below_home}/",
            f"{to}/",
        ]
        code, told, _ = self._run(command)
        if code == 127 or "rsync: not found" in told or "rsync: command not found" in told:
            return False
        if code not in (0, 24):  # 24: a file was gone before it could be copied
            raise RunError(self._complaint(code, told))
        return True

    def _batch(self, lines: Sequence[str]) -> str:
        """What sftp says to these commands."""
        port = [] if self.address.port is None else ["-P", str(self.address.port)]
        ssh = ["-S", self._program("ssh")]
        command = [self._program("sftp"), *ssh, *SSH_OPTIONS, *port, "-q", "-b", "-", self.address.host]
        code, told, output = self._run(command, "\n".join([*lines, ""]))
        if code != 0:
            raise RunError(self._complaint(code, told))
        return output

    def _program(self, name: str) -> str:
        found = shutil.which(name)
        if found is None:
            raise RunError(f"'{self.address.text}' needs the program {name}, which is not installed here.")
        return found

    def _run(self, command: Sequence[str], typed: str = "") -> tuple[int, str, str]:
        """How it ended, what it complained of, and what it said."""
        with (
            tempfile.TemporaryFile() as given,
            tempfile.TemporaryFile() as said,
            tempfile.TemporaryFile() as told,
        ):
            given.write(typed.encode())
            given.seek(0)
            process = subprocess.Popen(command, stdin=given, stdout=said, stderr=told, start_new_session=True)
            while process.poll() is None:
                if self.stop.wait(LOOK_SECONDS):
                    _end(process)
            said.seek(0)
            told.seek(0)
            complaint = told.read(COMPLAINT_BYTES).decode(errors="replace")
            return process.returncode, complaint, said.read().decode(errors="replace")

    def _complaint(self, code: int, told: str) -> str:
        lines = [line.strip() for line in told.splitlines() if line.strip()]
        plain = [
            line
            for line in lines
            if not line.startswith(("rsync error", "rsync: connection unexp", "rsync: [Rec"))
        ]
        said = (plain or lines or [f"rsync ended with {code}"])[0].rstrip(".")
        hint = ""
        if ("ermission denied" in said and "publickey" in said) or "Host key verification" in said:
            hint = f" Log in once with 'ssh {self.address.host}' in a terminal, with a key that asks for no password."
        return f"'{self.address.text}' cannot be read: {said}.{hint}"


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process and those that it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGTERM)
        else:
            process.terminate()
    process.wait()
