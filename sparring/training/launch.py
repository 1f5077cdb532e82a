"""`train(recipe, data)` gives a model."""

from __future__ import annotations

import math
import os
import pickle
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from sparring import devices, recipes
from sparring.console import Screen, clock
from sparring.data import Items
from sparring.data.addresses import shown
from sparring.data.dataset import Dataset
from sparring.errors import InputError
from sparring.json_files import build
from sparring.memory import within_memory
from sparring.modalities import Modality, find
from sparring.modalities.find import lasting_source
from sparring.model import Model, load
from sparring.recipes.base import Recipe, parse
from sparring.runs.folder import RunFolder
from sparring.runs.winner import winner
from sparring.training import checkpoint
from sparring.training.bounds import Bound, seconds
from sparring.training.dry_run import dry_run
from sparring.training.exporter import Address, address, exported
from sparring.training.interrupts import noted
from sparring.training.launcher import Launcher, find_launcher
from sparring.training.prepare import prepare, room
from sparring.training.private import BUDGET, UNTIL, describe, private, within_budget
from sparring.training.run import Run
from sparring.training.settings import Settings, check_ranks, shard_size
from sparring.training.sizes import check_sizes
from sparring.training.team import Team, joined
from sparring.training.until import Until

if TYPE_CHECKING:
    from lightning_fabric import Fabric

FEW_STEPS = 100  # after fewer, samples of every recipe are hardly better than noise


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


@dataclass(frozen=True)
class Request:
    """What the user has asked for, as for `train`.

    Attributes:
        asked: the seed and the precision.
        launcher: of the processes of the run.
        ranks: number of processes, whoever starts them.
    """

    recipe: str | Recipe[Any] | None
    data: str | os.PathLike[str]
    out: Path | None
    fields: Mapping[str, Any]
    bound: Bound
    asked: Mapping[str, Any]
    place: torch.device
    launcher: Launcher
    ranks: int
    exact: bool | None
    resume: bool
    force: bool
    until: str
    memory: str | None
    metrics: Address | None
    quiet: bool
    save_every: float

    @property
    def room(self) -> int:
        """Bytes of data that this process keeps in memory at most."""
        return room(self.memory, self.place) // self.launcher.local_ranks


Ending = Callable[[], bool]  # whether the job has to end and is to be queued again


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
    read = partial(_read, items, limit=request.room, screen=screen)
    resuming = folder.claim(resume, force)
    if resuming:
        plan = _resumed(folder, chosen if recipe is not None else None, items, request, read)
    else:
        plan = _planned(chosen, items, request, read, screen)
    check_ranks(plan.recipe.shards, request.ranks)
    plan.recipe.check_installed()
    with folder.held():
        if not resuming:
            folder.claim(resume, force)  # another command may have started a run while the data were read
            run = {"settings": asdict(plan.settings), "steps": plan.bound.steps, "time": plan.bound.time}
            folder.begin(plan.recipe, plan.modality, run)
        _announce(plan, items, "" if resuming else why, request, folder, screen)
        if plan.settings.code and plan.settings.code != chosen.code:
            screen.say(f"{chosen.source} has changed since the run began; the run continues with the new code")
        _launch(plan, folder, request, team, ending)
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
        return _read(items, recipe, modality, request.room, Screen(quiet=True))

    try:
        _, prepared = team.after_leader(read)
        if not _same(settings, prepared):
            problem = f"{request.data} has other data on this machine than on that of the first rank"
    except InputError as error:
        problem = str(error)
    team.agree(problem)
    assert prepared is not None
    fabric = devices.fabric(request.place, settings.precision, team.launcher.ranks, team.launcher.nodes)
    fabric.launch()
    _work(fabric, source, fields, modality, prepared, folder, settings, bound, True, None, ending)
    return recipe, modality


def _same(settings: Settings, data: Dataset) -> bool:
    """True if data may be those of a run. A private one stores no fingerprint; its number of records is public."""
    if settings.privacy is not None:
        return len(data.train) == settings.privacy.records
    return settings.fingerprint in ("", data.fingerprint)


def _announce(plan: _Plan, items: Items, why: str, request: Request, folder: RunFolder, screen: Screen) -> None:
    """Say what is trained."""
    held = f", {len(plan.data.held):,} held out" if len(plan.data.held) else ""
    many = f"{plan.data.trained:,} {plan.modality.words.trained}"
    screen.say(f"{items.name}: {many} as {tuple(plan.modality.shape)}{held}, {_conditions(plan.modality)}")
    if plan.settings.privacy is not None:
        screen.say(describe(plan.settings.privacy))
    screen.say(f"recipe {plan.recipe.name}{why}, on {request.place} ({plan.settings.precision}) in {folder.path}")
    if request.ranks > 1:
        screen.say(f"{request.ranks} ranks share batches of {plan.recipe.batch} samples in {plan.recipe.shards} shards")


@dataclass(frozen=True)
class _Plan:
    """Everything that a run needs before its first step."""

    recipe: Recipe[Any]
    modality: Modality
    data: Dataset
    settings: Settings
    bound: Bound


Read = Callable[[Recipe[Any], Modality], tuple[Modality, Dataset]]


def _read(
    items: Items, recipe: Recipe[Any], modality: Modality, limit: int, screen: Screen
) -> tuple[Modality, Dataset]:
    modality, prepared, notes = prepare(recipe, modality, items, limit, screen)
    for note in notes:
        screen.say(note)
    return modality, prepared


def _planned(recipe: Recipe[Any], items: Items, request: Request, read: Read, screen: Screen) -> _Plan:
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
    check_sizes(recipe, modality)
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
    return _Plan(recipe, modality, prepared, settings, bound)


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


def _resumed(folder: RunFolder, recipe: Recipe[Any] | None, items: Items, request: Request, read: Read) -> _Plan:
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
    if not _same(settings, prepared):
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
    return _Plan(stored, modality, prepared, settings, bound)


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


def _launch(plan: _Plan, folder: RunFolder, request: Request, team: Team | None, ending: Ending) -> None:
    """Run in this process, in one for each rank, or with those that a launcher has started. Recipes are sent by name,
    since they may be a user's own file.
    """
    recipe, launcher, precision = plan.recipe, request.launcher, plan.settings.precision
    begun = folder, plan.settings, plan.bound
    work = (recipe.source, asdict(recipe), plan.modality, plan.data, *begun, request.quiet, request.metrics)
    if team is not None:
        team.tell((recipe.source, asdict(recipe), pickle.dumps((plan.modality, *begun))))
        team.after_leader(lambda: None)  # the data have been read
        team.agree("")
        fabric = devices.fabric(request.place, precision, launcher.ranks, launcher.nodes)
        fabric.launch()
        _work(fabric, *work, ending)
    elif request.ranks == 1:
        _work(devices.fabric(request.place, precision), *work, ending)
    else:
        devices.spread(devices.fabric(request.place, precision, request.ranks), partial(_work_on, work))


def _work_on(work: tuple[Any, ...], fabric: Fabric) -> None:
    with noted(*find_launcher().signals) as ending:  # each rank receives them
        _work(fabric, *(*work, ending))


def _work(
    fabric: Fabric,
    recipe: str,
    fields: Mapping[str, Any],
    modality: Modality,
    data: Dataset,
    folder: RunFolder,
    settings: Settings,
    bound: Bound,
    quiet: bool,
    metrics: Address | None,
    ending: Ending,
) -> None:
    """A run on one of its ranks."""
    launcher = find_launcher()
    screen = Screen(quiet or fabric.global_rank > 0)
    found = recipes.find(recipe).set(fields)
    with torch.random.fork_rng(), within_memory(*found.sizes()), found.running(), devices.threads(settings.threads):
        run = Run(found, modality, data, folder, settings, bound, fabric, screen)
        if run.restore():
            screen.say(f"resumed at step {run.step}")
        with exported(run, metrics):
            finished = run.train(ending)
    if not finished and ending():
        if run.main:
            launcher.requeue()
        screen.say(f"stopped at step {run.step}; job {launcher.job} is queued again")
    elif not finished:
        screen.say(f"stopped at step {run.step}; continue with --resume")
    screen.say(f"{run.step} steps in {clock(run.seconds)}{_reached(run)}; the model is in {folder.model}")
    if few := _too_few(run):
        screen.say(few)


def _reached(run: Run) -> str:
    """How much of the time and of the plan a run has used, if it was bounded in time."""
    bound = run.bound
    if bound.time is None:
        return ""
    before = f" ({bound.reason})" if bound.reason and run.step == bound.steps else ""
    return f" of {clock(bound.time)}{before}, {run.progress:.0%} of the plan"


def _too_few(run: Run) -> str:
    """A line if the time sufficed for so few steps that no GAN has learned anything."""
    if run.bound.time is None or run.step >= FEW_STEPS:
        return ""
    name = run.recipe.name
    return (
        f"in {run.step} steps, hardly anything is learned: give more time (--resume --time), a smaller net "
        f"(sparring recipes {name} lists the fields), or a GPU"
    )
