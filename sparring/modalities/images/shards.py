"""Images in shards of fixed-size records, which `sparring shards` has written."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from sparring.data.items import Items
from sparring.data.records.index import NAME
from sparring.data.records.reading import RecordSet
from sparring.data.tensors import CONDITION, VALUES
from sparring.errors import InputError
from sparring.json_files import build
from sparring.modalities.images.palette import Palette

if TYPE_CHECKING:
    from sparring.modalities.images.images import Images

I = TypeVar("I", bound="Images")  # noqa: E741


def read(records: RecordSet, kind: str) -> Items:
    """A set in shards as a draw of its images, and as the whole set that training batches are drawn from.

    Raises:
        InputError: if its records are no images, or cannot be read.
    """
    train, held = records.index.train, records.index.held
    parts = {VALUES, CONDITION} if records.index.classes else {VALUES}
    names = set(train.dtype.names or ())
    if names != parts or train.dtype[VALUES].base != np.uint8 or len(train.dtype[VALUES].shape) != 3:
        raise InputError(f"{records.place.shown}/{NAME} is damaged: its records are {train.dtype}, which are no images")
    first, apart = records.drawn()
    drawn = np.concatenate([first, apart])
    pixels = np.ascontiguousarray(drawn[VALUES].transpose(0, 2, 3, 1))
    labels = drawn[CONDITION].astype(np.int64) if records.index.classes else None
    if labels is not None and not ((labels >= 0) & (labels < len(records.index.classes))).all():
        raise InputError(f"{records.place.shown} is damaged: it has classes without names")
    notes = [f"{len(records):,} images in {train.shards + held.shards:,} shards of {records.place.shown}"]
    if len(drawn) < len(records):
        notes.append(
            f"{train.records:,} images are trained on; all else, such as scores, sees a random draw of "
            f"{len(first):,} of them"
        )
    return Items(
        records.place.name, kind, pixels, labels, records.index.classes,
        held=np.arange(len(drawn)) >= len(first), notes=(*notes, *records.notes), records=records,
    )  # fmt: skip


def fitted(asked: I, records: RecordSet) -> I:
    """What was asked for, as far as it was not decided when the images were imported, with what was decided.

    Raises:
        InputError: if something else is asked for than was imported.
    """
    where = f"{records.place.shown}/{NAME}"
    stored = build(type(asked), records.index.fitted, where)
    channels, side, width = records.index.train.dtype[VALUES].shape
    if (stored.channels, stored.size) != (channels, side) or side != width:
        raise InputError(f"{where} is damaged: its images are {channels} x {side} x {width}, not {stored.shape}")
    size = asked.size or round(side / (1 + asked.crop))
    found = replace(
        asked, size=size, channels=channels, levels=stored.levels, white=stored.white, use_table=False,
        palette=Palette() if asked.crop else stored.palette,
    )  # fmt: skip
    if found.kept != side:
        margin = f", which with crop={asked.crop:g} are cut from {found.kept}" if asked.crop else ""
        raise _other(f"size={size} was given{margin}", f"{side} pixels", records, f"size={found.kept}")
    if asked.channels not in (0, channels):
        raise _other(
            f"channels={asked.channels} was given", f"{channels} channels", records, f"channels={asked.channels}"
        )
    if asked.alpha is not None and asked.alpha != (channels == 4):
        word = str(asked.alpha).lower()
        raise _other(f"alpha={word} was given", f"{channels} channels", records, f"alpha={word}")
    if asked.levels and asked.levels != stored.levels:
        levels = ",".join(f"{level:g}" for level in asked.levels)
        raise _other(f"levels={levels} was given", "other levels", records, f"levels={levels}")
    if asked.table or asked.wanted:
        raise InputError(f"{records.place.shown} has no table, because shards hold images and classes; give the images")
    return found


def _other(given: str, have: str, records: RecordSet, remedy: str) -> InputError:
    return InputError(
        f"{given}, but the images in {records.place.shown} have {have}; import them again with sparring shards {remedy}"
    )
