"""The command that imports data into shards."""

from __future__ import annotations

from shlex import quote
from typing import Annotated, Optional

import typer

from sparring.cli.app import app
from sparring.console import Screen, say
from sparring.errors import InputError, nearest


@app.command(
    epilog="Examples:\n\n"
    "  sparring shards photos/ -o photos-64 size=64\n\n"
    "  sparring shards 's3://bucket/photos/train-*.parquet' -o s3://bucket/photos-64 size=64\n\n"
    "  sparring train s3://bucket/photos-64/"
)
def shards(
    data: Annotated[str, typer.Argument(help="A folder, an archive, a file, an address, or the name of a data set.")],
    fields: Annotated[
        Optional[list[str]],  # noqa: UP045 (typer reads this at run time)
        typer.Argument(metavar="[FIELD=VALUE]...", help="size, channels, alpha or levels of images, as for a recipe."),
    ] = None,
    out: Annotated[str, typer.Option("--out", "-o", help="Folder or address of the shards.")] = "",
    force: Annotated[bool, typer.Option("--force", help="Replace a set in shards that is there.")] = False,
) -> None:
    """Import a set of images once into shards, which training reads by ranges, however large the set is."""
    from typing import get_type_hints

    from sparring.data.addresses import shown
    from sparring.data.records.place import place_of
    from sparring.data.records.writing import check
    from sparring.modalities import find, kind_of
    from sparring.modalities.importing import import_items
    from sparring.recipes.base import parse
    from sparring.recipes.base.fields import checked

    if not out:
        raise InputError("give the folder or the address of the shards with -o, such as -o photos-64")
    screen, place = Screen(), place_of(out)
    check(place, force)  # before hours are spent
    items = find(data)
    if items.records is not None:
        raise InputError(f"{shown(data)} is a set in shards already; sparring train reads it")
    kind = kind_of(items)
    hints = get_type_hints(kind)
    given = parse(fields or [])
    for name in given if kind.shard_fields else ():
        if name not in kind.shard_fields:
            raise InputError(f"{name}={given[name]} is not a field of shards; {nearest(name, kind.shard_fields)}")
    read = {name: checked(name, value, hints[name]) for name, value in given.items() if name in kind.shard_fields}
    modality = kind.for_shards(items, read)  # refuses kinds that have no shards
    with screen.progress(f"reading {items.name}") as progress:
        encoded = modality.encode(items, progress)
    with screen.progress(f"writing {place.shown}") as progress:
        index, kept, notes = import_items(items, modality, encoded, place, force, progress)
    for note in notes:
        say(note)
    count, held = index.train.records + index.held.records, index.held.records
    many = index.train.shards + index.held.shards
    there = f" ({kept} of them were there)" if kept else ""
    say(f"{modality.words.count(count)} as {tuple(modality.shape)}, {held:,} held out, in {many:,} shards{there}")
    say(f"\n  sparring train {quote(out)} --time 10m")
