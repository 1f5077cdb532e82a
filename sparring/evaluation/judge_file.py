"""`judge(file, against)` evaluates a file that any tool made, without a model."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch

from sparring import recipes
from sparring.console import Screen
from sparring.data.addresses import shown
from sparring.data.items import Items
from sparring.devices import resolve
from sparring.errors import InputError
from sparring.evaluation.feature_judge import FeatureJudge
from sparring.metrics.results import Evaluation
from sparring.modalities import Modality, find
from sparring.modalities.dataset import why_unlabeled
from sparring.modalities.judge import TrainingData
from sparring.recipes.base import Recipe

UNKNOWN = (
    "; which of the real items the tool was trained on is not known: copies of held-out ones are not told from new "
    "samples"
)


def judge(
    file: str | os.PathLike[str],
    against: str | os.PathLike[str],
    recipe: str | None = None,
    features: Sequence[str] = (),
    device: str = "auto",
    quiet: bool = True,
    **fields: Any,
) -> Evaluation:
    """Compare the items of a file with real data, as `evaluate` compares samples.

    Args:
        file: what a tool made, in any format that data of the kind are read from; all of it is evaluated.
        against: name or path of the real data that the tool was trained on. A part of them is held out for the floor,
            as in a training, or the part that a set itself holds out.
        recipe: name or `.py` file of the recipe that reads the data; by default the one that is recommended for them.
        features: as for `evaluate`.
        device: where features are computed.
        quiet: print nothing.
        fields: values of the recipe's fields, which may change how data are read (`size=64`, `target=income`).

    Raises:
        InputError: if either cannot be found or read, they are of different kinds, or there are too few items.
    """
    place, screen = resolve(device), Screen(quiet)
    with torch.random.fork_rng():
        items, modality = reader(str(against), recipe, place, fields)
        made = find(file, [type(modality)])
        check_kind(made, modality, file, against)
        if changed := modality.conversion(made):
            screen.say(f"{made.name}: {changed}")
        training = TrainingData(items.name, shown(str(against)), items.total, lambda: items)
        own = modality.judge(training, None, {"features": tuple(features)}, screen.say)
        found = (own or FeatureJudge(modality, training, None, features, place, screen)).evaluate_items(made, screen)
    return replace(found, protocol=found.protocol + UNKNOWN)


def check_kind(items: Items, modality: Modality, file: str | os.PathLike[str], against: str | os.PathLike[str]) -> None:
    """Check that the items of a file are of the kind of the real data.

    Raises:
        InputError: if not.
    """
    if not modality.accepts(items):
        raise InputError(
            f"{file} holds {items.kind}, but {against} holds {modality.words.items}; give files of one kind"
        )


def reader(against: str, recipe: str | None, device: torch.device, fields: Mapping[str, Any]) -> tuple[Items, Modality]:
    """Real data, and how a recipe reads them; by default the one that is recommended for them."""
    if recipe is None:
        items = find(against)
        chosen = recipes.choose(items, device.type)[0]
    else:
        chosen = recipes.find(recipe)
        items = find(against, [type(modality) for modality in chosen.takes])
    return items, _fitted(chosen.set(fields), items)


def _fitted(recipe: Recipe[Any], items: Items) -> Modality:
    """How the recipe reads the data, with their classes if they can be used."""
    modality: Modality = recipe.modality(items.kind).fit(items)
    if items.labels is None or modality.condition_width or modality.source is not None or recipe.labels is False:
        return modality
    if why_unlabeled(items, items.labels, modality.words.items):
        return modality
    return modality.with_classes(items.classes, items.labels)
