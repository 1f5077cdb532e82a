"""`tune(data, fields)` searches for the best values of a recipe's fields."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sparring import devices, recipes
from sparring.console import Screen
from sparring.errors import InputError, needs
from sparring.evaluation import evaluate
from sparring.evaluation.report import record
from sparring.folders import check_folder, mark
from sparring.modalities import find
from sparring.modalities.find import lasting_source
from sparring.runs.winner import FILE, Winner
from sparring.training.bounds import Bound, seconds
from sparring.tuning.attributes import EVALUATED, FAILED, FIELDS, METRIC
from sparring.tuning.page import write_page
from sparring.tuning.settings import Settings
from sparring.tuning.space import parse_space
from sparring.tuning.trials import PERCENT, Ended, owned, run

if TYPE_CHECKING:
    from optuna import Study, Trial

FOLDER = "tuning"  # in the marker of a search's folder
JOURNAL = "journal.log"  # in a search's folder: what its trials reported
TRIALS, FINALS = "trials", "finals"  # folders of runs
PAGES = ("README.md", "history.png", "slices.png", "contour.png")
# Settings that all trials of a search have in common, and their names in messages.
COMMON = {
    "data": "data", "recipe": "recipe", "searched": "searched fields", "fixed": "fixed fields", "steps": "steps",
    "time": "time",
}  # fmt: skip
STUDY = "sparring"  # name of the study in a storage
SETTINGS = "settings"  # of the study's attributes
MIN_PERCENT = 10  # of the bound after which a run may be ended early
MAX_FAILED = 3  # trials that fail before a search is given up
EVALUATED_SAMPLES = 500
SEEDS = 3  # of the finals


@dataclass(frozen=True)
class Tuned:
    """The result of a search.

    Attributes:
        winner: the best values.
        folder: with the runs and the page.
        trials, pruned, failed: numbers of runs: all, those that were ended early, and those that ended in an error.
    """

    winner: Winner
    folder: Path
    trials: int
    pruned: int
    failed: int


def tune(
    data: str | os.PathLike[str],
    fields: Sequence[str],
    *,
    recipe: str = "",
    out: str | os.PathLike[str] | None = None,
    trials: int = 20,
    finals: int = 3,
    workers: int = 1,
    steps: int | None = None,
    time: str | float | None = None,
    device: str = "auto",
    resume: bool = False,
    force: bool = False,
    quiet: bool = False,
) -> Tuned:
    """Search for the values of a recipe's fields that minimize the Fréchet distance of samples during training.

    Each trial is a run, `OUT/trials/NUMBER`. Values are proposed by a tree-structured Parzen estimator (Bergstra et
    al. 2011), and runs that are worse than others at the same part of their bound are ended early by Hyperband (Li et
    al. 2018, arXiv:1603.06560), both as in Optuna. The best are trained again with two other seeds.

    Args:
        data: as for `train`.
        fields: FIELD=VALUE, FIELD=A,B,C, FIELD=LOW..HIGH or FIELD=log:LOW..HIGH.
        recipe: its name or file; chosen by the data unless given.
        out: the folder; ``runs/tune-<recipe>-<data>`` unless given.
        trials: number of runs.
        finals: number of the best that are trained again with two other seeds; 0 for none.
        workers: processes that train at the same time.
        steps, time: the bound of each run.
        device: of the runs.
        resume: continue the search in `out`, with the same values and bound; there may be more trials.
        force: replace the search in `out`.

    Raises:
        InputError: for input that cannot be used, or if all runs fail.
    """
    needs("optuna", "tune", "proposes the values")
    screen = Screen(quiet)
    _check_counts(trials, finals, workers)
    bound = Bound(steps, None if time is None else seconds(time))
    if not bound.given:
        raise InputError("each run needs a bound; give --time (such as 5m) or --steps")
    given = recipes.find(recipe) if recipe else None
    items = find(data, [type(modality) for modality in given.takes] if given else ())
    chosen, why = (given, "") if given else recipes.choose(items, devices.resolve(device).type, bound.time)
    if chosen.private:
        raise InputError(
            f"recipe {chosen.name!r} is private, but trials are compared on real data, which is not paid for; choose "
            "its values on public data"
        )
    folder = Path(out) if out is not None else Path("runs") / f"tune-{chosen.name}-{items.name}"
    source = lasting_source(data) if isinstance(data, str | os.PathLike) else items.name
    settings = Settings(
        source, recipe or chosen.source, *parse_space(fields, chosen), bound.steps, bound.time, device, trials, finals,
        workers,
    )  # fmt: skip
    study = _begun(folder, settings, resume, force)
    screen.say(f"recipe {chosen.name}{f' ({why})' if why else ''}, {trials} trials in {folder}")
    helpers = [_helper(folder) for _ in range(workers - 1)]
    try:
        _work(study, folder, settings, screen)
    finally:
        for helper in helpers:
            helper.wait()
    return finish(study, folder, settings, screen)


def _check_counts(trials: int, finals: int, workers: int) -> None:
    for name, value, most in (("trials", trials, 100_000), ("workers", workers, 1000)):
        if not 1 <= value <= most:
            raise InputError(f"--{name} {value} is out of range; give from 1 to {most:,}")
    if not 0 <= finals <= trials:
        raise InputError(f"--finals {finals} is out of range; give from 0 to the number of trials, {trials}")


def _begun(folder: Path, settings: Settings, resume: bool, force: bool) -> Study:
    """The study in a folder: the one that is there to be continued, or a new one.

    Raises:
        InputError: if something else is there, or a search with other values or another bound.
    """
    if not (resume and (folder / JOURNAL).is_file()):
        check_folder(folder, FOLDER, force)
        _clear(folder)
        mark(folder, FOLDER)
        return _study(folder, settings)
    study = _study(folder, None)
    before = Settings.restored(study.user_attrs[SETTINGS], str(folder / JOURNAL))
    for name, shown in COMMON.items():
        if getattr(before, name) != getattr(settings, name):
            raise InputError(f"{folder} was begun with other {shown}; give the same to resume it, or another --out")
    study.set_user_attr(SETTINGS, settings.content())  # more trials may be asked for
    return study


def join(folder: str | os.PathLike[str], quiet: bool = False) -> None:
    """Work for a search that another command began, in the same folder, until its trials are done.

    Raises:
        InputError: if there is none.
    """
    place = Path(folder)
    if not (place / JOURNAL).is_file():
        raise InputError(f"{folder} holds no search; begin one with sparring tune DATA FIELD=VALUES --out {folder}")
    study = _study(place, None)
    settings = Settings.restored(study.user_attrs[SETTINGS], str(place / JOURNAL))
    _work(study, place, settings, Screen(quiet))


def _clear(folder: Path) -> None:
    """Remove an older search, and no other files."""
    for name in (TRIALS, FINALS):
        shutil.rmtree(folder / name, ignore_errors=True)
    for name in (JOURNAL, FILE, *PAGES):
        (folder / name).unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True)


def _helper(folder: Path) -> subprocess.Popen[bytes]:
    """Another worker on this machine."""
    command = [sys.executable, "-m", "sparring", "tune", "--join", str(folder)]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def _study(folder: Path, settings: Settings | None) -> Study:
    """The study in a folder; begun with these settings if there is none."""
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(
        storage=JournalStorage(JournalFileBackend(str(folder / JOURNAL))),
        study_name=STUDY,
        direction="minimize",
        load_if_exists=True,
        sampler=optuna.samplers.TPESampler(seed=None if settings is None else 0, constant_liar=True),
        pruner=optuna.pruners.HyperbandPruner(min_resource=MIN_PERCENT, max_resource=PERCENT, reduction_factor=3),
    )
    if settings is not None and SETTINGS not in study.user_attrs:
        study.set_user_attr(SETTINGS, settings.content())
    return study


def _work(study: Study, folder: Path, settings: Settings, screen: Screen) -> None:
    """Train trials until there are enough: first those whose worker has died, then new ones. If the first ones all
    fail, there are no more.
    """
    while True:
        if any(_train(study, trial, folder, settings, screen) for trial in _abandoned(study)):
            continue
        trials = study.get_trials(deepcopy=False)
        failed = [trial for trial in trials if FAILED in trial.user_attrs]
        if len(trials) >= settings.trials or len(failed) == len(trials) >= MAX_FAILED:
            return
        _train(study, study.ask(), folder, settings, screen)


def _abandoned(study: Study) -> list[Trial]:
    """Trials that run, as far as the study knows; those of other workers are owned by them."""
    from optuna.trial import Trial, TrialState

    running = study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
    return [Trial(study, trial._trial_id) for trial in running]


def _train(study: Study, trial: Trial, folder: Path, settings: Settings, screen: Screen) -> bool:
    """Train a trial, unless another worker does. True if it was trained here."""
    from optuna.trial import TrialState

    place = folder / TRIALS / f"{trial.number:04}"
    with owned(place) as mine:
        if not mine or study.get_trials(deepcopy=False)[trial.number].state.is_finished():
            return False
        fields = [f"{dimension.name}={dimension.suggest(trial)}" for dimension in settings.searched]
        trial.set_user_attr(FIELDS, fields)

        def worse(percent: int, value: float) -> bool:
            trial.report(value, percent)
            return trial.should_prune()

        ended = run(settings, fields, place, 0, worse)
        if ended.value is not None:
            trial.set_user_attr(METRIC, ended.metric)
            trial.set_user_attr(EVALUATED, _evaluated(place))
            study.tell(trial, ended.value)
        elif ended.pruned:
            study.tell(trial, state=TrialState.PRUNED)
        else:
            trial.set_user_attr(FAILED, ended.why)
            study.tell(trial, state=TrialState.FAIL)
        screen.say(f"trial {trial.number}: {', '.join(fields)}: {_said(ended)}")
    return True


def _said(ended: Ended) -> str:
    if ended.value is not None:
        return f"{ended.metric} {ended.value:.4g}"
    return "ended early" if ended.pruned else f"failed: {ended.why}"


def _evaluated(place: Path) -> dict[str, float]:
    """Metrics of a run's samples, which its page shows too."""
    evaluation = evaluate(place, samples=EVALUATED_SAMPLES, trust=True)
    record(place, evaluation)
    return {number.name: number.value for number in evaluation.numbers}


def finish(study: Study, folder: Path, settings: Settings, screen: Screen) -> Tuned:
    """Train the best again with other seeds, and write the winner and the page.

    Raises:
        InputError: if no run came to its end.
    """
    from optuna.trial import TrialState

    states = {
        state: study.get_trials(deepcopy=False, states=(state,))
        for state in (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)
    }
    best = sorted(states[TrialState.COMPLETE], key=lambda trial: trial.value or 0.0)
    if not best:
        why = next((trial.user_attrs.get(FAILED, "") for trial in states[TrialState.FAIL]), "all were ended early")
        raise InputError(f"no trial came to its end: {why}")
    finals: list[Winner] = []
    for trial in best[: max(1, settings.finals)]:
        values = [float(trial.value or 0.0)]
        for seed in range(1, SEEDS if settings.finals else 1):
            place = folder / FINALS / f"{trial.number:04}-seed-{seed}"
            place.parent.mkdir(exist_ok=True)
            ended = run(settings, trial.user_attrs[FIELDS], place, seed, lambda _percent, _value: False)
            values += [] if ended.value is None else [ended.value]
            screen.say(f"trial {trial.number}, seed {seed}: {_said(ended)}")
        fields = (*settings.fixed, *trial.user_attrs[FIELDS])
        finals.append(Winner(settings.recipe, fields, trial.user_attrs[METRIC], tuple(values)))
    won = min(finals, key=lambda final: sum(final.values) / len(final.values))
    won.write(folder)
    write_page(study, folder, settings, finals, won)
    counts = [len(trials) for trials in states.values()]
    return Tuned(won, folder, sum(counts), counts[1], counts[2])
