"""The result of a search in its folder: the recipe and the values that won."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sparring.errors import InputError
from sparring.files import write_json
from sparring.json_files import build, read_json
from sparring.recipes.base.recipe import RENAMED

FILE = "winner.json"


@dataclass(frozen=True)
class Winner:
    """What a search found.

    Attributes:
        recipe: its name, or the path of its file.
        fields: FIELD=VALUE, the fixed and the searched ones.
        metric: that was minimized.
        values: of the runs with these fields, one for each seed.
    """

    recipe: str
    fields: tuple[str, ...]
    metric: str
    values: tuple[float, ...]

    def write(self, folder: Path) -> None:
        content = {"recipe": self.recipe, "fields": self.fields, "metric": self.metric, "values": self.values}
        write_json(folder / FILE, content)


def winner(folder: str | os.PathLike[str]) -> Winner:
    """The winner of a search.

    Args:
        folder: that `sparring tune` wrote.

    Raises:
        InputError: if there is none, or it is damaged.
    """
    place = Path(folder) / FILE
    if not place.is_file():
        raise InputError(f"{folder} holds no winner of a search; give the folder that sparring tune wrote")
    found = build(Winner, read_json(place, dict[str, Any]), str(place))
    return replace(found, fields=tuple(map(_renamed, found.fields)), values=tuple(found.values))


def _renamed(assignment: str) -> str:
    name, equals, value = assignment.partition("=")
    return f"{RENAMED.get(name, name)}{equals}{value}"
