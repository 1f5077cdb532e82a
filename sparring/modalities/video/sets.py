"""Sets of films that are found by name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath

import numpy as np

from sparring.data.items import Items
from sparring.errors import InputError
from sparring.files import places
from sparring.modalities.video import reading

PERSONS = 9  # in Weizmann's set, each in one clip of each action


def walks() -> Items:
    """2,000 walking characters as GIFs of 8 frames, composed from the layers of the Liberated Pixel Cup."""
    return _found("walks", "characters/walks.zip")


def weizmann() -> Items:
    """36 clips of four actions by nine persons, as strips of 32 frames of 64 x 64. Gorelick et al. 2007,
    doi:10.1109/TPAMI.2007.70711, in the layout of MoCoGAN's code. The last person is held out.
    """
    items = _found("weizmann", "video/weizmann_actions_64.zip")
    by_class: dict[str, list[str]] = {}
    for name in items.items.names:
        by_class.setdefault(str(PurePosixPath(name).parent), []).append(name)
    last = {sorted(names)[-1] for names in by_class.values() if len(names) == PERSONS}
    held = np.array([name in last for name in items.items.names])
    return replace(items, held=held if held.any() else None)


def _found(name: str, path: str) -> Items:
    for place in (*places(path), *places(name)):
        if place.exists() and (items := reading.read(place, frames=True)) is not None:
            return replace(items, name=name)
    raise InputError(f"the data set {name!r} was not found; put its archive at {places(path)[0]}")


SETS = {"walks": walks, "weizmann": weizmann}
