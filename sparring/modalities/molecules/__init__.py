"""Molecules as SMILES."""

from sparring.modalities.molecules.graphs import MoleculeGraphs
from sparring.modalities.molecules.molecules import Molecules

__all__ = ["MoleculeGraphs", "Molecules"]

KINDS = (Molecules, MoleculeGraphs)
