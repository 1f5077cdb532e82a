"""One file per published system; the package is the registry."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from sparring.data import Items
from sparring.errors import InputError, nearest
from sparring.modalities import Images
from sparring.modalities.translation.layout import domains, halved
from sparring.recipes.base import Recipe


def names() -> list[str]:
    return sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.ispkg)


def find(name: str) -> Recipe:
    """The recipe of a name, or the one in a user's own `.py` file, with its default fields.

    Raises:
        InputError: where there is none.
    """
    if name.endswith(".py"):
        return _only(_imported(Path(name)), name)
    known = name.replace("-", "_").lower()
    if known not in names():
        raise InputError(f"there is no recipe {name!r}; {nearest(known, names())}")
    return _only(importlib.import_module(f"{__name__}.{known}"), name)


def _imported(path: Path) -> ModuleType:
    name = f"recipe_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise InputError(f"there is no recipe file {path}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their own module up there
    spec.loader.exec_module(module)
    return module


def _only(module: ModuleType, name: str) -> Recipe:
    """The recipe that a module defines."""
    found = [
        value
        for _, value in inspect.getmembers(module, inspect.isclass)
        if issubclass(value, Recipe) and value.__module__ == module.__name__ and not inspect.isabstract(value)
    ]
    if len(found) != 1:
        raise InputError(f"{name} defines {len(found)} recipes where one is expected")
    recipe: Recipe = found[0]()
    return recipe


SMALL = 16  # pixels up to which fully connected nets learn pictures faster than convolutions
FEW = 20_000  # pictures below which D would soon know them by heart
HANDFUL = 1000  # pictures of which a batch of the usual size is a large part
SMALL_BATCH = 16  # of these, whose steps are more for the same time
LONG = 1800.0  # seconds from which on a wider net makes better use of a CPU
WIDE = 64


def choose(items: Items, device: str, seconds: float | None = None) -> tuple[Recipe, str]:
    """The recipe that fits the data, the device and the time, and why, in words for the user.

    Args:
        seconds: how long it may train, where that is known.
    """
    if items.kind == "points":
        return find("r3gan_mlp"), "points: fully connected nets under R3GAN's loss, which keeps every mode"
    if items.kind == "rows":
        steps = all(dtype.kind in "fiu" for dtype in items.items.dtypes)
        hint = "; where rows are steps in time, say --recipe series" if steps else ""
        return find("table"), f"a table: R3GAN's loss on rows of mixed kinds{hint}"
    if items.kind == "series":
        return find("series"), "steps in time: R3GAN's loss on paths of any length"
    layout = None if isinstance(items.items, np.ndarray) else domains(items.items.names)
    if layout is None and not isinstance(items.items, np.ndarray) and (missing := halved(items.items.names)):
        raise InputError(
            f"{items.name!r} has no {missing}/ beside the other kind; add it, or give the one folder alone"
        )
    # Pairs of which some are missing are named by pix2pix.
    if layout is not None and layout.known and not layout.joined and (layout.matched or layout.names != ("A", "B")):
        return find("pix2pix"), f"pairs of pictures in {layout.names[0]}/ and {layout.names[1]}/"
    if layout is not None and layout.names == ("A", "B"):
        return find("cyclegan"), "pictures of two kinds, A and B, without partners"
    size = Images().fit(items).size
    if size <= SMALL:
        return find("gan"), "tiny pictures: fully connected nets learn them fastest"
    settings: dict[str, Any] = {}
    why = "pictures on an accelerator: residual nets give the best quality"
    if device == "cpu":
        why = "pictures on a CPU: strided convolutions train fastest"
        if size <= 32 and (seconds or 0) >= LONG:
            settings["width"] = WIDE
    if len(items) < FEW:
        settings["augment"] = "places" if len(items) < HANDFUL else "ada"
        why += f"; only {len(items):,} of them: augmented"
    if len(items) < HANDFUL and device == "cpu":
        settings["batch"] = SMALL_BATCH
        why += ", in small batches"
    return find("r3gan_strided" if device == "cpu" else "r3gan").set(settings), why
