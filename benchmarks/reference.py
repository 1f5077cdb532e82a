"""The `ctgan` package and `sdmetrics`, run by a separate interpreter; `benchmarks/tables.py` calls this script.

    python benchmarks/reference.py make TRAIN.csv KINDS.json ROWS.csv
    python benchmarks/reference.py score REAL.csv KINDS.json ROWS.csv

KINDS.json maps each column to "categorical" or "numerical". Both commands print one line of JSON.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

import pandas as pd

MISSING = "missing"


def make(train: str, kinds: str, out: str) -> dict[str, float]:
    """Train with the package's defaults and sample the same number of rows; returns seconds and GiB. Missing values are
    filled in, because the package does not accept them.
    """
    import ctgan.synthesizers.ctgan as module

    kind_of = json.loads(Path(kinds).read_text())
    frame = read(train, kind_of)
    for name, kind in kind_of.items():
        frame[name] = frame[name].fillna(MISSING if kind == "categorical" else frame[name].astype(float).mean())
    preparing = Clock()
    for method in ("fit", "transform"):
        preparing.watch(module.DataTransformer, method)
    net, began = module.CTGAN(), time.monotonic()
    net.fit(frame, [name for name, kind in kind_of.items() if kind == "categorical"])
    fitted, began_sampling = time.monotonic() - began, time.monotonic()
    rows = net.sample(len(frame))
    sampled = time.monotonic() - began_sampling
    rows.replace(MISSING, None).to_csv(out, index=False)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return {
        "preparing": preparing.seconds,
        "training": fitted - preparing.seconds,
        "sampling": sampled,
        "GiB": peak,
    }


def score(real: str, kinds: str, rows: str) -> dict[str, float]:
    """Overall score of QualityReport, in [0, 1]."""
    from sdmetrics.reports.single_table import QualityReport

    kind_of = json.loads(Path(kinds).read_text())
    report = QualityReport()
    metadata = {"columns": {name: {"sdtype": kind} for name, kind in kind_of.items()}}
    report.generate(read(real, kind_of), read(rows, kind_of), metadata, verbose=False)
    return {"score": report.get_score()}


def read(path: str, kinds: dict[str, str]) -> pd.DataFrame:
    text = {name: "string" for name, kind in kinds.items() if kind == "categorical"}
    return pd.read_csv(path, dtype=text)[list(kinds)].astype(dict.fromkeys(text, object))


class Clock:
    """Total running time of some methods."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def watch(self, owner: type, name: str) -> None:
        method = getattr(owner, name)

        def timed(*args, **settings):
            began = time.monotonic()
            try:
                return method(*args, **settings)
            finally:
                self.seconds += time.monotonic() - began

        setattr(owner, name, timed)


if __name__ == "__main__":
    print(json.dumps({"make": make, "score": score}[sys.argv[1]](*sys.argv[2:])))
