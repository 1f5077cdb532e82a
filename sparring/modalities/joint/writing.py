"""Items of several parts as files: a folder for each part, and a table that names what belongs together."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sparring.modalities.samples import Samples
from sparring.modalities.tables.files.header import unique_names

TABLE = "items.csv"


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
