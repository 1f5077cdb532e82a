"""The lines of `health.jsonl`: problems that were noticed during training, and rollbacks."""

from __future__ import annotations

from collections.abc import Mapping

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


def describe(entry: Entry) -> str:
    """An entry in words, without its step."""
    if "problem" in entry:
        return f"{entry['problem']} ({entry['evidence']}); {entry['advice']}"
    return f"rolled back to step {entry['back_to']}, with other random numbers and a lower learning rate"
