"""What the last audit of a run found, for its evaluation."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, TypedDict

from sparring.json_files import read_json
from sparring.metrics.results import Finding
from sparring.model.hub import beside, local
from sparring.runs.folder import RunFolder


class Stored(TypedDict):
    """The part of `audit.json` that says which model was audited, and names problems."""

    identity: str
    findings: list[dict[str, Any]]


def audited(run: str | Path) -> tuple[Finding, ...]:
    """Problems that an audit of a run found; none if there was no audit of the model as it is now.

    Raises:
        InputError: if the record of the audit is damaged.
    """
    audit, weights = RunFolder(beside(run)).audit, RunFolder(local(run)).model / "weights.safetensors"
    if not (audit.is_file() and weights.is_file()):
        return ()
    if not set(Stored.__annotations__) <= set(read_json(audit, dict[str, Any])):  # written by an older version
        return ()
    stored = read_json(audit, Stored)
    with weights.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != stored["identity"]:
            return ()
    named = stored["findings"]
    return tuple(Finding(*(str(one.get(name, "")) for name in ("name", "evidence", "advice"))) for one in named)
