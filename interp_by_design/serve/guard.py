"""Checks of requests before they reach a page, and headers of every answer.

A page from anywhere may send requests to this machine, from the browser of the person who runs
this server. So the name that the browser asked for has to be known (else a foreign name could be
made to lead here: DNS rebinding), and what is sent has to come from a page of this server.
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
# A content security policy that allows a page to load nothing.
NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
MAX_DIGITS = 18  # of a declared length


class Refused(Exception):
    """A request that is refused.

    Args:
        status: The status of HTTP.
        message: The text of the answer.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


def refusal(status: int, message: str) -> Response:
    """Return the answer to a request that is refused.

    Args:
        status: The status of HTTP.
        message: What is wrong.

    Returns:
        A JSON object with the message.
    """
    return JSONResponse(
        {"error": message}, status, {"Connection": "close"} if status == 413 else None
    )


@final
class Guard:
    """Middleware that refuses requests to other hosts and from other origins, and sets headers.

    Args:
        app: The application behind it.
        hosts: The names that a request may ask for.
        addresses: Whether it may ask for any IP address. An address cannot be rebound, and a
            server that listens on all addresses has no list of them.
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
        if not self._is_known(host):
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

    def _is_known(self, header: str) -> bool:
        found = re.fullmatch(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d+)?", header.lower())
        name = found.group(1).strip("[]") if found else ""
        return name in self.hosts or (self.addresses and _is_address(name))


async def body(request: Request, limit: int) -> bytes:
    """Read the body of a request.

    Args:
        request: The request.
        limit: The largest size in bytes.

    Returns:
        The body.

    Raises:
        Refused: For a larger body, before it is read where its size is declared, and where the
            connection ends early.
    """
    too_large = Refused(
        413, f"This is larger than {limit / 1e6:g} MB, the limit. Make the image smaller."
    )
    declared = request.headers.get("content-length", "0")
    if not declared.isdecimal() or len(declared) > MAX_DIGITS or int(declared) > limit:
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
