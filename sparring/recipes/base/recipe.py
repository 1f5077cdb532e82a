"""A recipe is a published system's table of hyperparameters, and the code that builds the system from it."""

from __future__ import annotations

import hashlib
import inspect
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Generic, Self, TypeVar, get_args, get_type_hints

from sparring.data.items import Items
from sparring.errors import InputError, nearest, own_code
from sparring.games.game import Game
from sparring.games.views import InstanceNoise, View
from sparring.loop import Player
from sparring.memory import Budget, within_memory
from sparring.modalities import Modality
from sparring.privacy import Guarantee
from sparring.recipes.base.fields import ABOUT, About, Count, Group, Share, Weight, checked, data, optimization

M = TypeVar("M", bound=Modality)
RENAMED = {"accumulate": "shards"}  # fields, since version 0.1
EPOCHS = ("epoch", "epochs", "n_epochs", "num_epochs", "max_epochs")  # fields of other tools
SIZES = ("Data", "Generator", "Discriminator")  # groups of fields that decide how much memory a run takes


@dataclass(frozen=True)
class Phase:
    """Part of a run.

    Attributes:
        players: who plays.
        share: fraction of the run's steps.
    """

    players: Sequence[Player]
    share: float = 1.0


@dataclass(frozen=True)
class Recipe(ABC, Generic[M]):
    """The fields and methods of every recipe; a subclass adds its paper's table, nets and game.

    Attributes:
        takes: the modalities of the data that it can be trained on, with the settings by which it reads them.
        bf16: kinds of data on which it has been measured to train well in bf16.
        code_fields: fields whose value may name a user's own file of code, which only a training runs.
        path_fields: fields whose value is a path, which only a training reads.
        private: True if it is trained with differential privacy.
    """

    takes: ClassVar[tuple[M, ...]]
    bf16: ClassVar[tuple[str, ...]] = ()
    code_fields: ClassVar[tuple[str, ...]] = ()
    path_fields: ClassVar[tuple[str, ...]] = ()
    private: ClassVar[bool] = False

    batch: Count = data(64, "samples per step")
    labels: bool | None = data(None, "generate samples by class; none: by class if the data have labels")
    noise: Weight = data(0.0, "standard deviation of the noise added to D's input at the start; it falls to 0")
    steps: Count = optimization(20_000, "training steps, unless the run is bounded otherwise")
    shards: Count = optimization(
        1, "equal parts of a batch, each played on its own: to save memory, or by several ranks"
    )
    recompute: bool = optimization(
        False, "compute activations again in the backward pass instead of keeping them: less memory, more time"
    )
    ema_kimg: Weight = optimization(10.0, "half-life of the moving average of G's weights, in thousands of samples")
    ema_ramp: Share = optimization(0.05, "upper limit of this half-life, as a share of the samples trained on so far")

    @property
    def name(self) -> str:
        """Name of the recipe's file without its suffix."""
        return Path(inspect.getfile(type(self))).stem

    @property
    def source(self) -> str:
        """The argument with which `recipes.find` finds it: its name, or the path of the user's own file."""
        module = type(self).__module__
        return self.name if module.startswith("sparring.") else inspect.getfile(type(self))

    @property
    def own_file(self) -> bool:
        """True if a user's own file defines it, not Sparring."""
        return self.source != self.name

    @property
    def code(self) -> str:
        """A digest of the user's own file that defines it; "" for Sparring's recipes."""
        return hashlib.blake2b(Path(self.source).read_bytes(), digest_size=16).hexdigest() if self.own_file else ""

    @property
    def code_files(self) -> dict[str, str]:
        """The user's own files of code that fields name, by the name of the field."""
        return {name: value for name in self.code_fields if ".py" in (value := str(getattr(self, name)))}

    def portable(self) -> Self:
        """This recipe without paths of the machine that it was trained on."""
        names: dict[str, Any] = {name: Path(file).name for name, file in self.code_files.items()}
        return replace(self, **{**dict.fromkeys(self.path_fields, ""), **names})

    @abstractmethod
    def game(self, modality: M) -> Game:
        """Nets and losses for data that a fitted modality describes."""

    @abstractmethod
    def phases(self, game: Any) -> list[Phase]:
        """Players and optimizers of each part of the run. A part whose share is 0 is not played."""

    def played(self, game: Any) -> list[Phase]:
        """The phases that have a share of the run.

        Raises:
            InputError: if none has.
        """
        phases = [phase for phase in self.phases(game) if phase.share > 0]
        if not phases:
            raise InputError(f"{self.name} has no phase with a share of the run above 0; `phases` must return one")
        return phases

    def modality(self, kind: str) -> M:
        """How this recipe reads a kind of data: the entry of `takes`, with the values of fields declared with `sets`.

        Raises:
            InputError: if the recipe does not take that kind, or a field is set that has no meaning for it.
        """
        modality = self._entry(kind)
        settings: dict[str, Any] = {}
        for f in fields(self):
            about, value = _about(type(self), f.name), getattr(self, f.name)
            if about.applies(modality):
                settings |= {about.sets: value} if about.sets else {}
            elif value != f.default:
                others = " and ".join(m.words.items for m in self.takes if about.applies(m))
                raise InputError(f"{f.name}={value} is for {others}, but the data are {kind}; remove {f.name}=")
        return replace(modality, **settings)

    def _entry(self, kind: str) -> M:
        entries = [m for m in self.takes if m.kind == kind] or [m for m in self.takes if kind in m.reads]
        if not entries:
            takes = " and ".join(m.kind for m in self.takes)
            raise InputError(
                f"recipe {self.name!r} is for {takes}, but the data are {kind}; choose another recipe with --recipe"
            )
        return entries[0]

    def settled(self) -> tuple[Self, str]:
        """This recipe for a new run, with the values that depend on what is installed, and a line that tells the user
        which they are; "" if there are none. The run keeps them, wherever it is resumed.
        """
        return self, ""

    def check_installed(self) -> None:
        """Check that what a training needs beyond the model is installed.

        Raises:
            InputError: if it is not.
        """

    def fitted(self, items: Items) -> M:
        """The modality of the data, fitted to them."""
        return self.modality(items.kind).fit(items)

    def published(self, modality: M) -> M:
        """A fitted modality, with its classes, as it is stored. A private recipe leaves out what has no noise."""
        return modality

    def guarantee(self, modality: M, records: int, steps: int) -> Guarantee | None:  # noqa: ARG002
        """What a run of so many steps on so many samples promises about them; None if it is not private.

        Raises:
            InputError: if the promise cannot be kept.
        """
        return None

    def finish(self, game: Game, modality: M, seconds: float) -> None:
        """Prepare a trained game, with its averaged weights, for use as a model.

        Args:
            seconds: how long that may take, about; infinite where the run is bounded by steps.
        """

    def finish_seconds(self, game: Game, modality: M) -> tuple[float, float]:  # noqa: ARG002
        """How long `finish` takes at least, and how long if it may, about, on the CPU."""
        return 0.0, 0.0

    def max_steps(self, items: int) -> int | None:  # noqa: ARG002
        """Number of steps beyond which a data set of this many items would be memorized; None if unknown."""
        return None

    def views(self, modality: M) -> list[View]:  # noqa: ARG002
        """Transformations of D's input, in order."""
        return [InstanceNoise(self.noise)] if self.noise else []

    def set(self, settings: Mapping[str, Any]) -> Self:
        """A copy of this recipe with other values in some fields.

        Raises:
            InputError: if a field is unknown, or a value has the wrong type or is out of range.
        """
        hints = _hints(type(self))
        names = [f.name for f in fields(self)]
        for name in settings:
            if name in RENAMED and name not in names:
                raise InputError(f"{name} is now {RENAMED[name]}; give {RENAMED[name]}={settings[name]}")
            if name in EPOCHS and name not in names:
                raise InputError(f"trainings are bounded by steps or time, not by {name}; give --steps or --time")
            if name not in names:
                raise InputError(f"recipe {self.name!r} has no field {name!r}; {self._instead(name, names)}")
        values = {name: checked(name, value, hints[name]) for name, value in settings.items()}
        with self.running():
            changed = replace(self, **values)
            changed.check()
        return changed

    def _instead(self, name: str, names: Sequence[str]) -> str:
        """What to do about a field that there is not."""
        if name == "privacy":
            return (
                "its G sees real samples, or its samples depend on each other; train dptable (rows) or dpgan (images)"
            )
        return nearest(name, names)

    def running(self) -> AbstractContextManager[None]:
        """While active, any error of a user's own recipe file is one line that names its line."""
        return own_code(inspect.getfile(type(self))) if self.own_file else nullcontext()

    def build(self, modality: M, copies: int, there: int | None = None) -> Game:
        """The game, if its nets fit into the memory.

        Args:
            copies: how often their weights will be in memory, such as with gradients.
            there: bytes that there are; None for those of this machine.

        Raises:
            InputError: if they do not fit; nothing large has been created then.
        """
        what, remedy = self.sizes()
        with within_memory(what, remedy), Budget(what, remedy, copies, there):
            return self.game(modality)

    def sizes(self) -> tuple[str, str]:
        """The recipe with the fields that decide how much memory it takes, and what to do about them, for messages."""
        whole = [
            f for f in fields(self) if _about(type(self), f.name).group in SIZES and _is_size(getattr(self, f.name))
        ]
        raised = [f for f in whole if _largest(getattr(self, f.name)) > _largest(f.default)]
        shown = {f.name: getattr(self, f.name) for f in raised or whole}
        values = ", ".join(f"{name}={_listed(value)}" for name, value in shown.items())
        return f"recipe {self.name!r} with {values}", f"give smaller values of {', '.join(shown)}"

    def check(self) -> None:
        """Refuse combinations of values that do not work.

        Raises:
            InputError: with the reason.
        """
        if self.batch % self.shards:
            raise InputError(f"batch={self.batch} must be a multiple of shards={self.shards}")
        if self.recompute and self.private:
            raise InputError("recompute=true does not go with the gradients of single samples; remove recompute=")

    def by_group(self) -> dict[Group, list[tuple[str, Any, str]]]:
        """The recipe as its paper's table: (field, value, description), by group."""
        table: dict[Group, list[tuple[str, Any, str]]] = {group: [] for group in get_args(Group)}
        for f in fields(self):
            about = _about(type(self), f.name)
            table[about.group].append((f.name, getattr(self, f.name), about.description))
        return {group: rows for group, rows in table.items() if rows}


def _is_size(value: Any) -> bool:
    values = value if isinstance(value, tuple) else (value,)
    return all(type(v) is int for v in values) and max(values, default=0) > 1


def _largest(value: Any) -> int:
    return max(value) if isinstance(value, tuple) else value if type(value) is int else 0


def _listed(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


@cache
def _hints(recipe: type[Recipe[Any]]) -> dict[str, Any]:
    """The types of its fields, with what bounds their values."""
    return get_type_hints(recipe, include_extras=True)


@cache
def _about(recipe: type[Recipe[Any]], name: str) -> About:
    """The declaration of a field, which a subclass that only changes its default inherits. A user's own recipe may have
    fields without one.
    """
    classes = [c for c in recipe.__mro__ if is_dataclass(c)]
    declared: list[About] = [f.metadata[ABOUT] for c in classes for f in fields(c) if f.name == name and f.metadata]
    return declared[0] if declared else About("Data", "")
