"""Who may talk to a server: the names that it is asked by, and clients that guess keys or passwords.

A page on the web can point its own name at this machine (DNS rebinding), and its scripts then read answers as if they
were its own. Such requests carry that name in the header `Host`.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence

from sparring.errors import InputError

ANY = "*"  # admits every name
MAX_WRONG = 10  # wrong keys or passwords of one client
WINDOW = 60.0  # seconds in which they are counted
MAX_CLIENTS = 10_000  # clients that are remembered


class Hosts:
    """The names by which a server can be asked: addresses as numbers, `localhost`, the machine's own name, and others.

    Args:
        names: further names, such as that of a proxy; "*" for any.

    Raises:
        InputError: if one is not a name.
    """

    def __init__(self, names: Sequence[str] = ()) -> None:
        for name in names:
            if name != ANY and not _is_address(name) and not re.fullmatch(r"[\w.-]+", name):
                raise InputError(f"--host-name {name!r} is not a name; write it as models.example.org, or *")
        own = socket.gethostname().lower()
        self._any = ANY in names
        self._names = {"localhost", own, f"{own}.local", *(name.lower().rstrip(".") for name in names)}

    def known(self, header: str) -> bool:
        """True if a request with this header `Host` is for this server."""
        name = re.sub(r":\d*$", "", header.strip().lower()).rstrip(".")
        return self._any or name in self._names or name.endswith(".localhost") or _is_address(name)

    def refusal(self, header: str) -> str:
        """The error of a request for another server."""
        name = header.strip()[:100]
        return f"{name!r} is not a name of this server; if it is, start the server with --host-name NAME"


def _is_address(name: str) -> bool:
    """True for an address as a number, which no name server can point elsewhere."""
    try:
        ipaddress.ip_address(name.strip("[]").partition("%")[0])
    except ValueError:
        return False
    return True


class Attempts:
    """Counts wrong keys or passwords by client. While one has sent too many, nothing that it sends is checked."""

    def __init__(self, limit: int = MAX_WRONG, window: float = WINDOW) -> None:
        self._limit, self._window = limit, window
        self._wrong: OrderedDict[str, list[float]] = OrderedDict()
        self._lock = threading.Lock()

    def wait(self, client: str) -> int:
        """Seconds until a client may try again; 0 if it may now."""
        now = time.monotonic()
        with self._lock:
            recent = [when for when in self._wrong.get(client, ()) if now - when < self._window]
        return max(1, round(self._window - (now - recent[-self._limit]))) if len(recent) >= self._limit else 0

    def count(self, client: str) -> None:
        """Remember that a client has sent a wrong key or password."""
        now = time.monotonic()
        with self._lock:
            recent = [when for when in self._wrong.get(client, ()) if now - when < self._window]
            self._wrong[client] = [*recent, now][-self._limit :]
            self._wrong.move_to_end(client)
            while len(self._wrong) > MAX_CLIENTS:
                self._wrong.popitem(last=False)
