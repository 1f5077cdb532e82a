"""Flicker of restored films: `restore_video`, whose G and D see neighboring frames, beside `denoise` frame by frame.

    python benchmarks/flicker.py --time 30m --page docs/flicker.md

Both are trained for equal time on Weizmann's films without the last person, `denoise` on their frames. Films of that
person are degraded and restored, at several values of --sharpness. Writes `README.md` and `results.json`. A run that
was interrupted continues, and one that is complete is not trained again.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean

import torch
from PIL import Image
from torch import Tensor

import sparring
from runs import trained_once
from sparring.data.items import Items
from sparring.modalities import DegradedVideo, find
from sparring.modalities.translation.files.video import Steady
from sparring.modalities.video_restoration.judge import LENGTH, FilmJudge, measured, method_of
from sparring.nets.tiles import Mapper
from sparring.recipes.base import parse

SHARPNESS = (0.0, 0.5, 1.0)
METRICS = ("psnr", "spectral_distance", "flicker")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="weizmann", help="name or path of films, some of them held out")
    parser.add_argument("--degrade", default="noise25")
    parser.add_argument("--time", default="30m", help="of each training")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--out", default="runs/flicker-page")
    parser.add_argument("--set", nargs="*", default=[], help="FIELD=VALUE of both recipes")
    parser.add_argument("--page", help="also write the page here")
    given = parser.parse_args()
    out = Path(given.out)
    out.mkdir(parents=True, exist_ok=True)
    items = find(given.data, (DegradedVideo,))
    asked = {"device": given.device, "quiet": False, "degrade": given.degrade, **parse(given.set)}
    video = trained_once("restore_video", given.data, out / "restore_video", given.time, **asked)
    frames = frames_of(items, video.modality, out / "frames")
    alone = trained_once("denoise", frames, out / "denoise", given.time, **asked)
    rows = evaluated(items, video, alone)
    (out / "README.md").write_text(page(rows, given))
    (out / "results.json").write_text(json.dumps(rows, indent=1))
    if given.page:
        Path(given.page).write_text(page(rows, given))


def frames_of(items: Items, modality: DegradedVideo, folder: Path) -> Path:
    """A folder of the frames of all films, in which those of the held-out ones are a test part."""
    held = set(modality.split(items).held.tolist())
    for (part, *_), film in items.items.read():
        place = folder / ("test" if part in held else "train")
        place.mkdir(parents=True, exist_ok=True)
        for i, frame in enumerate(modality.frames(film)):
            Image.fromarray(frame.transpose(1, 2, 0).squeeze()).save(place / f"{part}-{i:03}.png")
    return folder


def evaluated(items: Items, video: sparring.Model, alone: sparring.Model) -> dict[str, dict[str, float]]:
    """Means over held-out films, by method."""
    judge = FilmJudge(video.modality, items, tuple(sorted(video.modality.split(items).held.tolist())))
    methods = {"degraded": lambda frames: frames}
    for sharpness in SHARPNESS:
        one_by_one = _alone(alone.mapper(sharpness=sharpness))
        methods[f"denoise, sharpness {sharpness:g}"] = one_by_one
        methods[f"denoise, sharpness {sharpness:g}, smoothed"] = lambda x, method=one_by_one: _smoothed(x, method(x))
        methods[f"restore_video, sharpness {sharpness:g}"] = method_of(video.mapper(sharpness=sharpness))
    found: dict[str, dict[str, list[float]]] = {name: {} for name in ("clean", *methods)}
    for degraded, clean in judge.pairs(list(judge.indices)):
        restored = {"clean": clean} | {name: method(degraded) for name, method in methods.items()}
        for name, x in restored.items():
            for metric, value in measured(x, clean):
                found[name].setdefault(metric, []).append(value)
    return {name: {metric: mean(values) for metric, values in by.items()} for name, by in found.items()}


def _alone(mapper: Mapper) -> object:
    @torch.no_grad()
    def restore(frames: Tensor) -> Tensor:
        return torch.cat([mapper.net(frame[None].to(mapper.device)).float().cpu() for frame in frames]).clamp(-1, 1)

    return restore


def _smoothed(degraded: Tensor, restored: Tensor) -> Tensor:
    """As `sparring apply` smooths frames."""
    steady = Steady(1)
    return torch.stack([steady(x[None], y) for x, y in zip(degraded, restored, strict=True)])


def page(rows: Mapping[str, Mapping[str, float]], given: argparse.Namespace) -> str:
    """A table of all methods."""
    settings = f", {' '.join(given.set)}" if given.set else ""
    head = ["", *METRICS]
    lines: Sequence[str] = [
        "| " + " | ".join(head) + " |",
        "|---|" + "---:|" * len(METRICS),
        *("| " + " | ".join([name, *(f"{by[m]:.2f}" for m in METRICS)]) + " |" for name, by in rows.items()),
    ]
    return "\n\n".join([
        "# Flicker of restored films",
        f"{given.time} of training for each recipe on {given.data}, degrade={given.degrade}{settings}. Written by "
        "`python benchmarks/flicker.py`.",
        "\n".join(lines),
        f"Means over the first {LENGTH} frames of held-out films: psnr in decibels, spectral_distance in decades of "
        "power, and flicker, the mean change from frame to frame, of 255 levels, where the clean film stands still.",
    ]) + "\n"  # fmt: skip


if __name__ == "__main__":
    main()
