"""`verify(run)` computes every number of a model's card again, and compares."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import torch

from sparring.console import Screen
from sparring.data.addresses import shown
from sparring.devices import resolve
from sparring.errors import InputError
from sparring.evaluation import evaluate
from sparring.evaluation.report import HEADING
from sparring.json_files import read_json
from sparring.metrics.results import Evaluation, Number, current_name
from sparring.model import Model, load
from sparring.model.hub import address, local
from sparring.runs.card import PARAMETERS, SCORES
from sparring.runs.folder import RunFolder
from sparring.seeds import Seeds
from sparring.training.prepare import prepare, room
from sparring.training.score import Scorer
from sparring.training.scored_samples import ScoredSamples

TOLERANCE = 0.02  # of a number's size
DEVIATIONS = 1.96  # of a number's error, in which 95% of repetitions are
PLAIN = re.compile(r"(-?[\d,]*\.?\d+)(e[+-]?\d+)?(%?)(?: ± .*)?")
UNDEFINED = "-"  # a number in a card


@dataclass(frozen=True)
class Check:
    """A number of a card, and the same one computed again.

    Attributes:
        name: of the number.
        of: what it describes: samples, real items, a baseline, or the training's own score.
        card: as the card shows it.
        again: as it would show it now.
        tolerance: how far the two may be apart.
        same: True if they agree.
    """

    name: str
    of: str
    card: str
    again: str
    tolerance: float
    same: bool


@dataclass(frozen=True)
class Verification:
    """All numbers of a card.

    Attributes:
        checks: one for each number.
        protocol: how they were compared, in a sentence.
    """

    checks: tuple[Check, ...]
    protocol: str

    @property
    def same(self) -> bool:
        """True if all agree."""
        return all(check.same for check in self.checks)

    def rows(self) -> list[list[str]]:
        """A table with one row for each number, the first of which is its head."""
        head = ["number", "of", "card", "again", "may differ by", ""]
        return [head] + [
            [c.name, c.of, c.card, c.again, f"{c.tolerance:.1g}", "same" if c.same else "DIFFERS"] for c in self.checks
        ]


class Settings(TypedDict):
    """What an evaluation was asked for, in an `evaluation.json`."""

    data: str
    samples: int


def verify(
    run: str | Path,
    data: str | Path | None = None,
    against: str | Path | None = None,
    features: Sequence[str] = (),
    tolerance: float = TOLERANCE,
    device: str = "auto",
    quiet: bool = True,
    trust: bool = False,
) -> Verification:
    """Compute every number of a model's card again.

    Args:
        run: the folder of a run that was evaluated, or a model of the Hub.
        data: where the training data are on this machine, if the model does not know.
        against: the real data, if the model was evaluated against others than those.
        features: names, if it was evaluated in others than the default ones.
        tolerance: share of a number's size by which it may differ.
        device: where samples and features are computed.
        quiet: print nothing.
        trust: as for `sparring.load`.

    Raises:
        InputError: if there is no evaluated card, or it was evaluated in another way, or the data cannot be found.
    """
    if not tolerance >= 0:
        raise InputError(f"--tolerance {tolerance:g} is below 0; give a share such as {TOLERANCE:g}")
    folder, place, screen = RunFolder(local(run)), resolve(device), Screen(quiet)
    table = _table(folder, str(run))
    stored = read_json(folder.evaluation, Settings)
    model = load(folder.path, str(place), trust)
    if data is not None:
        model = Model(model.recipe, model.modality, model.game, {**model.about, "data": str(data)})
    _check_data(model)
    again = evaluate(model, against, stored["samples"], features, device, quiet=quiet)
    if again.data != stored["data"]:
        raise InputError(f"{run} was evaluated against {stored['data']!r}, not {again.data!r}; give it with --against")
    text = folder.card.read_text(errors="replace")
    checks = [
        *_evaluated(table, again, tolerance),
        *_scored(text, model, tolerance, place, screen),
        *_sizes(text, model),
    ]
    protocol = (
        f"a number agrees if it differs by at most {tolerance:.0%}, or by the 95% interval of its error or of a share "
        "of so many items, beside the rounding of the card"
    )
    return Verification(tuple(checks), protocol)


def _check_data(model: Model) -> None:
    """Check that the training data are there: as many items, and the same ones if this version trained the model.

    Raises:
        InputError: if not.
    """
    found, count = model.find_items().total, int(model.about["items"])
    if found != count:
        raise InputError(
            f"{shown(model.about['data'])} holds {found:,} items, but the model was trained on {count:,}; give the "
            "data of the training with --data"
        )


def _table(folder: RunFolder, run: str) -> list[list[str]]:
    """The cells of the table of an evaluated card, with its head.

    Raises:
        InputError: if there is none.
    """
    lines = folder.read_section(HEADING) or []
    rows = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines if line.startswith("| ")]
    if len(rows) < 2 or not folder.evaluation.is_file():
        advice = (
            f"run sparring evaluate {run} first" if address(run) is None else "who pushed it has to evaluate it first"
        )
        raise InputError(f"{run} has no card with an evaluation; {advice}")
    return rows


def _evaluated(table: Sequence[Sequence[str]], again: Evaluation, tolerance: float) -> Iterator[Check]:
    """The numbers of the table of a card."""
    (_, *columns), *rows = table
    found: dict[str, Mapping[str, Number]] = {
        "samples": {number.name: number for number in again.numbers},
        "real": {number.name: number for number in again.floor},
        **{name: {number.name: number for number in numbers} for name, numbers in again.baselines.items()},
    }
    for name, *cells in rows:
        for column, cell in zip(columns, cells, strict=False):
            number = found.get(column, {}).get(current_name(name))
            yield _check(name, column, cell, number, tolerance, again.real if column == "real" else again.samples)


def _check(name: str, of: str, cell: str, number: Number | None, tolerance: float, n: int) -> Check:
    """A number of a card, compared.

    Args:
        n: number of items that it was computed of.
    """
    shown = UNDEFINED if number is None else str(number)
    value = _value(cell)
    if number is None or math.isnan(number.value) or value is None:
        return Check(name, of, cell, shown, 0.0, cell == shown)
    allowed = _rounding(cell) + max(tolerance * abs(value), _interval(number, n))
    return Check(name, of, cell, shown, allowed, abs(number.value - value) <= allowed)


def _interval(number: Number, n: int) -> float:
    """Half of the interval in which 95% of differences between two repetitions are; 0 if it is unknown."""
    error = number.error
    if number.share and math.isnan(error):
        share = min(max(number.value, 1 / n), 1 - 1 / n)
        error = math.sqrt(share * (1 - share) / n)
    return 0.0 if math.isnan(error) else DEVIATIONS * math.sqrt(2) * error


def _value(cell: str) -> float | None:
    """The number in a cell; None if there is none."""
    found = PLAIN.fullmatch(cell)
    if found is None:
        return None
    digits, exponent, percent = found.groups()
    return float(digits.replace(",", "") + (exponent or "")) / (100 if percent else 1)


def _rounding(cell: str) -> float:
    """Half a unit of the last digit of the number in a cell."""
    found = PLAIN.fullmatch(cell)
    assert found is not None
    digits, exponent, percent = found.groups()
    unit = 10.0 ** -len(digits.partition(".")[2]) * float(f"1{exponent or ''}")
    return unit / 2 / (100 if percent else 1)


def _scored(text: str, model: Model, tolerance: float, device: torch.device, screen: Screen) -> Iterator[Check]:
    """The scores of the training, if the card has them."""
    found = SCORES.search(text)
    if found is None:
        return
    with torch.random.fork_rng():
        _, dataset, _ = prepare(model.recipe, model.modality, model.find_items(), room(None, device), screen)
        samples = ScoredSamples(model.modality, dataset, Seeds(int(model.about["seed"])), device)
        scorer = Scorer(samples)
        values = {"score": scorer.score(model.game), "floor": scorer.floor, "diversity": scorer.diversity(model.game)}
    for name, value in values.items():
        yield _check(name, "training", found[name], Number(name, value, "real"), tolerance, samples.n)


def _sizes(text: str, model: Model) -> Iterator[Check]:
    """The numbers of parameters."""
    row = PARAMETERS.search(text)
    counts = {name: sum(p.numel() for p in net.parameters()) for name, net in model.game.named_children()}
    for part in row[1].split(", ") if row else ():
        name, _, count = part.rpartition(" ")
        again = f"{counts.get(name, 0):,}"
        yield Check("parameters", name, count, again, 0.0, count == again)
