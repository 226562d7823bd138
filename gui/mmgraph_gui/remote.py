"""Addresses of runs on another machine, and copying from there with rsync through the system's ssh. No Qt."""

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
    """Copies with rsync. `stop` ends whatever is going on."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self.stop = threading.Event()

    def databases(self, to: Path) -> None:
        """Bring `run.db` of every run, and its log; what is gone there goes here."""
        self._bring(DATABASE_RULES, to)

    def files(self, to: Path) -> None:
        """Bring all else that the window reads of them."""
        self._bring(RULES, to)

    def _bring(self, rules: Sequence[str], to: Path) -> None:
        rsync, ssh = shutil.which("rsync"), shutil.which("ssh")
        if rsync is None or ssh is None:
            missing = "rsync" if rsync is None else "ssh"
            raise RunError(f"'{self.address.text}' needs the program {missing}, which is not installed here.")
        shell = [ssh, *SSH_OPTIONS, *([] if self.address.port is None else ["-p", str(self.address.port)])]
        to.mkdir(parents=True, exist_ok=True)
        command = [
            *(rsync, "--recursive", "--times", "--protect-args", "--prune-empty-dirs", "--delete"),
            *("--rsh", " ".join(shell)),
            *(f"--filter={rule}" for rule in rules),
            f"{self.address.host}:{self.address.below_home}/",
            f"{to}/",
        ]
        code, told = self._run(command)
        if code not in (0, 24):  # 24: a file was gone before it could be copied
            raise RunError(self._complaint(code, told))

    def _run(self, command: Sequence[str]) -> tuple[int, str]:
        with tempfile.TemporaryFile() as told:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=told,
                start_new_session=True,
            )
            while process.poll() is None:
                if self.stop.wait(LOOK_SECONDS):
                    _end(process)
            told.seek(0)
            return process.returncode, told.read(COMPLAINT_BYTES).decode(errors="replace")

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
        elif "not found" in told and "rsync" in told:
            hint = " Install rsync there."
        return f"'{self.address.text}' cannot be read: {said}.{hint}"


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process and those that it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGTERM)
        else:
            process.terminate()
    process.wait()
