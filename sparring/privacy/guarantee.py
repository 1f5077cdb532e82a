"""What a private run promises, in numbers and in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from sparring.errors import InputError
from sparring.json_files import build
from sparring.privacy.accountant import Release, noise_for


@dataclass(frozen=True)
class Guarantee:
    """The promise of a run, as it is stored with it.

    Attributes:
        epsilon, delta: of all releases together.
        clip: largest norm of the gradient of one record.
        noise: standard deviation of the noise in a sum of gradients, relative to `clip`.
        rate: probability with which each record is in a batch.
        moves: of D, that the budget lasts for.
        fitted: releases before the training, such as the ranges of columns.
        selection: the part of delta that the selection of levels takes.
        unit: what is protected, such as "row".
        records: how many there are. The number is public.
    """

    epsilon: float
    delta: float
    clip: float
    noise: float
    rate: float
    moves: int
    fitted: tuple[Release, ...] = ()
    selection: float = 0.0
    unit: str = "record"
    records: int = 0

    def __post_init__(self) -> None:
        built = tuple(r if isinstance(r, Release) else Release(**r) for r in self.fitted)
        object.__setattr__(self, "fitted", built)

    @property
    def expected(self) -> float:
        """Expected number of records in a batch."""
        return self.rate * self.records

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"fitted": [asdict(release) for release in self.fitted]}

    def lines(self, moves: int | None = None) -> list[str]:
        """What the guarantee says, for people."""
        spent = [] if moves is None else [f"{moves:,} of {self.moves:,} moves of D have been made."]
        return [statement(self.epsilon, self.delta, self.unit), *spent, NOT_COVERED]


def statement(value: float, delta: float, unit: str) -> str:
    """The promise in one sentence."""
    return (
        f"The model is ({value:g}, {delta:g})-differentially private: whatever is computed from it, the odds of any "
        f"conclusion change by at most a factor of exp({value:g}) if the contribution of one {unit} is removed from "
        f"the training data, but for a probability of {delta:g}."
    )


def promised(about: Mapping[str, Any]) -> Guarantee | None:
    """The guarantee in the record of a training; None if there is none."""
    stored = about.get("privacy")
    return build(Guarantee, stored, "the model's privacy") if stored else None


NOT_COVERED = (
    "Not covered: the number of records, names and types of columns, names of classes, size, channels and alpha of "
    "images; several records of one person; other models, other runs and tuning on the same data, which add "
    "up; evaluations and audits, which read real data."
)


def planned(
    value: float, delta: float, clip: float, batch: int, moves: int, records: int, unit: str,
    fitted: Sequence[Release] = (), selection: float = 0.0,
) -> Guarantee:  # fmt: skip
    """A guarantee with the least noise that keeps it.

    Args:
        value: epsilon.
        batch: expected number of records of a batch.
        moves: of D.

    Raises:
        InputError: if it cannot be kept.
    """
    if batch > records:
        raise InputError(f"batch={batch} exceeds the {records:,} {unit}s that are trained on; give a smaller one")
    if delta * records >= 1:
        raise InputError(
            f"delta={delta:g} lets one of {records:,} {unit}s be published as it is; give less than {1 / records:.2g}"
        )
    begun = Guarantee(value, delta, clip, 1.0, batch / records, moves, tuple(fitted), selection, unit, records)
    noise = noise_for(value, delta - selection, fitted, begun.rate, moves)
    return replace(begun, noise=noise)
