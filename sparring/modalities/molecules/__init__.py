"""Molecules as SMILES."""

from sparring.modalities.molecules.molecules import Molecules

__all__ = ["Molecules"]

KINDS = (Molecules,)
