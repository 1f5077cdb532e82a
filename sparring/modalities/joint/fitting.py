"""From a data set to items of several parts, and the fitted parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sparring.data.addresses import is_address, name_of
from sparring.data.items import Items
from sparring.data.store import Progress
from sparring.errors import InputError
from sparring.modalities.images import beside
from sparring.modalities.images.attributes import Attributes
from sparring.modalities.joint import reading
from sparring.modalities.joint.parts import Part, RowPart, part_of, unfitted
from sparring.modalities.joint.soundtracks import Soundtracks
from sparring.modalities.joint.tuples import KIND, LABEL, Rows, Tuples, checked, matched, table_of_classes
from sparring.modalities.tables import Table
from sparring.modalities.tables.columns import fit_column

if TYPE_CHECKING:
    import torch


def joint_items(items: Items, table: str, match: str) -> Items:
    """A data set as items of several parts: as it is, with a table that names its files, or matched by class.

    Args:
        table: path of a table; "" for one beside the files, if there is one.
        match: name or path of another data set; "" for none.

    Raises:
        InputError: if the data have one part only.
    """
    if match and table:
        raise InputError(f"match={match} and table={table} exclude each other; remove one of them")
    if items.kind == KIND:
        if match or table:
            given = f"match={match}" if match else f"table={table}"
            raise InputError(
                f"{given} was given, but the items of {items.name!r} have several parts already; remove it"
            )
        return items
    if match:
        return _matched(items, match)
    found = beside.find(items, table)
    if found is None:
        raise InputError(
            f"{items.name!r} has {items.kind} alone; give table=FILE, whose rows name the files, match=DATA, "
            "another set with the same classes, files that share stems (001.png, 001.txt), or films that have sound"
        )
    first = unfitted(items.kind).name
    return reading.with_table(items, found.name, found.frame, found.items, first)


def _matched(items: Items, match: str) -> Items:
    from sparring.modalities.find import find

    other = find(match)
    names = unfitted(items.kind).name, unfitted(other.kind).name
    if names[0] == names[1]:
        names = (items.name, other.name)
    tuples = checked(items.name, matched(items, other, names, table_of_classes(items.name, items.classes)))
    return replace(items, name=f"{items.name}-{other.name}", kind=KIND, items=tuples)


def fitted(items: Items, train: Rows, settings: Mapping[str, Any], columns: Sequence[str]) -> tuple[Part, ...]:
    """The parts of items, each fitted to its own data set.

    Args:
        train: indices of the items that are trained on, of the data set that was read.
        settings: of the parts' kinds of data, such as the size of pictures.
        columns: that rows consist of; () for all that are suitable.

    Raises:
        InputError: if the data of a part cannot be used.
    """
    tuples: Tuples = items.items
    parts: list[Part] = []
    for name, own in tuples.parts.items():
        part = unfitted(own.kind, name)
        if isinstance(part, RowPart):
            trained = tuples.rows[name][np.isin(tuples.origins, train)]
            table = _table(own, trained[trained >= 0], name, columns)
            parts += [] if table is None else [part_of(name, table)]
            continue
        # Only what a part leaves open: `size` of texts is that of their vocabulary.
        free = {f.name for f in fields(part.modality) if not getattr(part.modality, f.name)}
        chosen = {key: value for key, value in settings.items() if value and key in free}
        if isinstance(own.items, Soundtracks):
            chosen = {"seconds": own.items.seconds, **chosen}
        parts.append(part_of(name, part.fit(own, chosen)))
    if columns and not any(isinstance(part, RowPart) for part in parts):
        raise InputError(
            f"columns={','.join(columns)} was given, but the items of {items.name!r} have no rows; remove it"
        )
    if len(parts) < 2:
        raise InputError(
            f"{items.name!r}: its rows have no column that can be learned, only identifiers, free text or one value; "
            "add others"
        )
    return tuple(parts)


def _table(own: Items, rows: Rows, name: str, columns: Sequence[str]) -> Table | None:
    """The columns of rows that can be learned; None if there are none.

    Args:
        own: all rows.
        rows: index of the row of each item that is trained on.
    """
    if name == LABEL and not columns:  # the classes of matched sets
        column = fit_column(own.items[LABEL].iloc[rows], "category", False)
        return Table(columns=(column,)) if column.width > 1 else None
    described = beside.Beside(own.name, "", own.items, np.arange(len(own.items)), ())
    attributes = Attributes.fit(described, np.unique(rows), columns)
    return None if attributes is None else attributes.table


def encoded_part(
    part: Part, items: Items, rows: Rows, progress: Progress
) -> tuple[torch.Tensor, torch.Tensor, tuple[str, ...]]:
    """The part of all items in bytes, (n, bytes), which of them have it, bool (n,), and notes.

    Args:
        items: the part's own data set.
        rows: index of the part of each item, -1 where it is missing.
    """
    import torch

    values, kept, notes = part.encode(items, progress)
    place = np.full(len(items) + 1, -1, np.int64)  # the last one is that of missing parts
    place[kept] = np.arange(len(kept))
    chosen = torch.from_numpy(place[rows])
    present = chosen >= 0
    packed = torch.zeros(len(rows), part.packed_size, dtype=torch.uint8)
    packed[present] = part.packed(values)[chosen[present]]
    return packed, present, notes


def lasting(source: str) -> str:
    """What finds a table or another data set later and from other folders; "" if there is none."""
    from sparring.modalities.find import lasting_source

    return lasting_source(source) if source else ""


def unnamed(path: str) -> str:
    """A path without the folders of the machine that it is on, or the name of what lies at an address."""
    return name_of(path) if is_address(path) else Path(path).name
