"""A process that serves models until it is told to end."""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import h11
import uvicorn

from sparring.deploy.serve.app import application
from sparring.deploy.serve.keys import Keys
from sparring.deploy.serve.limits import Limits
from sparring.deploy.serve.middleware import State
from sparring.model import Model

LAST = 5  # seconds for answers that are being sent when all else is over


class Server(uvicorn.Server):
    """One that is told to end by `told`, and then ends well."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def run(
    models: dict[str, Model], taken: socket.socket, limits: Limits, keys: Keys, listening: Callable[[], None]
) -> None:
    """Serve until SIGTERM or SIGINT: then new requests are refused, those that have come are answered, for at most
    `limits.seconds`, and the process may end. A second signal ends it at once.

    Args:
        models: by name.
        taken: a socket that is bound.
        listening: told when requests may come.
    """
    state = State()
    app = application(models, limits, keys, state)
    settings = uvicorn.Config(
        app, http="h11", ws="none", log_level="warning", access_log=False, server_header=False,
        timeout_graceful_shutdown=LAST, limit_concurrency=limits.connections + 1,
    )  # fmt: skip
    with _settled():
        asyncio.run(_serve(Server(settings), taken, state, limits.seconds, listening))


@contextmanager
def _settled() -> Iterator[None]:
    """What has been loaded stays, and is not looked through for garbage again: all requests would wait meanwhile, for a
    fifth of a second each time.
    """
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


async def _serve(
    server: Server, taken: socket.socket, state: State, seconds: float, listening: Callable[[], None]
) -> None:
    told, loop = asyncio.Event(), asyncio.get_running_loop()

    def note() -> None:
        if told.is_set():
            server.should_exit = server.force_exit = True
        told.set()

    with _signals(lambda: loop.call_soon_threadsafe(note)):
        serving = asyncio.create_task(server.serve(sockets=[taken]))
        while not server.started and not serving.done():
            await asyncio.sleep(0.01)
        listening()
        hurrying = asyncio.create_task(_hurried(server, seconds))
        ending = asyncio.create_task(told.wait())
        await asyncio.wait({serving, ending}, return_when=asyncio.FIRST_COMPLETED)
        ending.cancel()
        state.stopping = True
        idle = asyncio.create_task(state.idle(seconds))
        await asyncio.wait({serving, idle}, return_when=asyncio.FIRST_COMPLETED)
        idle.cancel()
        server.should_exit = True
        await serving
        hurrying.cancel()


async def _hurried(server: Server, seconds: float) -> None:
    """Hang up where the head of a request is not complete after so many seconds: uvicorn would wait for ever."""
    since: dict[tuple[Any, Any], float] = {}  # when a connection, after what it asked last, was first seen to wait
    while True:
        await asyncio.sleep(min(1.0, seconds / 4))
        now, before = time.monotonic(), since
        connections: Iterable[Any] = server.server_state.connections  # all of uvicorn's protocol for h11
        idle = [one for one in connections if one.conn.their_state is h11.IDLE]
        since = {(one, one.cycle): before.get((one, one.cycle), now) for one in idle}
        for (connection, _), began in since.items():
            if now - began > seconds:
                connection.transport.close()


@contextmanager
def _signals(told: Callable[[], Any]) -> Iterator[None]:
    """Call this at Ctrl-C, and where the process is to end."""
    numbers: Sequence[int] = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, lambda *_: told()) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
