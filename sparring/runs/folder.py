"""A run's folder, readable by people."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from sparring.errors import InputError
from sparring.files import check_output, describe_error, read_json, write_json
from sparring.modalities import Modality
from sparring.model import describe, restore
from sparring.recipes.base import Recipe

FILES = (
    "recipe.json", "log.jsonl", "plan.jsonl", "health.jsonl", "README.md", "samples", "checkpoints", "model",
    "tensorboard", "curves.png", "progress.gif", "evaluation.json", "evaluation.png", "augmentation.json",
)  # fmt: skip


LOCK = ".lock"  # held by the command that trains in the folder
LOCK_TIMEOUT = 1.0  # seconds


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
    def health(self) -> Path:
        return self.path / "health.jsonl"

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
    def card(self) -> Path:
        return self.path / "README.md"

    def claim(self, resume: bool, force: bool) -> bool:
        """Check that the folder may be used for a run. True if it holds one that is resumed.

        Raises:
            InputError: if it holds a run, or something else, that must not be overwritten.
        """
        if resume and force:
            raise InputError("--resume continues a run and --force replaces it; give only one of them")
        if self.recipe.is_file():
            if resume:
                return True
            if not force:
                raise InputError(
                    f"{self.path} already holds a run; continue it with --resume or replace it with --force"
                )
        elif self.path.exists() and (not self.path.is_dir() or any(p.name != LOCK for p in self.path.iterdir())):
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

    def begin(self, recipe: Recipe[Any], modality: Modality, settings: Mapping[str, Any]) -> None:
        """Record the run before its first step. Files of a previous run are removed."""
        for name in FILES:
            place = self.path / name
            shutil.rmtree(place) if place.is_dir() else place.unlink(missing_ok=True)
        write_json(self.recipe, describe(recipe, modality) | {"run": dict(settings)})

    def reopen(self) -> tuple[Recipe[Any], Modality, dict[str, Any]]:
        """The record that `begin` wrote.

        Raises:
            InputError: if another version wrote it, or it is damaged.
        """
        content = read_json(self.recipe)
        recipe, modality = restore(content, self.recipe)
        return recipe, modality, content["run"]
