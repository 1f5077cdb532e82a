"""What the last audit of a run found, for its evaluation."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypedDict

from sparring.json_files import read_json
from sparring.metrics.results import Finding
from sparring.model.hub import beside, local
from sparring.runs.folder import RunFolder


class Stored(TypedDict):
    """The part of `audit.json` that names problems."""

    findings: list[dict[str, Any]]


def audited(run: str | Path) -> tuple[Finding, ...]:
    """Problems that an audit of a run found; none if there was no audit of the model as it is now.

    Raises:
        InputError: if the record of the audit is damaged.
    """
    audit, weights = RunFolder(beside(run)).audit, RunFolder(local(run)).model / "weights.safetensors"
    if not (audit.is_file() and weights.is_file()) or audit.stat().st_mtime < weights.stat().st_mtime:
        return ()
    content = read_json(audit, dict[str, Any])
    if "findings" not in content:  # written by an older version
        return ()
    found = read_json(audit, Stored)["findings"]
    return tuple(Finding(*(str(one.get(name, "")) for name in ("name", "evidence", "advice"))) for one in found)
