"""Items of several parts as files: a folder for each part, and a table that names what belongs together."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sparring.modalities.samples import Samples

TABLE = "items.csv"


def write_folder(parts: Mapping[str, Samples], folder: Path) -> None:
    """Files of all parts and a table with a line for each item, which can be trained on like any other.

    Args:
        parts: samples by the name of the part.
    """
    import pandas

    folder.mkdir(parents=True, exist_ok=True)
    columns: dict[str, Any] = {}
    for name, samples in parts.items():
        frame = samples.modality.as_frame(samples)
        if frame is not None:
            columns |= {str(column): frame[column] for column in frame}
            continue
        writer = next((w for w in samples.modality.writers if w.suffix == ""), None)
        if writer is None:
            columns[name] = list(map(str, samples.items))
            continue
        writer.write(samples, folder / f"{name}s")
        files = sorted(p.relative_to(folder).as_posix() for p in (folder / f"{name}s").rglob("*") if p.is_file())
        columns[name] = files
    pandas.DataFrame(columns).to_csv(folder / TABLE, index=False)
