from __future__ import annotations

import sys
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mmgraph_gui.views.items.sound_player import SoundPlayer, write_wav

SAMPLES = np.array([0, 1000, -1000, 32767], np.int16)


@pytest.fixture
def player(qapp: Any, tmp_path: Path) -> Any:
    """Plays by writing down what it was given; a sound of one sample goes on for ever, one of two fails."""
    script = tmp_path / "player.py"
    script.write_text(
        "import sys, time, wave\n"
        "with wave.open(sys.argv[2]) as file:\n"
        "    count, rate = file.getnframes(), file.getframerate()\n"
        "open(sys.argv[1], 'w').write(f'{count} {rate}')\n"
        "while count == 1:\n    time.sleep(0.05)\n"
        "sys.exit('no device' if count == 2 else 0)\n"
    )
    player = SoundPlayer(players=((sys.executable, str(script), str(tmp_path / "played")),))
    yield player
    player.close()


def test_the_player_of_the_system_is_given_a_wav_file(
    qtbot: Any, player: SoundPlayer, tmp_path: Path
) -> None:
    with qtbot.waitSignal(player.ended, timeout=30_000):
        player.play(SAMPLES, 8000)
        assert player.is_playing
    assert (tmp_path / "played").read_text() == "4 8000"
    assert not player.is_playing


def test_a_sound_can_be_stopped_and_another_takes_its_place(
    qtbot: Any, player: SoundPlayer, tmp_path: Path
) -> None:
    player.play(SAMPLES[:1], 8000)
    qtbot.waitUntil(lambda: (tmp_path / "played").exists(), timeout=30_000)
    with qtbot.waitSignal(player.ended):
        player.stop()
    assert not player.is_playing
    with qtbot.waitSignal(player.ended, timeout=30_000):
        player.play(SAMPLES, 100)


def test_what_went_wrong_is_said(qtbot: Any, player: SoundPlayer) -> None:
    with qtbot.waitSignal(player.failed, timeout=30_000) as said:
        player.play(SAMPLES[:2], 8000)
    assert "could not play the sound (no device)" in said.args[0]
    assert not player.is_playing


def test_without_any_player_the_desktop_is_asked(
    qtbot: Any, qapp: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr(
        "mmgraph_gui.views.items.sound_player.QDesktopServices.openUrl",
        lambda url: asked.append(url) or len(asked) == 1,
    )
    player = SoundPlayer(players=(("no-such-player",),))
    player.play(SAMPLES, 8000)
    assert asked[0].toLocalFile().endswith(".wav")
    with qtbot.waitSignal(player.failed) as said:
        player.play(SAMPLES, 8000)
    assert "No player of sound was found (looked for no-such-player)" in said.args[0]
    player.close()


def test_a_wav_file_has_the_samples(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", SAMPLES, 7999.6)
    with wave.open(str(tmp_path / "a.wav")) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (8000, 1, 2)
        assert np.frombuffer(file.readframes(10), "<i2").tolist() == SAMPLES.tolist()
