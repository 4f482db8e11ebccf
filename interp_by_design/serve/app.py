"""The pages of a run, and the answer to an image that is sent. Nothing that a request says becomes a path.

Knows nothing of models: `explain` is what answers, and raises `UserError` for what is no image.
"""

from __future__ import annotations

import base64
import hashlib
import re
import shlex
from collections.abc import Callable, Collection, Mapping
from html import escape
from pathlib import Path
from typing import Any, final

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from interp_by_design.serve.guard import NOTHING, Guard, Refused, body, refusal
from interp_by_design.terms import UserError

LIMIT = 10_000_000  # bytes of an image
WORDS = {
    404: "There is no such page. There are / and /explain.",
    405: "This page does not take that kind of request.",
}
HERE = Path(__file__).parent
# The report draws with scripts and styles in the page; whatever they do, they reach nothing but this server.
REPORT_CSP = f"{NOTHING}; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; font-src data:"
LINK = (
    '<a href="/explain" style="position:fixed;right:1rem;bottom:1rem;padding:.6rem 1rem;border-radius:2rem;background:#1f5fbf;'
    'color:#fff;font:600 15px system-ui,sans-serif;text-decoration:none;z-index:1000">Explain an image</a>'
)


@final
class Pages:
    """What there is to be asked for.

    report: the file of the run's page; read anew each time, so that one that is made again is seen.
    facts: what the page for images tells of the model: `title`, `wanted`.
    explain: from the bytes of an image to what is told of it.
    """

    def __init__(
        self, report: Path, facts: Mapping[str, Any], explain: Callable[[bytes], Mapping[str, Any]]
    ) -> None:
        self.path, self.facts, self.explain = report, facts, explain
        self.page = (HERE / "explain.html").read_text(encoding="utf-8")
        kinds = "; ".join(f"{kind}-src {_hash(self.page, kind)}" for kind in ("script", "style"))
        self.csp = f"{NOTHING}; {kinds}; img-src data: blob:; connect-src 'self'"

    async def report(self, request: Request) -> Response:
        """The run's page, or how to make it."""
        try:
            text = await run_in_threadpool(self.path.read_text, encoding="utf-8")
        except FileNotFoundError:
            text = (
                (HERE / "missing.html")
                .read_text(encoding="utf-8")
                .replace("$RUN", escape(shlex.quote(str(self.path.parent))))
            )
        before, end, after = text.rpartition("</body>")
        text = before + LINK + end + after if end else text
        return HTMLResponse(text, headers={"Content-Security-Policy": REPORT_CSP})

    async def form(self, request: Request) -> Response:
        """The page where an image is chosen."""
        return HTMLResponse(self.page, headers={"Content-Security-Policy": self.csp})

    async def about(self, request: Request) -> Response:
        """What that page tells of the model."""
        return JSONResponse(dict(self.facts))

    async def answer(self, request: Request) -> Response:
        """The explanation of the image that is sent, as it is, in the body."""
        content = await body(request, LIMIT)
        if not content:
            raise Refused(400, "No image came. Send the file as it is, as the body of the request.")
        try:
            return JSONResponse(dict(await run_in_threadpool(self.explain, content)))
        except UserError as error:
            raise Refused(415, str(error)) from error


def application(pages: Pages, hosts: Collection[str], addresses: bool = False) -> Starlette:
    """The server's program; `hosts` are the names that it answers to, `addresses` whether IP addresses are among them."""
    return Starlette(
        routes=[
            Route("/", pages.report),
            Route("/explain", pages.form, methods=["GET"]),
            Route("/explain", pages.answer, methods=["POST"]),
            Route("/facts", pages.about),
        ],
        middleware=[Middleware(Guard, hosts=hosts, addresses=addresses)],
        exception_handlers={Refused: _refused, HTTPException: _http, Exception: _failed},
    )


async def _refused(request: Request, error: Exception) -> Response:
    return (
        refusal(error.status, error.words)
        if isinstance(error, Refused)
        else await _failed(request, error)
    )


async def _http(request: Request, error: Exception) -> Response:
    status = getattr(error, "status_code", 500)
    return refusal(status, WORDS.get(status, f"This request was refused ({status})."))


async def _failed(request: Request, error: Exception) -> Response:
    return refusal(500, "Something went wrong in the server; its terminal says what.")


def _hash(page: str, kind: str) -> str:
    """What lets exactly this script or style of the page through."""
    (content,) = re.findall(f"<{kind}>(.*?)</{kind}>", page, flags=re.DOTALL)
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"
