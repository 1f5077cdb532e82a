"""Models that transform given items, applied to users' files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sparring.console import Screen
from sparring.devices import resolve
from sparring.errors import InputError
from sparring.files import check_output, resolved
from sparring.modalities.applying import Applied
from sparring.model import Model, load


def apply(
    run: str | Path | Model,
    source: str | Path,
    out: str | Path,
    mask: str | Path | None = None,
    reverse: bool = False,
    sharpness: float = 1.0,
    smooth: bool = True,
    device: str = "auto",
    force: bool = False,
    quiet: bool = True,
    trust: bool = False,
    **asked: Any,
) -> Applied:
    """Transform a file, or all files below a folder, with a trained model.

    Images may be of any size; they keep their color profile and their transparency. In a folder, files that cannot be
    read are skipped and listed at the end, and files in formats that cannot be written (.gif, .tga, ...) become PNGs,
    with that suffix added to their name. Videos keep their timestamps and their sound. Sounds keep their length, their
    channels and their rate.

    Models of some kinds complete what is given: those of music for several voices harmonize a melody (.mid), those of
    clips from given frames continue a film or fill in frames between its own.

    Args:
        run: a model that transforms given items, or the folder of its run.
        source: a file or a folder. For images: an image, a folder of images, or a video (.mp4, .mov, .mkv, .webm, .avi,
            .gif). For sounds: a sound or a folder of sounds. For music: a .mid or a folder of them.
        out: a file or a folder. For images: an image (.png, .jpg, .webp, .tif, .bmp), a folder, or a video (.mp4, .mov,
            .mkv, .webm, .gif). For sounds: .wav, .flac, .ogg, or a folder. For music: .mid, .musicxml, .wav.
        mask: for models that fill holes, an image that is black where pixels are kept, or for a folder one with images
            of the same names. Without it, transparent pixels are filled.
        reverse: the opposite direction, for models that learned both.
        sharpness: as for `Model.mapper`.
        smooth: reduce flicker in the parts of videos that do not move.
        force: overwrite `out`; in a folder, the files of the same names.
        trust: as for `sparring.load`.
        asked: what models of some kinds can be asked for (`Modality.apply_asks`), such as `length=24, variant=3` for
            those that continue films.

    Raises:
        InputError: if the source cannot be read, `out` exists or cannot be written, the mask does not fit, or the model
            cannot be applied.
    """
    source, out, mask = Path(source), Path(out), None if mask is None else Path(mask)
    if not source.exists():
        raise InputError(f"there is no {source}; give an existing file or folder")
    if source.is_dir() and resolved(out) == resolved(source):
        raise InputError(f"{out} is the folder of the source; give another folder")
    if mask is not None and mask.is_dir() != source.is_dir():
        raise InputError(f"--mask {mask} does not fit {source}; give a folder for a folder, a file for a file")
    check_output(out, force, file=source.is_file())
    model = run if isinstance(run, Model) else load(run, str(resolve(device)), trust)
    check_asked(model, asked)
    if model.modality.completes:
        if mask is not None or reverse or sharpness != 1:
            raise InputError(f"models of {model.modality.words.items} take no --mask, --reverse or --sharpness")
        return model.modality.complete(model, source, out, Screen(quiet))
    mapper = model.mapper(reverse=reverse, sharpness=sharpness)
    if mask is not None and not mapper.masked:
        raise InputError(f"--mask {mask} was given, but this model fills no holes; remove --mask")
    return model.modality.transform(mapper, source, out, Screen(quiet), mask=mask, smooth=smooth, asked=asked)


def check_asked(model: Model, asked: Mapping[str, Any]) -> None:
    """Refuse what a model cannot be asked for when it is applied.

    Raises:
        InputError: if it cannot, or a value is out of range.
    """
    offered = {ask.name: ask for ask in model.modality.apply_asks}
    for name, value in asked.items():
        if name not in offered:
            supported = f"it supports {' and '.join(offered)}" if offered else f"remove {name}"
            raise InputError(
                f"{name}={value} was given, but recipe {model.recipe.name!r} does not apply it; {supported}"
            )
        offered[name].check(value)
