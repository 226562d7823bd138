"""Spoken words with their class and speaker; the Free Spoken Digit Dataset."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mmgraph.datasets.image_files import files_in_zip
from mmgraph.datasets.wav_file import Samples, read_wav_channels
from mmgraph.errors import DatasetCorruptError, InputError

if TYPE_CHECKING:
    from torch import Tensor

NAME = re.compile(r"(?:.*/)?(\d)_([A-Za-z]+)_(\d+)\.wav")
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
TEST_INDICES = 5
"""Recordings 0 to 4 of each digit and speaker are the official test part."""


@dataclass(frozen=True, eq=False)
class SoundCollection:
    """Sounds of different length with a class each.

    Args:
        sounds: one channel, −1 to 1, with silence behind the shorter ones.
        lengths: samples of each without that silence.
        labels: the class of each.
        class_names: of the labels.
        sample_rate: of all.
        speakers: who speaks.
        speaker_names: of the speakers.
        is_test: which belong to the official test part.

    Shapes:
        sounds (n, samples) float32; lengths, labels and speakers (n,) int64; is_test (n,) bool.

    Units: sample_rate in 1/s.

    Raises:
        InputError: shapes do not fit together.
    """

    name: str
    sounds: Tensor
    lengths: Tensor
    labels: Tensor
    class_names: tuple[str, ...]
    sample_rate: int
    speakers: Tensor
    speaker_names: tuple[str, ...]
    is_test: Tensor

    def __post_init__(self) -> None:
        count = len(self.sounds)
        if self.sounds.dim() != 2 or any(
            value.shape != (count,) for value in (self.lengths, self.labels, self.speakers, self.is_test)
        ):
            raise InputError(
                f"The sounds of '{self.name}' must have shape (n, samples) with a length, label, speaker and part each."
            )


def read_spoken_digits(path: Path, name: str = "fsdd") -> SoundCollection:
    """All recordings `digit_speaker_index.wav` in an archive, in order of digit, speaker and index.

    Raises:
        DatasetCorruptError: the archive or a recording is damaged, or rates differ.

    Source: Jackson et al., "Free Spoken Digit Dataset", 2018.
    """
    import torch

    found: list[tuple[int, str, int, Samples]] = []
    rates: set[int] = set()
    for file, content in files_in_zip(path, lambda entry: entry.endswith(".wav")):
        match = NAME.fullmatch(file)
        if match is None:
            raise DatasetCorruptError(f"{file} in {path} is not named digit_speaker_index.wav.")
        samples, rate = read_wav_channels(content, name=file)
        found.append((int(match[1]), match[2], int(match[3]), samples.mean(axis=1)))
        rates.add(rate)
    if len(rates) != 1:
        raise DatasetCorruptError(
            f"{path} should hold recordings of one sample rate, not {sorted(rates) or 'none'}."
        )
    found.sort(key=lambda entry: entry[:3])
    speakers = sorted({speaker for _, speaker, _, _ in found})
    sounds = np.zeros((len(found), max(len(entry[3]) for entry in found)), np.float32)
    for row, entry in enumerate(found):
        sounds[row, : len(entry[3])] = entry[3]
    return SoundCollection(
        name,
        torch.from_numpy(sounds),
        torch.tensor([len(entry[3]) for entry in found]),
        torch.tensor([entry[0] for entry in found]),
        DIGITS,
        rates.pop(),
        torch.tensor([speakers.index(entry[1]) for entry in found]),
        tuple(speakers),
        torch.tensor([entry[2] < TEST_INDICES for entry in found]),
    )
