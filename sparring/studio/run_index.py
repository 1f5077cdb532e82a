"""The runs that the studio shows: folders that are only read. Trainings in other processes are not disturbed."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sparring.console import clock
from sparring.data.addresses import shown
from sparring.errors import InputError, nearest
from sparring.files import component, resolved
from sparring.json_files import read_json, read_lines
from sparring.modalities import kinds
from sparring.runs import problems
from sparring.runs.folder import RunFolder, RunRecord

MAX_DEPTH = 3  # levels of folders in which runs are looked for
MAX_SAME_NAME = 10_000  # runs with the same name and a number
MAX_BYTES = 64 * 2**20  # of a file that is shown
MAX_TEXT = 500  # characters of a text from a folder
MAX_PATH = 4096  # characters of a path, with which a training is resumed
MAX_NUMBER = 1e15  # the largest step, number of seconds or limit that is shown

UNTRUSTED = "its recipe is the file {}; start the studio with --trust-code to use its model"

Line = Mapping[str, Any]


@dataclass(frozen=True)
class Card:
    """The contents of a run's folder.

    Attributes:
        name: of the run on the page; unique.
        path: of its folder.
        recipe, data: that it was trained with; "" if the folder cannot be read.
        file: the user's own file that defines the recipe; "" for Sparring's recipes.
        items: what its samples are called: "images", "rows", ...
        step, seconds: progress.
        steps, time: limits in steps and in seconds, or None.
        score: the last one during training, with its name; "" if there is none.
        findings: problems found during training, with advice.
        sheet: its last sheet of samples.
        ready: True if it has a model.
        changed: when its log was last written to, in seconds since 1970.
        error: why it cannot be read; "" if it can.
    """

    name: str
    path: Path
    recipe: str = ""
    file: str = ""
    items: str = ""
    data: str = ""
    step: int = 0
    seconds: float = 0.0
    steps: int | None = None
    time: float | None = None
    score: str = ""
    findings: tuple[str, ...] = ()
    sheet: Path | None = None
    ready: bool = False
    changed: float = 0.0
    error: str = ""

    @property
    def share(self) -> float | None:
        """Progress as a share of the limit, in [0, 1]; None if there is no limit."""
        shares = [self.step / self.steps] if self.steps else []
        shares += [self.seconds / self.time] if self.time else []
        return min(1.0, max(shares)) if shares else None

    @property
    def progress(self) -> str:
        """Progress in words."""
        steps = f"step {self.step:,}" + (f" of {self.steps:,}" if self.steps else "")
        return f"{steps} in {clock(self.seconds)}" + (f" of {clock(self.time)}" if self.time else "")

    def is_training(self) -> bool:
        """True while any command trains in the folder."""
        try:
            return RunFolder(self.path).busy()
        except (InputError, OSError):  # its lock is no file, or may not be opened
            return False


class RunIndex:
    """Finds the runs in folders and reads them.

    Args:
        places: folders of runs, or runs.
        trust: as for `sparring.load`; without it, cards of models that need it say so.
    """

    def __init__(self, places: Sequence[Path], trust: bool = False) -> None:
        self.places, self.trust = list(places), trust
        self._contents: dict[Path, tuple[object, Any]] = {}
        self._lock = threading.Lock()

    @property
    def home(self) -> Path:
        """Where new runs are created: the first folder that is not a run itself."""
        folders = [place for place in self.places if not RunFolder(place).recipe.is_file()]
        return folders[0] if folders else self.places[0].parent

    def add(self, run: Path) -> None:
        """Include a run, which may be outside of the folders."""
        with self._lock:
            if not any(resolved(run).is_relative_to(resolved(place)) for place in self.places):
                self.places = [*self.places, run]

    def paths(self) -> dict[str, Path]:
        """The runs by name; the one that was written to last comes first."""
        names: dict[Path, str] = {}
        for place in self.places:
            for path in _runs(place, MAX_DEPTH):
                name = path.relative_to(place).as_posix() if path != place else path.name
                names.setdefault(resolved(path), as_text(name))
        all_names = list(names.values())
        unique = {as_text(str(p)) if all_names.count(name) > 1 else name: p for p, name in names.items()}
        return dict(sorted(unique.items(), key=lambda pair: _changed(pair[1]), reverse=True))

    def path(self, name: str | None) -> Path:
        """The folder of a run.

        Raises:
            InputError: if there is no such run in the index, even if the name is a path to one.
        """
        paths = self.paths()
        if not name:
            raise InputError("no run is selected; select one under Runs")
        if name not in paths:
            raise InputError(f"there is no run {name!r}; {nearest(name, paths) if paths else 'train one first'}")
        return paths[name]

    def cards(self) -> list[Card]:
        """All runs; the one that was written to last comes first."""
        return [self.card(name, path) for name, path in self.paths().items()]

    def card(self, name: str, path: Path) -> Card:
        """The contents of a run's folder, or why they cannot be read. Whatever is in it, other runs are still shown."""
        folder = RunFolder(path)
        try:
            settings = self._read(folder.recipe, lambda p: _settings(read_json(p, RunRecord)))
            findings = self._findings(folder)
            if settings["file"] and not self.trust:
                findings = (*findings, UNTRUSTED.format(settings["file"]))
            log = self.log(path)
            last: Line = log[-1] if log else {}
            scores = [(key, value) for line in log for key, value in line.items() if key.startswith("fid[")]
            files = sorted(folder.samples.glob("*.png")) if folder.samples.is_dir() else []
            score = as_text(f"{scores[-1][0]} {scores[-1][1]:.3g}") if scores else ""
            sheets = [p for p in files if p.stem.isdecimal() and p.is_file()]  # named by their steps
            return Card(
                name=name, path=path, **settings, step=int(_number(last, "step")), seconds=_number(last, "seconds"),
                score=score, findings=findings,
                sheet=sheets[-1] if sheets else None, ready=(folder.model / "model.json").is_file(),
                changed=_changed(path),
            )  # fmt: skip
        except Exception as error:  # whatever a folder can cause
            why = str(error) if isinstance(error, InputError | OSError) else f"{type(error).__name__}: {error}"
            return Card(name, path, error=as_text(f"cannot be read: {why}"))

    def log(self, path: Path) -> list[Line]:
        """The lines of a run's log: their finite numbers, by name.

        Raises:
            InputError: if it is damaged.
        """
        return [_finite(line) for line in self._lines(RunFolder(path).log)]

    def _findings(self, folder: RunFolder) -> tuple[str, ...]:
        entries = [problems.current(line) for line in self._lines(folder.health)]
        texts = [f"step {entry['step']}: {problems.describe(entry)}" for entry in entries if "problem" in entry]
        return tuple(map(as_text, texts))

    def _lines(self, path: Path) -> list[Line]:
        """The complete lines of a file of JSON lines that another process may be writing; () if there is no file."""
        return self._read(path, lambda p: read_lines(p, dict[str, Any])) if path.is_file() else []

    def _read(self, path: Path, read: Any) -> Any:
        """The contents of a file, read again only after it has changed."""
        status = path.stat()
        if status.st_size > MAX_BYTES:
            raise InputError(f"{path.name} has {status.st_size / 2**20:,.0f} MiB, more than a run's files have")
        stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
        with self._lock:
            if self._contents.get(path, (None,))[0] == stamp:
                return self._contents[path][1]
        content = read(path)
        with self._lock:
            self._contents[path] = stamp, content
        return content


def _settings(content: RunRecord) -> dict[str, Any]:
    """The part of a `recipe.json` that a card shows."""
    run, source, kind = content["run"], content["recipe"], str(content["kind"])
    return {
        "recipe": as_text(Path(source).stem if source.endswith(".py") else source),
        "file": as_text(source) if source.endswith(".py") else "",
        "items": {known.kind: known.words.items for known in kinds()}.get(kind, as_text(kind)),
        "data": as_text(shown(str(run["settings"]["data"])), MAX_PATH),
        "steps": None if run["steps"] is None else int(_number(run, "steps")),
        "time": None if run["time"] is None else _number(run, "time"),
    }


def _number(values: Mapping[str, Any], name: str) -> float:
    """A number from 0 that can be shown; 0 if there is none.

    Raises:
        ValueError: if it is something else.
    """
    value = values.get(name, 0)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MAX_NUMBER:
        raise ValueError(f"its {name} is {str(value)[:50]}")
    return float(value)


def _finite(line: Line) -> Line:
    """The numbers of a line of a log."""
    numbers = {name: value for name, value in line.items() if type(value) in (int, float)}
    return {as_text(name): value for name, value in numbers.items() if abs(value) <= sys.float_info.max}


def as_text(text: str, limit: int = MAX_TEXT) -> str:
    """Text from a folder as it can be sent to a page: without what UTF-8 cannot encode, and not too long."""
    return text[:limit].encode("utf-8", "replace").decode()


def _runs(place: Path, depth: int) -> list[Path]:
    """The runs in a folder; none inside another. What may not be read, or was removed meanwhile, is left out."""
    try:
        if RunFolder(place).recipe.is_file():
            return [place]
        inside = sorted(place.iterdir()) if depth else []
    except OSError:
        return []
    return [run for path in inside if _may_hold_runs(path) for run in _runs(path, depth - 1)]


def _may_hold_runs(path: Path) -> bool:
    try:
        return path.is_dir() and not path.name.startswith(".") and not path.is_symlink()
    except OSError:
        return False


def _changed(path: Path) -> float:
    """When a run was last written to."""
    folder = RunFolder(path)
    times = [0.0]
    for path in (folder.log, folder.recipe):
        with suppress(OSError):  # it does not exist any more, or may not be read
            times.append(path.stat().st_mtime)
    return max(times)


def unused(home: Path, name: str, reserved: Callable[[Path], bool] = lambda _: False) -> Path:
    """A folder for a new run with a name that a user gave: always in `home`, with a number if the name is in use.

    Args:
        reserved: True for folders that do not exist yet but will.
    """
    stem = component(name)
    for number in range(1, MAX_SAME_NAME):
        path = home / (stem if number == 1 else f"{stem}-{number}")
        if not path.exists() and not reserved(path):
            return path
    raise InputError(f"{home} is full of runs called {stem}; give another name")
