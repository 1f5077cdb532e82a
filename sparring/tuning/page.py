"""The page of a search: its trials, what mattered, and the samples of the best."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import TYPE_CHECKING, Any

from sparring.data.addresses import shown
from sparring.files import write_bytes, write_text
from sparring.runs.curves import COLORS
from sparring.runs.folder import RunFolder
from sparring.runs.winner import Winner
from sparring.tuning.attributes import EVALUATED, FIELDS, METRIC
from sparring.tuning.settings import Settings

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial

MAX_ROWS = 20  # finished trials in the table
MAX_SHEETS = 4  # of samples
MIN_TRIALS = 4  # finished ones from which importances are estimated
# Metrics shown beside the score, if the kind of data has them: how much of the data is covered, and how much is copied.
COVERED = ("coverage[", "column_pair_trends", "diversity[")
COPIED = ("memorization[", "memorization", "dcr_share", "near_copy_share")


def write_page(study: Study, folder: Path, settings: Settings, finals: Sequence[Winner], won: Winner) -> None:
    """Write README.md and its plots to the folder of a search."""
    from optuna.trial import TrialState

    finished = sorted(study.get_trials(states=(TrialState.COMPLETE,)), key=lambda trial: trial.value or 0.0)
    names = [dimension.name for dimension in settings.searched]
    importances = _importances(study, finished)
    write_bytes(folder / "history.png", _history(study))
    write_bytes(folder / "slices.png", _slices(finished, settings, importances))
    pictures = ["![score of each trial](history.png)", "", "![score against each field](slices.png)", ""]
    if len(names) > 1:
        write_bytes(folder / "contour.png", _contour(finished, settings, importances))
        pictures += ["![score against the two fields that matter most](contour.png)", ""]
    head = ["# Search", "", f"Best: `{' '.join(won.fields)}`, {won.metric} {_spread(won.values)}.", ""]
    head += ["```", f"sparring train {shown(settings.data)} --like {folder}", "```", ""]
    lines = [*head, *_finals(finals), *_table(finished, folder, names), *pictures]
    if importances:
        shares = ", ".join(f"{name} {share:.0%}" for name, share in importances.items())
        lines += [f"Share of the score's variance that each field explains (fANOVA): {shares}.", ""]
    states = [trial.state for trial in study.get_trials(deepcopy=False)]
    bound = f"{settings.steps:,} steps" if settings.steps else f"{settings.time:g} seconds"
    lines += [
        f"{len(states)} trials of at most {bound}; {states.count(TrialState.PRUNED)} were ended early by Hyperband, "
        f"{states.count(TrialState.FAIL)} failed. The score is {won.metric} of the model, lower is better; ± is the "
        "standard deviation over seeds. The Pareto front holds trials that no other beats in score, coverage and "
        "copies at once.",
        "",
    ]
    write_text(folder / "README.md", "\n".join(lines))


def _spread(values: Sequence[float]) -> str:
    return f"{mean(values):.4g}" + (f" ± {stdev(values):.2g} ({len(values)} seeds)" if len(values) > 1 else "")


def _finals(finals: Sequence[Winner]) -> list[str]:
    if all(len(final.values) < 2 for final in finals):
        return []
    rows = [f"| `{' '.join(final.fields)}` | {_spread(final.values)} |" for final in finals]
    return ["| trained again with other seeds | score |", "|---|---:|", *rows, ""]


def _table(finished: Sequence[FrozenTrial], folder: Path, names: Sequence[str]) -> list[str]:
    """The best trials as a table, with their metrics and sheets."""
    shown = finished[:MAX_ROWS]
    measured = [_measured(trial) for trial in shown]
    extra = list(dict.fromkeys(name for metrics in measured for name in metrics))
    front = _front(finished)
    head = ["trial", *names, str(finished[0].user_attrs[METRIC]), *extra, "Pareto front"]
    lines = [f"| {' | '.join(head)} |", "|---|" + "---:|" * (len(head) - 2) + "---|"]
    for trial, metrics in zip(shown, measured, strict=True):
        values = [text.partition("=")[2] for text in trial.user_attrs[FIELDS]]
        numbers = [f"{metrics[name]:.3g}" if name in metrics else "-" for name in extra]
        on = "yes" if trial.number in front else ""
        lines.append(f"| {' | '.join([str(trial.number), *values, f'{trial.value:.4g}', *numbers, on])} |")
    sheets = []
    for trial in shown[:MAX_SHEETS]:
        found = RunFolder(folder / "trials" / f"{trial.number:04}").sheets()
        sheets += (
            [f"![samples of trial {trial.number}]({found[-1].relative_to(folder).as_posix()})", ""] if found else []
        )
    return [*lines, "", *sheets]


def _measured(trial: FrozenTrial) -> dict[str, float]:
    """The metrics of coverage and of copies of a trial, one each at most."""
    metrics: Mapping[str, float] = trial.user_attrs.get(EVALUATED, {})
    found = {}
    for starts in (COVERED, COPIED):
        name = next((name for start in starts for name in metrics if name.startswith(start)), None)
        if name is not None:
            found[name] = metrics[name]
    return found


def _front(trials: Sequence[FrozenTrial]) -> set[int]:
    """Numbers of the trials that no other beats in all of score, coverage and copies."""
    costs = {}
    for trial in trials:
        cost = [trial.value or 0.0]
        for name, value in _measured(trial).items():
            cost.append(-value if name.startswith(COVERED) else max(0.5, value))  # 0.5 is as new as held-out items
        costs[trial.number] = tuple(cost)
    return {
        number
        for number, cost in costs.items()
        if not any(
            other != cost and len(other) == len(cost) and all(a <= b for a, b in zip(other, cost, strict=True))
            for other in costs.values()
        )
    }


def _importances(study: Study, finished: Sequence[FrozenTrial]) -> dict[str, float]:
    """Share of the variance that each field explains, the largest first; empty if there are too few trials."""
    from optuna.importance import get_param_importances

    if len(finished) < MIN_TRIALS or len({trial.value for trial in finished}) < 2:
        return {}
    return dict(get_param_importances(study))


# Plots.


def _png(figure: Any) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return file.getvalue()


def _figure(width: float, height: float, columns: int = 1) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=90, layout="constrained")
    return figure, figure.subplots(1, columns, squeeze=False)[0]


def _history(study: Study) -> bytes:
    from optuna.trial import TrialState

    figure, (axis,) = _figure(7, 3)
    trials = study.get_trials(deepcopy=False)
    finished = [(trial.number, trial.value) for trial in trials if trial.state == TrialState.COMPLETE]
    early = [
        (trial.number, trial.intermediate_values[max(trial.intermediate_values)])
        for trial in trials
        if trial.state == TrialState.PRUNED and trial.intermediate_values
    ]
    axis.plot(*zip(*finished, strict=True), "o", color=COLORS[0], label="finished")
    if early:
        axis.plot(*zip(*early, strict=True), "x", color="#6b7280", label="ended early")
    best, line = float("inf"), []
    for number, value in finished:
        best = min(best, value or best)
        line.append((number, best))
    axis.step(*zip(*line, strict=True), where="post", color=COLORS[1], label="best so far")
    axis.set(xlabel="trial", ylabel="score", yscale="log")
    axis.legend(fontsize=8, frameon=False)
    axis.grid(alpha=0.25)
    return _png(figure)


def _slices(finished: Sequence[FrozenTrial], settings: Settings, importances: Mapping[str, float]) -> bytes:
    """The score against each field."""
    figure, axes = _figure(2.6 * max(2, len(settings.searched)), 2.8, len(settings.searched))
    for axis, dimension in zip(axes, settings.searched, strict=True):
        values = [trial.params[dimension.name] for trial in finished]
        axis.plot(values, [trial.value for trial in finished], "o", color=COLORS[0], markersize=4)
        if dimension.log:
            axis.set_xscale("log")
        share = f" ({importances[dimension.name]:.0%})" if dimension.name in importances else ""
        axis.set(title=f"{dimension.name}{share}", yscale="log")
        axis.grid(alpha=0.25)
        axis.tick_params(labelsize=7)
    return _png(figure)


def _contour(finished: Sequence[FrozenTrial], settings: Settings, importances: Mapping[str, float]) -> bytes:
    """The score, as color, against the two fields that matter most."""
    figure, (axis,) = _figure(5, 3.6)
    order = [*importances, *(dimension.name for dimension in settings.searched if dimension.name not in importances)]
    first, second = (next(d for d in settings.searched if d.name == name) for name in order[:2])
    x, y = ([trial.params[d.name] for trial in finished] for d in (first, second))
    scores = [trial.value for trial in finished]
    if not first.choices and not second.choices and len({*zip(x, y, strict=True)}) >= 8:
        axis.tricontourf(x, y, scores, levels=12, cmap="viridis_r", alpha=0.6)
    points = axis.scatter(x, y, c=scores, cmap="viridis_r", edgecolors="black", linewidths=0.5)
    for dimension, scale in ((first, axis.set_xscale), (second, axis.set_yscale)):
        if dimension.log:
            scale("log")
    axis.set(xlabel=first.name, ylabel=second.name)
    figure.colorbar(points, label="score")
    return _png(figure)
