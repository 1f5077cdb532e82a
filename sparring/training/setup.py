"""Everything that a run needs before its first step: of a new one, or of one that is resumed."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sparring import devices
from sparring.console import Screen
from sparring.data import Items
from sparring.data.addresses import shown
from sparring.data.dataset import Dataset
from sparring.errors import InputError
from sparring.json_files import build
from sparring.modalities import Modality
from sparring.modalities.find import lasting_source
from sparring.recipes.base import Recipe
from sparring.runs.folder import RunFolder
from sparring.training import checkpoint
from sparring.training.bounds import Bound
from sparring.training.dry_run import dry_run
from sparring.training.prepare import prepare
from sparring.training.private import BUDGET, UNTIL, private, within_budget
from sparring.training.request import Request
from sparring.training.settings import Settings, shard_size
from sparring.training.sizes import check_sizes


@dataclass(frozen=True)
class Setup:
    """Everything that a run needs before its first step."""

    recipe: Recipe[Any]
    modality: Modality
    data: Dataset
    settings: Settings
    bound: Bound


Read = Callable[[Recipe[Any], Modality], tuple[Modality, Dataset]]


def read_data(
    items: Items, recipe: Recipe[Any], modality: Modality, limit: int, screen: Screen
) -> tuple[Modality, Dataset]:
    """The fitted modality and the data, prepared for a recipe. Says what the user should know about them."""
    modality, prepared, notes = prepare(recipe, modality, items, limit, screen)
    for note in notes:
        screen.say(note)
    return modality, prepared


def new_run(recipe: Recipe[Any], items: Items, request: Request, read: Read, screen: Screen) -> Setup:
    """A new run. Settings that are incompatible are refused here, before anything is written."""
    recipe, note = recipe.settled()
    if note:
        screen.say(note)
    if "shards" not in request.fields:
        shards = math.lcm(recipe.shards, request.ranks)
        if recipe.batch % shards:
            raise InputError(
                f"batch={recipe.batch} cannot be divided among {request.ranks} ranks; give a multiple of {shards}"
            )
        recipe = recipe.set({"shards": shards})
    shard_size(recipe)
    modality, prepared = read(recipe, recipe.fitted(items))
    modality = recipe.published(modality)
    if recipe.own_file:  # the recipes of Sparring are tested
        dry_run(recipe, modality, prepared)
    local = request.launcher.local_ranks if request.launcher.several else request.ranks
    check_sizes(recipe, modality, request.place, local)
    most, bound = recipe.max_steps(prepared.trained), request.bound
    if not bound.given:
        bound = Bound(recipe.steps if most is None else min(recipe.steps, most), None)
    elif bound.steps is None:
        bound = Bound(most, bound.time, reason=_reason(most, modality, prepared))
    settings = _settings(recipe, items, prepared, request)
    promise = recipe.guarantee(modality, prepared.trained, bound.steps or recipe.steps)
    if promise is not None:
        if prepared.records is not None:
            raise InputError(
                f"{items.name!r} is a set in shards, read in shuffled order, but privacy needs Poisson sampling; give "
                f"its {modality.words.items} themselves"
            )
        recipe.game(modality)  # refuses what couples samples
        settings = private(settings, promise)
        bound = Bound(bound.steps or recipe.steps, bound.time, reason=BUDGET)
    return Setup(recipe, modality, prepared, settings, bound)


def _settings(recipe: Recipe[Any], items: Items, data: Dataset, request: Request) -> Settings:
    """What a new run records of what was asked for, with decisions in place of what was left open."""
    place, seed, precision = request.place, request.asked["seed"], request.asked["precision"]
    source = lasting_source(request.data) if isinstance(request.data, str | os.PathLike) else items.name
    if precision == "auto":
        kind = recipe.modality(items.kind).kind
        precision = "bf16" if kind in recipe.bf16 and devices.has_bf16(place) else "fp32"
    on_cpu = place.type == "cpu"
    exact = on_cpu if request.exact is None else request.exact
    return Settings(
        source, items.name, items.total, data.fingerprint, seed, precision, device=str(place),
        save_every=request.save_every, until=request.until, code=recipe.code, job=request.launcher.record,
        exact=exact,
        threads=max(1, devices.cores() // recipe.shards) if exact and on_cpu and recipe.shards > 1 else 0,
    )  # fmt: skip


def _reason(most: int | None, modality: Modality, data: Dataset) -> str:
    """Why a run that is bounded in time may end before; "" if it does not."""
    if most is None:
        return ""
    return f"{most:,} steps are the most for {data.trained:,} {modality.words.trained}, which more would memorize"


def _check_same(folder: RunFolder, stored: Recipe[Any], recipe: Recipe[Any] | None, fields: Mapping[str, Any]) -> None:
    """Refuse another recipe, or other values of its fields, than those of the run that is resumed."""
    if recipe is not None and recipe.name != stored.name:
        raise InputError(
            f"{folder.path} was trained with recipe {stored.name!r}, not {recipe.name!r}; choose another --out"
        )
    asked = stored.set(fields)
    for name in fields:
        before, value = getattr(stored, name), getattr(asked, name)
        if value != before:
            raise InputError(f"{folder.path} was trained with {name}={before}, not {value}; give the same to resume it")


def resumed_run(folder: RunFolder, recipe: Recipe[Any] | None, items: Items, request: Request, read: Read) -> Setup:
    """The run in a folder, if it is the one that was asked for."""
    fields, bound = request.fields, request.bound
    stored, modality, run = folder.reopen(recipe)
    # Version 0.1 divided a batch among the ranks first.
    stored = stored.set({"shards": stored.shards * run["settings"].get("ranks", 1)})
    _check_same(folder, stored, recipe, fields)
    for name, file in stored.code_files.items():
        if name not in fields:  # what a file names is not run unless the user gives it
            raise InputError(f"{folder.path} runs {file}, which is not done unless you say so; add {name}={file}")
    settings = build(Settings, run["settings"], str(folder.recipe))
    defaults = {"seed": 0, "precision": "auto"}  # values that the user may not have given
    asked = {**request.asked, **({} if request.exact is None else {"exact": request.exact})}
    for name, value in asked.items():
        before = getattr(settings, name)
        if value != before and value != defaults.get(name):
            raise InputError(f"{folder.path} was trained with {name}={before}, not {value}; give the same to resume it")
    if not checkpoint.saved(folder.checkpoints) and (folder.log.exists() or folder.model.exists()):
        raise InputError(f"{folder.path} has no checkpoint left to resume from; --force starts it anew")
    _, prepared = read(stored, modality)
    if not same_data(settings, prepared):
        raise InputError(f"{folder.path} was trained on other data ({shown(settings.data)}) than {items.name!r}")
    settings = replace(settings, until=request.until or settings.until)
    if not bound.given or (bound.steps, bound.time) == (run["steps"], run["time"]):
        most = stored.max_steps(prepared.trained)
        reason = _reason(most, modality, prepared) if run["steps"] == most else ""
        bound = Bound(run["steps"], run["time"], kept=True, reason=reason)
    elif settings.privacy is not None:
        bound = within_budget(bound, run["steps"])
    if settings.privacy is not None and settings.until:
        raise InputError(UNTIL.format(settings.until))
    return Setup(stored, modality, prepared, settings, bound)


def same_data(settings: Settings, data: Dataset) -> bool:
    """True if data may be those of a run. A private one stores no fingerprint; its number of records is public."""
    if settings.privacy is not None:
        return len(data.train) == settings.privacy.records
    return settings.fingerprint in ("", data.fingerprint)
