"""Data sets of sounds: which files and folders they are."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path, PurePosixPath

import numpy as np

from sparring.data import sources
from sparring.data.classes import classify
from sparring.data.items import Items
from sparring.data.sources import FileSource
from sparring.errors import InputError
from sparring.files import places, resolved

SOUNDS = (".wav", ".flac", ".mp3", ".ogg", ".oga", ".opus", ".aif", ".aiff", ".aifc", ".w64", ".caf", ".au", ".snd",
          ".m4a", ".aac", ".wma", ".mka")  # fmt: skip
FILMS = (".mp4", ".mov", ".mkv", ".webm", ".avi")  # whose sound is read where they lie among sounds
# The Free Spoken Digit Dataset: DIGIT_SPEAKER_INDEX.wav, of which the indices 0 to 4 are the test part.
SPOKEN_DIGIT = re.compile(r"(\d)_[a-z]+_(\d+)\.wav")
TEST_INDICES = 5


def suffix(name: str) -> str:
    return PurePosixPath(name.replace("\\", "/")).suffix.lower()


def read(path: Path) -> Items | None:
    """The sounds in a folder, an archive or a file; None if it holds none, or they are not most of its files.

    Raises:
        InputError: if there are sounds that cannot be used.
    """
    if path.is_dir():
        return _chosen(sources.folder(path, sources.is_visible), resolved(path).name)
    if suffix(path.name) in SOUNDS:
        raise InputError(f"{path} is a single sound; give a folder, zip or tar of at least two")
    opened = sources.archive(path, sources.is_visible)
    if opened is None:
        return None
    notes = (f"{opened[1]} links in {path.name} are not followed",) if opened[1] else ()
    return _chosen(opened[0], path.name.split(".")[0] or path.name, notes)


def _chosen(everything: FileSource, name: str, notes: tuple[str, ...] = ()) -> Items | None:
    """The sounds among all files of a folder or an archive."""
    kinds = [suffix(file) for file in everything.names]
    sounds = sum(kind in SOUNDS for kind in kinds)
    if 2 * sounds < len(kinds) or not sounds:
        return None
    accepted = [i for i, kind in enumerate(kinds) if kind in (*SOUNDS, *FILMS)]
    others = Counter(kind or "files without a suffix" for kind in kinds if kind not in (*SOUNDS, *FILMS))
    if others:
        listed = ", ".join(f"{count:,} {kind}" for kind, count in others.most_common())
        notes = (*notes, f"passed over in {everything.path.name}: {listed}, which are no sounds")
    return from_files(everything.only(accepted), name, notes)


def from_files(files: FileSource, name: str, notes: tuple[str, ...] = ()) -> Items:
    """Sound files, with the classes and the held-out part that their folders or their names define.

    Raises:
        InputError: if there are fewer than two.
    """
    if len(files) < 2:
        raise InputError(f"{files.path} holds only one sound; give at least two (.wav, .flac, .mp3, ...)")
    digits = [SPOKEN_DIGIT.fullmatch(PurePosixPath(file).name) for file in files.names]
    found = [match for match in digits if match]
    if len(found) == len(files):
        labels = np.array([int(match[1]) for match in found], np.int64)
        names = sorted({str(label) for label in labels})
        if len(names) > 1:
            labels = np.searchsorted(np.array([int(n) for n in names]), labels)
            held = np.array([int(match[2]) < TEST_INDICES for match in found])
            return Items(name, "audio", files, labels, tuple(names), held=held if not held.all() else None, notes=notes)
    labels_, classes, held_ = classify(files.names)
    return Items(name, "audio", files, labels_, classes, held=held_, notes=notes)


def fsdd() -> Items:
    """3,000 spoken digits of six speakers at 8 kHz, of which 300 are held out. Jackson et al. 2016, the Free Spoken
    Digit Dataset.
    """
    return _named("fsdd", "recordings.zip", "fsdd")


def drums() -> Items:
    """786 drum one-shots of twelve kinds at 22.05 kHz. The Open Source Drumkit."""
    return _named("drums", "drums.zip", "audio")


SETS = {"fsdd": fsdd, "drums": drums}


def _named(name: str, file: str, folder: str) -> Items:
    """A set in one archive, below a folder of its own name or another one."""
    candidates = [place / file for where in dict.fromkeys((name, folder)) for place in places(where)]
    found = next((path for path in candidates if path.is_file()), None)
    if found is None:
        raise InputError(f"{name} is not on this machine; put {file} at {candidates[0]}")
    items = read(found)
    if items is None:
        raise InputError(f"{found} holds no sounds; put the archive of {name} there")
    return Items(name, items.kind, items.items, items.labels, items.classes, held=items.held, notes=items.notes)
