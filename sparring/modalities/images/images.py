"""Square images of one size."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from sparring.data.items import Items
from sparring.data.records.reading import RecordSet
from sparring.data.sources import Unreadable
from sparring.data.split import split_items
from sparring.data.store import Progress, no_progress
from sparring.data.tensors import CONDITION, VALUES, Tensors
from sparring.errors import InputError, nearest
from sparring.files import component, resolved
from sparring.json_files import build
from sparring.layers.condition import Columns, Condition
from sparring.metrics.patches import patches
from sparring.modalities.asks import Ask, Request
from sparring.modalities.base import Encoded, Modality, Recommendation, Samples, Words, Writer
from sparring.modalities.images import beside, exploring, reading, sets, shards
from sparring.modalities.images.arrays import IMAGES
from sparring.modalities.images.attributes import Attributes
from sparring.modalities.images.check import survey
from sparring.modalities.images.decoding import decode, opened, squared
from sparring.modalities.images.depth import Levels, checked_range
from sparring.modalities.images.fitting import channels_for, examine_some, levels_for, notes_on
from sparring.modalities.images.palette import MAX_COLORS, Palette
from sparring.modalities.samples import as_image, base64_png, columns_for, labeled_arrays, write_arrays, write_png
from sparring.modalities.survey import Survey
from sparring.nets.pretrained import IMAGENET
from sparring.sheets import sheet

if TYPE_CHECKING:
    from pandas import DataFrame

MAX_STORED_SIDE = 1024  # pixels of images in shards, as of those that recipes take
CHANNELS = (0, 1, 3, 4)  # 0 to choose them from the data
MAX_SIDE = 64  # pixels to which images of different sizes are scaled, unless a size is given
MAX_TINY = 16  # pixels of a side up to which fully connected nets learn faster than convolutions
MIN_ITEMS = 20_000  # with fewer images D soon memorizes them
MIN_ITEMS_ADA = 1000  # with fewer images the usual batch is a large part of them
SMALL_BATCH = 16  # batch for so few images, for more steps in the same time
MIN_SECONDS_WIDE = 1800.0  # training time from which a wider net is worth its cost on a CPU
MIN_PHOTOGRAPH = 64  # pixels of a side from which photographs get lighter nets on a CPU (docs/quality.md)
MAX_LIGHT = 3600.0  # seconds of training up to which they do; ten minutes of one core are measured
WIDE = 64  # channels of it, and of nets on an accelerator
MIN_NATURAL = 32  # pixels of a side from which color images are evaluated by what a net for photographs sees
SAMPLE_TABLE = "attributes.csv"  # in a folder of samples
ATTRIBUTES = "attributes"  # the part of encoded images that holds their rows of the table
PALETTE = Ask(
    "palette", "Snap the colors of images to those of the training images.", choices=("real",), examples=("real",)
)


@dataclass(frozen=True)
class Images(Modality):
    """Square images; networks receive (channels, size, size) in [-1, 1].

    Attributes:
        size: height and width in pixels; 0 to choose it from the data.
        channels: 1 for gray, 3 for color, 4 for color and alpha; 0 to choose it from the data.
        flip: True to mirror images at random.
        crop: margin around the random crops of `size` pixels that networks receive, as a share of `size`.
        alpha: True to learn transparency, False to place transparent images on white; None to choose it from the data.
        levels: the values that become black and white in images of more than eight bits; () to choose them from the
            data.
        white: the value of white in gray images of eight bits, which is chosen from the data.
        table: path of a table that names the images; "" for one beside them, if there is one.
        use_table: False to use no table.
        wanted: columns of the table that samples can be asked for; () for all that can be conditions.
        attributes: these columns, and the rows of the training images; None without a table.
        palette: the colors of the data, if they are few.
    """

    kind: ClassVar[str] = "images"
    hub_task: ClassVar[str] = "unconditional-image-generation"
    words: ClassVar[Words] = Words("image", "images", compared="textures, colors and rough layout")

    features_name: ClassVar[str] = "patches"
    decodes_pixels: ClassVar[bool] = True
    stored_as_bytes: ClassVar[bool] = True
    walk_grid: ClassVar[tuple[int, int]] = (8, 11)
    neighbor_grid: ClassVar[tuple[int, int]] = (8, 5)
    distance_words: ClassVar[str] = "root mean squares of the differences of pixels, where black and white are 2 apart"
    files: ClassVar[str] = (
        "a folder, zip or tar of images (.png, .jpg, ...), an .npy array of them, or an .npz in which they are named "
        f"{', '.join(IMAGES)}"
    )
    sets: ClassVar[Mapping[str, Callable[[], Items]]] = sets.SETS
    shard_fields: ClassVar[tuple[str, ...]] = ("size", "channels", "alpha", "levels")

    size: int = 0
    channels: int = 0
    flip: bool = False
    crop: float = 0.0
    alpha: bool | None = None
    levels: tuple[float, ...] = ()
    white: int = 255
    table: str = ""
    use_table: bool = True
    wanted: tuple[str, ...] = ()
    attributes: Attributes | None = None
    palette: Palette = Palette()

    @classmethod
    def read(cls, path: Path) -> Items | None:
        return reading.read(path)

    def __post_init__(self) -> None:
        for name, kind in (("attributes", Attributes), ("palette", Palette)):
            stored: Any = getattr(self, name)
            if isinstance(stored, Mapping):
                object.__setattr__(self, name, build(kind, stored, name))
        if self.crop < 0:
            raise InputError(f"crop={self.crop:g} is out of range; it must be at least 0")

    @classmethod
    def for_shards(cls, items: Items, fields: Mapping[str, Any]) -> Self:
        size, channels = fields.get("size", 0), fields.get("channels", 0)
        if not 0 <= size <= MAX_STORED_SIDE:
            raise InputError(f"size={size} is out of range; it must be at least 0 and at most {MAX_STORED_SIDE}")
        if channels not in CHANNELS:
            raise InputError(f"channels={channels} is not supported; choose from {', '.join(map(str, CHANNELS))}")
        return cls(use_table=False, **fields).fit(items)

    @classmethod
    def read_shards(cls, records: RecordSet) -> Items:
        return shards.read(records, cls.kind)

    @classmethod
    def recommend(cls, items: Items, device: str, seconds: float | None) -> Recommendation | None:
        if items.kind != cls.kind:
            return None
        fitted = cls(use_table=False).fit(items)
        size = fitted.size
        if size <= MAX_TINY:
            return Recommendation("gan", "tiny images: fully connected nets learn them fastest")
        if device == "cpu" and fitted._has_photographs and items.total >= MIN_ITEMS_ADA and (seconds or 0) <= MAX_LIGHT:
            return Recommendation(
                "fastgan",
                "photographs on a CPU: light nets, whose samples looked most like photographs after ten minutes",
            )
        settings: dict[str, Any] = {}
        why = f"images on {'a CPU' if device == 'cpu' else 'an accelerator'}: strided convolutions train fastest"
        if device != "cpu" or (size <= 32 and (seconds or 0) >= MIN_SECONDS_WIDE):
            settings["width"] = WIDE
        if items.total < MIN_ITEMS:
            settings["augment"] = "places" if items.total < MIN_ITEMS_ADA else "ada"
            why += f"; augmented because there are only {items.total:,}"
        if items.total < MIN_ITEMS_ADA and device == "cpu":
            settings["batch"] = SMALL_BATCH
            why += ", in small batches"
        return Recommendation("r3gan_strided", why, settings)

    @classmethod
    def survey(cls, items: Items, data: str, progress: Progress = no_progress) -> Survey:
        return survey(cls(), items, data, progress)

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.channels, self.size, self.size)

    @property
    def classifier_input(self) -> tuple[int, int, int]:
        return (self.channels, self.size, self.size)

    @property
    def kept(self) -> int:
        """Height and width of the stored images, from which crops are taken."""
        return self.size + round(self.size * self.crop)

    def fit(self, items: Items) -> Self:
        if items.records is not None:
            return shards.fitted(self, items.records)
        if isinstance(items.items, np.ndarray):
            height, width, *rest = items.items.shape[1:]
            sides, channels, depth = [min(height, width)], (rest or [1])[0], Levels(self.levels)
            channels = min(channels, 3) if self.alpha is False else channels
        else:
            headers = examine_some(items.items)
            sides, channels = [min(h.width, h.height) for h in headers], channels_for(headers, self.alpha)
            depth = levels_for(headers, checked_range(self.levels))
        size = self.size or (sides[0] if len(set(sides)) == 1 else 0)
        if not size or (not self.size and size > MAX_SIDE):
            size = max(4, min(MAX_SIDE, 2 ** int(np.log2(np.median(sides)))))
        fitted = replace(self, size=size, channels=self.channels or channels, levels=depth.range, white=depth.white)
        if set(sides) == {size} and not self.crop:  # resizing makes new colors
            fitted = replace(fitted, palette=Palette.of(items.items, size, fitted.channels, depth))
        return fitted._with_attributes(items)

    def _with_attributes(self, items: Items) -> Self:
        """This fitted modality with the columns of the table beside the images, if there is one.

        Raises:
            InputError: if a table or columns were given that cannot be used.
        """
        found = beside.find(items, self.table) if self.use_table else None
        if found is None and self.wanted:
            raise InputError(
                f"columns={','.join(self.wanted)} was given, but {items.name!r} has no table that names its images; "
                "give one with table="
            )
        if found is None:
            return self
        train = np.searchsorted(found.items, split_items(items, found.items).train)
        attributes = Attributes.fit(found, train, self.wanted)
        if attributes is None and self.table:
            raise InputError(f"table={self.table}: no column but identifiers, free text or one value; add others")
        return replace(self, attributes=attributes, table=self.table and str(resolved(Path(self.table))))

    @property
    def _has_photographs(self) -> bool:
        """True for color images without transparency that are not drawn in a few colors."""
        return self.channels == 3 and self.size >= MIN_PHOTOGRAPH and not self.palette.colors

    @property
    def depth(self) -> Levels:
        """The values that become black and white."""
        return Levels(self.levels, self.white)

    def encode(self, items: Items, progress: Progress = no_progress) -> Encoded:
        """The central squares of all images as uint8, (n, channels, kept, kept).

        Raises:
            InputError: if fewer than two can be read, or all are identical.
        """
        if isinstance(items.items, np.ndarray):
            squares = self._squares(items.items, progress)
            encoded = Encoded({VALUES: squares}, np.arange(len(items)), records=items.records)
        else:
            encoded = self._encode_files(items, progress)
        pixels = encoded.values if isinstance(encoded.values, Tensor) else encoded.values.map()[1]
        if all(torch.equal(part, pixels[:1].expand_as(part)) for part in torch.split(pixels, 4096)):
            raise InputError(
                f"all {len(pixels):,} images of {items.name} are identical; a GAN needs images that differ"
            )
        return encoded

    def _encode_files(self, items: Items, progress: Progress) -> Encoded:
        """The images in files, those that have a row if they are generated for the rows of a table."""
        files, attributes = items.items, self.attributes
        notes = notes_on(examine_some(files), self.channels, self.depth)
        found = None if attributes is None else beside.find(items, self.table)
        if attributes is None or found is None or (missing := set(attributes.names) - set(found.frame)):
            decoded = decode(files, self.kept, self.channels, progress, self.depth)
            if attributes is not None:
                lacking = "no table that names them" if found is None else f"no column {sorted(missing)[0]!r}"
                notes = (*notes, f"attributes of the images of {items.name!r} are unknown: they have {lacking}")
            return Encoded({VALUES: decoded.rows}, decoded.kept, skipped=decoded.skipped, notes=notes)
        decoded = decode(files.only(found.items.tolist()), self.kept, self.channels, progress, self.depth)
        rows = attributes.encode(found.frame.iloc[decoded.kept])
        kept, notes = found.items[decoded.kept], (*notes, *attributes.notes)
        return Encoded({VALUES: decoded.rows, ATTRIBUTES: rows}, kept, skipped=decoded.skipped, notes=notes)

    def _squares(self, images: NDArray[np.generic], progress: Progress) -> Tensor:
        stacked = images.reshape(*images.shape[:3], -1)
        if stacked.shape[1:] == (self.kept, self.kept, self.channels):
            return torch.from_numpy(stacked.transpose(0, 3, 1, 2).astype(np.uint8, copy=True))
        squares = np.empty((len(stacked), self.channels, self.kept, self.kept), np.uint8)
        for i, pixels in enumerate(stacked):
            squares[i] = squared(Image.fromarray(pixels.squeeze()), self.kept, self.channels)
            progress(i + 1, len(stacked))
        return torch.from_numpy(squares)

    def batch(self, tensors: Mapping[str, Tensor]) -> Tensors:
        if ATTRIBUTES in tensors:
            tensors = {CONDITION if name == ATTRIBUTES else name: t for name, t in tensors.items() if name != CONDITION}
        pixels = tensors[VALUES]
        if self.crop:
            pixels = random_crop(pixels, self.size)
        if self.flip:
            mirrored = torch.rand(len(pixels), 1, 1, 1, device=pixels.device) < 0.5
            pixels = torch.where(mirrored, pixels.flip(-1), pixels)
        return super().batch({**tensors, VALUES: pixels})

    def scale(self, encoded: Tensor) -> Tensor:
        return encoded.float().mul_(2 / 255).sub_(1)

    def unscale(self, values: Tensor) -> Tensor:
        return values.float().add(1).mul(255 / 2).round().clamp(0, 255).byte()

    def portable(self) -> Self:
        return replace(self, table="")

    def deterministic(self) -> Self:
        """Neither mirrored nor cropped."""
        return replace(self, flip=False, crop=0.0)

    def decode(self, samples: Tensors, start: int = 0) -> NDArray[np.uint8]:  # noqa: ARG002
        pixels: NDArray[np.uint8] = self.unscale(samples[VALUES]).permute(0, 2, 3, 1).cpu().numpy()
        return pixels

    # Conditions.

    @property
    def condition(self) -> Condition:
        return super().condition if self.attributes is None else self.attributes.columns

    @property
    def condition_columns(self) -> tuple[str, ...]:
        return () if self.attributes is None else self.attributes.names

    @property
    def condition_width(self) -> int:
        condition = self.condition
        return condition.width if isinstance(condition, Columns) else super().condition_width

    def draw_conditions(self, n: int, device: torch.device, requested: Tensor | None = None) -> Tensor | None:
        if self.attributes is None:
            return super().draw_conditions(n, device, requested)
        return self.attributes.draw(n, device, requested)

    @property
    def asks(self) -> tuple[Ask, ...]:
        of_samples = super().asks if self.attributes is None else self.attributes.asks
        unfitted = not self.size  # offers whatever a model may
        return (*of_samples, PALETTE) if self.palette.colors or unfitted else of_samples

    def requested(self, asked: Mapping[str, Any]) -> Request:
        request = super().requested(asked) if self.attributes is None else self.attributes.request(asked.get("where"))
        if PALETTE.name not in asked:
            return request
        palette = str(asked[PALETTE.name])
        if palette not in PALETTE.choices:
            raise InputError(f"palette={palette} is not supported; {nearest(palette, PALETTE.choices)}")
        return replace(request, finish=self.palette.snap)

    def _unavailable(self, name: str, value: Any) -> str:
        if name == PALETTE.name:
            return (
                f"palette={value} was given, but the training images have no palette: they were resized, are gray or "
                f"have more than {MAX_COLORS:,} colors; remove it"
            )
        if self.attributes is not None and name == "label":
            return f"label {value!r} was given, but these images are requested by their attributes (--where)"
        return super()._unavailable(name, value)

    def rows_of(self, condition: Tensor) -> DataFrame | None:
        return None if self.attributes is None else self.attributes.decode(condition.cpu())

    def describe_labels(self) -> str:
        if self.attributes is None:
            return super().describe_labels()
        return f"attributes used ({', '.join(self.condition_columns)})"

    def describe_condition_input(self) -> str:
        if self.attributes is None:
            return super().describe_condition_input()
        return f"for each column the index of its level ({', '.join(self.condition_columns)}), then scalars of numbers"

    def describe_conditions(self) -> dict[str, Any]:
        columns = {} if self.attributes is None else self.attributes.table.describe_conditions()
        return {**super().describe_conditions(), **columns}

    def features(self, samples: Tensors) -> Tensor:
        return patches(samples[VALUES])

    @property
    def evaluated_by(self) -> tuple[str, ...]:
        natural = self.channels >= 3 and self.size >= MIN_NATURAL
        return (IMAGENET, self.features_name) if natural else (self.features_name,)

    def preview(self, samples: Samples) -> Image.Image:
        return sheet(samples.items, columns_for(samples))

    def draw_grid(self, samples: Tensors, columns: int, captions: Sequence[str] = ()) -> Image.Image:
        return super().draw_grid(samples, columns, captions) if captions else sheet(self.decode(samples), columns)

    def comparable(self, samples: Tensors) -> Tensor:
        return samples[VALUES]

    def read_given(self, path: Path) -> NDArray[np.uint8]:
        return exploring.read_images(path, self.size, self.channels, self.depth)

    def conversion(self, items: Items) -> str:
        return exploring.conversion(Images(use_table=False).fit(items).channels, self.channels)

    def draw_items(self, samples: Samples) -> list[Image.Image]:
        return [as_image(pixels) for pixels in samples.items]

    def draw_given(self, path: Path) -> Image.Image:
        return exploring.read_image(path)

    @property
    def writers(self) -> tuple[Writer, ...]:
        return (
            Writer("", "", self._write_folder),
            Writer(".png", "image/png", write_png),
            Writer(".npz", "application/x-npz", lambda s, path: write_arrays(path, **labeled_arrays(s, "images"))),
        )

    def file_sides(self, content: bytes) -> tuple[int, ...]:
        header = opened(content)
        if isinstance(header, Unreadable):
            raise InputError(header.why)
        return header.size

    def describe_values(self) -> str:
        return "in [-1, 1]"

    def as_json(self, samples: Samples) -> dict[str, Any]:
        images = {"images": [base64_png(as_image(pixels)) for pixels in samples.items]}
        if samples.rows is None:
            return images
        return {**images, "attributes": json.loads(samples.rows.to_json(orient="records", date_format="iso"))}

    def _write_folder(self, samples: Samples, folder: Path) -> None:
        """One file per sample, in a sub-folder per class if there are labels; and what they were generated for, as a
        table beside them, if these are rows.
        """
        digits = len(str(len(samples) - 1))
        if samples.rows is not None:
            rows = samples.rows.assign(file=[f"{i:0{digits}}.png" for i in range(len(samples))])
            folder.mkdir(parents=True, exist_ok=True)
            rows[["file", *samples.rows]].to_csv(folder / SAMPLE_TABLE, index=False)
        for i, pixels in enumerate(samples.items):
            place = folder if samples.labels is None else folder / component(self.classes[samples.labels[i]])
            place.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels.squeeze()).save(place / f"{i:0{digits}}.png")


def random_crop(pixels: Tensor, size: int) -> Tensor:
    """A random square of each image (n, c, h, h): (n, c, size, size)."""
    n, channels, side, _ = pixels.shape
    place = torch.randint(side - size + 1, (2, n, 1), device=pixels.device)
    rows, columns = place + torch.arange(size, device=pixels.device)  # (n, size) each
    by_row = pixels.gather(2, rows[:, None, :, None].expand(n, channels, size, side))
    return by_row.gather(3, columns[:, None, None, :].expand(n, channels, size, size))
