"""Texts in files."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sparring.errors import needs
from sparring.modalities.samples import Samples


def write_lines(samples: Samples, path: Path) -> None:
    """A text in each line; texts of several lines have a blank line between them."""
    several = any("\n" in text for text in samples.items)
    ends = "\n\n" if several else "\n"
    path.write_text("".join(f"{text.strip() if several else text}{ends}" for text in samples.items), encoding="utf-8")


def write_csv(samples: Samples, path: Path, names: Sequence[str] | None) -> None:
    """A table with the column text, and label if there are classes."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["text", *([] if names is None else ["label"])])
        writer.writerows([text, *([] if names is None else [names[i]])] for i, text in enumerate(samples.items))


def write_records(samples: Samples, path: Path, names: Sequence[str] | None) -> None:
    """A JSON object in each line, with the key text, and label if there are classes."""
    with path.open("w", encoding="utf-8") as file:
        for i, text in enumerate(samples.items):
            record = {"text": text, **({} if names is None else {"label": names[i]})}
            file.write(json.dumps(record, ensure_ascii=False) + "\n")


def as_frame(texts: Any, names: Sequence[str] | None) -> Any:
    """A pandas data frame of texts and their classes."""
    pandas = needs("pandas", "text", "holds tables")
    return pandas.DataFrame({"text": list(texts), **({} if names is None else {"label": list(names)})})
