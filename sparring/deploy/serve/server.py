"""A process that serves models until it is stopped."""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import h11
import uvicorn

from sparring.deploy.serve.access import Hosts
from sparring.deploy.serve.app import application
from sparring.deploy.serve.keys import Keys
from sparring.deploy.serve.limits import Limits
from sparring.deploy.serve.middleware import State
from sparring.deploy.serve.traces import Traces
from sparring.model import Model
from sparring.provenance import Mark

SEND_TIMEOUT = 5  # seconds for responses that are still being sent when everything else has ended


class Server(uvicorn.Server):
    """A server that leaves signals to its caller."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def run(
    models: dict[str, Model],
    bound: socket.socket,
    limits: Limits,
    keys: Keys,
    hosts: Hosts,
    on_start: Callable[[], None],
    marks: Mapping[str, Mark] = {},
    traces: Traces = Traces(),
) -> None:
    """Serve until SIGTERM or SIGINT. Then new requests are refused and earlier ones are answered, for at most
    `limits.seconds`. A second signal ends the server at once.

    Args:
        models: by name.
        bound: the socket to listen at.
        on_start: called when requests are accepted.
        marks: of what models generate, by their names.
        traces: of requests; closed at the end.
    """
    state = State()
    app = application(models, limits, keys, state, hosts, marks, traces)
    settings = uvicorn.Config(
        app, http="h11", ws="none", log_level="warning", access_log=False, server_header=False,
        timeout_graceful_shutdown=SEND_TIMEOUT,
    )  # fmt: skip
    server = Server(settings)
    state.connections = lambda: len(server.server_state.connections)
    with _frozen_heap():
        asyncio.run(_serve(server, bound, state, limits.seconds, on_start))
    traces.close()


@contextmanager
def _frozen_heap() -> Iterator[None]:
    """Exclude objects that exist already, such as models, from garbage collection. Searching them would stop all
    requests for a fifth of a second each time.
    """
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


async def _serve(
    server: Server, bound: socket.socket, state: State, seconds: float, on_start: Callable[[], None]
) -> None:
    signaled, loop = asyncio.Event(), asyncio.get_running_loop()

    def on_signal() -> None:
        if signaled.is_set():
            server.should_exit = server.force_exit = True
        signaled.set()

    with _signals(lambda: loop.call_soon_threadsafe(on_signal)):
        serving = asyncio.create_task(server.serve(sockets=[bound]))
        while not server.started and not serving.done():
            await asyncio.sleep(0.01)
        on_start()
        closing_idle = asyncio.create_task(_close_idle_connections(server, seconds))
        stopping = asyncio.create_task(signaled.wait())
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        state.stopping = True
        idle = asyncio.create_task(state.idle(seconds))
        await asyncio.wait({serving, idle}, return_when=asyncio.FIRST_COMPLETED)
        idle.cancel()
        server.should_exit = True
        await serving
        closing_idle.cancel()


async def _close_idle_connections(server: Server, seconds: float) -> None:
    """Close connections whose next request has no complete head after this time; uvicorn would wait forever."""
    since: dict[tuple[Any, Any], float] = {}  # start of the wait of a connection, after its last request
    while True:
        await asyncio.sleep(min(1.0, seconds / 4))
        now, before = time.monotonic(), since
        connections: Iterable[Any] = server.server_state.connections  # all use uvicorn's protocol for h11
        idle = [one for one in connections if one.conn.their_state is h11.IDLE]
        since = {(one, one.cycle): before.get((one, one.cycle), now) for one in idle}
        for (connection, _), began in since.items():
            if now - began > seconds:
                connection.transport.close()


@contextmanager
def _signals(handle: Callable[[], Any]) -> Iterator[None]:
    """Call a function on SIGINT and SIGTERM."""
    numbers: Sequence[int] = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, lambda *_: handle()) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
