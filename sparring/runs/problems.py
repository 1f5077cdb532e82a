"""The lines of `health.jsonl`: problems that were noticed during training, and rollbacks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypedDict

from sparring.errors import InputError
from sparring.json_files import mismatch, read_lines
from sparring.metrics.results import Finding

OLD_KEYS = {"trouble": "problem", "seen": "evidence"}  # of version 0.1

Entry = Mapping[str, object]


def problem_entry(step: int, problem: Finding) -> dict[str, object]:
    """A problem that was noticed at a step."""
    return {"step": step, "problem": problem.name, "evidence": problem.evidence, "advice": problem.advice}


def rollback_entry(step: int, back_to: int, salt: int) -> dict[str, object]:
    """A rollback from a step to an earlier one.

    Args:
        salt: number of rollbacks of the run so far.
    """
    return {"step": step, "back_to": back_to, "salt": salt}


def current(entry: Entry) -> dict[str, object]:
    """An entry with current keys, whichever version wrote it."""
    return {OLD_KEYS.get(key, key): value for key, value in entry.items()}


class Problem(TypedDict):
    """A problem that was noticed at a step."""

    step: int
    problem: str
    evidence: str
    advice: str


class Rollback(TypedDict):
    """A rollback from a step to an earlier one."""

    step: int
    back_to: int
    salt: int


def read_problems(path: Path) -> list[dict[str, object]]:
    """The entries of a `health.jsonl`, with current keys; none if there is no such file.

    Raises:
        InputError: if it is damaged.
    """
    entries = [current(entry) for entry in read_lines(path, dict[str, Any])]
    for entry in entries:
        if problem := mismatch(entry, Problem if "problem" in entry else Rollback):
            raise InputError(f"{path} is damaged: {problem}")
    return entries


def describe(entry: Entry) -> str:
    """An entry in words, without its step."""
    if "problem" in entry:
        return f"{entry['problem']} ({entry['evidence']}); {entry['advice']}"
    return f"rolled back to step {entry['back_to']}, with other random numbers and a lower learning rate"
