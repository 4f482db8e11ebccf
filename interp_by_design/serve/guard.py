"""What is let through to the pages, and with which headers it goes out. Knows nothing of models and pages.

A page from anywhere may send requests to this machine, from the browser of whoever runs this server. So the name that the browser
asked for has to be one of ours (else a foreign name could be made to lead here: DNS rebinding), and what is sent has to come from
a page of ours.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection
from typing import final

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"  # what a page may load, by default


class Refused(Exception):
    """A request that is answered with words and a status of HTTP."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status, self.words = status, words


def refusal(status: int, words: str) -> Response:
    """The answer to a request that is refused."""
    return JSONResponse(
        {"error": words}, status, {"Connection": "close"} if status == 413 else None
    )


@final
class Guard:
    """Lets requests through whose Host is one of `hosts`, and that no page of another origin sent; sets HEADERS on every answer.

    addresses: whether a bare IP address is a Host too. It cannot be rebound, and who listens on all has no list of them.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str], addresses: bool = False) -> None:
        self.app, self.hosts, self.addresses = app, {host.lower() for host in hosts}, addresses

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers.setdefault("Content-Security-Policy", NOTHING)
            await send(message)

        if scope["type"] == "http" and (
            refused := self._refused(scope["method"], Headers(scope=scope))
        ):
            await refused(scope, receive, guarded)
        elif scope["type"] in ("http", "lifespan"):  # there are no others here, such as web sockets
            await self.app(scope, receive, guarded)

    def _refused(self, method: str, headers: Headers) -> Response | None:
        host = headers.get("host", "")
        if not self._is_ours(host):
            known = ", ".join(sorted(self.hosts))
            return refusal(
                400, f"This server answers to {known}, and was asked for as {host[:100]!r}."
            )
        origin, site = headers.get("origin"), headers.get("sec-fetch-site", "same-origin")
        foreign = (origin is not None and origin.partition("://")[2] != host) or site not in (
            "same-origin",
            "none",
        )
        if method not in ("GET", "HEAD") and foreign:
            return refusal(
                403,
                "This was sent by a page of another origin. Send it from the page of this server.",
            )
        return None

    def _is_ours(self, header: str) -> bool:
        found = re.fullmatch(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d+)?", header.lower())
        name = found.group(1).strip("[]") if found else ""
        return name in self.hosts or (self.addresses and _is_address(name))


async def body(request: Request, limit: int) -> bytes:
    """What was sent, of at most `limit` bytes. Raises `Refused` for more, at once where the size is declared, unread."""
    too_large = Refused(
        413, f"This is larger than the {limit / 1e6:g} MB that are taken. Make the image smaller."
    )
    declared = request.headers.get("content-length", "0")
    if not declared.isdecimal() or len(declared) > 18 or int(declared) > limit:
        raise too_large
    content = bytearray()
    try:
        async for chunk in request.stream():
            content += chunk
            if len(content) > limit:
                raise too_large
    except ClientDisconnect:
        raise Refused(400, "The connection ended before the image did.") from None
    return bytes(content)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
