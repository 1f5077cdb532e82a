"""`explore(run, out)` draws what a model has learned."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray

from sparring.console import Screen
from sparring.errors import InputError
from sparring.explore.film import check_film, write_film
from sparring.explore.invert import check_invertible
from sparring.explore.page import page
from sparring.explore.scene import Scene, Sheet
from sparring.explore.sheets import drawings
from sparring.folders import check_folder, output_folder
from sparring.model import Model, load
from sparring.seeds import Seeds, seeded

SHEETS = "sheets"  # in the marker of a folder of sheets


def explore(
    run: str | Path,
    out: str | Path,
    data: str | None = None,
    seed: int = 0,
    device: str = "cpu",
    force: bool = False,
    only: Sequence[str] = (),
    image: str | Path | None = None,
    film: str | Path | None = None,
    quiet: bool = True,
    trust: bool = False,
    **asked: Any,
) -> list[Sheet]:
    """Draw sheets of what a model has learned, and write them to a folder, with a page that shows all of them.

    Args:
        run: a run's folder, or a model's.
        out: a folder that is created.
        data: real data, in place of those that the model was trained on.
        seed: of the samples: those of `Model.sample`.
        force: overwrite `film`, and `out` if it holds nothing but an older page with its sheets.
        only: names of sheets that are drawn; all that the model has unless given.
        image: a file, or a folder of images, to be inverted; held-out ones unless given.
        trust: as for `sparring.load`.
        film: where a film of a walk through several samples is written, .gif or .mp4.
        asked: what samples are asked for, as in `Model.sample`: `label="cat"`. Classes take turns unless one is given.

    Raises:
        InputError: if there is no such model, it cannot draw what is asked for, or something exists in `out`.
    """
    model, screen = load(run, device, trust), Screen(quiet)
    check_folder(Path(out), SHEETS, force)
    given = None if image is None else _read_given(model, Path(image))
    scene = Scene(model, data, seed, asked, given, screen)
    _ = scene.request  # raises if samples cannot be asked for this
    if film is not None:
        check_film(Path(film), scene, force)
    if data is not None:
        _ = scene.items  # raises if they are missing
    with _reproducible(model):
        sheets = draw_sheets(scene, only)
        _write(model, Path(out), str(run), sheets)
        if film is not None:
            with screen.progress("filming") as progress:
                write_film(scene, Path(film), progress)
    return sheets


def draw_sheets(scene: Scene, only: Sequence[str] = ()) -> list[Sheet]:
    """The sheets of these names, or all that the model has. If all are drawn, one that cannot be drawn, for example
    because the training data are missing, is left out, and the screen says why.

    Raises:
        InputError: if a name is unknown, or its sheet cannot be drawn.
    """
    offered = drawings(scene)
    for name in only:
        if name not in offered:
            raise InputError(
                f"recipe {scene.model.recipe.name!r} has no sheet {name!r}; choose from {', '.join(offered)}"
            )
    sheets: list[Sheet] = []
    for name, draw in offered.items():
        if only and name not in only:
            continue
        try:
            sheets += draw()
        except InputError as error:
            if name in only or (name == "inversion" and scene.given is not None):
                raise
            scene.screen.say(f"{name} is left out: {error}")
    return sheets


def _read_given(model: Model, path: Path) -> NDArray[Any]:
    """Items of the user's to be inverted."""
    try:
        check_invertible(model)
    except InputError as error:
        raise InputError(f"image {path} was given, but {error}") from error
    return model.modality.read_given(path)


@contextmanager
def _reproducible(model: Model) -> Iterator[None]:
    """Without gradients, with random numbers of its own."""
    with seeded(Seeds().key("explore"), model.device), torch.no_grad():
        yield


def _write(model: Model, out: Path, run: str, sheets: Sequence[Sheet]) -> None:
    """A folder of sheets with a page."""
    about, words = model.about, model.modality.words
    title = f"{model.recipe.name} on {about['name']}"
    summary = f"{run}: what the model has learned in {about['step']:,} steps from {words.count(about['items'])}."
    with output_folder(out, SHEETS) as part:
        part.mkdir()
        for one in sheets:
            if one.picture is not None:
                one.picture.save(part / f"{one.name}.png", optimize=True)
            if one.media is not None:
                (part / f"{one.name}{one.media.suffix}").write_bytes(one.media.content)
        (part / "index.html").write_text(page(title, summary, sheets), encoding="utf-8")
