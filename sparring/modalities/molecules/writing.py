"""Molecules in files."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sparring.errors import needs
from sparring.metrics import chemistry
from sparring.modalities.molecules.properties import Measure
from sparring.modalities.samples import Samples


def write_smiles(samples: Samples, path: Path) -> None:
    """One SMILES per line."""
    path.write_text("".join(f"{text}\n" for text in samples.items), encoding="utf-8")


def write_csv(samples: Samples, path: Path, measured: Mapping[str, Measure]) -> None:
    """SMILES and their properties."""
    rows = _measured(samples.items, measured)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["smiles", *measured])
        writer.writerows([text, *row] for text, row in zip(samples.items, rows, strict=True))


def write_sdf(samples: Samples, path: Path, measured: Mapping[str, Measure]) -> None:
    """Records with 2D coordinates, and their properties. Invalid molecules are empty records."""
    chem = chemistry.chem()
    depict = needs("rdkit.Chem.rdDepictor", "molecules", "draws molecules")
    molecules = chemistry.parse(samples.items)
    rows = _measured(samples.items, measured)
    writer = chem.SDWriter(str(path))
    writer.SetProps(["smiles", *measured])
    for text, molecule, row in zip(samples.items, molecules, rows, strict=True):
        drawn = chem.Mol() if molecule is None else molecule
        depict.Compute2DCoords(drawn)
        drawn.SetProp("smiles", text)
        for name, value in zip(measured, row, strict=True):
            drawn.SetProp(name, value)
        writer.write(drawn)
    writer.close()


def _measured(smiles: Any, measured: Mapping[str, Measure]) -> list[list[str]]:
    """Properties of molecules as text; "" for invalid molecules."""
    molecules = chemistry.parse(smiles)
    known = [i for i, molecule in enumerate(molecules) if molecule is not None]
    rows = [[""] * len(measured) for _ in molecules]
    for column, measure in enumerate(measured.values()):
        for i, value in zip(known, measure([molecules[i] for i in known]) if known else (), strict=True):
            rows[i][column] = f"{value:.6g}"
    return rows
