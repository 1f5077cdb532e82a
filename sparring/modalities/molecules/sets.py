"""Sets of molecules that are found by name."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sparring.data.items import Items
from sparring.errors import InputError
from sparring.files import places
from sparring.metrics import moses as published
from sparring.modalities.molecules import reading
from sparring.modalities.molecules.records import Records


def moses() -> Items:
    """1,584,663 training and 176,074 test molecules of MOSES, from the package molsets. Polykovskiy et al. 2018,
    arXiv:1811.12823.
    """
    parts = [published.smiles(name) for name in ("train", "test")]
    smiles = tuple(text for part in parts for text in part)
    held = np.repeat([False, True], [len(part) for part in parts])
    return Items("moses", reading.KIND, Records(smiles, "row", np.arange(len(smiles)) + 1), held=held)


def qm9() -> Items:
    """133,879 molecules of at most nine heavy atoms. Ramakrishnan et al. 2014, doi:10.1038/sdata.2014.22."""
    return _stored("qm9", "qm9_smiles.csv.gz")


def esol() -> Items:
    """1,128 molecules with their solubility in water. Delaney 2004, doi:10.1021/ci034243x."""
    return _stored("esol", "delaney-processed.csv")


def zinc() -> Items:
    """100,729 molecules of ZINC with at most 24 heavy atoms, as used by ORGAN. Guimaraes et al. 2017,
    arXiv:1705.10843.
    """
    return _stored("zinc", "zinc_100k_24heavy.csv.gz")


def _stored(name: str, file: str) -> Items:
    """A set whose file is in one of the places of named sets, in the folder molecules.

    Raises:
        InputError: if it is not there.
    """
    paths = [place / file for place in places("molecules")]
    path = next((path for path in paths if path.is_file()), None)
    if path is None:
        raise InputError(f"the data set {name!r} is not here; put {file} into {paths[0].parent}")
    return Items(name, reading.KIND, _records(path))


def _records(path: Path) -> Records:
    items = reading.read(path)
    if items is None:
        raise InputError(f"{path} holds no molecules; download it again")
    records: Records = items.items
    return records


SETS = {"moses": moses, "qm9": qm9, "esol": esol, "zinc": zinc}
