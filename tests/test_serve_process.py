"""`interp serve` as a process: a run from the report to an explanation, its socket and its end."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
import torch
from starlette.testclient import TestClient

from interp_by_design.run.saved_run import open_run
from interp_by_design.serve.app import application
from interp_by_design.serve.live_explanations import pages_of
from interp_by_design.serve.server import is_loopback, listening
from interp_by_design.terms import UserError
from tests.test_serve import URL, picture

CHROMIUM = Path("/usr/bin/chromium")


# ---------------------------------------------------------------------- a real process
def drop_an_image(url: str, folder: Path) -> None:
    """From the report to an explanation, and to the message about a file that is no image."""
    from playwright.sync_api import sync_playwright

    (folder / "image.png").write_bytes(picture())
    (folder / "text.png").write_text("no image")
    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 390, "height": 800})
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text))
        page.goto(url)
        page.click("text=Explain an image")
        page.set_input_files("#file", folder / "image.png")
        page.wait_for_selector("#result:not([hidden])")
        assert page.inner_text("#statement").startswith("f and g")
        assert page.locator("#shown tr").count() > 0
        assert "name" in page.inner_text("#shown tr:first-child th")
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        assert complaints == []
        page.set_input_files("#file", folder / "text.png")
        page.wait_for_selector("#error:not([hidden])")
        assert "no image of a known kind" in page.inner_text("#error")
        assert page.is_hidden("#result")
        browser.close()


@pytest.mark.slow
def test_a_run_is_served_until_ctrl_c(finished_run: Path, tmp_path: Path) -> None:
    (finished_run / "names.yaml").write_text("".join(f'{j}: "name {j}"\n' for j in range(12)))
    (finished_run / "report.html").write_text("<body>the report</body>")
    line = [sys.executable, "-m", "interp_by_design", "serve", str(finished_run), "--port", "0"]
    with subprocess.Popen(
        line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        printed = process.stdout.readline() if process.stdout else ""
        found = re.fullmatch(
            r"Serving at (http://127\.0\.0\.1:\d+) \(images: .*/explain\)\. Ctrl-C ends it\.\n",
            printed,
        )
        if found is None:
            process.kill()
            pytest.fail(f"{printed}{process.communicate()}")
        url = found.group(1)
        with urllib.request.urlopen(url) as page:
            assert b"the report" in page.read()
        with urllib.request.urlopen(f"{url}/facts") as facts:
            assert "resized to 8 x 8 pixels in gray" in json.load(facts)["wanted"]
        with urllib.request.urlopen(
            urllib.request.Request(f"{url}/explain", data=picture("JPEG"), method="POST")
        ) as answer:
            explained = json.load(answer)
        if CHROMIUM.exists():
            drop_an_image(url, tmp_path)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=200)
    assert (process.returncode, out, err) == (0, "Stopped.\n", "")
    assert explained["image"].startswith("data:image/png;base64,")
    assert explained["statement"].startswith("f and g")
    assert all(
        shown["label"] == f"φ{shown['attribute']} “name {shown['attribute']}”"
        for shown in explained["shown"]
    )


def test_what_is_reported_of_a_run_is_what_its_model_says(finished_run: Path) -> None:
    run = open_run(finished_run)
    client = TestClient(application(pages_of(run, tau=5.0), ["127.0.0.1"]), URL)
    content = picture(size=(8, 8), mode="L")
    explained = client.post("/explain", content=content).json()
    wanted = run.model.explain(torch.ones(1, 8, 8))
    assert (
        explained["interpreter"]["class"] == run.model.facts.class_names[wanted.interpreter_class]
    )
    assert [shown["attribute"] for shown in explained["shown"]] == wanted.shown(5.0)
    assert [shown["contribution"] for shown in explained["shown"]] == pytest.approx(
        wanted.contributions[wanted.shown(5.0)].tolist()
    )


# ---------------------------------------------------------------------- listening
def test_loopback_is_reported_from_the_rest() -> None:
    assert all(is_loopback(host) for host in ("127.0.0.1", "127.0.0.2", "::1", "localhost"))
    assert not any(
        is_loopback(host) for host in ("0.0.0.0", "::", "192.168.1.7", "example.org", "")
    )


def test_a_port_in_use_is_reported_with_another() -> None:
    with listening("127.0.0.1", 0) as door:
        port = door.getsockname()[1]
        with pytest.raises(
            UserError,
            match=f"Port {port} of 127.0.0.1 is in use. Choose another: --port {port + 1}",
        ):
            listening("127.0.0.1", port)


@pytest.mark.parametrize(
    ("host", "port", "words"),
    [("127.0.0.1", 70000, "no port 70000"), ("192.0.2.1", 0, "Cannot listen")],
)
def test_where_nobody_can_listen_is_reported(host: str, port: int, words: str) -> None:
    with pytest.raises(UserError, match=words):
        listening(host, port)


def test_an_address_of_the_loopback_is_listened_at() -> None:
    with (
        listening("localhost", 0) as door,
        socket.create_connection(door.getsockname()[:2]) as caller,
    ):
        assert caller.getpeername()[1] == door.getsockname()[1]
