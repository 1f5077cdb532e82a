"""Addresses of data in stores, such as `s3://bucket/photos/`: their parts, and what of them may be shown."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

BY_ARROW = ("s3", "gs", "gcs")  # stores of which Arrow has a client; names in them may hold a ?
OF_THIS_MACHINE = ("file", "local")  # schemes whose paths are those of its files
WITHIN = re.compile(r"\w+://[^\s'\"<>()]+")  # addresses in a text


def is_address(text: str) -> bool:
    """True for the address of objects in a store, such as `s3://bucket/photos/`."""
    scheme, separator, rest = text.partition("://")
    return bool(separator) and scheme.isalnum() and bool(rest)


def scheme_of(address: str) -> str:
    return address.partition("://")[0].lower()


def name_of(address: str) -> str:
    """What the copy is called: the last part of the address that is no pattern, without user, password and query."""
    place = address.partition("://")[2]
    place = place if scheme_of(address) in BY_ARROW else place.partition("?")[0]
    return PurePosixPath(fixed(_without_user(place).rstrip("/"))).name or "data"


def fixed(path: str) -> str:
    """The part of a path before those with wildcards."""
    before = path.partition("*")[0].partition("[")[0]
    return path if before == path else str(PurePosixPath(before + "_").parent)


def shown(address: str) -> str:
    """An address as it may be printed and published: without user and password, without the query, which may hold a
    signature, and of a file of this machine only its name. Addresses in addresses (`zip://a.png::https://host/b.zip`)
    are treated in the same way. A path or a name is unchanged.
    """
    if not is_address(address):
        return address
    return "::".join(_one_shown(one) for one in address.partition("?")[0].split("::"))


def shown_in(text: str, address: str) -> str:
    """A text in which each address is as it may be shown.

    Args:
        address: one of which the text may hold a part.
    """
    return WITHIN.sub(lambda found: shown(found[0]), text.replace(address, shown(address)))


def _one_shown(address: str) -> str:
    scheme, separator, rest = address.partition("://")
    if not separator:
        return address
    if scheme.lower() in OF_THIS_MACHINE:
        return PurePosixPath(rest).name or "data"
    return f"{scheme}://{_without_user(rest)}"


def _without_user(place: str) -> str:
    host, slash, path = place.partition("/")
    return host.rpartition("@")[2] + slash + path
