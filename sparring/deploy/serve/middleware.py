"""Checks before a request is processed: API key, size of the body, shutdown; and the metrics of each request."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sparring.deploy.serve.access import Attempts, Hosts
from sparring.deploy.serve.answers import as_json
from sparring.deploy.serve.keys import Keys, sent_keys
from sparring.deploy.serve.limits import Limits
from sparring.deploy.serve.metrics import Metrics
from sparring.deploy.serve.traces import Traces

PUBLIC = ("/healthz", "/readyz")  # need no key, at any time; bodies sent to them are not read
RETRY_SOON = {"Retry-After": "1"}  # seconds
DISCONNECTED = 499  # status of requests whose client disconnected, as web servers log it; nobody receives it


class State:
    """State that the parts of a server share.

    Attributes:
        stopping: True if new requests are refused.
        active: number of requests that are not answered yet.
        connections: returns the number of open connections.
    """

    def __init__(self) -> None:
        self.stopping, self.active = False, 0
        self.connections: Callable[[], int] = self.count

    def count(self) -> int:
        """Number of requests that are not answered yet."""
        return self.active

    async def idle(self, seconds: float) -> None:
        """Wait until all requests are answered, but no longer than this."""
        deadline = time.monotonic() + seconds
        while self.active and time.monotonic() < deadline:
            await asyncio.sleep(0.02)


def problem(status: int, detail: str, headers: dict[str, str] | None = None) -> Response:
    """An error response with one line of text."""
    line = " ".join(detail.split())
    return Response(as_json({"detail": line}), status, headers, "application/json")


class Middleware:
    """An ASGI middleware that refuses requests early and counts all of them.

    Args:
        app: that processes admitted requests.
        routes: of the app, which requests are counted by.
    """

    def __init__(
        self,
        app: ASGIApp,
        routes: Sequence[BaseRoute],
        state: State,
        keys: Keys,
        hosts: Hosts,
        limits: Limits,
        metrics: Metrics,
        traces: Traces,
    ) -> None:
        self.app, self.routes, self.state = app, routes, state
        self.keys, self.hosts, self.limits, self.metrics, self.traces = keys, hosts, limits, metrics, traces
        self.attempts = Attempts()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        route = self._route(scope)
        with self.traces.request(scope, route) as ended:
            ended(await self._counted(scope, receive, send, route))

    async def _counted(self, scope: Scope, receive: Receive, send: Send, route: str) -> int:
        """Answer a request, and count it. The status of the response."""
        status, began = 500, time.perf_counter()
        unread = scope["path"] in PUBLIC and _has_body(scope)

        async def observed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                if unread:
                    message["headers"] = [*message["headers"], (b"connection", b"close")]
            await send(message)

        self.state.active += 1
        self.metrics.in_flight.inc()
        try:
            result = self._refusal(scope) or await self._body(scope, receive)
            if isinstance(result, Response):
                await result(scope, receive, observed)
            else:
                # The app only has GET; the server sends only the head of a response to HEAD.
                admitted = {**scope, "method": "GET"} if scope["path"] in PUBLIC else scope
                await self.app(admitted, _replay(result, receive), observed)
        finally:
            self.state.active -= 1
            self.metrics.in_flight.dec()
            self.metrics.requests.labels(route, str(status)).inc()
            self.metrics.seconds.labels(route).observe(time.perf_counter() - began)
        return status

    def _route(self, scope: Scope) -> str:
        """The path as it is declared, so that there are few different ones."""
        for route in self.routes:
            if route.matches(scope)[0] != Match.NONE:
                return str(getattr(route, "path", "unknown"))
        return "unknown"

    def _refusal(self, scope: Scope) -> Response | None:
        """The response to a request that is not processed; None if it is."""
        if scope["path"] in PUBLIC:
            if scope["method"] in ("GET", "HEAD"):
                return None
            why = f"{scope['method']} is not allowed for {scope['path']}; use GET or HEAD"
            return problem(405, why, {"Allow": "GET, HEAD"})
        close = {"Connection": "close"}  # the body is not read
        host = Headers(scope=scope).get("host", "")
        if not self.hosts.known(host):
            return problem(421, self.hosts.refusal(host), close)
        if self.state.connections() > self.limits.connections:
            return problem(503, "too many connections are open; try again later", {**RETRY_SOON, **close})
        refusal = self._locked(scope)
        if refusal is not None:
            return refusal
        if self.state.stopping and scope["path"] != "/metrics":
            return problem(
                503, "the server is stopping; use another server or try again later", {**RETRY_SOON, **close}
            )
        return None

    def _locked(self, scope: Scope) -> Response | None:
        """The response to a request without a valid key; None if it has one."""
        close = {"Connection": "close"}
        client = (scope.get("client") or ("",))[0]
        wait = self.attempts.wait(client) if self.keys else 0
        if wait:
            why = f"too many wrong keys; try again in {wait} seconds"
            return problem(429, why, {"Retry-After": str(wait), **close})
        if self.keys.admit(scope["headers"]):
            return None
        if any(sent_keys(scope["headers"])):
            self.attempts.count(client)
        why = "the key is missing or invalid; send Authorization: Bearer KEY"
        return problem(401, why, {"WWW-Authenticate": "Bearer", **close})

    async def _body(self, scope: Scope, receive: Receive) -> bytes | Response:
        """The body of a request, or the response if it cannot be read."""
        if scope["path"] in PUBLIC:
            return b""
        limit, parts, size = self.limits.max_bytes, list[bytes](), 0
        declared = Headers(scope=scope).get("content-length", "0")
        too_large = problem(413, f"the body exceeds {self.limits.body:g} MiB; send less", {"Connection": "close"})
        if declared.isdigit() and int(declared) > limit:
            return too_large
        try:
            async with asyncio.timeout(self.limits.seconds):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        return problem(DISCONNECTED, "the client disconnected")
                    parts.append(message.get("body", b""))
                    size += len(parts[-1])
                    if size > limit:
                        return too_large
                    if not message.get("more_body"):
                        return b"".join(parts)
        except TimeoutError:
            late = f"the request was incomplete after {self.limits.seconds:g} seconds; send it faster"
            return problem(408, late, {"Connection": "close"})


def _has_body(scope: Scope) -> bool:
    """True if a request has a body."""
    headers = Headers(scope=scope)
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers


def _replay(body: bytes, receive: Receive) -> Receive:
    """Receives a body that was already read, then further messages."""
    replayed = False

    async def received() -> Any:
        nonlocal replayed
        if replayed:
            return await receive()
        replayed = True
        return {"type": "http.request", "body": body, "more_body": False}

    return received
