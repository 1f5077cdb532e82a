"""Joint data in files: files whose stems are the same, and tables whose columns name files."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np

from sparring.data import sources
from sparring.data.classes import classify
from sparring.data.items import Items
from sparring.data.sources import FileSource, FolderSource, Unreadable
from sparring.errors import InputError
from sparring.files import resolved
from sparring.modalities import audio, images, video
from sparring.modalities.joint import soundtracks
from sparring.modalities.joint.soundtracks import FILM, SOUND
from sparring.modalities.joint.tuples import KIND, MISSING, Rows, Tuples, checked
from sparring.modalities.tables import reading as tables
from sparring.modalities.text import reading as texts
from sparring.modalities.text import recognition
from sparring.modalities.video import films

if TYPE_CHECKING:
    from pandas import DataFrame

MIN_SHARED = 0.5  # share of the stems that have files of two kinds from which a folder is joint without being asked for
MIN_FOUND = 0.5  # share of a column's values that are files from which it names files
MAX_LISTED = 3
PROBED = 20  # texts and records by which it is told whether they are such
WORD = re.compile(r"[^\W\d_]{2,}")
ROW, TEXT = "row", "text"
RECORD = ".json"

Listed = Callable[[FileSource, str], Items]


def _texts(files: FileSource, name: str) -> Items:
    return replace(texts.of_files(files), name=name)


def _films(files: FileSource, name: str) -> Items:
    found = films.moving(files)
    if found is None or len(found) < len(files):
        still = sorted(set(files.names) - set(() if found is None else found.names))
        raise InputError(f"{files.path}: {len(still):,} files are no films ({_named(still)}); correct or remove them")
    labels, classes, held = classify(files.names)
    return Items(name, video.Video.kind, found, labels, classes, held=held)


# What a suffix says of a file: the name of the part, and what makes a data set of such files.
FORMS: Mapping[str, tuple[frozenset[str], Listed]] = {
    "picture": (
        frozenset(images.image_files.FORMATS) - {".gif"},
        images.reading.from_files,
    ),
    SOUND: (frozenset(audio.reading.SOUNDS), audio.reading.from_files),
    FILM: (frozenset((".gif", ".mp4", ".webm", ".mkv", ".mov", ".avi")), _films),
    "text": (frozenset((texts.FREE_TEXT,)), _texts),
}


def form_of(name: str) -> str:
    """The part that a file of this name is; "" if it is none."""
    suffix = PurePosixPath(name.lower()).suffix
    if suffix == RECORD:
        return ROW
    return next((part for part, (suffixes, _) in FORMS.items() if suffix in suffixes), "")


def read(path: Path) -> Items | None:
    """The items in a folder or an archive in which most stems have files of two kinds; None for other data.

    Raises:
        InputError: if they cannot be used.
    """
    return _stems(path, MIN_SHARED, _are_told)


def read_asked(path: Path) -> Items | None:
    """The same, with any files that share stems, tables whose columns name files, alone or in a folder, and films with
    sound.

    Raises:
        InputError: if they cannot be used.
    """
    if tables.is_table(path):
        return of_table(path)
    found = _stems(path, 0.0, lambda _: True)
    if found is not None:
        return found
    named = tables.tables_in(path) if path.is_dir() else None
    if named is not None and len(named) == 1:
        return of_table(path / named.names[0], alone=False)
    return soundtracks.read(path)


def _stems(path: Path, share: float, accepts: Callable[[FileSource], bool]) -> Items | None:
    """The items of a folder or an archive in which at least this share of the stems have files of two kinds.

    Args:
        accepts: whether the files of texts and rows are such.
    """
    files = _everything(path)
    if files is None:
        return None
    by_stem = _by_stem(files)
    shared = [forms for forms in by_stem.values() if len(forms) > 1]
    if len(shared) < 2 or len(shared) < share * len(by_stem):
        return None
    return of_stems(files, by_stem) if accepts(files) else None


def _are_told(files: FileSource) -> bool:
    """True unless some of the first texts have no words, or some of the first records nested values: boxes and masks of
    detectors lie beside pictures too.
    """
    told = {form: [i for i, name in enumerate(files.names) if form_of(name) == form][:PROBED] for form in (TEXT, ROW)}
    for form, wanted in told.items():
        for _, content in files.contents(set(wanted)) if wanted else ():
            if isinstance(content, Unreadable):
                continue
            if form == TEXT and not WORD.search(content.decode(errors="replace")):
                return False
            if form == ROW and not _is_record(content):
                return False
    return True


def _is_record(content: bytes) -> bool:
    """True for a JSON object of plain values."""
    try:
        record = json.loads(content)
    except ValueError:
        return False
    return isinstance(record, dict) and not any(isinstance(value, dict | list) for value in record.values())


def _everything(path: Path) -> FileSource | None:
    if path.is_dir():
        return None if sources.archives(path) else sources.folder(path, sources.is_visible)
    opened = sources.archive(path, sources.is_visible) if path.name.lower().endswith(sources.ARCHIVES) else None
    return None if opened is None else opened[0]


# Files whose stems are the same.


def _by_stem(files: FileSource) -> dict[str, dict[str, int]]:
    """For each stem, with the folders around it, the index of its file of each form."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for i, name in enumerate(files.names):
        form = form_of(name)
        if form:
            found[str(PurePosixPath(name).with_suffix(""))].setdefault(form, i)
    return found


def _second_files(files: FileSource, by_stem: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    """What is left out because another file has the same stem and form."""
    second: dict[str, list[str]] = defaultdict(list)
    for i, name in enumerate(files.names):
        form, stem = form_of(name), str(PurePosixPath(name).with_suffix(""))
        if form and by_stem[stem][form] != i:
            second[form].append(name)
    for form, names in second.items():
        yield f"{len(names):,} more {form}s of stems that have one already are left out ({_named(names)})"


def of_stems(files: FileSource, by_stem: Mapping[str, Mapping[str, int]]) -> Items:
    """Items whose parts are the files of one stem; a .json of a stem is a row.

    Raises:
        InputError: if they cannot be used.
    """
    stems = list(by_stem)
    name = resolved(files.path).name.split(".")[0]
    parts: dict[str, Items] = {}
    rows: dict[str, Rows] = {}
    notes: list[str] = []
    counts = Counter(form for forms in by_stem.values() for form in forms)
    for form in (*FORMS, ROW):
        if counts[form] < 2:
            continue
        own = sorted(forms[form] for forms in by_stem.values() if form in forms)
        place = {index: i for i, index in enumerate(own)}
        rows[form] = np.array([place[f[form]] if form in f else MISSING for f in by_stem.values()], np.int64)
        listed = files.only(own)
        parts[form] = _records(listed, name) if form == ROW else FORMS[form][1](listed, name)
    notes += _add_sounds(parts, rows)
    lacking = [stem for i, stem in enumerate(stems) if sum(bool(own[i] >= 0) for own in rows.values()) == 1]
    if lacking:
        notes.append(f"{len(lacking):,} of {len(stems):,} items have one part alone ({_named(lacking)})")
    others = [file for file in files.names if not form_of(file)]
    notes += [f"passed over: {len(others):,} files of no part ({_named(others)})"] if others else []
    notes += _second_files(files, by_stem)
    labels, classes, held = classify(stems)
    origins = np.arange(len(stems))
    return Items(
        name, KIND, checked(name, Tuples(parts, rows, origins)), labels, classes, held=held, notes=tuple(notes)
    )


def _add_sounds(parts: dict[str, Items], rows: dict[str, Rows]) -> Iterator[str]:
    """Add the sound of films as a part, unless there are sounds already."""
    films = parts.get(FILM)
    found = None if films is None or SOUND in parts else soundtracks.sounds_of(films)
    if films is not None and found is not None:
        parts[SOUND], own = found
        rows[SOUND] = np.where(rows[FILM] >= 0, own[rows[FILM]], MISSING)
        seconds = soundtracks.clip_seconds(films.items)
        yield f"the sound of the first {seconds:.2g} seconds of the films is a part"


def _records(files: FileSource, name: str) -> Items:
    """The rows in JSON files of one object each.

    Raises:
        InputError: if one is not such a file.
    """
    import pandas

    found: list[dict[str, Any]] = []
    for i, content in files.contents():
        if isinstance(content, Unreadable) or not _is_record(content):
            raise InputError(
                f'{files.path}: {files.names[i]} holds no JSON object of plain values, such as {{"kind": "elf"}}'
            )
        found.append(json.loads(content))
    return Items(name, "rows", pandas.DataFrame(found))


# Tables whose columns name files.


def of_table(path: Path, alone: bool = True) -> Items | None:
    """Items whose parts are the files that columns of a table name, and the other columns as a row.

    Args:
        alone: True if the table itself was given, so that it is an error if it names no files.

    Raises:
        InputError: if no column names files, or one names files that are not there.
    """
    items = tables.read_table(path)
    frame, folder = items.items, path.parent
    columns = {str(column): form for column in frame if (form := _form_of_column(frame[column]))}
    if not columns:
        if not alone:
            return None
        raise InputError(
            f"{path}: no column names files (such as pictures/001.png); add one, or give another recipe for rows alone"
        )
    parts: dict[str, Items] = {}
    rows: dict[str, Rows] = {}
    notes = list(items.notes)
    for column, form in columns.items():
        name = form if list(columns.values()).count(form) == 1 else column
        parts[name], rows[name] = _named_files(frame[column], folder, form, path, notes)
    rest = frame.drop(columns=list(columns))
    captions = _captions(rest)
    if captions:
        parts[TEXT] = texts.of_frame(rest[[captions]], captions, path, notes)
        rows[TEXT] = np.array([i if text else MISSING for i, text in enumerate(parts[TEXT].items.texts)], np.int64)
        rest = rest.drop(columns=captions)
    if rest.shape[1]:
        parts[ROW], rows[ROW] = Items(items.name, "rows", rest), np.arange(len(rest))
    notes += [*_unnamed(folder, parts), *_add_sounds(parts, rows)]
    origins = np.arange(len(frame))
    return Items(items.name, KIND, checked(items.name, Tuples(parts, rows, origins)), notes=tuple(notes))


def _captions(frame: DataFrame) -> str:
    """The column of free text; "" if there is none."""
    free = {name: values for name, values in texts.texts_of(frame).items() if recognition.is_free_text(values)}
    return recognition.longest_text(free) if free else ""


def _form_of_column(values: Any) -> str:
    """The part that most values of a column are files of, by their suffixes; "" if they are no names of files."""
    texts_ = [str(value) for value in values.dropna()]
    forms = Counter(form_of(text) if form_of(text) != ROW else "" for text in texts_)
    forms.pop("", None)
    form, count = forms.most_common(1)[0] if forms else ("", 0)
    return form if count > MIN_FOUND * len(texts_) else ""


def _named_files(values: Any, folder: Path, form: str, path: Path, notes: list[str]) -> tuple[Items, Rows]:
    """The files that a column names, and the file of each row.

    Raises:
        InputError: if most of them are not there.
    """
    names = ["" if value != value or value is None else str(value).replace("\\", "/") for value in values]
    there = {name: (folder / name).is_file() for name in dict.fromkeys(names) if name}
    lost = [name for name, found in there.items() if not found]
    if not any(there.values()):
        raise InputError(
            f"{path}: column {values.name!r} names files that are not in {folder}, such as {lost[0]}; put them there, "
            "or correct the column"
        )
    if lost:
        notes.append(f"column {values.name!r}: {len(lost):,} of {len(there):,} files are not there ({_named(lost)})")
    found = sorted(name for name, exists in there.items() if exists)
    place = {name: i for i, name in enumerate(found)}
    rows = np.array([place.get(name, MISSING) for name in names], np.int64)
    return FORMS[form][1](FolderSource(folder, tuple(found)), str(values.name)), rows


def _unnamed(folder: Path, parts: Mapping[str, Items]) -> Iterator[str]:
    """Files of the parts' kinds in the folder of a table that no row names."""
    named = {name for items in parts.values() if isinstance(items.items, FileSource) for name in items.items.names}
    forms = {form_of(name) for name in named}
    beside = [name for name in sources.folder(folder, sources.is_visible).names if form_of(name) in forms - {""}]
    lost = [name for name in beside if name not in named]
    if lost:
        yield f"{len(lost):,} files are of no row ({_named(lost)}) and are left out"


def _named(names: Sequence[str]) -> str:
    return ", ".join(names[:MAX_LISTED]) + (", ..." if len(names) > MAX_LISTED else "")


# A table beside files.


def with_table(items: Items, name: str, frame: DataFrame, described: Rows, first: str) -> Items:
    """Files of one kind with the rows of a table that describe them.

    Args:
        items: the files.
        frame, described: rows, and the index of the file of each.
        first: name of the part of the files.
    """
    rows = np.full(len(items), MISSING, np.int64)
    rows[described] = np.arange(len(described))
    origins = np.arange(len(items))
    tuples = Tuples({first: items, ROW: Items(name, "rows", frame)}, {first: origins, ROW: rows}, origins)
    return Items(items.name, KIND, checked(items.name, tuples), items.labels, items.classes, held=items.held)
