"""What a tracker of experiments gets of a run."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sparring.runs.folder import RunFolder


@dataclass(frozen=True)
class Facts:
    """What is known of a run before its first step.

    Attributes:
        name: of its folder.
        recipe: the name of its recipe.
        fields: values of the recipe, and settings of the run, as text.
    """

    name: str
    recipe: str
    fields: Mapping[str, str]


class Tracker(ABC):
    """One run in a tracker of experiments.

    Args:
        folder: of the run.
        facts: what is known of it.
        project: that runs are collected in.
        known: the identifier that `id` had when this run was sent before; "" if it was not.
    """

    @abstractmethod
    def __init__(self, folder: RunFolder, facts: Facts, project: str, known: str) -> None: ...

    @property
    @abstractmethod
    def id(self) -> str:
        """By which the tracker finds the run again."""

    @property
    @abstractmethod
    def place(self) -> str:
        """Where a person finds it."""

    @abstractmethod
    def lines(self, lines: Sequence[Mapping[str, float]]) -> None:
        """Add lines of the log."""

    @abstractmethod
    def sheet(self, path: Path, step: int) -> None:
        """Add a sheet of samples."""

    @abstractmethod
    def finish(self, evaluation: Mapping[str, float]) -> None:
        """Add what a finished run has: its card, its model, and the numbers of its evaluation."""

    @abstractmethod
    def close(self) -> None:
        """Wait until all is written."""


def facts(folder: RunFolder, content: Mapping[str, Any]) -> Facts:
    """The facts in a `recipe.json`."""
    recipe = Path(str(content["recipe"])).stem
    settings = {name: value for name, value in content["run"]["settings"].items() if name != "data"}
    fields = {name: str(value) for name, value in {**settings, **content["fields"]}.items() if value not in ("", None)}
    return Facts(folder.path.resolve().name, recipe, {"recipe": recipe, **fields})
