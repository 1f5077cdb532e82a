"""Requests that the page does not answer: those by another name, and passwords of those who guess them."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sparring.deploy.serve.access import Attempts, Hosts

LOGIN = "/login"  # path to which Gradio's form sends the password


class Guard:
    """An ASGI middleware around the page.

    Args:
        app: the page.
        hosts: the names by which it can be asked.
    """

    def __init__(self, app: ASGIApp, hosts: Hosts) -> None:
        self.app, self.hosts, self.attempts = app, hosts, Attempts()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        host, client = Headers(scope=scope).get("host", ""), (scope.get("client") or ("",))[0]
        login = scope["type"] == "http" and scope["method"] == "POST" and scope["path"].rstrip("/").endswith(LOGIN)
        if not self.hosts.known(host):
            await PlainTextResponse(self.hosts.refusal(host), 421)(scope, receive, send)
        elif login and (wait := self.attempts.wait(client)):
            why = f"too many wrong passwords; try again in {wait} seconds"
            await PlainTextResponse(why, 429, {"Retry-After": str(wait)})(scope, receive, send)
        else:
            await self.app(scope, receive, self._counting(send, client) if login else send)

    def _counting(self, send: Send, client: str) -> Send:
        """Sends on, and remembers a wrong password by the status of the response."""

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start" and 400 <= message["status"] < 500:
                self.attempts.count(client)
            await send(message)

        return counted
