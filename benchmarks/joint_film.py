"""Writes a film for a page: one walk through the latents of a joint model, which all parts of each item follow.

    python benchmarks/joint_film.py runs/joint docs/joint-characters.webp

Each item is a card with its parts side by side, on a walk of its own through several samples and back to the first.
Nothing is selected: the samples are the first ones of a seed. The film is lossless if it is small enough, else as good
as the size of the file allows.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

import film
import sparring
from sparring.errors import InputError
from sparring.explore.film import RATE, STEPS, frames
from sparring.explore.scene import Scene
from sparring.files import atomic_path, check_output
from sparring.modalities.joint import Joint

ITEMS = 2  # in a frame
PACE = 2  # a frame of the film for so many of those of `sparring explore --film`


def write(model: sparring.Model, path: Path, items: int = ITEMS, seed: int = 1) -> str:
    """Write a film. Returns what it is, in words.

    Raises:
        InputError: if the model does not generate items of several parts.
    """
    if not isinstance(model.modality, Joint):
        raise InputError(f"recipe {model.recipe.name!r} does not generate items of several parts")
    shown = frames(Scene(model, seed=seed), items, STEPS // PACE)
    pixels = np.stack([np.asarray(frame.convert("RGB")) for frame in shown])
    content, quality = film.encoded(pixels, RATE / PACE)
    with atomic_path(path) as part:
        part.write_bytes(content)
    return f"{len(pixels)} frames of {pixels.shape[2]} x {pixels.shape[1]} pixels, {quality}, {len(content):,} bytes"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", help="a run or a model of items of several parts")
    parser.add_argument("out", type=Path, help="a .webp")
    parser.add_argument("--items", type=int, default=ITEMS, help="in a frame")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--force", action="store_true", help="overwrite the film")
    given = parser.parse_args()
    check_output(given.out, given.force)
    print(write(sparring.load(given.run), given.out, given.items, given.seed))


if __name__ == "__main__":
    main()
