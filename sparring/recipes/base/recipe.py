"""A recipe is a published system's table of hyperparameters and the wiring that it names."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Self, get_args, get_type_hints

from sparring.errors import InputError, nearest
from sparring.games.game import Game
from sparring.games.views import InstanceNoise, View
from sparring.loop import Player
from sparring.modalities import Images, Modality
from sparring.recipes.base.fields import Count, Group, Share, Weight, checked, data, optimisation


@dataclass(frozen=True)
class Phase:
    """Fraction of a run: who plays, for which share of its steps."""

    players: Sequence[Player]
    share: float = 1.0


@dataclass(frozen=True)
class Recipe(ABC):
    """What all recipes have; a subclass adds its paper's table and how to wire it.

    Attributes:
        takes: the kinds of data it is made for, each with how it is to be read.
        bf16: the kinds of data on which it has been measured to train well in bf16.
    """

    takes: ClassVar[tuple[Modality, ...]] = (Images(),)
    bf16: ClassVar[tuple[str, ...]] = ()

    batch: Count = data(64, "samples per step")
    labels: bool | None = data(None, "whether samples are made for a label; none: where the data have labels")
    noise: Weight = data(0.0, "deviation of the noise on all that D sees at the start; it falls to 0")
    steps: Count = optimisation(20_000, "steps where no other bound is given")
    accumulate: Count = optimisation(1, "micro-batches that a batch is split into, to save memory")
    ema_kimg: Weight = optimisation(10.0, "half-life of G's averaged weights, in thousands of samples")
    ema_ramp: Share = optimisation(0.05, "their half-life is at most this share of the samples so far")

    @property
    def name(self) -> str:
        """The name of its file, short for a run's name."""
        return Path(inspect.getfile(type(self))).stem

    @property
    def source(self) -> str:
        """What finds it again: its name, or the path of the user's own file."""
        module = type(self).__module__
        return self.name if module.startswith("sparring.") else inspect.getfile(type(self))

    @abstractmethod
    def game(self, modality: Modality) -> Game:
        """The nets and who minimises what, for data that a fitted modality describes."""

    @abstractmethod
    def phases(self, game: Any) -> list[Phase]:
        """Who plays when, with their optimizers."""

    def modality(self, kind: str) -> Modality:
        """How this recipe reads a kind of data.

        Raises:
            InputError: where it is not made for that kind.
        """
        known = [m for m in self.takes if m.kind == kind] or [m for m in self.takes if kind in m.reads]
        if known:
            return known[0]
        takes = " and ".join(m.kind for m in self.takes)
        raise InputError(f"recipe {self.name!r} makes {takes}, but the data are {kind}; choose another --recipe")

    def finish(self, game: Game, modality: Modality) -> None:  # noqa: B027
        """Whatever is done to a trained game, with its averaged weights, before it is a model."""

    def longest(self, items: int) -> int | None:  # noqa: ARG002
        """Steps beyond which so many items would be learnt by heart, None where that is not known."""
        return None

    def views(self, modality: Modality) -> list[View]:  # noqa: ARG002
        """What is done to samples before D sees them."""
        return [InstanceNoise(self.noise)] if self.noise else []

    def set(self, settings: Mapping[str, Any]) -> Self:
        """This recipe with other values in some fields.

        Raises:
            InputError: for an unknown field, a value of the wrong type or out of range.
        """
        hints = get_type_hints(type(self), include_extras=True)
        names = [f.name for f in fields(self)]
        for name in settings:
            if name not in names:
                raise InputError(f"recipe {self.name!r} has no field {name!r}; {nearest(name, names)}")
        values = {name: checked(name, value, hints[name]) for name, value in settings.items()}
        changed = replace(self, **values)
        changed.check()
        return changed

    def check(self) -> None:
        """Refuse fields that cannot go together.

        Raises:
            InputError: with the reason.
        """
        if self.batch % self.accumulate:
            raise InputError(f"batch={self.batch} does not split into accumulate={self.accumulate} equal parts")

    def described(self) -> dict[Group, list[tuple[str, Any, str]]]:
        """The recipe as its paper's table: (field, value, what it is), by group."""
        table: dict[Group, list[tuple[str, Any, str]]] = {group: [] for group in get_args(Group)}
        for f in fields(self):
            about = _about(type(self), f.name)
            table[about["group"]].append((f.name, getattr(self, f.name), about["what"]))
        return {group: rows for group, rows in table.items() if rows}


def _about(recipe: type[Recipe], name: str) -> Mapping[str, Any]:
    """Group and description of a field, which a variant that overrides its value inherits."""
    classes = [c for c in recipe.__mro__ if is_dataclass(c)]
    known = [f.metadata for c in classes for f in fields(c) if f.name == name and f.metadata]
    return known[0]
