"""Writes a film for a page: clips of a model that play side by side, a row for each class.

    python benchmarks/film.py runs/video-walks docs/walks.webp --page docs/video.md

Frames are enlarged by a whole factor and placed on white. The film is lossless if it is small enough, else as good as
the size of the file allows. Nothing is selected: the clips are the first ones of a seed. With --page, the run's own
evaluation (`sparring evaluate RUN`) and how it was trained are written between the two marks of a page.
"""

from __future__ import annotations

import argparse
import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

import pages
import sparring
from sparring.errors import InputError
from sparring.evaluation.report import HEADING
from sparring.files import atomic_path, check_output
from sparring.modalities import Video
from sparring.modalities.video.drawing import on_white
from sparring.runs.folder import RunFolder

ROWS = 3  # without classes
MAX_BYTES = 300_000
QUALITIES = (95, 90, 80, 70, 60, 50, 40, 30)  # of lossy films

Frames = NDArray[np.uint8]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", help="a run or a model of video")
    parser.add_argument("out", type=Path, help="a .webp")
    parser.add_argument("--columns", type=int, default=8, help="clips in each row")
    parser.add_argument("--times", type=int, default=2, help="factor by which frames are enlarged")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--force", action="store_true", help="overwrite the film")
    parser.add_argument("--page", type=Path, help="Markdown file for the evaluation, between its two marks")
    given = parser.parse_args()
    check_output(given.out, given.force)
    model = sparring.load(given.run)
    if not isinstance(model.modality, Video):
        raise InputError(f"{given.run} does not generate clips; give a run of video")
    frames = in_rows(model, given.columns, given.seed).repeat(given.times, 1).repeat(given.times, 2)
    content, quality = encoded(frames, model.modality.rate)
    with atomic_path(given.out) as part:
        part.write_bytes(content)
    print(f"{len(frames)} frames of {frames.shape[2]} x {frames.shape[1]} pixels, {quality}, {len(content):,} bytes")
    if given.page is not None:
        pages.put(given.page, __file__, about(Path(given.run), model))


def about(run: Path, model: sparring.Model) -> list[str]:
    """How a run was trained, and its evaluation.

    Raises:
        InputError: if it has not been evaluated.
    """
    section = RunFolder(run).read_section(HEADING)
    if section is None:
        raise InputError(f"{run} has not been evaluated; run: sparring evaluate {run}")
    *_, height, width = model.modality.shape
    trained = (
        f"`{model.recipe.name}`, {model.about['seconds'] / 60:.0f} minutes on {model.about['device']}, frames of "
        f"{width} x {height} pixels, {model.about['parameters']['G']:,} weights in G:"
    )
    kept = [line for line in section if not line.startswith("![")]
    return [trained, "", *(line for i, line in enumerate(kept) if line or kept[i - 1])]


def in_rows(model: sparring.Model, columns: int, seed: int) -> Frames:
    """Clips of a model as one clip (t, h, w, 3), a row for each class."""
    classes = model.modality.classes or (None,) * ROWS
    rows = [
        on_white(model.sample(columns, seed=seed + (row if label is None else 0), label=label).items)
        for row, label in enumerate(classes)
    ]
    return np.concatenate([np.concatenate(list(row), 2) for row in rows], 1)


def encoded(frames: Frames, rate: float) -> tuple[bytes, str]:
    """A WebP that plays in a loop, and how it was compressed."""
    first, *others = [Image.fromarray(frame) for frame in frames]
    options = {"save_all": True, "append_images": others, "duration": round(1000 / rate), "loop": 0, "method": 4}
    content = b""
    for quality in ("lossless", *QUALITIES):
        file = io.BytesIO()
        chosen = {"lossless": True, "quality": 100} if quality == "lossless" else {"quality": quality}
        first.save(file, "WEBP", **options, **chosen)
        content = file.getvalue()
        if len(content) <= MAX_BYTES:
            return content, quality if quality == "lossless" else f"quality {quality}"
    raise InputError(f"the film has {len(content):,} bytes and may have {MAX_BYTES:,}; give fewer --columns")


if __name__ == "__main__":
    main()
