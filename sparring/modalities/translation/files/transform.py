"""Nets that transform images, applied to files of any size."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from sparring.data.sources import Unreadable
from sparring.errors import InputError
from sparring.files import resolved
from sparring.modalities.applying import Applied
from sparring.modalities.images.depth import Levels
from sparring.modalities.images.image_files import folder, found_in
from sparring.modalities.judge import Console
from sparring.modalities.translation.files.film_writing import WRITTEN
from sparring.modalities.translation.files.photos import FORMATS, Photo, read, write
from sparring.modalities.translation.files.video import transform_video
from sparring.modalities.video import animations
from sparring.modalities.video.films import ANIMATIONS, FILMS
from sparring.nets.tiles import Mapper


def transform(
    mapper: Mapper,
    source: Path,
    out: Path,
    console: Console,
    mask: Path | None = None,
    smooth: bool = True,
    levels: Levels = Levels(),
) -> Applied:
    """Write the result of a net for an image, for all images below a folder, or for a video; see `sparring.use.apply`.

    Raises:
        InputError: if the source or the mask cannot be used, or `out` does not fit the source.
    """
    _check(source, out)
    if source.is_dir():
        return _counted(_transform_folder(mapper, source, out, mask, levels, console), "image")
    with console.progress(f"applying to {source.name}") as progress:
        if is_video(source, out):
            return _counted(transform_video(mapper, source, out, mask, smooth, progress, say=console.say), "frame")
        photo = read(source, out, mapper, mask, levels)
        if isinstance(photo, Unreadable):
            raise InputError(f"{source} cannot be used: {photo.why}")
        write(out, photo, mapper, progress)
    return _counted(1, "image")


def _counted(count: int, word: str) -> Applied:
    return Applied(count, f"{word}{'' if count == 1 else 's'}")


def is_video(source: Path, out: Path) -> bool:
    """True if the frames of a file are transformed; of an animation, only the first is if `out` is an image that does
    not move.
    """
    suffix, target = source.suffix.lower(), out.suffix.lower()
    if suffix not in ANIMATIONS:
        return suffix in FILMS
    if target in FORMATS and target not in WRITTEN:
        return False
    always = suffix not in FORMATS and target not in FORMATS  # even if it has one frame
    return always or animations.frame_count(source) > 1


def _check(source: Path, out: Path) -> None:
    """Check that `out` fits the source."""
    suffix = out.suffix.lower()
    if source.is_dir():
        if out.is_file() or suffix in {*FORMATS, *WRITTEN}:
            raise InputError(f"{out} is the name of a file and {source} is a folder; give a folder")
        return
    suffixes = WRITTEN if is_video(source, out) else FORMATS
    if out.is_dir() or suffix not in suffixes:
        raise InputError(f"{out} does not fit {source}; give a name that ends in {', '.join(suffixes)}")


def _transform_folder(
    mapper: Mapper, source: Path, out: Path, masks: Path | None, levels: Levels, console: Console
) -> int:
    """Transform all images below a folder."""
    own = resolved(out)  # which may be in the source, with earlier results
    found = found_in(source)
    names = [name for name in found.files.names if own not in resolved(source / name).parents]
    if not names:
        passed = f" ({found.notes[0]})" if found.passed else ""
        raise InputError(f"{source} holds no images{passed}; give a folder of images (.png, .jpg, ...)")
    if found.passed:
        console.say(found.notes[0])
    mask_of = _masks(masks, names) if masks is not None else {}
    skipped = []
    with console.progress(f"applying to {source.name}") as progress:
        for i, name in enumerate(names):
            place = out / (name if Path(name).suffix.lower() in FORMATS else f"{name}.png")
            photo = _read(source / name, place, mapper, mask_of.get(name), levels)
            if isinstance(photo, Unreadable):
                skipped.append(f"{name}: {photo.why}")
            else:
                write(place, photo, mapper)
            progress(i + 1, len(names))
    if len(skipped) == len(names):
        raise InputError(f"none of the {len(names)} images in {source} can be used; {skipped[0]}")
    for line in skipped:
        console.say(f"skipped {line}")
    return len(names) - len(skipped)


def _read(path: Path, out: Path, mapper: Mapper, mask: Path | None, levels: Levels) -> Photo | Unreadable:
    """One of several images; if it cannot be used, the others still can."""
    try:
        return read(path, out, mapper, mask, levels)
    except InputError as error:
        return Unreadable(str(error))


def _masks(masks: Path, names: list[str]) -> dict[str, Path]:
    """The mask of each image: the file with the same name, whatever its suffix.

    Raises:
        InputError: if an image has none.
    """
    files = folder(masks).names
    by_name = {str(PurePosixPath(name).with_suffix("")): name for name in files} | {name: name for name in files}
    chosen = {name: by_name.get(name) or by_name.get(str(PurePosixPath(name).with_suffix(""))) for name in names}
    missing = [name for name, mask in chosen.items() if mask is None]
    if missing:
        raise InputError(
            f"{masks} has no mask for {missing[0]} and {len(missing) - 1} others; add images with the same names"
        )
    return {name: masks / mask for name, mask in chosen.items() if mask is not None}
