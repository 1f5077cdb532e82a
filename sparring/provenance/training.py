"""A watermark from the runs whose samples it will be in."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sparring.console import Screen
from sparring.model import load
from sparring.provenance.degradations import DEGRADATIONS
from sparring.provenance.pictures import pictures
from sparring.provenance.watermark import Watermark, judge, train

SAMPLES = 1000  # of each run, that a watermark is trained on
KNOWN = 10  # models that are known while a watermark is judged: more of them need more bits


def trained(runs: Sequence[str], steps: int, screen: Screen, trust: bool = False) -> tuple[Watermark, dict[str, Any]]:
    """A watermark for the pictures of runs, and how well it is read from pictures that were held out of the first.

    Args:
        steps: of the training.
        trust: as for `sparring.load`.

    Raises:
        InputError: if a run generates something else than pictures, its data are missing, or they are too small.
    """
    found = [pictures(load(run, trust=trust), SAMPLES, screen) for run in runs]
    with screen.progress("training a watermark") as progress:
        watermark = train([one for each in found for one in (each.train, each.samples)], steps, progress=progress)
    return watermark, judge(watermark, found[0].held, identities())


def identities(known: int = KNOWN) -> list[str]:
    """Identities of models that a watermark is judged with."""
    return [hashlib.sha256(bytes([i])).hexdigest() for i in range(known)]


def judged_lines(judged: Mapping[str, Any]) -> Iterator[str]:
    """How well a watermark is read, in lines for the user."""
    if not judged:
        return
    yield f"watermark: PSNR {judged['psnr']:.1f} dB on {judged['pictures']:,} held-out pictures"
    for name in DEGRADATIONS:
        yield f"  {name}: {judged[name]['named']:.1%} are named; without a watermark {judged[name]['falsely']:.2%}"
