"""Which texts are SMILES."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median

from sparring.errors import InputError, nearest
from sparring.metrics import chemistry

NAMED = "smiles"  # in the name of a column
PROBED = 200  # values by which a column is recognized
MIN_VALID = 0.9  # share of them that must be valid
MIN_ATOMS = 4  # median number of heavy atoms. "C" and "NO" are SMILES too, but columns of such words are categories


def holds_smiles(texts: Sequence[str]) -> bool:
    """True if texts are SMILES by their content."""
    probed = _probed(texts)
    if not probed or any(" " in text for text in probed):
        return False
    molecules = [molecule for molecule in chemistry.parse(probed) if molecule is not None]
    atoms = [molecule.GetNumHeavyAtoms() for molecule in molecules]
    return len(molecules) >= MIN_VALID * len(probed) and median(atoms) >= MIN_ATOMS


def any_valid(texts: Sequence[str]) -> bool:
    """True if some of the texts are valid SMILES."""
    return any(molecule is not None for molecule in chemistry.parse(_probed(texts)))


def _probed(texts: Sequence[str]) -> list[str]:
    """Texts spread over a column, without those that are missing."""
    known = [text.strip() for text in texts if text.strip()]
    return known[:: max(1, len(known) // PROBED)][:PROBED]


def is_named(name: str) -> bool:
    """True if a column's name says that it holds SMILES."""
    return NAMED in name.lower()


def smiles_columns(texts: Mapping[str, Sequence[str]]) -> list[str]:
    """Names of the columns of SMILES: those that are named so, then those with such content.

    Args:
        texts: columns of text by name.
    """
    named = [name for name in texts if is_named(name) and any_valid(texts[name])]
    return named + [name for name in texts if name not in named and holds_smiles(texts[name])]


def check_named(texts: Mapping[str, Sequence[str]], where: str) -> None:
    """Refuse columns that are named as SMILES and hold none.

    Raises:
        InputError: if there is one.
    """
    for name in (name for name in texts if is_named(name)):
        first = next((text for text in texts[name] if text.strip()), "")
        raise InputError(
            f"{where}: column {name!r} holds no valid SMILES, the first is {first[:40]!r}; correct it, or give "
            "--recipe table to learn it as text"
        )


def column_called(name: str, texts: Mapping[str, Sequence[str]], where: str) -> str:
    """The name of a column of text.

    Raises:
        InputError: if there is none of this name.
    """
    if name not in texts:
        choice = nearest(name, texts) if texts else "none of its columns holds text"
        raise InputError(f"smiles={name} was given, but {where} has no such column of text; {choice}")
    return name
