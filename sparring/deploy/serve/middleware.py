"""What every request passes before it is looked at: counting, keys, the size of what it sends, the server's end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sparring.deploy.serve.answers import as_json
from sparring.deploy.serve.keys import Keys
from sparring.deploy.serve.limits import Limits
from sparring.deploy.serve.metrics import Metrics

OPEN = ("/healthz", "/readyz")  # to anybody, at any time; what they are sent is not read
SOON = {"Retry-After": "1"}  # seconds
CLOSED = 499  # a client that hung up, as web servers count it; nobody reads it


class State:
    """How a server is: what its parts have in common.

    Attributes:
        stopping: whether new requests are refused.
        active: requests that are not answered yet.
    """

    def __init__(self) -> None:
        self.stopping, self.active = False, 0

    def count(self) -> int:
        """Requests that are not answered yet."""
        return self.active

    async def idle(self, seconds: float) -> None:
        """Wait until all requests are answered, at most so long."""
        until = time.monotonic() + seconds
        while self.active and time.monotonic() < until:
            await asyncio.sleep(0.02)


def problem(status: int, detail: str, headers: dict[str, str] | None = None) -> Response:
    """An answer that is none, in one line."""
    line = " ".join(detail.split())
    return Response(as_json({"detail": line}), status, headers, "application/json")


class Gate:
    """An ASGI middleware that lets in who may come in, and counts.

    Args:
        app: behind it.
        routes: that the app has, to count by.
    """

    def __init__(
        self, app: ASGIApp, routes: Sequence[BaseRoute], state: State, keys: Keys, limits: Limits, metrics: Metrics
    ) -> None:
        self.app, self.routes, self.state = app, routes, state
        self.keys, self.limits, self.metrics = keys, limits, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        route, status, began = self._route(scope), 500, time.perf_counter()
        unread = scope["path"] in OPEN and _sends(scope)

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                if unread:
                    message["headers"] = [*message["headers"], (b"connection", b"close")]
            await send(message)

        self.state.active += 1
        self.metrics.in_flight.inc()
        try:
            found = self._refused(scope) or await self._body(scope, receive)
            if isinstance(found, Response):
                await found(scope, receive, noted)
            else:
                # The app knows GET alone; of an answer to HEAD the server sends only the head.
                asked = {**scope, "method": "GET"} if scope["path"] in OPEN else scope
                await self.app(asked, _again(found, receive), noted)
        finally:
            self.state.active -= 1
            self.metrics.in_flight.dec()
            self.metrics.requests.labels(route, str(status)).inc()
            self.metrics.seconds.labels(route).observe(time.perf_counter() - began)

    def _route(self, scope: Scope) -> str:
        """As it is declared, so that there are few of them."""
        for route in self.routes:
            if route.matches(scope)[0] != Match.NONE:
                return str(getattr(route, "path", "unknown"))
        return "unknown"

    def _refused(self, scope: Scope) -> Response | None:
        """Why a request is not looked at, where it is not."""
        if scope["path"] in OPEN:
            if scope["method"] in ("GET", "HEAD"):
                return None
            why = f"{scope['method']} is not for {scope['path']}; use GET or HEAD"
            return problem(405, why, {"Allow": "GET, HEAD"})
        hang_up = {"Connection": "close"}  # what was sent is not read
        if not self.keys.open(scope["headers"]):
            headers = {"WWW-Authenticate": "Bearer", **hang_up}
            return problem(401, "no key was sent, or a wrong one; send Authorization: Bearer KEY", headers)
        if self.state.stopping and scope["path"] != "/metrics":
            return problem(503, "the server is stopping; ask another or later", {**SOON, **hang_up})
        return None

    async def _body(self, scope: Scope, receive: Receive) -> bytes | Response:
        """What a request sends, or why it was not read."""
        if scope["path"] in OPEN:
            return b""
        most, parts, size = self.limits.bytes, list[bytes](), 0
        declared = Headers(scope=scope).get("content-length", "0")
        large = problem(413, f"more than {self.limits.body:g} MiB were sent; send less", {"Connection": "close"})
        if declared.isdigit() and int(declared) > most:
            return large
        try:
            async with asyncio.timeout(self.limits.seconds):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        return problem(CLOSED, "the client hung up")
                    parts.append(message.get("body", b""))
                    size += len(parts[-1])
                    if size > most:
                        return large
                    if not message.get("more_body"):
                        return b"".join(parts)
        except TimeoutError:
            late = f"the request was not complete after {self.limits.seconds:g} seconds; send it faster"
            return problem(408, late, {"Connection": "close"})


def _sends(scope: Scope) -> bool:
    """Whether a request has a body."""
    headers = Headers(scope=scope)
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers


def _again(body: bytes, receive: Receive) -> Receive:
    """Receives a body that has been read, then what comes."""
    told = False

    async def received() -> Any:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return received
