"""Access to a server: API keys, and addresses that need none."""

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
    """The API keys of a server; without any, all requests are admitted. Only their hashes are kept.

    Args:
        keys: as clients send them.
    """

    def __init__(self, keys: Sequence[str] = ()) -> None:
        self._hashes = [sha256(key.encode()).digest() for key in keys]

    def __bool__(self) -> bool:
        return bool(self._hashes)

    def admit(self, headers: Sequence[tuple[bytes, bytes]]) -> bool:
        """True if one of a request's headers has a valid key; a proxy may use another header for itself. Each key is
        compared with all, in constant time, so that the time does not depend on the key.
        """
        if not self._hashes:
            return True
        sent = [sha256(key).digest() for key in sent_keys(headers)]
        return sum(hmac.compare_digest(one, valid) for one in sent for valid in self._hashes) > 0


def sent_keys(headers: Sequence[tuple[bytes, bytes]]) -> list[bytes]:
    """The keys in `Authorization: Bearer KEY` and `X-API-Key: KEY`."""
    keys = []
    for name, value in headers:
        if name == b"x-api-key":
            keys.append(value.strip())
        elif name == b"authorization":
            scheme, _, key = value.strip().partition(b" ")
            keys += [key.strip()] if scheme.lower() == b"bearer" else []
    return keys


def load_keys(given: Sequence[str] = (), file: str | Path | None = None) -> Keys:
    """The given keys; those in a file, one per line, except lines that start with #; and those in the environment
    variable SPARRING_KEYS, separated by commas.

    Raises:
        InputError: if the file cannot be read or has no key, or a key cannot be sent in a header. Messages never
            repeat a key.
    """
    found = [("--key", key) for key in given]
    if file is not None:
        lines = [line.strip() for line in _lines(Path(file))]
        in_file = [(f"--keys {file}", line) for line in lines if line and not line.startswith("#")]
        if not in_file:
            raise InputError(f"--keys {file} contains no key; write one per line")
        found += in_file
    found += [(VARIABLE, key.strip()) for key in os.environ.get(VARIABLE, "").split(",") if key.strip()]
    for source, key in found:
        if not key or not all("!" <= c <= "~" for c in key):
            raise InputError(
                f"{source}: a key is empty or has characters that headers cannot contain; use letters and digits"
            )
    return Keys([key for _, key in found])


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise InputError(f"--keys {file} cannot be read: {describe_error(error)}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"--keys {file} is not a text file; write one key per line") from error


def bound_socket(host: str, port: int, keys: Keys) -> socket.socket:
    """A socket that is bound to an address.

    Raises:
        InputError: if the address does not exist, the port is taken, or other machines could reach it without a key.
    """
    if not 0 <= port <= 65535:
        raise InputError(f"--port {port} is out of range; give 0 (any free port) to 65535")
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError) as error:
        raise InputError(f"--host {host} is not an address of this machine; use 127.0.0.1 or 0.0.0.0") from error
    if not keys and not ipaddress.ip_address(str(address[0]).partition("%")[0]).is_loopback:
        raise InputError(
            f"--host {host} admits other machines; give a key (--keys FILE, or {VARIABLE}) or stay on 127.0.0.1"
        )
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # asyncio sets TCP_NODELAY only with this
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    except OSError as error:
        bound.close()
        raise InputError(f"cannot listen at {host}:{port}: {describe_error(error)}; choose another --port") from error
    return bound
