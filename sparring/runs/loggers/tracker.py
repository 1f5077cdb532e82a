"""What a tracker of experiments gets of a run."""

from __future__ import annotations

import re
import shutil
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sparring.files import write_json
from sparring.json_files import read_json
from sparring.model import stored
from sparring.runs.folder import RunFolder, RunRecord

USE = re.compile(r"^(sparring \w+ )(.+?)(?= -n | input)", flags=re.MULTILINE)  # in cards: how to use a run's folder


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


@contextmanager
def published(folder: RunFolder) -> Iterator[Path]:
    """Within this context, a folder `model` with the files of a run's model, without paths of this machine."""
    description, weights = (folder.model / name for name in stored.FILES)
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary) / "model"
        place.mkdir()
        content = stored.portable(read_json(description, dict[str, Any]), description)
        write_json(place / description.name, content)
        shutil.copyfile(weights, place / weights.name)
        yield place


def published_card(folder: RunFolder) -> str:
    """The text of a run's card, without paths of this machine."""
    text = folder.card.read_text(errors="replace")
    fields = read_json(folder.recipe, RunRecord)["fields"]
    for path in {value for value in fields.values() if stored.unplaced(value) != value}:
        text = text.replace(path, stored.unplaced(path))
    return USE.sub(lambda found: found[1] + stored.unplaced(found[2]), text)


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
        """By which the tracker finds the run again: `known` unless it has none of that id; "" if nothing is written."""

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
    """The facts in a `recipe.json`, without paths of this machine."""
    content = stored.portable(content, folder.recipe)
    recipe = Path(str(content["recipe"])).stem
    settings = {name: value for name, value in content["run"]["settings"].items() if name != "data"}
    fields = {name: str(value) for name, value in {**settings, **content["fields"]}.items() if value not in ("", None)}
    return Facts(folder.path.resolve().name, recipe, {"recipe": recipe, **fields})
