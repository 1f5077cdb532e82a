"""Who may ask: API keys, and which addresses may do without."""

from __future__ import annotations

import hmac
import ipaddress
import os
import socket
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from sparring.errors import InputError
from sparring.files import describe_error

VARIABLE = "SPARRING_KEYS"


class Keys:
    """The keys that open a server; any caller may come in where there are none. Only their hashes are kept.

    Args:
        keys: as they are sent.
    """

    def __init__(self, keys: Sequence[str] = ()) -> None:
        self._hashes = [sha256(key.encode()).digest() for key in keys]

    def __bool__(self) -> bool:
        return bool(self._hashes)

    def open(self, headers: Sequence[tuple[bytes, bytes]]) -> bool:
        """Whether a request with these headers may come in: whether one has a key that is right; a proxy may need the
        other for itself. All are compared, each in constant time, so that no key takes longer than another.
        """
        if not self._hashes:
            return True
        given = [sha256(key).digest() for key in _given(headers)]
        return sum(hmac.compare_digest(one, known) for one in given for known in self._hashes) > 0


def _given(headers: Sequence[tuple[bytes, bytes]]) -> list[bytes]:
    """The keys of `Authorization: Bearer KEY` and `X-API-Key: KEY`."""
    keys = []
    for name, value in headers:
        if name == b"x-api-key":
            keys.append(value.strip())
        elif name == b"authorization":
            scheme, _, key = value.strip().partition(b" ")
            keys += [key.strip()] if scheme.lower() == b"bearer" else []
    return keys


def gathered(given: Sequence[str] = (), file: str | Path | None = None) -> Keys:
    """The keys that are given, those of a file, a line each but for those that begin with #, and those of the
    environment's SPARRING_KEYS, separated by commas.

    Raises:
        InputError: where the file cannot be read or holds none, or a key cannot be sent in a header. No message
            repeats a key.
    """
    found = [("--key", key) for key in given]
    if file is not None:
        lines = [line.strip() for line in _lines(Path(file))]
        of_file = [(f"--keys {file}", line) for line in lines if line and not line.startswith("#")]
        if not of_file:
            raise InputError(f"--keys {file} holds no key; write one to a line")
        found += of_file
    found += [(VARIABLE, key.strip()) for key in os.environ.get(VARIABLE, "").split(",") if key.strip()]
    for source, key in found:
        if not key or not all("!" <= c <= "~" for c in key):
            raise InputError(f"{source}: a key is empty or has signs that no header carries; use letters and digits")
    return Keys([key for _, key in found])


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise InputError(f"--keys {file} cannot be read: {describe_error(error)}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"--keys {file} is no text; write a key to a line") from error


def listening(host: str, port: int, keys: Keys) -> socket.socket:
    """A socket that listens at an address.

    Raises:
        InputError: where others than this machine could ask there and there are no keys, there is no such address, or
            the port is taken.
    """
    if not 0 <= port <= 65535:
        raise InputError(f"--port {port} is out of range; give 0 (any that is free) to 65535")
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError) as error:
        raise InputError(f"--host {host} is no address of this machine; use 127.0.0.1 or 0.0.0.0") from error
    if not keys and not ipaddress.ip_address(str(address[0]).partition("%")[0]).is_loopback:
        raise InputError(
            f"--host {host} lets other machines ask; give a key (--keys FILE, or {VARIABLE}) or stay on 127.0.0.1"
        )
    taken = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # which asyncio asks for to set TCP_NODELAY
    try:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(address)
    except OSError as error:
        taken.close()
        raise InputError(f"cannot listen at {host}:{port}: {describe_error(error)}; choose another --port") from error
    return taken
