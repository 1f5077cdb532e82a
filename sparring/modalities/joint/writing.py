"""Items of several parts as files: a folder for each part, and a table that names what belongs together; films with
their sound as one film.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from sparring.modalities.audio import Audio
from sparring.modalities.samples import Samples
from sparring.modalities.tables.files.header import unique_names
from sparring.modalities.video import Video
from sparring.modalities.video.writers import write_dubbed

TABLE = "items.csv"


def write_film(films: Samples, sounds: Samples, path: Path) -> None:
    """One film of all clips, one after the other, each with its own sound; a longer sound is cut."""
    assert isinstance(films.modality, Video)
    assert isinstance(sounds.modality, Audio)
    clips, rate = films.items, films.modality.rate
    waves, own = sounds.items, sounds.modality.rate
    length = round(clips.shape[1] / rate * own)
    fitting = np.pad(waves[:, :length], ((0, 0), (0, max(0, length - waves.shape[1])), (0, 0)))
    write_dubbed(iter(np.concatenate(list(clips))), rate, np.concatenate(list(fitting)), own, path)


def write_folder(parts: Mapping[str, Samples], folder: Path) -> None:
    """Files of all parts and a table with a line for each item, which can be trained on like any other. If two parts
    have a column of one name, that of the last part, which is the row if there is one, keeps it.

    Args:
        parts: samples by the name of the part.
    """
    import pandas

    folder.mkdir(parents=True, exist_ok=True)
    columns: list[tuple[str, Any]] = []
    for name, samples in parts.items():
        frame = samples.modality.as_frame(samples)
        if frame is not None:
            columns += [(str(column), frame[column].array) for column in frame]
            continue
        writer = next((w for w in samples.modality.writers if w.suffix == ""), None)
        if writer is None:
            columns.append((name, list(map(str, samples.items))))
            continue
        writer.write(samples, folder / f"{name}s")
        files = sorted(p.relative_to(folder).as_posix() for p in (folder / f"{name}s").rglob("*") if p.is_file())
        columns.append((name, files))
    names = unique_names([name for name, _ in reversed(columns)])[0][::-1]
    values = [column for _, column in columns]
    pandas.DataFrame(dict(zip(names, values, strict=True))).to_csv(folder / TABLE, index=False)
