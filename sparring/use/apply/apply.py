"""Trained nets from pictures to pictures, applied to files of any size."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from sparring.console import Screen
from sparring.data.sources import Unreadable
from sparring.devices import resolve
from sparring.errors import InputError
from sparring.files import vacant
from sparring.modalities.images.image_files import folder
from sparring.model import Model, load
from sparring.nets.tiles import Mapper
from sparring.use.apply.photos import FORMATS, Photo, read, write
from sparring.use.apply.video import READ, WRITTEN, filmed


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
) -> int:
    """Write what a trained net makes of a picture, of all pictures below a folder, or of a video.

    Pictures may be of any size; they keep their colour profile and their transparency. Of a folder, files that
    cannot be read are left out and named in the end, and files in formats that are only read (.gif, .tga, ...)
    become PNGs, with that suffix added to their name. Videos keep their timestamps and their sound.

    Args:
        run: a model from pictures to pictures, or the folder of its run.
        source: a picture, a folder, or a video (.mp4, .mov, .mkv, .webm, .avi, .gif).
        out: a picture (.png, .jpg, .webp, .tif, .bmp), a folder, or a video (.mp4, .mov, .mkv, .webm, .gif).
        mask: for nets that fill pixels, a picture that is not black where they are to be filled, or for a folder
            one with pictures of the same names. Without it, they are filled where the picture is transparent.
        reverse: for models of two ways, from the second kind of pictures to the first.
        sharpness: as the model's `mapper` takes it.
        smooth: of videos, hold what does not move still.
        force: overwrite `out`; in a folder, the files of the same names.

    Returns:
        The number of pictures, or of a video's frames.

    Raises:
        InputError: where the source cannot be read, `out` is there already or cannot be written, the mask does not
            fit, or the model cannot be applied.
    """
    source, out, mask = Path(source), Path(out), None if mask is None else Path(mask)
    _check(source, out, mask, force)
    model = run if isinstance(run, Model) else load(run, str(resolve(device)))
    mapper = model.mapper(reverse=reverse, sharpness=sharpness)
    if mask is not None and not mapper.masked:
        raise InputError(f"--mask {mask}: this model fills no pixels and takes no mask; leave it out")
    screen = Screen(quiet)
    if source.is_dir():
        return _folder(mapper, source, out, mask, screen)
    with screen.progress(f"applying to {source.name}") as progress:
        if is_video(source, out):
            return filmed(mapper, source, out, mask, smooth, progress)
        photo = read(source, out, mapper, mask)
        if isinstance(photo, Unreadable):
            raise InputError(f"{source} cannot be used: {photo.why}")
        write(out, photo, mapper, progress)
    return 1


def is_video(source: Path, out: Path) -> bool:
    """Whether a file's frames are asked for; of a GIF, only the first may be."""
    return source.suffix.lower() in READ and (source.suffix.lower() != ".gif" or out.suffix.lower() not in FORMATS)


def _check(source: Path, out: Path, mask: Path | None, force: bool) -> None:
    """See that there is a source, and that `out` suits it."""
    if not source.exists():
        raise InputError(f"there is no {source}; give a picture, a folder of pictures, or a video")
    if mask is not None and mask.is_dir() != source.is_dir():
        raise InputError(f"--mask {mask} does not suit {source}; give a folder for a folder, a picture for a file")
    suffix = out.suffix.lower()
    if source.is_dir():
        if out.is_file() or suffix in {*FORMATS, *WRITTEN}:
            raise InputError(f"{out} is a file's name and {source} is a folder; give a folder")
        if out.resolve() == source.resolve():
            raise InputError(f"{out} is where the pictures come from; give another folder")
    else:
        written = WRITTEN if is_video(source, out) else FORMATS
        if out.is_dir() or suffix not in written:
            raise InputError(
                f"{out} is no name for what is made of {source}; give one that ends in {', '.join(written)}"
            )
    vacant(out, force)


def _folder(mapper: Mapper, source: Path, out: Path, masks: Path | None, screen: Screen) -> int:
    """Every picture below a folder."""
    own = out.resolve()  # which may lie in the source, with what was made before
    names = [name for name in folder(source).names if own not in (source / name).resolve().parents]
    if not names:
        raise InputError(f"{source} holds no pictures; give a folder with some (.png, .jpg, ...)")
    mask_of = _masks(masks, names) if masks is not None else {}
    skipped = []
    with screen.progress(f"applying to {source.name}") as progress:
        for i, name in enumerate(names):
            place = out / (name if Path(name).suffix.lower() in FORMATS else f"{name}.png")
            photo = _read(source / name, place, mapper, mask_of.get(name))
            if isinstance(photo, Unreadable):
                skipped.append(f"{name}: {photo.why}")
            else:
                write(place, photo, mapper)
            progress(i + 1, len(names))
    if len(skipped) == len(names):
        raise InputError(f"of {len(names)} pictures in {source} none can be used; {skipped[0]}")
    for line in skipped:
        screen.say(f"left out {line}")
    return len(names) - len(skipped)


def _read(path: Path, out: Path, mapper: Mapper, mask: Path | None) -> Photo | Unreadable:
    """A picture of several, of which one that cannot be used does not stop the others."""
    try:
        return read(path, out, mapper, mask)
    except InputError as error:
        return Unreadable(str(error))


def _masks(masks: Path, names: list[str]) -> dict[str, Path]:
    """The mask of each picture: of the same name, or of one that differs in the suffix.

    Raises:
        InputError: where one has none.
    """
    found = folder(masks).names
    known = {str(PurePosixPath(name).with_suffix("")): name for name in found} | {name: name for name in found}
    chosen = {name: known.get(name) or known.get(str(PurePosixPath(name).with_suffix(""))) for name in names}
    missing = [name for name, mask in chosen.items() if mask is None]
    if missing:
        raise InputError(f"{masks} has no mask for {missing[0]} and {len(missing) - 1} others; add pictures so named")
    return {name: masks / mask for name, mask in chosen.items() if mask is not None}
