"""Structures of molecules, and how their descriptors are distributed."""

from __future__ import annotations

import io
from collections.abc import Sequence
from math import ceil, sqrt
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from sparring.errors import needs
from sparring.metrics import chemistry
from sparring.metrics.chemistry import ALIASES, Floats, Molecule
from sparring.modalities.samples import Comparison, Distribution

SIDE = 180  # pixels of a structure
MAX_DRAWN = 100  # structures on a sheet
BINS = 24  # of a histogram
COMPARED = ("logP", "QED", "MW", "TPSA", "rings", "rotatable")
assert set(COMPARED) <= set(ALIASES)


def structures(smiles: Sequence[str]) -> list[Image.Image]:
    """An image of each molecule; of an invalid one, its text."""
    return [_structure(m, text) for m, text in zip(chemistry.parse(smiles), smiles, strict=True)]


def _structure(molecule: Molecule | None, text: str) -> Image.Image:
    if molecule is None:
        blank = Image.new("RGB", (SIDE, SIDE), "white")
        ImageDraw.Draw(blank).text((8, SIDE / 2), f"invalid: {text[:18]}", "#aa0000")
        return blank
    draw = needs("rdkit.Chem.Draw.rdMolDraw2D", "molecules", "draws molecules")
    canvas = draw.MolDraw2DCairo(SIDE, SIDE)
    with chemistry.quiet():
        draw.PrepareAndDrawMolecule(canvas, molecule)
    canvas.FinishDrawing()
    return Image.open(io.BytesIO(canvas.GetDrawingText())).convert("RGB")


def sheet(smiles: Sequence[str]) -> Image.Image:
    """The structures of molecules in rows, at most 100."""
    tiles = structures(smiles[:MAX_DRAWN])
    columns = max(1, ceil(sqrt(len(tiles))))
    page = Image.new("RGB", (columns * SIDE, max(1, ceil(len(tiles) / columns)) * SIDE), "white")
    for i, tile in enumerate(tiles):
        page.paste(tile, (i % columns * SIDE, i // columns * SIDE))
    return page


def comparison(samples: Any, real: Sequence[str]) -> Comparison:
    """Descriptors of molecules next to those of training molecules."""
    made = [molecule for molecule in chemistry.parse(samples) if molecule is not None]
    known = chemistry.parse(real)
    shown = tuple(
        _histogram(name, chemistry.described(known, name), chemistry.described(made, name)) for name in COMPARED
    )
    return Comparison(f"{len(known):,} training molecules", shown)


def _histogram(name: str, real: Floats, sampled: Floats) -> Distribution:
    both = np.concatenate([real, sampled])
    edges = np.linspace(both.min(), both.max(), BINS + 1) if len(both) else np.linspace(0, 1, BINS + 1)
    shares = (np.histogram(x, edges)[0] / max(1, len(x)) for x in (real, sampled))
    of_real, of_sampled = (tuple(map(float, share)) for share in shares)
    means = " and ".join(f"{x.mean():.3g}" for x in (real, sampled) if len(x))
    return Distribution(name, (f"{edges[0]:.3g}", f"{edges[-1]:.3g}"), of_real, of_sampled, True, f"means {means}")
