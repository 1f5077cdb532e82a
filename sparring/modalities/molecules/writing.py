"""Molecules in files."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sparring.metrics import chemistry
from sparring.modalities.samples import Samples


def write_smiles(samples: Samples, path: Path) -> None:
    """One SMILES per line."""
    path.write_text("".join(f"{text}\n" for text in samples.items), encoding="utf-8")


def write_csv(samples: Samples, path: Path, names: Sequence[str]) -> None:
    """SMILES and their descriptors."""
    rows = _descriptors(samples.items, names)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["smiles", *names])
        writer.writerows([text, *row] for text, row in zip(samples.items, rows, strict=True))


def write_sdf(samples: Samples, path: Path, names: Sequence[str]) -> None:
    """Records with 2D coordinates, and descriptors as properties. Invalid molecules are empty records."""
    chem = chemistry.chem()
    molecules = chemistry.parse(samples.items)
    rows = _descriptors(samples.items, names)
    writer = chem.SDWriter(str(path))
    writer.SetProps(["smiles", *names])
    for text, molecule, row in zip(samples.items, molecules, rows, strict=True):
        drawn = chem.Mol() if molecule is None else molecule
        chem.rdDepictor.Compute2DCoords(drawn)
        drawn.SetProp("smiles", text)
        for name, value in zip(names, row, strict=True):
            drawn.SetProp(name, value)
        writer.write(drawn)
    writer.close()


def _descriptors(smiles: Any, names: Sequence[str]) -> list[list[str]]:
    """Descriptors of molecules as text; "" for invalid molecules."""
    molecules = chemistry.parse(smiles)
    compute = [chemistry.descriptors()[name] for name in names]
    return [["" if m is None else f"{f(m):.6g}" for f in compute] for m in molecules]
