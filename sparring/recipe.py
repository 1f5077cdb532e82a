"""A recipe is a published system's table of hyperparameters and the wiring that it names."""

from __future__ import annotations

import ast
import inspect
import types
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self, get_args, get_origin, get_type_hints

from sparring.data.split import HELD_EVERY
from sparring.errors import InputError, nearest
from sparring.games.game import Game
from sparring.games.views import Ada, Augment, DiffAugment, InstanceNoise, View
from sparring.loop import Player
from sparring.modalities import Images, Modality, Points


@dataclass(frozen=True)
class Within:
    """The values that a number may take: low <= value <= high, or low < value where `above`."""

    low: float
    high: float = float("inf")
    above: bool = False

    def __contains__(self, value: Any) -> bool:
        return bool((value > self.low if self.above else value >= self.low) and value <= self.high)

    def __str__(self) -> str:
        low = f"above {self.low:g}" if self.above else f"at least {self.low:g}"
        return low if self.high == float("inf") else f"{low} and at most {self.high:g}"


Count = Annotated[int, Within(1)]
Natural = Annotated[int, Within(0)]
Side = Annotated[int, Within(0, 1024)]
Weight = Annotated[float, Within(0)]
Positive = Annotated[float, Within(0, above=True)]
Share = Annotated[float, Within(0, 1)]
Part = Annotated[float, Within(0, 1, above=True)]
Decay = Annotated[float, Within(0, 0.99999)]
Widths = Annotated[tuple[int, ...], Within(1)]

Group = Literal["Data", "Generator", "Discriminator", "Losses", "Optimisation"]


def _group(name: Group) -> Callable[[Any, str], Any]:
    def described(default: Any, what: str) -> Any:
        return field(default=default, metadata={"group": name, "what": what})

    return described


data = _group("Data")
generator = _group("Generator")
discriminator = _group("Discriminator")
losses = _group("Losses")
optimisation = _group("Optimisation")


@dataclass(frozen=True)
class Phase:
    """Part of a run: who plays, for which share of its steps."""

    players: Sequence[Player]
    share: float = 1.0


@dataclass(frozen=True)
class Recipe(ABC):
    """What all recipes have; a subclass adds its paper's table and how to wire it.

    Attributes:
        takes: the kinds of data it is made for, each with how it is to be read.
        bf16: whether it has been measured to train as well in bf16.
    """

    takes: ClassVar[tuple[Modality, ...]] = (Images(),)
    bf16: ClassVar[bool] = False

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
        for modality in self.takes:
            if modality.kind == kind:
                return modality
        takes = " and ".join(m.kind for m in self.takes)
        raise InputError(f"recipe {self.name!r} makes {takes}, but the data are {kind}; choose another --recipe")

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
        values = {name: _checked(name, value, hints[name]) for name, value in settings.items()}
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


def parse(assignments: Sequence[str]) -> dict[str, Any]:
    """FIELD=VALUE as typed on a command line, as values: numbers, true/false, none, a,b,c or text.

    Raises:
        InputError: where there is no `=`.
    """
    settings = {}
    for text in assignments:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise InputError(f"{text!r} is not FIELD=VALUE (as in batch=128)")
        settings[name.strip()] = _literal(value.strip())
    return settings


def _literal(text: str) -> Any:
    words = {"true": True, "yes": True, "false": False, "no": False, "none": None}
    if text.lower() in words:
        return words[text.lower()]
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def _checked(name: str, value: Any, hint: Any) -> Any:
    """A value that fits a field's type hint, or an error that says what would."""
    within = None
    if get_origin(hint) is Annotated:
        hint, within = get_args(hint)
    if get_origin(hint) is Literal:
        if value not in get_args(hint):
            raise InputError(f"{name}={value} is not known; {nearest(str(value), get_args(hint))}")
        return value
    if isinstance(hint, types.UnionType):
        if value is None:
            return None
        hint = next(h for h in get_args(hint) if h is not types.NoneType)
        return _checked(name, value, hint)
    if get_origin(hint) is tuple:
        several = value if isinstance(value, list | tuple) else (value,)
        return tuple(_number(name, v, get_args(hint)[0], within) for v in several)
    return _number(name, value, hint, within)


def _number(name: str, value: Any, kind: type, within: Within | None) -> Any:
    words = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise InputError(f"{name}={value} is not {words[kind]}")
    if within is not None and value not in within:
        raise InputError(f"{name}={value} is out of range; it must be {within}")
    return value


@dataclass(frozen=True)
class OfPictures(Recipe):
    """What recipes for pictures have beside: how pictures are read, and how a few are made to last."""

    size: Side = data(0, "height and width of pictures; 0 for what the data suggest")
    flip: bool = data(False, "whether pictures are mirrored at random")
    crop: Share = data(0.0, "how much larger pictures are kept than the part that is cut out of them at random")
    augment: Augment = data("none", "random changes to all that D sees, for small sets")

    def modality(self, kind: str) -> Modality:
        modality = super().modality(kind)
        if isinstance(modality, Images):
            return replace(modality, size=self.size, flip=self.flip, crop=self.crop)
        given = [name for name in ("size", "flip", "crop") if getattr(self, name)]
        given += ["augment"] if self.augment != "none" else []
        if given:
            raise InputError(f"{given[0]}={getattr(self, given[0])} is for pictures, but the data are {kind}")
        return modality

    def views(self, modality: Modality) -> list[View]:
        added: dict[Augment, Callable[[], list[View]]] = {
            "none": list,
            "diffaugment": lambda: [DiffAugment()],
            "ada": lambda: [Ada(self.batch, HELD_EVERY)],
        }
        return super().views(modality) + added[self.augment]()


POINTS_AND_IMAGES: tuple[Modality, ...] = (Points(), Images())
