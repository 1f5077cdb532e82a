"""A part of a joint item: a fitted kind of data of its own, and how its items lie in bytes and in vectors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from sparring.data.items import Items
from sparring.data.sources import FolderSource
from sparring.data.store import Progress, Stored, no_progress
from sparring.data.tensors import VALUES, Tensors
from sparring.errors import InputError, nearest
from sparring.json_files import known_fields
from sparring.modalities.audio import Audio
from sparring.modalities.base import Modality
from sparring.modalities.images import Images
from sparring.modalities.tables import Table
from sparring.modalities.text import Text
from sparring.modalities.video import Video, films

MAX_PLACES = 65_536  # numbers of a text as networks see it: its tokens times those that are learned
MAX_TOKENS = 2000  # that are learned of texts which are parts
LONGEST = 24  # tokens of such a text


@dataclass(frozen=True)
class Part:
    """A part of an item. The networks see its values as one flat vector.

    Attributes:
        name: of the part, such as "picture".
        kind: of data.
        modality: that kind of data, fitted.
    """

    name: str
    kind: str
    modality: Modality

    # A kind of data needs an entry here only if it can be a part: what its items are called, and its unfitted form.
    kinds: ClassVar[Mapping[str, tuple[str, Modality]]] = {
        "images": ("picture", Images(use_table=False)),
        "audio": ("sound", Audio()),
        "video": ("film", Video()),
        "text": ("text", Text(size=MAX_TOKENS, longest=LONGEST, cut="lines")),
        "rows": ("row", Table()),
    }

    @classmethod
    def restored(cls, stored: Mapping[str, Any]) -> Part:
        """A part from its JSON.

        Raises:
            InputError: if it is damaged.
        """
        kind, name, state = (stored.get(key) for key in ("kind", "name", "modality"))
        if kind not in cls.kinds or not isinstance(name, str) or not isinstance(state, Mapping):
            raise InputError(f"a part of the model is damaged: its kind is {str(kind)!r}")
        _, modality = cls.kinds[str(kind)]
        return part_of(name, replace(modality, **known_fields(type(modality), state, f"the part {name!r}")))

    # As the networks see it.

    @property
    def shape(self) -> tuple[int, ...]:
        """Of its values."""
        return self.modality.shape

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of what can be given of it on its own."""
        return (self.name,)

    @property
    def owners(self) -> tuple[int, ...]:
        """The field of each value; () if there is one field."""
        return ()

    def values(self, encoded: Tensor) -> Tensor:
        """Encoded items as values, float (n, *shape)."""
        return self.modality.scale(encoded).float()

    def encoded(self, values: Tensor) -> Tensor:
        """Values (n, *shape) as they would be encoded."""
        return self.modality.unscale(values)

    def own(self, values: Tensor) -> Tensors:
        """Values (n, *shape) as the part's own modality takes samples."""
        return {VALUES: values}

    # In bytes.

    @cached_property
    def form(self) -> Tensor:
        """One encoded item, whose dtype and shape those of all have."""
        return self.encoded(torch.zeros(1, *self.shape))

    @property
    def packed_size(self) -> int:
        """Bytes of an encoded item."""
        return self.form.element_size() * self.form.numel()

    def packed(self, encoded: Tensor) -> Tensor:
        """Encoded items as bytes, uint8 (n, bytes)."""
        return encoded.to(self.form.dtype).contiguous().flatten(1).view(torch.uint8)

    def unpacked(self, packed: Tensor) -> Tensor:
        """Bytes (n, bytes) as encoded items."""
        typed = packed.clone(memory_format=torch.contiguous_format).view(self.form.dtype)
        return typed.view(-1, *self.form.shape[1:])

    # Reading.

    def fit(self, items: Items, settings: Mapping[str, Any]) -> Modality:
        """The part's kind of data with these settings, fitted to its data set.

        Raises:
            InputError: if the data cannot be used.
        """
        return replace(self.modality, **settings).fit(items)

    def encode(
        self, items: Items, progress: Progress = no_progress
    ) -> tuple[Tensor, NDArray[np.int64], tuple[str, ...]]:
        """All items that can be read: encoded, the index of each, and notes."""
        found = self.modality.encode(items, progress)
        values = found.values.map()[1] if isinstance(found.values, Stored) else found.values
        first = np.unique(found.items, return_index=True)[1]  # of a film or a recording, its first clip
        skipped = [f"{name}: {why}" for name, why in found.skipped[:3]]
        notes = (f"{self.name}s that cannot be read: {'; '.join(skipped)}",) if skipped else ()
        return values[torch.from_numpy(first)], found.items[first], (*found.notes, *notes)

    def given(self, content: bytes, name: str) -> Tensor:
        """The values of the item in a file, (1, *shape).

        Args:
            content: of the file.
            name: what was given, for messages.

        Raises:
            InputError: if it cannot be read.
        """
        with TemporaryDirectory(prefix="sparring-") as folder:
            for copy in ("a", "b"):  # kinds of data read sets, which have at least two items
                (Path(folder) / copy).write_bytes(content)
            try:
                encoded = self._read(Path(folder))
            except InputError as error:
                why = str(error).replace(folder, name)
                raise InputError(f"given {self.name}={name} cannot be read: {why}") from error
        return self.values(encoded)[:1]

    def _read(self, folder: Path) -> Tensor:
        """The encoded items in the files "a" and "b" of a folder."""
        source = FolderSource(folder, ("a", "b"))
        found = self.modality.encode(Items("given", self.kind, source)).values
        return found.load() if isinstance(found, Stored) else found


class PicturePart(Part):
    """A part of images."""

    def _read(self, folder: Path) -> Tensor:
        decoded: NDArray[np.uint8] = self.modality.read_given(folder / "a")
        return torch.from_numpy(decoded.copy()).permute(0, 3, 1, 2)


class FilmPart(Part):
    """A part of films, of which the first clip is used."""

    def fit(self, items: Items, settings: Mapping[str, Any]) -> Modality:
        fitted = super().fit(items, settings)
        assert isinstance(fitted, Video)
        return replace(fitted, stride=fitted.frames)

    def _read(self, folder: Path) -> Tensor:
        assert isinstance(self.modality, Video)
        suffix = ".gif" if (folder / "a").read_bytes().startswith(b"GIF8") else ".mp4"
        names = tuple((folder / name).rename(folder / f"{name}{suffix}").name for name in ("a", "b"))
        found = films.moving(FolderSource(folder, names))
        if found is None:
            raise InputError(f"{folder} is no film")
        return self.modality.decoded(Items("given", self.kind, found), no_progress).rows.load()


class RowPart(Part):
    """A part of columns of a table, each of which is a field."""

    @property
    def table(self) -> Table:
        assert isinstance(self.modality, Table)
        return self.modality

    @property
    def fields(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.table.learned)

    @property
    def owners(self) -> tuple[int, ...]:
        widths = [i for i, width in enumerate(self.table.widths) for _ in range(width)]
        return (*widths, *(owner for owner, _ in self.table.scalars))

    def given(self, content: bytes, name: str) -> Tensor:  # noqa: ARG002
        raise InputError(f"given {self.name}={name}: rows are given by their columns; use --where COLUMN=VALUE")


class TextPart(Part):
    """A part of short texts, as one-hot vectors of their tokens."""

    @property
    def text(self) -> Text:
        assert isinstance(self.modality, Text)
        return self.modality

    @property
    def tokens(self) -> int:
        """Codes of a token, 0 for the end."""
        return 1 + len(self.text.tokenizer.vocabulary)

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.text.length, self.tokens)

    def values(self, encoded: Tensor) -> Tensor:
        return F.one_hot(encoded.long(), self.tokens).float()

    def encoded(self, values: Tensor) -> Tensor:
        return ended(values.argmax(2)).to(torch.int16)

    def own(self, values: Tensor) -> Tensors:
        return {VALUES: ended(values.argmax(2))}

    def given(self, content: bytes, name: str) -> Tensor:  # noqa: ARG002
        try:
            text = content.decode().strip()
        except UnicodeDecodeError as error:
            raise InputError(f"given {self.name} is not text in UTF-8") from error
        condition = self.text.request(prompt=text).condition
        assert condition is not None
        codes = torch.zeros(1, self.text.length, dtype=torch.int64)
        codes[0, : len(condition) - 1] = condition[1:]
        return self.values(codes)


def ended(codes: Tensor) -> Tensor:
    """Codes (n, length) with 0 in all places after the first 0."""
    return codes * (codes != 0).long().cumprod(1)


PARTS: Mapping[str, type[Part]] = {
    "images": PicturePart, "video": FilmPart, "rows": RowPart, "text": TextPart,
}  # fmt: skip


def part_of(name: str, modality: Modality) -> Part:
    """A part with the methods of its kind of data.

    Raises:
        InputError: if it is too large.
    """
    part = PARTS.get(modality.kind, Part)(name, modality.kind, modality)
    if isinstance(part, TextPart) and part.text.length and prod(part.shape) > MAX_PLACES:
        raise InputError(
            f"texts of {part.shape[0] - 1} tokens of {part.tokens - 1:,} are too long for a part: give captions of at "
            f"most {LONGEST} words, and fewer different words"
        )
    return part


def unfitted(kind: str, name: str = "") -> Part:
    """A part of a kind of data before it is fitted.

    Raises:
        InputError: if items of that kind cannot be parts.
    """
    if kind not in Part.kinds:
        raise InputError(f"{kind} cannot be a part of items; {nearest(kind, tuple(Part.kinds))}")
    usual, modality = Part.kinds[kind]
    return part_of(name or usual, modality)
