"""Samples in the user's units, and the formats that they are written in."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sparring.files import atomic_path, check_output, write_text
from sparring.folders import output_folder

if TYPE_CHECKING:
    from sparring.modalities.base import Modality

SAMPLES = "samples"  # in the marker of a folder of samples
PLAYED = ("audio", "video")  # elements that show samples by playing them
MAX_SHOWN_ROWS = 20  # of a table in a notebook
MAX_PLAYED = 20 * 2**20  # bytes of a sound or a film in a notebook
MAX_CLASS_COLUMNS = 16  # classes that have a column each on a sheet, at most


@dataclass(frozen=True)
class Writer:
    """A format that samples are written in.

    Attributes:
        suffix: of the file, such as ".csv"; "" for a folder with one file per sample.
        media: the media type, such as "text/csv"; "" if the format is not sent over HTTP. Of a folder, it is
            "multipart/form-data".
        write: writes samples to a path.
    """

    suffix: str
    media: str
    write: Callable[[Samples, Path], None]


class Marking(Protocol):
    """What marks samples as generated, before and after they are written (`sparring.provenance.Mark`)."""

    suffix: ClassVar[str]  # of the file with the marks of a file whose format has no place for them

    def samples(self, samples: Samples) -> Samples:
        """The samples to be written."""

    def written(self, path: Path) -> str | None:
        """Mark what was written; returns the text of a file with its marks if its format has no place for them."""


@dataclass(frozen=True)
class Media:
    """A file that a browser plays.

    Attributes:
        element: of HTML, "audio" or "video".
        suffix: of the file, such as ".wav".
        content: of the file.
    """

    element: str
    suffix: str
    content: bytes


@dataclass(frozen=True)
class Samples:
    """Samples of a model.

    Attributes:
        items: the samples in the user's units: images uint8 (n, h, w, c), points float (n, d), tables a data frame,
            series float (n, steps, channels).
        labels: the class of each, (n,), or None.
        modality: their kind of data.
        rows: what each was generated for as a data frame, if that is a row of a table, or None.
        notes: what the user should know about how they were drawn, one line each.
    """

    items: Any
    labels: NDArray[np.int64] | None
    modality: Modality
    rows: Any = None
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.items)

    def preview(self) -> Image.Image:
        """All samples as one picture."""
        return self.modality.preview(self)

    def played(self, mark: Marking | None = None) -> Media | None:
        """All samples in one file that a browser plays; None for kinds that it does not play.

        Args:
            mark: as for `write`.
        """
        element = self.modality.shown_as
        writer = next((w for w in self.modality.writers if w.suffix and w.media.startswith(f"{element}/")), None)
        if element not in PLAYED or writer is None:
            return None
        with TemporaryDirectory(prefix="sparring-") as folder:
            path = Path(folder) / f"samples{writer.suffix}"
            self.write(writer, path, mark)
            return Media(element, writer.suffix, path.read_bytes())

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        """What a notebook shows: rows as a table, sounds and films in a player, everything else as one picture."""
        frame = self.modality.as_frame(self)
        if frame is not None:
            return {"text/html": frame.to_html(max_rows=MAX_SHOWN_ROWS)}
        media = self.played()
        if media is not None and len(media.content) <= MAX_PLAYED:
            type_ = next(w.media for w in self.modality.writers if w.suffix == media.suffix)
            source = f"data:{type_};base64,{base64.b64encode(media.content).decode()}"
            return {"text/html": f'<{media.element} controls src="{source}"></{media.element}>'}
        content = io.BytesIO()
        self.preview().save(content, "PNG")
        return {"image/png": content.getvalue()}

    def write(self, writer: Writer, path: Path, mark: Marking | None = None) -> str | None:
        """Write the samples in a format. Whatever writes samples for a user does it by this method.

        Args:
            writer: one of the modality's.
            mark: of what is written; none unless given.

        Returns:
            The text of the file with the marks, if the format has no place for them.
        """
        if mark is None:
            writer.write(self, path)
            return None
        writer.write(mark.samples(self), path)
        return mark.written(path)

    def save(self, path: str | Path, force: bool = False, mark: Marking | None = None) -> None:
        """Write the samples; the suffix selects the format (`Modality.writers`).

        Images are written to a folder of PNG files (no suffix), one sheet (`.png`) or arrays (`.npz`); points to
        `.csv`, `.npy`, `.npz` or a plot (`.png`); tables to `.csv`, `.tsv`, `.parquet` or a plot; series to `.csv`,
        `.tsv`, `.parquet`, `.npz` or a plot.

        Args:
            mark: marks what is written as generated. If the format has no place for marks, they are in a file beside it
                whose name ends in `.provenance.json`.

        Raises:
            InputError: if something exists there and `force` is not set, the format is unknown, or the samples cannot
                be marked.
        """
        place = Path(path)
        self.modality.check_writable(place, force)
        writer = self.modality.writer(place)
        beside = None if mark is None else place.with_name(place.name + mark.suffix)
        if beside is not None:
            check_output(beside, force)
        with atomic_path(place) if writer.suffix else output_folder(place, SAMPLES) as part:
            text = self.write(writer, part, mark)
            if beside is not None and text is not None:
                write_text(beside, text)  # first, so that no file is there without its marks


@dataclass(frozen=True)
class Distribution:
    """How one property, such as a column, is distributed among samples and among real items.

    Attributes:
        name: of the property.
        values: names of the values; for a histogram its lowest and its highest value.
        real, sampled: share of each value or bin, in [0, 1].
        histogram: True if the shares are those of equally wide bins, False if they are those of named values.
        note: shown next to the name, such as the means.
    """

    name: str
    values: tuple[str, ...]
    real: tuple[float, ...]
    sampled: tuple[float, ...]
    histogram: bool
    note: str = ""


@dataclass(frozen=True)
class Comparison:
    """Distributions of samples next to those of real items.

    Attributes:
        reference: what the samples are compared with, in words for the user.
        distributions: one for each property.
    """

    reference: str
    distributions: tuple[Distribution, ...]


def write_png(samples: Samples, path: Path) -> None:
    """A preview as PNG."""
    samples.preview().save(path, "PNG")


def write_arrays(path: Path, **arrays: NDArray[Any]) -> None:
    """Arrays as `.npz`."""
    with path.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


def labeled_arrays(samples: Samples, name: str) -> dict[str, NDArray[Any]]:
    """The samples under a name, and their labels if they have any."""
    return {name: samples.items} | ({} if samples.labels is None else {"labels": samples.labels})


def columns_for(samples: Samples) -> int:
    """Number of columns of a sheet: nearly square; where classes take turns, each class keeps to its columns."""
    classes = len(samples.modality.classes)
    turns = np.arange(len(samples)) % max(1, classes)
    if samples.labels is not None and classes <= MAX_CLASS_COLUMNS and np.array_equal(samples.labels, turns):
        return classes * max(1, round(math.sqrt(len(samples)) / classes))
    return math.ceil(math.sqrt(len(samples)))


def as_lists(values: NDArray[Any]) -> Any:
    """Numbers as nested lists for JSON; null where they are not finite."""
    finite = np.isfinite(values)
    if finite.all():
        return values.tolist()
    with_holes = values.astype(object)
    with_holes[~finite] = None
    return with_holes.tolist()


def as_image(pixels: NDArray[np.uint8]) -> Image.Image:
    """Pixels (h, w, c) as an image."""
    return Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)


def png_bytes(picture: Image.Image) -> bytes:
    """A picture as PNG."""
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def base64_png(picture: Image.Image) -> str:
    """A picture as a PNG in Base64."""
    return base64.b64encode(png_bytes(picture)).decode()
