"""`explore(run, out)` draws what a model has learnt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from sparring.console import Screen
from sparring.errors import InputError
from sparring.explore import image_sheets as pictures
from sparring.explore import plots
from sparring.explore import table_sheets as rows
from sparring.explore import translation_sheets as mapped
from sparring.explore.film import SUFFIXES, check_film, write_film
from sparring.explore.page import MARK, page
from sparring.explore.scene import Drawing, Scene, Sheet, read_pictures
from sparring.explore.space import kind_of
from sparring.files import beside, vacant
from sparring.model import Model, load
from sparring.seeds import Seeds, seeded


def explore(
    run: str | Path,
    out: str | Path,
    data: str | None = None,
    seed: int = 0,
    device: str = "cpu",
    force: bool = False,
    only: Sequence[str] = (),
    picture: str | Path | None = None,
    label: str | int | None = None,
    film: str | Path | None = None,
    quiet: bool = True,
) -> list[Sheet]:
    """Draw sheets of what a model has learnt, and write them to a folder, with a page that shows all of them.

    Args:
        run: a run's folder, or a model's.
        out: a folder that is made.
        data: real data, in place of those that it was trained on.
        seed: of the samples: those of `Model.sample`.
        force: overwrite `film`, and `out` where an older page with its sheets is all that it holds.
        only: names of sheets that are drawn; all that the model has unless given.
        picture: a file, or a folder of pictures, to be inverted; some that were held out unless given.
        label: that samples are made for; classes take turns unless given.
        film: where a film through several samples is written, .gif or .mp4.

    Raises:
        InputError: where there is no such model, it has not what is asked for, or something is in `out` already.
    """
    model, screen = load(run, device), Screen(quiet)
    chosen = None if label is None else torch.tensor(model.modality.class_index(label))
    _free(Path(out), force)
    given = None if picture is None else _given(model, picture)
    scene = Scene(model, data, seed, chosen, given, screen)
    if film is not None:
        check_film(Path(film), scene, force)
    if data is not None:
        _ = scene.items  # see that it is there
    with _still(model):
        sheets = drawn(scene, only)
        _write(model, Path(out), str(run), sheets)
        if film is not None:
            with screen.progress("filming") as progress:
                write_film(scene, Path(film), progress)
    return sheets


def drawings(scene: Scene) -> dict[str, Drawing]:
    """What can be drawn of a model, by name."""
    if scene.model.modality.source is not None:
        return mapped.drawings(scene)
    kinds = {"images": pictures.drawings, "rows": rows.drawings, "points": plots.drawings, "series": plots.drawings}
    return kinds[scene.model.modality.kind](scene)


def drawn(scene: Scene, only: Sequence[str] = ()) -> list[Sheet]:
    """The sheets of these names, or all that the model has. Of all, one that cannot be drawn, as where the training
    data are gone, is left out, and the screen says why.

    Raises:
        InputError: where it has none of a name that is given, or cannot draw it.
    """
    known = drawings(scene)
    for name in only:
        if name not in known:
            raise InputError(
                f"there is no sheet {name!r} of {kind_of(scene.model)} by recipe "
                f"{scene.model.recipe.name!r}; choose from {', '.join(known)}"
            )
    sheets: list[Sheet] = []
    for name in known:
        if only and name not in only:
            continue
        try:
            sheets += known[name]()
        except InputError as error:
            if name in only or (name == "inverted" and scene.pictures is not None):
                raise
            scene.screen.say(f"{name} is left out: {error}")
    return sheets


def _free(out: Path, force: bool) -> None:
    """See that sheets may be written to a folder, and that none is overwritten but older ones.

    Raises:
        InputError: where they may not.
    """
    vacant(out, force)
    if not out.is_dir() or not (found := list(out.iterdir())):
        return
    try:
        text = (out / "index.html").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        text = ""
    own = all(one.is_file() and one.suffix in {".html", ".png", *SUFFIXES} for one in found)
    if MARK not in text or not own:
        raise InputError(f"{out} holds something else than the sheets of sparring explore; choose another --out")


def _given(model: Model, path: str | Path) -> NDArray[np.uint8]:
    """Pictures of a user's that a model of pictures is to make."""
    if model.modality.kind != "images":
        raise InputError(
            f"picture {path} was given, but recipe {model.recipe.name!r} makes {kind_of(model)}; only pictures that "
            "are made of noise can be inverted"
        )
    return read_pictures(path, model.modality)


@contextmanager
def _still(model: Model) -> Iterator[None]:
    """Without gradients, and with the random numbers of others as they were."""
    with seeded(Seeds().key("explore"), model.device), torch.no_grad():
        yield


def _write(model: Model, out: Path, run: str, sheets: Sequence[Sheet]) -> None:
    """A folder of sheets with a page."""
    about = model.about
    title = f"{model.recipe.name} on {about['name']}"
    told = f"{run}: what the model has learnt in {about['step']:,} steps, of {about['items']:,} {kind_of(model)}."
    with beside(out) as part:
        part.mkdir()
        for one in sheets:
            if one.picture is not None:
                one.picture.save(part / f"{one.name}.png", optimize=True)
        (part / "index.html").write_text(page(title, told, sheets), encoding="utf-8")
