"""Runs of a benchmark, which are trained once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sparring
from sparring import Model


def trained(recipe: str, data: str | Path, out: Path, time: str, **fields: Any) -> Model:
    """The model in a folder, trained for so long where there is none yet."""
    if (out / "model").is_dir():
        return sparring.load(out)
    print(f"training {out.name} for {time}", flush=True)
    return sparring.train(recipe, data, out=out, time=time, quiet=True, resume=out.is_dir(), **fields)


def cost(model: Model) -> str:
    """Of a training."""
    weights = model.about["parameters"]["G"] if "G" in model.about["parameters"] else model.about["parameters"]["AB"]
    return f"{model.about['seconds'] / 60:.0f} min, {weights / 1e6:.2f} M weights"
