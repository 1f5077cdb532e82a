"""The runs that the studio shows: folders, read from outside. A training in another process is never touched."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sparring.console import clock
from sparring.errors import InputError, nearest
from sparring.files import component, read_json
from sparring.runs.folder import RunFolder

DEEP = 3  # folders within folders that runs are looked for in

Line = Mapping[str, Any]


@dataclass(frozen=True)
class Card:
    """What a run's folder tells.

    Attributes:
        name: of the run on the page, unlike the others'.
        path: of its folder.
        recipe, kind, data: that it was trained with; "" where the folder cannot be read.
        step, seconds: how far it is.
        steps, time: its bound in steps and in seconds, None where there is none.
        score: the last that was measured while it trained, by name; "" where there is none.
        troubles: what went wrong while it trained, and what to change.
        sheet: its last sheet.
        ready: whether it has a model.
        changed: when its log was last written to, in seconds since 1970.
        why: it cannot be read; "" where it can.
    """

    name: str
    path: Path
    recipe: str = ""
    kind: str = ""
    data: str = ""
    step: int = 0
    seconds: float = 0.0
    steps: int | None = None
    time: float | None = None
    score: str = ""
    troubles: tuple[str, ...] = ()
    sheet: Path | None = None
    ready: bool = False
    changed: float = 0.0
    why: str = ""

    @property
    def share(self) -> float | None:
        """How much of the bound is done, in [0, 1]; None where it has none."""
        shares = [self.step / self.steps] if self.steps else []
        shares += [self.seconds / self.time] if self.time else []
        return min(1.0, max(shares)) if shares else None

    @property
    def bound(self) -> str:
        """How far it is, in words."""
        steps = f"step {self.step:,}" + (f" of {self.steps:,}" if self.steps else "")
        return f"{steps} in {clock(self.seconds)}" + (f" of {clock(self.time)}" if self.time else "")

    def trains(self) -> bool:
        """Whether it trains right now, by whatever command."""
        return RunFolder(self.path).busy()


class Shelf:
    """Finds the runs in some folders, and reads them.

    Args:
        places: folders of runs, or runs.
    """

    def __init__(self, places: Sequence[Path]) -> None:
        self.places = list(places)
        self._known: dict[Path, tuple[object, Any]] = {}
        self._lock = threading.Lock()

    @property
    def home(self) -> Path:
        """Where new runs go: the first folder that is no run itself."""
        folders = [place for place in self.places if not RunFolder(place).recipe.is_file()]
        return folders[0] if folders else self.places[0].parent

    def add(self, run: Path) -> None:
        """Show a run that may lie beside the places."""
        with self._lock:
            if not any(run.resolve().is_relative_to(place.resolve()) for place in self.places):
                self.places = [*self.places, run]

    def paths(self) -> dict[str, Path]:
        """The runs by their names, the one that was last written to first."""
        found: dict[Path, str] = {}
        for place in self.places:
            for path in _runs(place, DEEP):
                found.setdefault(path.resolve(), path.relative_to(place).as_posix() if path != place else path.name)
        names = list(found.values())
        unlike = {str(p) if names.count(name) > 1 else name: p for p, name in found.items()}
        return dict(sorted(unlike.items(), key=lambda pair: _changed(pair[1]), reverse=True))

    def path(self, name: str | None) -> Path:
        """The folder of a run.

        Raises:
            InputError: where there is no such run on the shelf, whatever folder the name might lead to.
        """
        known = self.paths()
        if not name:
            raise InputError("no run is chosen; choose one under Runs")
        if name not in known:
            raise InputError(f"there is no run {name!r}; {nearest(name, known) if known else 'train one first'}")
        return known[name]

    def cards(self) -> list[Card]:
        """Of all runs, the one that was last written to first."""
        return [self.card(name, path) for name, path in self.paths().items()]

    def card(self, name: str, path: Path) -> Card:
        """What a run's folder tells; why it cannot be read where it cannot."""
        folder = RunFolder(path)
        try:
            content = self._read(folder.recipe, lambda p: _brief(read_json(p)))
            log = self.log(path)
            last: Line = log[-1] if log else {}
            scored = [(key, value) for line in log for key, value in line.items() if key.startswith("fid[")]
            sheets = sorted(p for p in folder.samples.glob("*.png") if p.stem.isdecimal())  # named by their steps
            return Card(
                name=name, path=path, **content, step=int(last.get("step", 0)), seconds=float(last.get("seconds", 0)),
                score=f"{scored[-1][0]} {scored[-1][1]:.3g}" if scored else "", troubles=self._troubles(folder),
                sheet=sheets[-1] if sheets else None, ready=(folder.model / "model.json").is_file(),
                changed=_changed(path),
            )  # fmt: skip
        except (InputError, KeyError, TypeError, ValueError, OSError) as error:
            return Card(name, path, why=f"cannot be read: {error}")

    def log(self, path: Path) -> list[Line]:
        """The lines of a run's log."""
        return self._lines(RunFolder(path).log)

    def _troubles(self, folder: RunFolder) -> tuple[str, ...]:
        lines = self._lines(folder.health)
        return tuple(f"step {e['step']}: {e['trouble']} ({e['seen']}); {e['advice']}" for e in lines if "trouble" in e)

    def _lines(self, path: Path) -> list[Line]:
        """The whole lines of a file of JSON lines, to which another process may be writing; none where it is not."""

        def read(file: Path) -> list[Line]:
            with file.open() as lines:
                found = [json.loads(line) for line in lines if line.endswith("\n")]
            if not all(isinstance(line, dict) for line in found):
                raise ValueError(f"{file.name} holds a line that is none of a log")
            return found

        return self._read(path, read) if path.is_file() else []

    def _read(self, path: Path, read: Any) -> Any:
        """What a file holds, read once for as long as it does not change."""
        seen = path.stat()
        stamp = (seen.st_mtime_ns, seen.st_size, seen.st_ino)
        with self._lock:
            if self._known.get(path, (None,))[0] == stamp:
                return self._known[path][1]
        found = read(path)
        with self._lock:
            self._known[path] = stamp, found
        return found


def _brief(content: Mapping[str, Any]) -> dict[str, Any]:
    """Of a `recipe.json` what a card shows."""
    run = content["run"]
    source = content["recipe"]
    return {
        "recipe": Path(source).stem if source.endswith(".py") else source,
        "kind": str(content["kind"]),
        "data": str(run["settings"]["data"]),
        "steps": run["steps"],
        "time": run["time"],
    }


def _runs(place: Path, deep: int) -> list[Path]:
    """The runs in a folder, none within another."""
    if RunFolder(place).recipe.is_file():
        return [place]
    if not deep or not place.is_dir() or not os.access(place, os.R_OK | os.X_OK):
        return []
    within = [p for p in sorted(place.iterdir()) if p.is_dir() and not p.name.startswith(".") and not p.is_symlink()]
    return [run for path in within for run in _runs(path, deep - 1)]


def _changed(path: Path) -> float:
    """When a run was last written to."""
    folder = RunFolder(path)
    return max((p.stat().st_mtime for p in (folder.log, folder.recipe) if p.exists()), default=0.0)


def unused(home: Path, wanted: str, taken: Callable[[Path], bool] = lambda _: False) -> Path:
    """A folder for a new run, of a name that a user gave: always in `home`, with a number where the name is taken.

    Args:
        taken: whether a folder that is not there yet will be.
    """
    name = component(wanted)
    for number in range(1, 10_000):
        path = home / (name if number == 1 else f"{name}-{number}")
        if not path.exists() and not taken(path):
            return path
    raise InputError(f"{home} is full of runs called {name}; give another name")
