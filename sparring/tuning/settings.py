"""What the workers of a search have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sparring.json_files import build
from sparring.tuning.space import Dimension


@dataclass(frozen=True)
class Settings:
    """A search, as it is stored with its trials.

    Attributes:
        data: name or absolute path.
        recipe: its name or path; "" if the data choose it.
        searched: the dimensions.
        fixed: FIELD=VALUE.
        steps, time: the bound of each run. All runs have the same, since schedules stretch to it.
        device: of the runs.
        trials: number of them.
        finals: the best that are trained again with other seeds.
        workers: processes on the machine that began the search.
    """

    data: str
    recipe: str
    searched: tuple[Dimension, ...]
    fixed: tuple[str, ...]
    steps: int | None
    time: float | None
    device: str
    trials: int
    finals: int
    workers: int

    def content(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)

    @classmethod
    def restored(cls, content: Mapping[str, Any], where: str) -> Settings:
        """From JSON.

        Raises:
            InputError: if it is damaged.
        """
        settings = build(cls, content, where)
        searched = tuple(build(Dimension, each, where) for each in content["searched"])
        return cls(**{**vars(settings), "searched": searched, "fixed": tuple(settings.fixed)})

    def command(self, fields: Sequence[str], out: str, seed: int) -> list[str]:
        """Arguments of `sparring` for one run, which continues if it was begun."""
        bound = [f"--steps={self.steps}"] if self.steps is not None else []
        bound += [f"--time={self.time:g}s"] if self.time is not None else []
        recipe = [f"--recipe={self.recipe}"] if self.recipe else []
        options = [f"--out={out}", f"--seed={seed}", f"--device={self.device}", "--resume"]
        return ["train", self.data, *recipe, *bound, *options, "--", *self.fixed, *fields]
