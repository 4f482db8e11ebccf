"""The web application: the pages of a run, and the explanation of an image that is sent.

Nothing in a request becomes a path.
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

MAX_BYTES = 10_000_000  # of an image
MESSAGES = {
    404: "There is no such page. There are / and /explain.",
    405: "This page does not take that kind of request.",
}
HERE = Path(__file__).parent
# The report draws with scripts and styles in the page; they reach nothing but this server.
REPORT_CSP = (
    f"{NOTHING}; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; "
    "font-src data:"
)
LINK = (
    '<a href="/explain" style="position:fixed;right:1rem;bottom:1rem;padding:.6rem 1rem;'
    "border-radius:2rem;background:#1f5fbf;color:#fff;font:600 15px system-ui,sans-serif;"
    'text-decoration:none;z-index:1000">Explain an image</a>'
)


@final
class Pages:
    """The pages of a run.

    Args:
        report: The file of the report. It is read at each request, so that a new one is shown.
        facts: What the page for images shows of the model: `title` and `wanted`.
        explain: Returns an explanation of the bytes of an image; it raises `UserError` for other
            bytes.
    """

    def __init__(
        self, report: Path, facts: Mapping[str, Any], explain: Callable[[bytes], Mapping[str, Any]]
    ) -> None:
        self.path, self.facts, self.explain = report, facts, explain
        self.page = (HERE / "explain.html").read_text(encoding="utf-8")
        kinds = "; ".join(f"{kind}-src {_hash(self.page, kind)}" for kind in ("script", "style"))
        self.csp = f"{NOTHING}; {kinds}; img-src data: blob:; connect-src 'self'"

    async def report(self, request: Request) -> Response:
        """Return the report, or how to make it.

        Args:
            request: The request.

        Returns:
            A page.
        """
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
        """Return the page where an image is chosen.

        Args:
            request: The request.

        Returns:
            A page.
        """
        return HTMLResponse(self.page, headers={"Content-Security-Policy": self.csp})

    async def about(self, request: Request) -> Response:
        """Return what that page shows of the model.

        Args:
            request: The request.

        Returns:
            A JSON object.
        """
        return JSONResponse(dict(self.facts))

    async def answer(self, request: Request) -> Response:
        """Explain the image in the body of a request.

        Args:
            request: The request; its body is the file of the image.

        Returns:
            The explanation as a JSON object.

        Raises:
            Refused: Without an image, and for bytes that are no image.
        """
        content = await body(request, MAX_BYTES)
        if not content:
            raise Refused(400, "No image came. Send the file itself as the body of the request.")
        try:
            return JSONResponse(dict(await run_in_threadpool(self.explain, content)))
        except UserError as error:
            raise Refused(415, str(error)) from error


def application(pages: Pages, hosts: Collection[str], addresses: bool = False) -> Starlette:
    """Build the web application.

    Args:
        pages: The pages.
        hosts: The names that the server answers to.
        addresses: Whether it answers to IP addresses too.

    Returns:
        The ASGI application.
    """
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
        refusal(error.status, error.message)
        if isinstance(error, Refused)
        else await _failed(request, error)
    )


async def _http(request: Request, error: Exception) -> Response:
    status = getattr(error, "status_code", 500)
    return refusal(status, MESSAGES.get(status, f"This request was refused ({status})."))


async def _failed(request: Request, error: Exception) -> Response:
    return refusal(500, "Something went wrong in the server; its terminal says what.")


def _hash(page: str, kind: str) -> str:
    """Return the CSP source that allows exactly this script or style of the page."""
    (content,) = re.findall(f"<{kind}>(.*?)</{kind}>", page, flags=re.DOTALL)
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"
