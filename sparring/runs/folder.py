"""A run's folder, readable by people."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

from filelock import FileLock, Timeout

from sparring.errors import InputError
from sparring.files import check_output, describe_error, write_json, write_text
from sparring.folders import MARKER, made, mark
from sparring.json_files import mismatch, read_json
from sparring.modalities import Modality
from sparring.model import describe, restore
from sparring.model.stored import Described
from sparring.recipes.base import Recipe
from sparring.signing import SUFFIX

# What a run writes: names of files, and patterns of the names in folders that may hold other files, too.
FILES = (
    "log.jsonl", "plan.jsonl", "threads.jsonl", "health.jsonl", "README.md", "curves.png", "progress.gif",
    "evaluation.json", "evaluation.png", "logged.json", "augmentation.json", "audit.json", "audit.html", "privacy.json",
    "model/model.json", "model/weights.safetensors", f"model/{MARKER}", f"model{SUFFIX}",
)  # fmt: skip
PATTERNS = ("samples/*.png", "checkpoints/*/state.*", "checkpoints/best/*/state.*", "tensorboard/events.out.tfevents.*")
NUMBERED = re.compile(r"[0-9]{9,}")  # names of sheets and checkpoints: the step

RUN = "run"  # in the marker of a run's folder
LOCK = ".lock"  # held by the command that trains in the folder
LOCK_TIMEOUT = 1.0  # seconds


class Bounds(TypedDict):
    """The settings of a run, and its bound."""

    settings: dict[str, Any]
    steps: int | None
    time: float | None


class RunRecord(Described):
    """The content of `recipe.json`."""

    run: Bounds


@dataclass(frozen=True)
class RunFolder:
    """The files of a run: `recipe.json`, `log.jsonl`, `samples/`, `checkpoints/`, `model/` and a model card,
    `README.md`.
    """

    path: Path

    @property
    def recipe(self) -> Path:
        return self.path / "recipe.json"

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    @property
    def best(self) -> Path:
        return self.checkpoints / "best"

    @property
    def samples(self) -> Path:
        return self.path / "samples"

    @property
    def model(self) -> Path:
        return self.path / "model"

    @property
    def log(self) -> Path:
        return self.path / "log.jsonl"

    @property
    def plan(self) -> Path:
        return self.path / "plan.jsonl"

    @property
    def threads(self) -> Path:
        """The changes of the number of threads, if there were any."""
        return self.path / "threads.jsonl"

    @property
    def health(self) -> Path:
        return self.path / "health.jsonl"

    @property
    def privacy(self) -> Path:
        """How much of the budget of a private run is spent."""
        return self.path / "privacy.json"

    @property
    def logged(self) -> Path:
        """What has been sent to trackers of experiments."""
        return self.path / "logged.json"

    @property
    def augmentation(self) -> Path:
        return self.path / "augmentation.json"

    @property
    def picture(self) -> Path:
        return self.path / "evaluation.png"

    @property
    def curves(self) -> Path:
        return self.path / "curves.png"

    @property
    def progress(self) -> Path:
        return self.path / "progress.gif"

    @property
    def evaluation(self) -> Path:
        return self.path / "evaluation.json"

    @property
    def audit(self) -> Path:
        return self.path / "audit.json"

    def results(self) -> list[Path]:
        """What was found out about the model."""
        audits = [self.audit, self.audit.with_suffix(".html")]
        return [self.evaluation, self.picture, self.augmentation, *audits]

    @property
    def card(self) -> Path:
        return self.path / "README.md"

    def write_section(self, heading: str, lines: Sequence[str], older: Sequence[str] = ()) -> None:
        """Add a section to the model card, in place of one of the same heading.

        Args:
            older: headings of older versions, whose sections are replaced, too.
        """
        if not (self.exists and self.card.is_file()):  # the folder of a model outside of a run may have a README.md
            return
        names = "|".join(map(re.escape, (heading, *older)))
        earlier = rf"\n*^(?:{names})\n.*?(?=^## |\Z)"
        card = re.sub(earlier, "", self.card.read_text(errors="replace"), flags=re.MULTILINE | re.DOTALL)
        write_text(self.card, card.rstrip() + "\n\n" + "\n".join([heading, "", *lines, ""]))

    def read_section(self, heading: str) -> list[str] | None:
        """The lines of a section of the model card, without its heading; None if there is none."""
        card = self.card.read_text(errors="replace") if self.card.is_file() else ""
        found = re.search(rf"^{re.escape(heading)}\n(.*?)(?=^## |\Z)", card, flags=re.MULTILINE | re.DOTALL)
        return None if found is None else found[1].strip().splitlines()

    @property
    def exists(self) -> bool:
        """True if there is a run in the folder: a `recipe.json` alone may be anybody's."""
        marker = made(self.path)
        if marker is not None:
            return marker["what"] == RUN
        try:
            read_json(self.recipe, RunRecord)
        except InputError:
            return False
        return True  # of version 0.1

    def sheets(self) -> list[Path]:
        """The sheets of samples, oldest first; other files in their folder are the user's."""
        return sorted(path for path in self.samples.glob("*.png") if NUMBERED.fullmatch(path.stem))

    def claim(self, resume: bool, force: bool) -> bool:
        """Check that the folder may be used for a run. True if it holds one that is resumed.

        Raises:
            InputError: if it holds a run, or something else, that must not be overwritten.
        """
        if resume and force:
            raise InputError("--resume continues a run and --force replaces it; give only one of them")
        if self.exists:
            if resume:
                return True
            if not force:
                raise InputError(
                    f"{self.path} already holds a run; continue it with --resume or replace it with --force"
                )
        elif self.path.exists() and (
            not self.path.is_dir() or any(p.name not in (LOCK, MARKER) for p in self.path.iterdir())
        ):
            raise InputError(f"{self.path} exists and is not a run; choose another --out")
        check_output(self.path / "recipe.json", force=True)
        return False

    @contextmanager
    def held(self) -> Iterator[None]:
        """While active, no other process can train in the folder.

        Raises:
            InputError: if another process trains in it, or it cannot be written to.
        """
        lock = FileLock(self.path / LOCK)
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock.acquire(timeout=LOCK_TIMEOUT)
        except Timeout:
            raise InputError(
                f"{self.path} is being trained by another command; wait for it, or choose another --out"
            ) from None
        except OSError as error:
            raise InputError(f"cannot write {self.path}: {describe_error(error)}") from error
        try:
            yield
        finally:
            with suppress(OSError):  # Windows cannot remove an open file
                (self.path / LOCK).unlink()
            lock.release()

    def busy(self) -> bool:
        """True if a process trains in the folder."""
        if not (self.path / LOCK).is_file():
            return False
        try:
            with FileLock(self.path / LOCK).acquire(timeout=0):
                return False
        except Timeout:
            return True
        except OSError:  # another user's
            return False

    def job(self) -> str:
        """The job of a launcher that has begun the run; "" if there is none, or the record cannot be read."""
        try:
            return str(read_json(self.recipe, RunRecord)["run"]["settings"].get("job", "")) if self.exists else ""
        except InputError:
            return ""

    def begin(self, recipe: Recipe[Any], modality: Modality, settings: Mapping[str, Any]) -> None:
        """Record the run before its first step. Files of a previous run are removed, and no others."""
        mark(self.path, RUN)
        for name in (*FILES, *self._written()):
            place = self.path / name
            if place.is_file():
                place.unlink()
        for name in ("checkpoints/*", "checkpoints/best/*"):
            for place in self.path.glob(name):
                with suppress(OSError):  # it is not empty, or no folder
                    place.rmdir()
        write_json(self.recipe, describe(recipe, modality) | {"run": dict(settings)})

    def _written(self) -> list[str]:
        """Names of the files that a run numbers."""
        found = [path.relative_to(self.path) for pattern in PATTERNS for path in self.path.glob(pattern)]
        return [str(name) for name in found if name.parts[0] == "tensorboard" or _numbered(name)]

    def reopen(self, given: Recipe[Any] | None = None) -> tuple[Recipe[Any], Modality, dict[str, Any]]:
        """The record that `begin` wrote.

        Args:
            given: the recipe that the user gave; a run of a recipe file can only be reopened with it.

        Raises:
            InputError: if another version wrote it, it is damaged, or it is of another recipe file than the given one.
        """
        content = read_json(self.recipe, dict[str, Any])
        recipe, modality = restore(content, self.recipe, given=given, advice="give that file with --recipe")
        if problem := mismatch(content, RunRecord):
            raise InputError(f"{self.recipe} is damaged: {problem}")
        return recipe, modality, content["run"]


def _numbered(name: Path) -> bool:
    """True for a sheet or a file of a checkpoint of a step."""
    return bool(NUMBERED.fullmatch(name.stem if name.suffix == ".png" else name.parent.name))
