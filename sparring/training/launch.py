"""`train(recipe, data)` gives a model."""

from __future__ import annotations

import os
import pickle
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import torch

from sparring import devices, recipes
from sparring.console import Screen
from sparring.data import Items
from sparring.data.dataset import Dataset
from sparring.errors import InputError
from sparring.modalities import Modality, find
from sparring.model import Model, load
from sparring.recipes.base import Recipe, parse
from sparring.runs.folder import RunFolder
from sparring.runs.winner import winner
from sparring.training.bounds import Bound, seconds
from sparring.training.exporter import address
from sparring.training.interrupts import noted
from sparring.training.launcher import find_launcher
from sparring.training.private import describe
from sparring.training.request import Request
from sparring.training.settings import check_ranks
from sparring.training.setup import Setup, new_run, read_data, resumed_run, same_data
from sparring.training.team import Team, joined
from sparring.training.until import Until
from sparring.training.worker import Ending, train_rank, train_spawned_rank


def train(
    recipe: str | Recipe[Any] | None,
    data: str | os.PathLike[str],
    *,
    out: str | os.PathLike[str] | None = None,
    steps: int | None = None,
    time: str | float | None = None,
    seed: int = 0,
    device: str = "auto",
    precision: str = "auto",
    ranks: int = 1,
    exact: bool | None = None,
    resume: bool = False,
    force: bool = False,
    until: str = "",
    memory: str | None = None,
    metrics: str | int | None = None,
    like: str | os.PathLike[str] | None = None,
    quiet: bool = False,
    save_every: float = 30.0,
    **fields: Any,
) -> Model:
    """Train a recipe on data, in a run's folder.

    Args:
        recipe: a name, the path of a `.py` file that defines one, or a recipe; None to choose by the data.
        data: the name of a data set, or the path of a folder or file.
        out: the run's folder; ``runs/<recipe>-<data>`` unless given.
        steps, time: the bound, whichever comes first; schedules stretch to it. Time in seconds or as text ("10m"), from
            the first step until the model is written.
            Without both, the recipe's `steps`.
        seed: random seed. Equal seeds give equal models on one kind of machine.
        device: "auto", "cpu", "cuda", "cuda:1", "mps".
        precision: "fp32", "bf16", or "auto": bf16 if the recipe has been measured to train well in it and the device
            supports it.
        ranks: processes that share each batch, one per device, on this machine. Leave it out where torchrun or srun
            starts the processes. A new run divides its batches into as many shards, or into a multiple given as
            `shards`; it can be resumed on any number of ranks that divides them.
        exact: add the gradients of shards in an order that does not depend on the number of ranks, so that the model
            does not, either; None for CPUs only. Otherwise the device's library decides, which may be faster.
        resume: continue the run in `out` if there is one. A run that torchrun or srun starts again continues anyway.
        force: replace the run in `out`.
        until: what ends the run before its bound: "equilibrium" (D can no longer distinguish real from generated
            samples, which are as diverse as the data), "plateau" (the score no longer improves), "fid<X" (the score is
            below X).
        memory: how much of the data is kept in memory, such as "2G"; larger data are read from disk during training. A
            quarter of the machine's memory unless given.
        metrics: where Prometheus reads the run's metrics during training: a port of this machine, or HOST:PORT.
        like: folder of `sparring tune`, whose best recipe and fields are used; other values of `fields` go before.
        quiet: print nothing.
        save_every: seconds of training between checkpoints.
        fields: values of the recipe's fields.

    Returns:
        The model, with its averaged weights.

    Raises:
        InputError: for input that cannot be used.
    """
    if like is not None:
        found = winner(like)
        recipe, fields = recipe or found.recipe, {**parse(found.fields), **fields}
    Until(until)  # refused before anything is read
    launcher = find_launcher()
    launcher.check(ranks)
    place = devices.resolve(device)
    devices.check(place, precision, launcher.local_ranks if launcher.several else ranks)
    request = Request(
        recipe, data, None if out is None else Path(out), fields, Bound(steps, None if time is None else seconds(time)),
        {"seed": seed, "precision": precision}, place, launcher, launcher.ranks if launcher.several else ranks, exact,
        resume, force, until, memory, None if metrics is None else address(metrics), quiet, save_every,
    )  # fmt: skip
    # A signal that arrives while the data are read is obeyed when they have been read; otherwise, it ends the process.
    with noted(*launcher.signals) as ending, joined(launcher, place) as team:
        try:
            if team is not None and not team.leads:
                return team.given(*follow(request, team, ending), place)
            model = load(lead(request, team, ending), str(place), trust=True)  # its recipe is the one that was given
        except InputError:
            if launcher.rank:
                raise SystemExit(2) from None  # the first rank says why
            raise
        if team is not None:
            team.give(model)  # the others may not see the run's folder
        return model


def lead(request: Request, team: Team | None, ending: Ending) -> Path:
    """Plan a run, or continue one, and play it; on its first rank, or alone. Returns its folder."""
    screen, recipe, data, fields = Screen(request.quiet), request.recipe, request.data, request.fields
    before = RunFolder(request.out) if request.out is not None else None
    resume = request.resume or (before is not None and _restarted(request, before))
    stored = before.reopen()[0] if recipe is None and resume and before is not None and before.exists else None
    items, chosen, why = _choose(recipe or stored, data, request.place, request.bound.time)
    chosen = chosen.set(fields)
    folder = before or RunFolder(Path("runs") / f"{chosen.name}-{items.name}")
    restarted = not request.resume and _restarted(request, folder)
    resume, force = request.resume or restarted, request.force and not restarted
    if restarted:
        forced = " without --force, which it was begun with" if request.force else ""
        screen.say(f"{request.launcher.name} has started job {request.launcher.job} again; its run continues{forced}")
    read = partial(read_data, items, limit=request.room, screen=screen)
    resuming = folder.claim(resume, force)
    if resuming:
        setup = resumed_run(folder, chosen if recipe is not None else None, items, request, read)
    else:
        setup = new_run(chosen, items, request, read, screen)
    check_ranks(setup.recipe.shards, request.ranks)
    setup.recipe.check_installed()
    with folder.held():
        if not resuming:
            folder.claim(resume, force)  # another command may have started a run while the data were read
            run = {"settings": asdict(setup.settings), "steps": setup.bound.steps, "time": setup.bound.time}
            folder.begin(setup.recipe, setup.modality, run)
        _announce(setup, items, "" if resuming else why, request, folder, screen)
        if setup.settings.code and setup.settings.code != chosen.code:
            screen.say(f"{chosen.source} has changed since the run began; the run continues with the new code")
        _launch(setup, folder, request, team, ending)
    return folder.path


def _restarted(request: Request, folder: RunFolder) -> bool:
    """True if a launcher has begun the run in a folder, and goes on with it."""
    return bool(request.launcher.name) and request.launcher.continues(folder.job())


def follow(request: Request, team: Team, ending: Ending) -> tuple[Recipe[Any], Modality]:
    """Play a run that the first rank has planned, on another one. Returns its recipe and its fitted modality."""
    source, fields, rest = team.wait()
    recipe = recipes.find(source).set(fields)
    modality, folder, settings, bound = pickle.loads(rest)  # of a modality that the recipe's file may define
    problem, prepared = "", None

    def read() -> tuple[Modality, Dataset]:
        items = find(request.data, [type(each) for each in recipe.takes])
        return read_data(items, recipe, modality, request.room, Screen(quiet=True))

    try:
        _, prepared = team.after_leader(read)
        if not same_data(settings, prepared):
            problem = f"{request.data} has other data on this machine than on that of the first rank"
    except InputError as error:
        problem = str(error)
    team.agree(problem)
    assert prepared is not None
    fabric = devices.fabric(request.place, settings.precision, team.launcher.ranks, team.launcher.nodes)
    fabric.launch()
    train_rank(fabric, source, fields, modality, prepared, folder, settings, bound, True, None, ending)
    return recipe, modality


def _announce(setup: Setup, items: Items, why: str, request: Request, folder: RunFolder, screen: Screen) -> None:
    """Say what is trained."""
    recipe = setup.recipe
    held = f", {len(setup.data.held):,} held out" if len(setup.data.held) else ""
    many = f"{setup.data.trained:,} {setup.modality.words.trained}"
    screen.say(f"{items.name}: {many} as {tuple(setup.modality.shape)}{held}, {_conditions(setup.modality)}")
    if setup.settings.privacy is not None:
        screen.say(describe(setup.settings.privacy))
    screen.say(f"recipe {recipe.name}{why}, on {request.place} ({setup.settings.precision}) in {folder.path}")
    if request.ranks > 1:
        screen.say(f"{request.ranks} ranks share batches of {recipe.batch} samples in {recipe.shards} shards")


def _choose(
    recipe: str | Recipe[Any] | None, data: Any, device: torch.device, seconds: float | None
) -> tuple[Items, Recipe[Any], str]:
    """The data, the recipe, and why it was chosen."""
    if recipe is None:
        items = find(data)
        chosen, why = recipes.choose(items, device.type, seconds)
        return items, chosen, f" ({why})"
    given = recipes.find(recipe) if isinstance(recipe, str) else recipe
    return find(data, [type(modality) for modality in given.takes]), given, ""


def _conditions(modality: Modality) -> str:
    if modality.source is not None:
        return f"generated from {modality.source.words.items} as {modality.source.shape}"
    return modality.describe_labels()


def _launch(setup: Setup, folder: RunFolder, request: Request, team: Team | None, ending: Ending) -> None:
    """Run in this process, in one for each rank, or with those that a launcher has started. Recipes are sent by name,
    since they may be a user's own file.
    """
    recipe, launcher, precision = setup.recipe, request.launcher, setup.settings.precision
    begun = folder, setup.settings, setup.bound
    given = (recipe.source, asdict(recipe), setup.modality, setup.data, *begun, request.quiet, request.metrics)
    if team is not None:
        team.tell((recipe.source, asdict(recipe), pickle.dumps((setup.modality, *begun))))
        team.after_leader(lambda: None)  # the data have been read
        team.agree("")
        fabric = devices.fabric(request.place, precision, launcher.ranks, launcher.nodes)
        fabric.launch()
        train_rank(fabric, *given, ending)
    elif request.ranks == 1:
        train_rank(devices.fabric(request.place, precision), *given, ending)
    else:
        devices.spread(devices.fabric(request.place, precision, request.ranks), partial(train_spawned_rank, given))
