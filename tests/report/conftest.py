"""The system's Chromium for tests of pages; any message on its console fails the test."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
LOCAL = ("file:", "data:", "blob:")


# Not for the session: its event loop occupies the thread, and other tests need their own.
@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        pytest.skip(f"no browser: none of {', '.join(PROGRAMS)} is installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield started
        started.close()


@pytest.fixture
def visit(browser: Any) -> Iterator[Callable[..., Any]]:
    """Open a file or an address; requests elsewhere and console messages fail the test."""
    problems: list[str] = []
    contexts = []

    def visit(where: Path | str, width: int = 1280, scheme: str = "light") -> Any:
        address = where.resolve().as_uri() if isinstance(where, Path) else where
        own = "/".join(address.split("/")[:3]) + "/"
        context = browser.new_context(viewport={"width": width, "height": 844}, color_scheme=scheme)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(120_000)  # milliseconds: a busy machine draws slowly
        page.on(
            "console",
            lambda said: (
                said.type in ("error", "warning") and problems.append(f"{said.type}: {said.text}")
            ),
        )
        page.on("pageerror", lambda error: problems.append(f"error: {error}"))
        page.on(
            "request",
            lambda sent: (
                sent.url.startswith((own, *LOCAL)) or problems.append(f"asks for {sent.url}")
            ),
        )
        page.goto(address)
        return page

    yield visit
    for context in contexts:
        context.close()
    assert problems == []
