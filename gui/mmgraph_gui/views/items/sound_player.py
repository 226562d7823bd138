"""Plays sound through the player that the system has: no package of ours decodes or mixes audio.

PipeWire, PulseAudio and ALSA bring `pw-play`, `paplay` and `aplay`, macOS `afplay`, Windows PowerShell's SoundPlayer.
Where there is none, whatever opens WAV files on that desktop is asked.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import wave
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QElapsedTimer, QObject, QProcess, QUrl, Signal
from PySide6.QtGui import QDesktopServices

PLAYERS: tuple[tuple[str, ...], ...] = (
    ("pw-play",),
    ("paplay",),
    ("aplay", "-q"),
    ("afplay",),
    ("ffplay", "-nodisp", "-autoexit", "-loglevel", "error"),
)
WINDOWS_PLAYER = ("powershell", "-NoProfile", "-Command")

Samples = npt.NDArray[np.int16]


class SoundPlayer(QObject):
    """Plays one sound at a time.

    Args:
        players: programs that take a WAV file as their last argument; by default those of the system.

    Signals:
        ended(): the sound is over, was stopped, or could not be played.
        failed(text): why it could not be played.
    """

    ended = Signal()
    failed = Signal(str)

    def __init__(
        self, parent: QObject | None = None, players: Sequence[tuple[str, ...]] | None = None
    ) -> None:
        super().__init__(parent)
        self._players = PLAYERS if players is None else players
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._process: QProcess | None = None
        self._clock = QElapsedTimer()

    @property
    def is_playing(self) -> bool:
        """Whether a sound is played."""
        return self._process is not None

    @property
    def seconds(self) -> float:
        """How long it has been played."""
        return self._clock.elapsed() / 1000 if self.is_playing else 0.0

    def play(self, samples: Samples, rate: float) -> None:
        """Play a sound; what was played before stops."""
        self.stop()
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="mmgraph-sound-")
        path = Path(self._folder.name) / "sound.wav"
        try:
            write_wav(path, samples, rate)
        except OSError as error:
            self.failed.emit(f"The sound could not be written to '{path}' ({error}).")
            return
        command = self._command(path)
        if command is None:
            if QDesktopServices.openUrl(QUrl.fromLocalFile(str(path))):
                return
            names = ", ".join(player[0] for player in self._players)
            self.failed.emit(
                f"No player of sound was found (looked for {names}), and no program opens WAV files here."
            )
            return
        process = self._process = QProcess(self)
        process.finished.connect(lambda code, _how: self._over(process, code))
        process.errorOccurred.connect(lambda _error: self._over(process, -1))
        self._clock.start()
        process.start(command[0], list(command[1:]))

    def stop(self) -> None:
        """Be silent."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.waitForFinished(1000)
            process.deleteLater()
            self.ended.emit()

    def close(self) -> None:
        """Stop, and remove the file that was played."""
        self.stop()
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def _command(self, path: Path) -> tuple[str, ...] | None:
        for player in self._players:
            found = shutil.which(player[0])
            if found is not None:
                return (found, *player[1:], str(path))
        if sys.platform == "win32" and (found := shutil.which(WINDOWS_PLAYER[0])) is not None:
            quoted = str(path).replace("'", "''")
            script = f"(New-Object Media.SoundPlayer '{quoted}').PlaySync()"
            return (found, *WINDOWS_PLAYER[1:], script)
        return None

    def _over(self, process: QProcess, code: int) -> None:
        if process is not self._process:
            return
        self._process = None
        if code != 0:
            said = bytes(process.readAllStandardError().data()).decode(errors="replace").strip()
            reason = said.splitlines()[-1] if said else process.errorString()
            self.failed.emit(f"{Path(process.program()).name} could not play the sound ({reason}).")
        process.deleteLater()
        self.ended.emit()


def write_wav(path: Path, samples: Samples, rate: float) -> None:
    """Write one channel of 16 bits."""
    with path.open("wb") as stream, wave.open(stream, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(max(round(rate), 1))
        file.writeframes(samples.astype("<i2").tobytes())
