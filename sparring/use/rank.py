"""`rank(run, data)` sorts items by how real D takes them for."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from pathlib import Path

import torch

from sparring.console import Screen
from sparring.devices import resolve
from sparring.errors import InputError
from sparring.files import check_output, write_bytes
from sparring.modalities.ranking import Ranked
from sparring.model import Model, load

HEAD = ("rank", "place", "item", "D", "against")
SUFFIX = ".csv"


def rank(
    model: str | os.PathLike[str] | Model,
    data: str | os.PathLike[str],
    out: str | os.PathLike[str] | None = None,
    device: str = "auto",
    force: bool = False,
    quiet: bool = True,
    trust: bool = False,
) -> list[Ranked]:
    """Items of a file, those first that D takes for real ones with the highest probability.

    D has learned to distinguish the training data from what G generated at that time. It is a rough filter of unusual
    items, no measure of quality.

    Args:
        model: a model, or the folder of a run.
        data: name or path of the items.
        out: a `.csv` with all of them.
        device: where D judges.
        force: overwrite `out`.
        quiet: print nothing.
        trust: as for `sparring.load`.

    Raises:
        InputError: if the recipe has no D that judges items, or the items cannot be read.
    """
    if out is not None:
        if Path(out).suffix.lower() != SUFFIX:
            raise InputError(f"{out}: the ranking is written as {SUFFIX}; give such a name")
        check_output(Path(out), force)
    trained = model if isinstance(model, Model) else load(Path(model), str(resolve(device)), trust)
    critic, words = trained.game.critic(), trained.modality.words
    if critic is None:
        raise InputError(
            f"recipe {trained.recipe.name!r} has no D that judges {words.items}; give a run of another one"
        )
    items = trained.find_items(data)
    with Screen(quiet).progress(f"judging {items.name}") as progress, torch.no_grad():
        ranked = trained.modality.rank(critic, items, trained.device, progress)
    ranked = sorted(ranked, key=lambda item: -item.score)
    if out is not None:
        write_bytes(Path(out), _as_csv(ranked))
    return ranked


def rows(ranked: Sequence[Ranked], first: int) -> list[list[str]]:
    """A table of the first and the last of ranked items."""
    most = len(ranked)
    shown = range(most) if most <= 2 * first else [*range(first), *range(most - first, most)]
    return [list(HEAD), *(_cells(i + 1, ranked[i]) for i in shown)]


def _cells(place: int, item: Ranked) -> list[str]:
    return [str(place), item.place, item.item, f"{item.score:.3f}", "; ".join(item.against)]


def _as_csv(ranked: Sequence[Ranked]) -> bytes:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(HEAD)
    writer.writerows(_cells(i + 1, item) for i, item in enumerate(ranked))
    return file.getvalue().encode()
